//! Between this program and a handler stands a process that ends with all that the handler has started.
//!
//! A process group is not enough: a child that calls `setsid` leaves it. The supervisor is a sub-reaper, so whatever
//! becomes an orphan below it becomes its own child, however it has detached itself. It ends everything when its standard
//! input ends, which is a pipe from the program that only the program's end closes; so also when that was killed.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process};

/// How long processes that have been killed may take to be gone.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Runs a handler to its end, then ends what it has left, and ends as it did.
pub(super) fn supervise(program: &Path, command: Command) -> io::Error {
    match run(program, command) {
        Ok(status) => end_as(status),
        Err(error) => error,
    }
}

fn run(program: &Path, mut command: Command) -> io::Result<Option<WaitStatus>> {
    confine();
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let child = command.stdin(Stdio::null()).spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("cannot execute {}: {error}", program.display()))
    })?;
    let handler = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let handler = handler.ok_or_else(|| io::Error::other("the handler has no process id"))?;
    thread::spawn(move || {
        // Nothing is ever written to it.
        let _end = io::stdin().lock().read_to_end(&mut Vec::new());
        let _already_gone = kill_process(handler, Signal::KILL);
    });
    let status = wait_for(handler);
    end_children();
    Ok(status)
}

/// Handlers get no right by executing a program. Where everything runs as root, they keep what containers usually have of
/// its rights, and lose those to look into other processes, which are several: to trace them, to measure them, to do
/// anything.
fn confine() {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{
            CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs,
        };
        // They may read what they like, and write only where anybody in their place may: not into their own code.
        let kept = CapabilitySet::CHOWN
            | CapabilitySet::DAC_READ_SEARCH
            | CapabilitySet::FOWNER
            | CapabilitySet::FSETID
            | CapabilitySet::KILL
            | CapabilitySet::NET_BIND_SERVICE
            | CapabilitySet::SETGID
            | CapabilitySet::SETUID;
        for number in 0..u64::BITS {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            if !kept.contains(capability) {
                // Only root has it to give up, and no kernel knows as many.
                let _not_ours = remove_capability_from_bounding_set(capability);
            }
        }
        let _old_kernel = set_no_new_privs(true);
    }
}

/// Waits for one child, and buries those that it has left meanwhile.
fn wait_for(handler: Pid) -> Option<WaitStatus> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == handler => return Some(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Kills every child, and those that become so thereby, until there is none.
fn end_children() {
    let own = rustix::process::getpid();
    let end = Instant::now() + GRACE;
    while Instant::now() < end {
        for child in children(own) {
            let _already_gone = kill_process(child, Signal::KILL);
        }
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The children of a process.
pub(super) fn children(parent: Pid) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.filter_map(|entry| {
        let id: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(id)
    });
    processes
        .filter(|process| {
            status(*process).is_some_and(|(_, found)| found == parent.as_raw_nonzero().get())
        })
        .collect()
}

/// Whether a process has ended; its parent may still have to notice.
pub(super) fn is_over(process: Pid) -> bool {
    if cfg!(target_os = "linux") {
        status(process).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))
    } else {
        rustix::process::test_kill_process(process).is_err()
    }
}

/// Waits until processes have ended; says which have not.
pub(super) fn await_end(mut processes: Vec<Pid>, limit: Duration) -> Vec<Pid> {
    let end = Instant::now() + limit;
    loop {
        processes.retain(|process| !is_over(*process));
        if processes.is_empty() || Instant::now() > end {
            return processes;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The state of a process, and its parent. The name before them may hold anything.
fn status(process: Pid) -> Option<(char, i32)> {
    let stat = std::fs::read(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Ends this process with the code or by the signal that the handler ended with.
fn end_as(status: Option<WaitStatus>) -> ! {
    let signal = status.and_then(WaitStatus::terminating_signal);
    if let Some(signal) = signal.and_then(Signal::from_named_raw) {
        let _goes_on = kill_process(rustix::process::getpid(), signal);
    }
    let code = status.and_then(WaitStatus::exit_status);
    std::process::exit(code.unwrap_or_else(|| 128 + signal.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_found_and_their_end_is_noticed() {
        let own = rustix::process::getpid();
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
        assert!(children(own).contains(&id));
        assert!(!is_over(id));
        assert_eq!(await_end(vec![id], Duration::from_millis(5)), [id]);
        child.kill().expect("killed");
        assert_eq!(await_end(vec![id], GRACE), []);
        child.wait().expect("its end");
        assert!(!children(own).contains(&id) && is_over(id));
    }
}
