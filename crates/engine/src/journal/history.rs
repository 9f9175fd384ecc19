//! The history of a run, beside its journal: how its steps went and what they returned, for reports and for going on with it.
//!
//! The journal says what there is to undo, and nothing is called before that is on the disk. A history is only added to: what
//! the disk loses of it in a power cut makes a step count as not done, which is then undone and done again. So nobody waits
//! for the disk, and reading ends where the file is damaged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoding::{line_of, text_of};
use super::file::{JournalError, at, private_directory};
use super::trust;
use crate::event::{Event, Failure, What};
use crate::step::Seq;

/// The folder of the histories, in that of the journals.
const FOLDER: &str = "history";

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// What the run was begun with.
    Began(Began),
    /// Something happened.
    Told(Event),
    /// A step did what it should.
    Ended(EndedStep),
    /// Steps in a block, or in its `rescue`, have failed, and what comes after them has begun.
    Failed {
        /// What the numbers of those steps begin with.
        inside: String,
        /// Why.
        failure: Failure,
    },
    /// A `cleanup` step has removed all that was there.
    Cleaned {
        /// Its number.
        number: String,
        /// Whether somebody wanted that.
        wanted: bool,
        /// The last entry of the journal by then.
        upto: Seq,
    },
    /// The run goes on, in another process.
    Resumed {
        /// The first of the steps at the top that are done again, counted from 1, if they are.
        from: Option<usize>,
    },
    /// What steps have made that were not done is undone, so that they can be done again.
    Undone {
        /// The entries of the journal.
        entries: Vec<Seq>,
    },
}

/// What a run was begun with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// The playbook's file, wherever somebody is.
    pub file: PathBuf,
    /// The values of its inputs, but for secrets.
    pub inputs: Map<String, Value>,
    /// The variables that were given, but for secrets.
    pub variables: Map<String, Value>,
}

/// A step that did what it should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedStep {
    /// Its number, which no other step of the run has.
    pub number: String,
    /// What tells whether it is written as it was, with what stands around it.
    pub written: String,
    /// What tells whether it was given the same, less what is secret.
    pub given: String,
    /// What it returned.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Map<String, Value>,
    /// What else it returned: secrets, and what is too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The failure that was expected, or allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A history that is added to. Clones share it.
#[derive(Debug, Clone)]
pub struct History(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    file: File,
    /// A line is missing, so that no other may follow.
    broken: bool,
}

impl History {
    /// Opens the history of a run, to add to it.
    ///
    /// # Errors
    /// [`JournalError`]: nothing can be written there, or others may write there, too.
    pub fn of(directory: &Path, run: &str) -> Result<Self, JournalError> {
        let folder = directory.join(FOLDER);
        private_directory(&folder).map_err(at(&folder))?;
        trust::check_directory(&folder)?;
        let path = path_of(directory, run);
        let file = trust::open(OpenOptions::new().read(true).append(true).create(true), &path)?;
        let mut open = Open { file, broken: false };
        open.cut_off().map_err(at(&path))?;
        Ok(Self(Arc::new(Mutex::new(open))))
    }

    /// Adds a line.
    pub fn add(&self, line: &Line) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.broken {
            let text = line_of(&serde_json::to_string(line).unwrap_or_default());
            open.broken = open.file.write_all(text.as_bytes()).is_err();
        }
    }

    /// Adds what happened, without what a history does not keep.
    pub(crate) fn tell(&self, event: &Event) {
        if let Some(event) = kept(event) {
            self.add(&Line::Told(event));
        }
    }
}

impl Open {
    /// Cuts off what was not written to its end: nothing that comes after it would be read.
    fn cut_off(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text)?;
        let (_, covered) = lines(&text);
        if covered < text.len() { self.file.set_len(covered as u64) } else { Ok(()) }
    }
}

/// What a history keeps of an event: neither requests nor answers, nor what was said, printed, asked or sent.
fn kept(event: &Event) -> Option<Event> {
    let what = match &event.what {
        What::Called { only_if, call } => {
            let mut call = call.clone();
            call.path.clear();
            (call.body, call.parameters) = (Value::Null, Value::Null);
            What::Called { only_if: *only_if, call }
        }
        What::StepStarted { place, source: _ } => {
            What::StepStarted { place: place.clone(), source: None }
        }
        What::StepFinished { status, millis, outputs: _, failure } => What::StepFinished {
            status: *status,
            millis: *millis,
            outputs: Value::Null,
            failure: failure.clone(),
        },
        What::RunFinished { passed, exit_code, millis, counts, remaining, command, outputs: _ } => {
            What::RunFinished {
                passed: *passed,
                exit_code: *exit_code,
                millis: *millis,
                counts: *counts,
                remaining: remaining.clone(),
                command: command.clone(),
                outputs: Value::Null,
            }
        }
        What::RunStarted { .. }
        | What::Retrying { .. }
        | What::Warned { .. }
        | What::Created { .. }
        | What::Removed { .. }
        | What::Stopping { .. }
        | What::CleanupStarted { .. }
        | What::UndoStarted
        | What::StillUnderWay { .. }
        | What::UndoFinished { .. }
        | What::LeftBehind { .. } => event.what.clone(),
        What::Refused { .. }
        | What::Noted { .. }
        | What::Packed { .. }
        | What::Uploads { .. }
        | What::Expects { .. }
        | What::Waiting { .. }
        | What::Printed { .. }
        | What::Mailed { .. }
        | What::Asking
        | What::Answered { .. } => return None,
    };
    let Event { seq, at, run, owner, what: _ } = event.clone();
    Some(Event { seq, at, run, owner, what })
}

/// What the history of a run says, as far as it is whole; nothing where there is none.
///
/// # Errors
/// [`JournalError`]: it cannot be read, or others may have written it.
pub fn read(directory: &Path, run: &str) -> Result<Vec<Line>, JournalError> {
    let path = path_of(directory, run);
    let opened = trust::check_directory(&directory.join(FOLDER))
        .and_then(|()| trust::open(OpenOptions::new().read(true), &path));
    let mut file = match opened {
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        opened => opened?,
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(at(&path))?;
    Ok(lines(&text).0)
}

/// The lines up to the first that is not whole, and how much of the text they are.
fn lines(text: &[u8]) -> (Vec<Line>, usize) {
    let mut lines = Vec::new();
    let mut covered = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let read = line.strip_suffix(b"\n").and_then(text_of);
        let Some(line_read) = read.and_then(|text| serde_json::from_str(text).ok()) else { break };
        lines.push(line_read);
        covered += line.len();
    }
    (lines, covered)
}

/// Removes the history of a run. One that is not there needs not be removed.
pub(super) fn remove(directory: &Path, run: &str) {
    // What cannot be removed says nothing about anything that is still there.
    let _ = fs::remove_file(path_of(directory, run));
}

fn path_of(directory: &Path, run: &str) -> PathBuf {
    directory.join(FOLDER).join(format!("{run}.history"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Owner;

    fn event(what: What) -> Event {
        let at = "2026-11-23T10:00:00Z".parse().expect("a time");
        Event { seq: 1, at, run: "k3x9".to_owned(), owner: Owner::Run, what }
    }

    fn told(text: &str) -> Line {
        Line::Told(event(What::Warned { text: text.to_owned() }))
    }

    #[test]
    fn it_is_read_as_far_as_it_is_whole_and_goes_on_from_there() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path(), "k3x9").unwrap(), []);
        let history = History::of(directory.path(), "k3x9").unwrap();
        history.add(&told("one"));
        history.add(&told("two"));
        drop(history);
        let path = path_of(directory.path(), "k3x9");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        assert_eq!(read(directory.path(), "k3x9").unwrap(), [told("one")]);
        History::of(directory.path(), "k3x9").unwrap().add(&told("three"));
        assert_eq!(read(directory.path(), "k3x9").unwrap(), [told("one"), told("three")]);
        let damaged = String::from_utf8(fs::read(&path).unwrap()).unwrap().replace("one", "eno");
        fs::write(&path, damaged).unwrap();
        assert_eq!(read(directory.path(), "k3x9").unwrap(), []);
        remove(directory.path(), "k3x9");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        History::of(directory.path(), "k3x9").unwrap();
        let path = path_of(directory.path(), "k3x9");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn what_was_said_is_not_kept() {
        for what in [
            What::Printed { text: "hello".to_owned() },
            What::Asking,
            What::Answered { prompt: "name".to_owned(), answer: "ada".to_owned(), default: false },
        ] {
            assert_eq!(kept(&event(what)), None);
        }
        let finished = What::StepFinished {
            status: crate::event::Status::Passed,
            millis: 5,
            outputs: serde_json::json!({"arn": "a"}),
            failure: None,
        };
        let Some(Event { what: What::StepFinished { outputs, .. }, .. }) = kept(&event(finished))
        else {
            panic!("it is kept")
        };
        assert_eq!(outputs, Value::Null);
    }
}
