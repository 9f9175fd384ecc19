//! No core files: memory holds passwords and tokens, and a core file is memory that outlives the program.

/// Keeps the system from writing the memory of this program, or of one that it starts, to a file or a pipe.
#[cfg(unix)]
pub(super) fn forbid() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // One byte is less than any core file has, and unlike none at all it also keeps Linux from piping memory to a
    // crash reporter: https://github.com/torvalds/linux/blob/v6.6/fs/coredump.c#L577
    const TOO_LITTLE: u64 = 1;
    let allowed = getrlimit(Resource::Core).maximum.unwrap_or(u64::MAX).min(TOO_LITTLE);
    // Lowering a limit is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(allowed), maximum: Some(allowed) });
}

/// Elsewhere there is nothing of the kind to forbid.
#[cfg(not(unix))]
pub(super) fn forbid() {}
