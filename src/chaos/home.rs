//! A directory of one trial, which ends with it; and those of proofs that were killed.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What the name of every such directory begins with.
const PREFIX: &str = "playbook-chaos-";

/// A directory of one trial. Its lock says that somebody lives in it.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    pub(super) fn make() -> io::Result<Self> {
        Self::make_in(&std::env::temp_dir())
    }

    fn make_in(parent: &Path) -> io::Result<Self> {
        loop {
            let path = parent.join(format!("{PREFIX}{:016x}", fastrand::u64(..)));
            // Fails where something is already there, so nobody can have prepared it.
            DirBuilder::new().mode(0o700).create(&path)?;
            if let Some(lock) = lock(&path) {
                return Ok(Self { path, _lock: lock });
            }
            // Somebody who tidies up has taken it for abandoned in the moment before it was locked.
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next proof.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes what proofs have left that were killed: directories that nobody lives in.
pub(super) fn remove_abandoned() {
    remove_abandoned_in(&std::env::temp_dir());
}

fn remove_abandoned_in(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        // What is somebody else's cannot be removed, which concerns nobody.
        if is_home(&path) && lock(&path).is_some() {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

fn is_home(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_number = number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    let own = rustix::process::geteuid().as_raw();
    let is_own = |metadata: std::fs::Metadata| metadata.is_dir() && metadata.uid() == own;
    is_number && std::fs::symlink_metadata(path).is_ok_and(is_own)
}

/// The lock of a directory, if nobody has it and the directory is still there.
fn lock(path: &Path) -> Option<File> {
    let directory = File::open(path).ok()?;
    directory.try_lock().ok()?;
    let is_same = std::fs::metadata(path).ok()?.ino() == directory.metadata().ok()?.ino();
    is_same.then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_private_and_ends() {
        use std::os::unix::fs::PermissionsExt;
        let home = Home::make().expect("a directory");
        let path = home.path().to_owned();
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(home);
        assert!(!path.exists());
    }

    #[test]
    fn what_nobody_lives_in_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().expect("a directory");
        let kept = Home::make_in(parent.path()).expect("a home");
        let abandoned = parent.path().join(format!("{PREFIX}0123456789abcdef"));
        std::fs::create_dir_all(abandoned.join("state")).expect("a directory");
        let others = ["playbook-chaos-notes", "playbook-chaos-0123456789abcdeg", "else"];
        for other in others {
            std::fs::create_dir(parent.path().join(other)).expect("a directory");
        }
        remove_abandoned_in(parent.path());
        assert!(!abandoned.exists());
        assert!(kept.path().exists());
        assert!(others.iter().all(|other| parent.path().join(other).exists()));
    }
}
