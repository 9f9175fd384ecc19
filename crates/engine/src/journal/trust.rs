//! Whether a journal is the user's own. A journal has things deleted, so what somebody else could have written is not read,
//! and what is no journal is not touched.

use std::fs::{File, Metadata, OpenOptions};
use std::path::Path;

use super::file::{JournalError, at};

/// Why a file or a directory is not taken for the user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A link, a pipe, a device, a directory.
    #[error("it is not a file of its own, but a link, a pipe or the like")]
    NotAFile,
    /// Another user owns it.
    #[error("it belongs to another user")]
    Owner,
    /// Its permissions let others write to it.
    #[error("others may write to it")]
    Writable,
}

impl Distrust {
    /// What to do about it.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::NotAFile => "a journal is a plain file; look at who put it there, and remove it",
            Self::Owner => {
                "only journals of your own are followed; name a directory of your own in PLAYBOOK_STATE_DIR"
            }
            Self::Writable => {
                "look at who has written there, then take the permission away with `chmod go-w`"
            }
        }
    }
}

/// Makes sure that nobody else can put journals into a directory.
pub(super) fn check_directory(directory: &Path) -> Result<(), JournalError> {
    let metadata = std::fs::metadata(directory).map_err(at(directory))?;
    check(&metadata).map_err(untrusted(directory))
}

/// Opens a journal, or what pretends to be one: no link is followed, no pipe is waited for.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> Result<File, JournalError> {
    let file = careful(options).open(path).map_err(|error| {
        if is_link(path) { untrusted(path)(Distrust::NotAFile) } else { at(path)(error) }
    })?;
    let metadata = file.metadata().map_err(at(path))?;
    if !metadata.is_file() {
        return Err(untrusted(path)(Distrust::NotAFile));
    }
    check(&metadata).map_err(untrusted(path))?;
    Ok(file)
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

fn untrusted(path: &Path) -> impl FnOnce(Distrust) -> JournalError {
    let path = path.to_owned();
    move |distrust| JournalError::Untrusted { path, distrust }
}

#[cfg(unix)]
fn check(metadata: &Metadata) -> Result<(), Distrust> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Distrust::Owner);
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(Distrust::Writable);
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(_metadata: &Metadata) -> Result<(), Distrust> {
    Ok(())
}

#[cfg(unix)]
fn careful(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
}

#[cfg(not(unix))]
fn careful(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
