//! The directory of the journals: those of unfinished runs, and one folder further those of finished ones, so that whoever
//! starts a run has no old ones to read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::encoding::decode;
use super::entry::Opened;
use super::file::{JournalError, JournalFile, Lock, at, path_of, private_directory};
use super::history;
use super::trust;

/// The folder of the finished runs' journals.
const FINISHED: &str = "finished";

/// As much of a journal's end as its last record surely takes, where that is the end of a run.
const TAIL: u64 = 512;

/// What is left to know of a finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The head of its journal.
    pub opened: Opened,
    /// The exit code.
    pub exit_code: u8,
}

/// The runs that have a journal and are not known to be finished, in the order of their names.
///
/// # Errors
/// [`JournalError`]: the directory cannot be read, or others may write to it.
pub fn unfinished(directory: &Path) -> Result<Vec<String>, JournalError> {
    match trust::check_directory(directory) {
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        checked => checked?,
    }
    named(directory)
}

/// The runs that are finished, in the order of their names.
///
/// # Errors
/// [`JournalError`].
pub fn finished(directory: &Path) -> Result<Vec<String>, JournalError> {
    unfinished(&directory.join(FINISHED))
}

fn named(directory: &Path) -> Result<Vec<String>, JournalError> {
    let entries = fs::read_dir(directory).map_err(at(directory))?;
    let mut runs: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".journal")?.to_owned())
        })
        .collect();
    runs.sort();
    Ok(runs)
}

/// What a finished run's journal says at its beginning and its end; nothing of what it did in between.
///
/// # Errors
/// [`JournalError`].
pub fn summary(directory: &Path, run: &str) -> Result<Option<Finished>, JournalError> {
    let path = path_of(&directory.join(FINISHED), run);
    let mut file = trust::open(OpenOptions::new().read(true), &path)?;
    let read = head_and_end(&mut file).map_err(at(&path))?;
    Ok(read.filter(|finished| finished.opened.run == run))
}

fn head_and_end(file: &mut File) -> io::Result<Option<Finished>> {
    let mut text = vec![0; 4096];
    let length = file.read(&mut text)?;
    text.truncate(length);
    let Some(newline) = text.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let head = text.get(..=newline).unwrap_or_default().to_vec();
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let last = end.strip_suffix(b"\n").unwrap_or_default();
    let begins = last.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let last = end.get(begins..).unwrap_or_default();
    // The end of a run may stand right after its head, so both together are a journal.
    let Ok((state, _)) = decode(&[&head, last].concat()) else { return Ok(None) };
    Ok(state.opened.zip(state.closed).map(|(opened, exit_code)| Finished { opened, exit_code }))
}

/// Removes the journals of finished runs that started before a time; says how many those were.
///
/// # Errors
/// [`JournalError`].
pub fn prune(directory: &Path, is_old: impl Fn(&Finished) -> bool) -> Result<usize, JournalError> {
    sweep(directory)?;
    let mut removed = 0;
    for run in finished(directory)? {
        let Ok(Some(found)) = summary(directory, &run) else { continue };
        if is_old(&found) {
            let path = path_of(&directory.join(FINISHED), &run);
            fs::remove_file(&path).map_err(at(&path))?;
            history::remove(directory, &run);
            removed += 1;
        }
    }
    Ok(removed)
}

/// Files away what is finished and lies with the unfinished: journals of earlier versions, and those of runs that ended
/// between their last record and the move. Returns the runs that are not finished, alive or not.
///
/// # Errors
/// [`JournalError`].
pub fn sweep(directory: &Path) -> Result<Vec<String>, JournalError> {
    let mut left = Vec::new();
    for run in unfinished(directory)? {
        let is_finished = matches!(
            JournalFile::peek(directory, &run),
            Ok((state, Lock::Free)) if state.is_finished()
        );
        let path = path_of(directory, &run);
        if !is_finished || file_away(&path).is_err() {
            left.push(run);
        }
    }
    Ok(left)
}

/// Moves the journal of a finished run to the others; says where it is now.
pub(super) fn file_away(path: &Path) -> Result<PathBuf, JournalError> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(path.to_owned());
    };
    if directory.file_name().is_some_and(|name| name == FINISHED) {
        return Ok(path.to_owned());
    }
    let finished = directory.join(FINISHED);
    private_directory(&finished).map_err(at(&finished))?;
    trust::check_directory(&finished)?;
    let moved = finished.join(name);
    fs::rename(path, &moved).map_err(at(path))?;
    Ok(moved)
}

/// The directory of all journals, from that of one.
pub(super) fn above(directory: &Path) -> &Path {
    match directory.parent() {
        Some(above) if directory.file_name().is_some_and(|name| name == FINISHED) => above,
        _ => directory,
    }
}

/// Opens the journal of a run that a person named, who may have meant a path; wherever it lies.
pub(super) fn find(
    directory: &Path,
    run: &str,
    options: &mut OpenOptions,
) -> Result<(File, PathBuf), JournalError> {
    let absent =
        || JournalError::NoSuchRun { run: run.to_owned(), directory: directory.to_owned() };
    if run.is_empty() || !run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(absent());
    }
    for directory in [directory, &directory.join(FINISHED)] {
        let path = path_of(directory, run);
        let opened = trust::check_directory(directory).and_then(|()| trust::open(options, &path));
        match opened {
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((file, path)),
        }
    }
    Err(absent())
}

#[cfg(test)]
mod tests;
