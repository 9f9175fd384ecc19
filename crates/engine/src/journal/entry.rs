//! Journal records, and which may follow which. Pure: text in, text out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Remaining, ResourceRef};

/// Where a run's calls went. Clean-up refuses to go anywhere else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The account's twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The endpoint, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// The embedded AWS of the run's own process, whose account has died with it.
    pub local: bool,
}

/// The head of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// `run.id`.
    pub run: String,
    /// The version of this program.
    pub version: String,
    /// The playbook's name.
    pub playbook: String,
    /// Its file, as named on the command line; clean-up does not need it.
    pub file: String,
    /// RFC 3339.
    pub started: String,
    /// Where its calls go.
    pub target: Target,
    /// The profile, to name it in the command that finishes the clean-up.
    pub profile: Option<String>,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first line.
    Opened(Opened),
    /// Something is about to be made or changed.
    Intent {
        /// Counts up from 1.
        seq: u64,
        /// The resource's type.
        #[serde(rename = "type")]
        kind: String,
        /// The name that a person knows it by.
        name: String,
        /// The step that makes it.
        step: String,
        /// What undoing it takes.
        made: Value,
        /// The entries that it was made from; they are undone after it.
        depends: Vec<u64>,
        /// Whether it is to stay.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keep: bool,
    },
    /// It was made.
    Done {
        /// Which.
        seq: u64,
        /// What is known of it only now.
        ids: Value,
    },
    /// It was refused: nothing was made.
    Failed {
        /// Which.
        seq: u64,
        /// AWS's error code.
        code: String,
    },
    /// Nobody knows whether it was made.
    Unknown {
        /// Which.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// A step of the playbook took it away.
    Settled {
        /// Which.
        seq: u64,
    },
    /// Clean-up starts to take it away.
    UndoStarted {
        /// Which.
        seq: u64,
    },
    /// A part of taking it away is about to be done; the rest takes something else.
    Amended {
        /// Which.
        seq: u64,
        /// What undoing it takes from here on.
        made: Value,
    },
    /// It is gone, or was never ours.
    UndoDone {
        /// Which.
        seq: u64,
        /// How that ended.
        how: String,
    },
    /// It could not be taken away.
    UndoFailed {
        /// Which.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The run is over.
    Closed {
        /// The exit code.
        exit_code: u8,
    },
}

/// What has become of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryState {
    /// The call may be under way, or nobody lived to see its end.
    Open,
    /// It was made.
    Done(Value),
    /// Nothing was made, or a step took it away, or clean-up did.
    Over,
    /// Clean-up could not take it away.
    Stuck(String),
}

/// An intent, and what has become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counts up from 1.
    pub seq: u64,
    /// The resource's type.
    pub kind: String,
    /// The name that a person knows it by.
    pub name: String,
    /// The step that made it.
    pub step: String,
    /// What undoing it takes.
    pub made: Value,
    /// The entries that it was made from.
    pub depends: Vec<u64>,
    /// Whether it is to stay.
    pub keep: bool,
    /// What is known of it only since it was made.
    pub ids: Option<Value>,
    /// What has become of it.
    pub state: EntryState,
}

impl Entry {
    /// The entry, as events name it.
    #[must_use]
    pub fn resource(&self) -> ResourceRef {
        ResourceRef { seq: self.seq, kind: self.kind.clone(), name: self.name.clone() }
    }

    /// The entry, as something that is still there. `arn` is what its name makes it, where AWS has not said.
    #[must_use]
    pub fn remaining(&self, arn: Option<String>, reason: &str) -> Remaining {
        let said = self.ids.as_ref().and_then(|ids| ids.get("arn")).and_then(Value::as_str);
        let arn = said.map(str::to_owned).or(arn);
        Remaining { resource: self.resource(), arn, reason: reason.to_owned() }
    }

    /// Whether clean-up has something to do.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.keep && !matches!(self.state, EntryState::Over)
    }
}

/// A record that may not come now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The first record is something else, or the head comes twice.
    #[error("the head of a journal must be its first record, and only that")]
    Head,
    /// Numbers count up by one.
    #[error("intent {found} comes where {expected} should")]
    Order {
        /// The number that it should have.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// A record about an entry that there is none of.
    #[error("{what} of entry {seq}, which there is none of")]
    NoSuchEntry {
        /// The record.
        what: &'static str,
        /// The number.
        seq: u64,
    },
    /// A record that may not follow the entry's last.
    #[error("{what} of entry {seq}, which is {state}")]
    Sequence {
        /// The record.
        what: &'static str,
        /// The number.
        seq: u64,
        /// What the entry is.
        state: &'static str,
    },
    /// Something comes after the end.
    #[error("a record after the end of the run")]
    Closed,
}

/// All that a journal says, so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The head.
    pub opened: Option<Opened>,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The exit code, once the run is over.
    pub closed: Option<u8>,
}

impl History {
    /// Takes in one more record.
    ///
    /// # Errors
    /// [`Illegal`] when it may not come now; nothing has changed then.
    #[allow(clippy::too_many_lines, reason = "one arm a record")]
    pub fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        if let Record::Opened(opened) = record {
            if self.opened.is_some() {
                return Err(Illegal::Head);
            }
            self.opened = Some(opened.clone());
            return Ok(());
        }
        if self.opened.is_none() {
            return Err(Illegal::Head);
        }
        match record {
            Record::Opened(_) => Err(Illegal::Head),
            Record::Closed { exit_code } => {
                self.closed = Some(*exit_code);
                Ok(())
            }
            Record::Intent { .. } if self.closed.is_some() => Err(Illegal::Closed),
            Record::Intent { seq, kind, name, step, made, depends, keep } => {
                let expected = self.entries.len() as u64 + 1;
                if *seq != expected {
                    return Err(Illegal::Order { expected, found: *seq });
                }
                self.entries.push(Entry {
                    seq: *seq,
                    kind: kind.clone(),
                    name: name.clone(),
                    step: step.clone(),
                    made: made.clone(),
                    depends: depends.clone(),
                    keep: *keep,
                    ids: None,
                    state: EntryState::Open,
                });
                Ok(())
            }
            Record::Done { seq, ids } => {
                let entry = self.entry("the success", *seq, &["open"])?;
                entry.ids = Some(ids.clone());
                entry.state = EntryState::Done(ids.clone());
                Ok(())
            }
            Record::Failed { seq, .. } => {
                self.entry("the refusal", *seq, &["open"])?.state = EntryState::Over;
                Ok(())
            }
            Record::Unknown { seq, .. } => self.entry("the doubt", *seq, &["open"]).map(|_| ()),
            Record::Settled { seq } => {
                let entry = self.entry("the deletion", *seq, &["open", "done", "stuck"])?;
                entry.state = EntryState::Over;
                Ok(())
            }
            Record::UndoStarted { seq } => {
                self.entry("the undo", *seq, &["open", "done", "stuck"]).map(|_| ())
            }
            Record::Amended { seq, made } => {
                self.entry("the rest", *seq, &["open", "done", "stuck"])?.made = made.clone();
                Ok(())
            }
            Record::UndoDone { seq, .. } => {
                let entry = self.entry("the undo's end", *seq, &["open", "done", "stuck"])?;
                entry.state = EntryState::Over;
                Ok(())
            }
            Record::UndoFailed { seq, reason } => {
                let entry = self.entry("the undo's failure", *seq, &["open", "done", "stuck"])?;
                entry.state = EntryState::Stuck(reason.clone());
                Ok(())
            }
        }
    }

    fn entry(
        &mut self,
        what: &'static str,
        seq: u64,
        allowed: &[&'static str],
    ) -> Result<&mut Entry, Illegal> {
        let index = usize::try_from(seq).ok().and_then(|seq| seq.checked_sub(1));
        let entry = index.and_then(|index| self.entries.get_mut(index));
        let entry = entry.ok_or(Illegal::NoSuchEntry { what, seq })?;
        let state = match entry.state {
            EntryState::Open => "open",
            EntryState::Done(_) => "done",
            EntryState::Over => "over",
            EntryState::Stuck(_) => "stuck",
        };
        if allowed.contains(&state) {
            Ok(entry)
        } else {
            Err(Illegal::Sequence { what, seq, state })
        }
    }

    /// The entries that clean-up has to see to, latest first.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev().filter(|entry| entry.is_pending())
    }

    /// Whether the run is over and nothing is left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.closed.is_some() && self.pending().next().is_none()
    }
}

/// A journal that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A whole line that does not carry its own checksum.
    #[error("line {line} is damaged: its checksum does not match")]
    Damaged {
        /// Counts from 1.
        line: usize,
    },
    /// A line that this version does not know.
    #[error("line {line} is not understood: {reason}")]
    Unreadable {
        /// Counts from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A record that may not come where it does.
    #[error("line {line} may not come here: {illegal}")]
    OutOfPlace {
        /// Counts from 1.
        line: usize,
        /// Why.
        illegal: Illegal,
    },
}

const HEAD: &str = "{\"crc\":\"";
const MIDDLE: &str = "\",\"entry\":";

/// A record as a line, checksum and newline included.
#[must_use]
pub fn encode(record: &Record) -> String {
    let body = serde_json::to_string(record).unwrap_or_default();
    format!("{HEAD}{:08x}{MIDDLE}{body}}}\n", crc32fast::hash(body.as_bytes()))
}

/// Reads a journal back. A last line that is not whole, or of which the disk took only some pages, is what a power cut
/// leaves: it was never synced, so nothing had been called for it, and it is passed over.
///
/// Returns the history, and how many bytes of the text it covers.
///
/// # Errors
/// [`Broken`], which names the line. A journal that is broken in the middle proves nothing, so nothing may be deleted by
/// it.
pub fn decode(text: &[u8]) -> Result<(History, usize), Broken> {
    let mut history = History::default();
    let mut covered = 0;
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let Some(whole) = line.strip_suffix(b"\n") else {
            break;
        };
        let Some(body) = body_of(whole) else {
            if covered + line.len() == text.len() {
                break;
            }
            return Err(Broken::Damaged { line: number });
        };
        let record: Record = serde_json::from_str(body)
            .map_err(|error| Broken::Unreadable { line: number, reason: error.to_string() })?;
        history.apply(&record).map_err(|illegal| Broken::OutOfPlace { line: number, illegal })?;
        covered += line.len();
    }
    Ok((history, covered))
}

fn body_of(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let (crc, rest) = line.strip_prefix(HEAD)?.split_once(MIDDLE)?;
    let body = rest.strip_suffix('}')?;
    let sum = u32::from_str_radix(crc, 16).ok().filter(|_| crc.len() == 8)?;
    (sum == crc32fast::hash(body.as_bytes())).then_some(body)
}

#[cfg(test)]
mod tests;
