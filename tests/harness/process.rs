//! The processes of a test, found by what they were given: its directory is in their environment, arguments or working
//! directory.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::sandbox::eventually;

/// A process that belongs to a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: i32,
    pub command: String,
    pub parent: i32,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.command)
    }
}

/// The processes that know of a directory.
pub fn of(directory: &Path) -> Vec<Process> {
    let wanted = directory.as_os_str().as_encoded_bytes();
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
            let arguments = read("cmdline");
            let works_there =
                fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory));
            if !works_there && !contains(&arguments, wanted) && !contains(&read("environ"), wanted)
            {
                return None;
            }
            // What has ended and waits for its parent to notice has neither arguments nor environment.
            let stat = String::from_utf8_lossy(&read("stat")).into_owned();
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            let command =
                String::from_utf8_lossy(&arguments).replace('\0', " ").trim_end().to_owned();
            Some(Process { id, command, parent })
        })
        .collect()
}

/// Those that do not end by themselves within a while.
pub fn remaining(directory: &Path, backoff: Duration) -> Vec<Process> {
    let mut left = Vec::new();
    eventually(backoff, || {
        left = of(directory);
        left.is_empty().then_some(())
    });
    left
}

/// Ends what a failed test has left.
pub fn end_all(directory: &Path) {
    for process in of(directory) {
        signal(process.id, Signal::KILL);
    }
}

/// Sends a signal to a process.
pub fn signal(id: impl TryInto<i32>, signal: Signal) {
    let id = id.try_into().ok().and_then(Pid::from_raw).expect("a process id");
    // It may be gone already.
    let _ended = kill_process(id, signal);
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
