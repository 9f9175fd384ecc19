//! Report files: whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Whether a report can be written there, as far as one can tell before the run.
///
/// # Errors
/// The directory does not exist, or the path is one.
pub(super) fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            format!("{} is a directory", path.display()),
        ));
    }
    let directory = directory_of(path);
    if directory.is_dir() {
        return Ok(());
    }
    let message = format!("there is no directory {} for the report", directory.display());
    Err(io::Error::new(io::ErrorKind::NotFound, message))
}

/// Writes the file: a reader sees the old one or the new one, never half of it.
///
/// # Errors
/// It could not be written; what was there before is still there.
pub(super) fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    // Renaming over a pipe or a device would replace it.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(contents);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = temporary_name(&target);
    let written = write_new(&temporary, contents).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn temporary_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    directory_of(target).join(format!(".{name}.{}.tmp", std::process::id()))
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_file_and_leaves_nothing_beside_it() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("report.xml");
        fs::write(&path, "old")?;
        write(&path, b"new")?;
        assert_eq!(fs::read_to_string(&path)?, "new");
        assert_eq!(fs::read_dir(directory.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_missing_directory_is_found_out_before_the_run() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("missing/report.xml");
        assert_eq!(check(&path).map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
        assert_eq!(
            check(directory.path()).map_err(|error| error.kind()),
            Err(io::ErrorKind::IsADirectory)
        );
        check(&directory.path().join("report.xml"))
    }
}
