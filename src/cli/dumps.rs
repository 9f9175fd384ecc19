//! Memory holds passwords and tokens. No core files, which are memory that outlives the program; and no other process of
//! the same person looks into it, nor at the environment that it was started with: least of all a function's.

/// Keeps the system from writing the memory of this program, or of one that it starts, to a file or a pipe, and on Linux
/// from showing it to other processes without the privilege to trace any.
#[cfg(unix)]
pub(super) fn forbid() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // One byte is less than any core file has, and unlike none at all it also keeps Linux from piping memory to a
    // crash reporter: https://github.com/torvalds/linux/blob/v6.6/fs/coredump.c#L577
    const TOO_LITTLE: u64 = 1;
    let allowed = getrlimit(Resource::Core).maximum.unwrap_or(u64::MAX).min(TOO_LITTLE);
    // Lowering a limit is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(allowed), maximum: Some(allowed) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Not refused by any kernel since 2.4.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Elsewhere there is nothing of the kind to forbid.
#[cfg(not(unix))]
pub(super) fn forbid() {}
