//! What all environments share: the private directory, the thread that starts processes, the guard.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rustix::process::{Pid, Signal};
use tokio::process::{ChildStdin, Command};

use super::spawner::Spawner;
use crate::lambda::launch::{self, ROOT_PREFIX};
use crate::lambda::package::{self, PackageError};
use crate::lambda::supervisor;

/// The programs that run handlers, by their names in the runtime's directory.
const LOADERS: [(&str, &str); 8] = [
    ("bootstrap.py", include_str!("../loader/bootstrap.py")),
    ("index.mjs", include_str!("../loader/node/index.mjs")),
    ("client.mjs", include_str!("../loader/node/client.mjs")),
    ("console.mjs", include_str!("../loader/node/console.mjs")),
    ("errors.mjs", include_str!("../loader/node/errors.mjs")),
    ("handler.mjs", include_str!("../loader/node/handler.mjs")),
    ("invocation.mjs", include_str!("../loader/node/invocation.mjs")),
    ("streaming.mjs", include_str!("../loader/node/streaming.mjs")),
];

/// A directory that is removed with its last user.
#[derive(Debug)]
pub(super) struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    pub(super) fn create(parent: &Path, prefix: &str) -> io::Result<Self> {
        let path = parent.join(format!("{prefix}{:016x}", fastrand::u64(..)));
        // Fails where something is already there, so nobody can have prepared it.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _already_gone = package::remove(&self.path);
    }
}

/// A process group, with what it lives as long as.
struct Group {
    leader: Pid,
    /// The writing end of a supervisor's standard input.
    lifeline: Option<OwnedFd>,
}

/// What all environments of a server share.
pub(super) struct WorkingDirectory {
    launcher: Vec<OsString>,
    spawner: Spawner,
    guard: Option<Guard>,
    groups: Mutex<Vec<Group>>,
    /// Those that have been told to end.
    ending: Mutex<Vec<Pid>>,
    // Last: what is above still writes into it.
    root: PrivateDir,
}

impl WorkingDirectory {
    /// Prepares everything; `launcher` is the command that becomes a handler, empty for none.
    pub(super) fn open(launcher: Vec<OsString>) -> io::Result<Self> {
        // Interpreters tell where files really are, behind any link.
        let parent = fs::canonicalize(std::env::temp_dir())?;
        let root = PrivateDir::create(&parent, ROOT_PREFIX)?;
        let runtime = root.path().join("runtime");
        DirBuilder::new().mode(0o700).create(&runtime)?;
        for (name, text) in LOADERS {
            fs::write(runtime.join(name), text)?;
        }
        let guard = Guard::start(&launcher, root.path())?;
        Ok(Self {
            launcher,
            spawner: Spawner::start()?,
            guard,
            groups: Mutex::default(),
            ending: Mutex::default(),
            root,
        })
    }

    /// Where the loaders are.
    pub(super) fn runtime_dir(&self) -> PathBuf {
        self.root.path().join("runtime")
    }

    /// A directory for one environment's own files.
    pub(super) fn scratch(&self) -> io::Result<PrivateDir> {
        PrivateDir::create(self.root.path(), "tmp-")
    }

    /// The unpacked package, for one environment: nobody writes into it, and what somebody forces stays his own.
    pub(super) fn unpacked(&self, code: &Bytes) -> Result<PrivateDir, PackageError> {
        let package = PrivateDir::create(self.root.path(), "task-")?;
        package::unpack(code, package.path())?;
        package::protect(package.path())?;
        Ok(package)
    }

    /// Whether handlers are children of supervisors instead of this process's own.
    pub(super) fn supervises(&self) -> bool {
        !self.launcher.is_empty()
    }

    /// Starts a program in a process group of its own that ends with this process.
    pub(super) async fn spawn(
        &self,
        program: &Path,
        args: &[OsString],
        prepare: impl FnOnce(&mut Command),
    ) -> io::Result<(tokio::process::Child, Option<Pid>)> {
        let mut command = match self.launcher.split_first() {
            Some((launcher, first)) => {
                let mut command = Command::new(launcher);
                command.args(first).args(launch::supervise_args(program));
                command
            }
            None => Command::new(program),
        };
        let stdin = if self.supervises() { Stdio::piped() } else { Stdio::null() };
        command.args(args).stdin(stdin).process_group(0);
        // A supervisor that is killed could end nothing any more; without its pipe it ends by itself.
        command.kill_on_drop(!self.supervises());
        prepare(&mut command);
        let mut child = self.spawner.spawn(command).await?;
        // To wait for a process closes its standard input, if it has it.
        let lifeline = child.stdin.take().map(ChildStdin::into_owned_fd).transpose()?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = pid {
            let group = Group { leader, lifeline };
            self.groups.lock().unwrap_or_else(PoisonError::into_inner).push(group);
            self.tell_guard("+", leader);
        }
        Ok((child, pid))
    }

    /// Ends a process and all that it started: what is below a supervisor by and by, and at the latest when this closes.
    pub(super) fn end(&self, leader: Pid) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(position) = groups.iter().position(|known| known.leader == leader) else {
            return;
        };
        let group = groups.swap_remove(position);
        drop(groups);
        if group.lifeline.is_some() && !supervisor::is_over(leader) {
            let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
            ending.retain(|leader| !supervisor::is_over(*leader));
            ending.push(leader);
        } else {
            kill(leader);
        }
        self.tell_guard("-", leader);
    }

    fn end_all(&self) {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let leaders: Vec<Pid> = groups.iter().map(|group| group.leader).collect();
        drop(groups);
        for leader in leaders {
            self.end(leader);
        }
        let ending =
            std::mem::take(&mut *self.ending.lock().unwrap_or_else(PoisonError::into_inner));
        for leader in supervisor::await_end(ending, supervisor::GRACE * 2) {
            kill(leader);
        }
    }

    /// Ends every process and removes every file.
    pub(super) fn close(&self) {
        self.end_all();
        // A process that is still dying may write once more; then the guard, or the last owner, removes the rest.
        let _tried_again_later = package::remove(self.root.path());
    }

    fn tell_guard(&self, sign: &str, group: Pid) {
        if let Some(guard) = &self.guard {
            guard.tell(&format!("{sign}{}\n", group.as_raw_nonzero()));
        }
    }
}

fn kill(leader: Pid) {
    let _already_gone = rustix::process::kill_process_group(leader, Signal::KILL);
}

impl Drop for WorkingDirectory {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// The process that cleans up after a server that was killed.
struct Guard {
    orders: Mutex<Option<std::process::ChildStdin>>,
    process: Mutex<Child>,
}

impl Guard {
    fn start(launcher: &[OsString], root: &Path) -> io::Result<Option<Self>> {
        let Some((program, first)) = launcher.split_first() else {
            return Ok(None);
        };
        let mut process = std::process::Command::new(program)
            .args(first)
            .args(launch::guard_args(root))
            // Whoever reads it must not find the secrets of a person in it.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = Mutex::new(process.stdin.take());
        Ok(Some(Self { orders, process: Mutex::new(process) }))
    }

    fn tell(&self, order: &str) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = orders.as_mut()
            && pipe.write_all(order.as_bytes()).is_err()
        {
            // Somebody ended the guard; the death signal remains.
            *orders = None;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        *self.orders.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _its_end_matters_little = process.wait();
    }
}
