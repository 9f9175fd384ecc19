//! Journals on disk: one file a run, append-only, synced, locked, readable by nobody else.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::encoding::{Broken, decode, encode};
use super::entry::{Illegal, JournalState, Opened, Record};
use super::folder;
use super::history::{self, History};
use super::trust::{self, Distrust};

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk is full, the directory is gone, …
    #[error("{path}: {}", in_words(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is damaged, or of a later version.
    #[error("{path}: {broken}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and how.
        broken: Broken,
    },
    /// A defect of this program: a record that may not come now.
    #[error("{path}: {illegal}")]
    Illegal {
        /// The file.
        path: PathBuf,
        /// Why it may not.
        illegal: Illegal,
    },
    /// The run is alive: its process holds the lock.
    #[error("{path}: the run is still going on")]
    Alive {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else could have written it.
    #[error("{path}: {distrust}")]
    Untrusted {
        /// The file or directory.
        path: PathBuf,
        /// Why it is not read.
        distrust: Distrust,
    },
    /// There is no such run.
    #[error("there is no journal of run {run} in {directory}")]
    NoSuchRun {
        /// As asked for.
        run: String,
        /// Where journals are.
        directory: PathBuf,
    },
}

/// The system's words, but for what they do not tell a person.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "there is a file where a directory should be".to_owned()
        }
        io::ErrorKind::PermissionDenied => "may not be written by this user".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether a run is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Its process lives.
    Held,
    /// Its process is gone.
    Free,
}

/// A journal's file, open for more.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
    state: JournalState,
    /// Where the next record goes: what lies behind it was never whole.
    end: u64,
}

impl JournalFile {
    /// Starts the journal of a run.
    ///
    /// # Errors
    /// [`JournalError::Io`] when nothing can be written there: then nothing may be made either.
    pub fn create(directory: &Path, opened: Opened) -> Result<Self, JournalError> {
        private_directory(directory).map_err(at(directory))?;
        trust::check_directory(directory)?;
        let path = path_of(directory, &opened.run);
        let file = trust::open(OpenOptions::new().read(true).write(true).create_new(true), &path)?;
        lock(&file, &path)?;
        let mut journal = Self { path, file, state: JournalState::default(), end: 0 };
        if let Err(error) = journal.append(&Record::Opened(opened)) {
            // A run that never was is not to be found by anybody.
            let _ = fs::remove_file(&journal.path);
            return Err(error);
        }
        // The file's name must survive a power cut too.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(at(directory))?;
        Ok(journal)
    }

    /// Takes up the journal of a run whose process is gone.
    ///
    /// # Errors
    /// [`JournalError`]: alive, broken, unreadable or absent.
    pub fn resume(directory: &Path, run: &str) -> Result<Self, JournalError> {
        let (mut file, path) =
            folder::find(directory, run, OpenOptions::new().read(true).write(true))?;
        lock(&file, &path)?;
        let (state, covered) = read(&mut file, &path, run)?;
        let end = covered as u64;
        file.set_len(end).map_err(at(&path))?;
        Ok(Self { path, file, state, end })
    }

    /// Reads the journal of a run, alive or not, without touching it.
    ///
    /// # Errors
    /// [`JournalError`]: broken, unreadable or absent.
    pub fn peek(directory: &Path, run: &str) -> Result<(JournalState, Lock), JournalError> {
        let (mut file, path) = folder::find(directory, run, OpenOptions::new().read(true))?;
        let lock = match file.try_lock_shared() {
            Ok(()) => Lock::Free,
            Err(TryLockError::WouldBlock) => Lock::Held,
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        };
        let (state, _) = read(&mut file, &path, run)?;
        Ok((state, lock))
    }

    /// What the journal of a run says whose process is gone, without touching it.
    ///
    /// # Errors
    /// [`JournalError`]: alive, broken, unreadable or absent.
    pub fn look(directory: &Path, run: &str) -> Result<JournalState, JournalError> {
        match Self::peek(directory, run)? {
            (state, Lock::Free) => Ok(state),
            (_, Lock::Held) => Err(JournalError::Alive { path: path_of(directory, run) }),
        }
    }

    /// Appends a record and waits until it is on the disk.
    ///
    /// # Errors
    /// [`JournalError::Io`]; the record does not count then, and the next one overwrites what of it was written.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        let illegal = |illegal| JournalError::Illegal { path: self.path.clone(), illegal };
        self.state.check(record).map_err(illegal)?;
        let line = encode(record);
        self.write(line.as_bytes()).map_err(at(&self.path))?;
        self.end += line.len() as u64;
        let illegal = |illegal| JournalError::Illegal { path: self.path.clone(), illegal };
        self.state.apply(record).map_err(illegal)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a record would damage the line that comes after it.
            let _ = self.file.set_len(self.end);
        }
        written
    }

    /// What it says so far.
    #[must_use]
    pub fn state(&self) -> &JournalState {
        &self.state
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the journal of a run that has left nothing behind.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn remove(self) -> Result<(), JournalError> {
        if let (Some(directory), Some(opened)) = (self.path.parent(), &self.state.opened) {
            history::remove(folder::above(directory), &opened.run);
        }
        fs::remove_file(&self.path).map_err(at(&self.path))
    }

    /// The history of the run, to add to it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn history(&self) -> Result<History, JournalError> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let run = self.state.opened.as_ref().map_or("", |opened| opened.run.as_str());
        History::of(folder::above(directory), run)
    }

    /// Puts the journal of a run that is finished with the other finished ones, where nobody who starts a run looks.
    ///
    /// # Errors
    /// [`JournalError::Io`]; the journal says that the run is finished all the same.
    pub fn file_away(&mut self) -> Result<(), JournalError> {
        if self.state.is_finished() {
            self.path = folder::file_away(&self.path)?;
        }
        Ok(())
    }
}

pub(super) fn path_of(directory: &Path, run: &str) -> PathBuf {
    directory.join(format!("{run}.journal"))
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}

/// How long somebody who only looks may keep a journal from those who write in it.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Takes the lock of a journal. Whoever [peeks](JournalFile::peek) holds it for a moment too; whoever holds it longer is its
/// run.
fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(at(path)(error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= LONGEST_LOOK => {
                return Err(JournalError::Alive { path: path.to_owned() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn read(file: &mut File, path: &Path, run: &str) -> Result<(JournalState, usize), JournalError> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(at(path))?;
    let broken = |broken| JournalError::Broken { path: path.to_owned(), broken };
    let (state, covered) = decode(&text).map_err(broken)?;
    match &state.opened {
        Some(opened) if opened.run != run => {
            Err(broken(Broken::OtherRun { run: opened.run.clone() }))
        }
        _ => Ok((state, covered)),
    }
}

#[cfg(unix)]
pub(super) fn private_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
pub(super) fn private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(directory)
}

#[cfg(test)]
mod tests {
    use super::super::entry::Target;
    use super::*;

    fn opened(run: &str) -> Opened {
        Opened {
            run: run.into(),
            version: "0.1.0".into(),
            playbook: "hello".into(),
            file: "hello.yaml".into(),
            started: "2026-11-23T10:00:00Z".into(),
            target: Target {
                account: "000000000000".into(),
                region: "us-east-1".into(),
                endpoint: None,
                local: false,
            },
            profile: None,
            attempt_millis: 60_000,
        }
    }

    #[test]
    fn a_journal_outlives_its_process_and_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let journal = JournalFile::create(&state, opened("a1")).unwrap();
        assert!(matches!(JournalFile::resume(&state, "a1"), Err(JournalError::Alive { .. })));
        assert_eq!(JournalFile::peek(&state, "a1").unwrap().1, Lock::Held);
        drop(journal);
        fs::OpenOptions::new()
            .append(true)
            .open(state.join("a1.journal"))
            .and_then(|mut file| file.write_all(b"{\"crc\":\"torn"))
            .unwrap();
        let mut journal = JournalFile::resume(&state, "a1").unwrap();
        journal.append(&Record::Closed { exit_code: 0 }).unwrap();
        drop(journal);
        let (found, lock) = JournalFile::peek(&state, "a1").unwrap();
        assert_eq!((found.closed, lock), (Some(0), Lock::Free));
        assert_eq!(folder::unfinished(&state).unwrap(), ["a1"]);
    }

    #[test]
    fn somebody_who_looks_keeps_nobody_from_cleaning_up() {
        let directory = tempfile::tempdir().unwrap();
        drop(JournalFile::create(directory.path(), opened("a1")).unwrap());
        let looking = File::open(directory.path().join("a1.journal")).unwrap();
        looking.lock_shared().unwrap();
        let looks = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            drop(looking);
        });
        let resumed = JournalFile::resume(directory.path(), "a1");
        assert!(resumed.is_ok(), "{resumed:?}");
        looks.join().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let journal = JournalFile::create(&state, opened("a1")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(journal.path()), 0o600);
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_called_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("first.yaml");
        fs::write(&file, "name: first").unwrap();
        for state in [file.clone(), file.join("state")] {
            let refused = JournalFile::create(&state, opened("a1")).unwrap_err().to_string();
            let words = "there is a file where a directory should be";
            assert_eq!(refused, format!("{}: {words}", state.display()));
        }
    }

    #[test]
    fn a_run_that_is_not_there_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = JournalFile::resume(directory.path(), "zz").unwrap_err().to_string();
        assert_eq!(
            error,
            format!("there is no journal of run zz in {}", directory.path().display())
        );
    }
}
