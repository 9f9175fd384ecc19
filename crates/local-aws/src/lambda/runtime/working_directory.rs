//! What all environments share: the private directory, the thread that starts processes, the guard.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use rustix::process::{Pid, Signal};
use tokio::process::Command;

use super::spawner::Spawner;
use crate::lambda::launch::{self, ROOT_PREFIX};
use crate::lambda::package::{self, PackageError};

const PYTHON_LOADER: &str = include_str!("../loader/bootstrap.py");
const NODE_LOADER: &str = include_str!("../loader/bootstrap.mjs");

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
        let _already_gone = fs::remove_dir_all(&self.path);
    }
}

/// What all environments of a server share.
pub(super) struct WorkingDirectory {
    launcher: Vec<OsString>,
    spawner: Spawner,
    guard: Option<Guard>,
    groups: Mutex<Vec<Pid>>,
    packages: Mutex<HashMap<String, Weak<PrivateDir>>>,
    // Last: what is above still writes into it.
    root: PrivateDir,
}

impl WorkingDirectory {
    /// Prepares everything; `launcher` is the command that becomes a handler, empty for none.
    pub(super) fn open(launcher: Vec<OsString>) -> io::Result<Self> {
        let root = PrivateDir::create(&std::env::temp_dir(), ROOT_PREFIX)?;
        let runtime = root.path().join("runtime");
        DirBuilder::new().mode(0o700).create(&runtime)?;
        fs::write(runtime.join("bootstrap.py"), PYTHON_LOADER)?;
        fs::write(runtime.join("bootstrap.mjs"), NODE_LOADER)?;
        let guard = Guard::start(&launcher, root.path())?;
        Ok(Self {
            launcher,
            spawner: Spawner::start()?,
            guard,
            groups: Mutex::default(),
            packages: Mutex::default(),
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

    /// The unpacked package; unpacked once for all environments that are alive at a time.
    pub(super) fn unpacked(
        &self,
        sha256: &str,
        code: &Bytes,
    ) -> Result<Arc<PrivateDir>, PackageError> {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        packages.retain(|_, package| package.strong_count() > 0);
        if let Some(package) = packages.get(sha256).and_then(Weak::upgrade) {
            return Ok(package);
        }
        let package = Arc::new(PrivateDir::create(self.root.path(), "task-")?);
        package::unpack(code, package.path())?;
        packages.insert(sha256.to_owned(), Arc::downgrade(&package));
        Ok(package)
    }

    /// Starts a program in a process group of its own that dies with this process.
    pub(super) async fn spawn(
        &self,
        program: &Path,
        args: &[OsString],
        prepare: impl FnOnce(&mut Command),
    ) -> io::Result<(tokio::process::Child, Option<Pid>)> {
        let mut command = match self.launcher.split_first() {
            Some((launcher, first)) => {
                let mut command = Command::new(launcher);
                command.args(first).args(launch::run_args(std::process::id(), program));
                command
            }
            None => Command::new(program),
        };
        command.args(args).stdin(Stdio::null()).process_group(0);
        prepare(&mut command);
        let child = self.spawner.spawn(command).await?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            self.groups.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
            self.tell_guard("+", pid);
        }
        Ok((child, pid))
    }

    /// Ends a process and all that it started.
    pub(super) fn end(&self, group: Pid) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(position) = groups.iter().position(|known| *known == group) else {
            return;
        };
        groups.swap_remove(position);
        drop(groups);
        let _already_gone = rustix::process::kill_process_group(group, Signal::KILL);
        self.tell_guard("-", group);
    }

    fn end_all(&self) {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for group in groups {
            self.end(group);
        }
    }

    /// Ends every process and removes every file.
    pub(super) fn close(&self) {
        self.end_all();
        // A process that is still dying may write once more; then the guard, or the last owner, removes the rest.
        let _tried_again_later = fs::remove_dir_all(self.root.path());
    }

    fn tell_guard(&self, sign: &str, group: Pid) {
        if let Some(guard) = &self.guard {
            guard.tell(&format!("{sign}{}\n", group.as_raw_nonzero()));
        }
    }
}

impl Drop for WorkingDirectory {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// The process that cleans up after a server that was killed.
struct Guard {
    orders: Mutex<Option<ChildStdin>>,
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
