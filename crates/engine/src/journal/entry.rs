//! Records of a journal, and which may follow which. Pure: text in, text out.

use std::time::Duration;

use aws::CallTimeouts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Reason, Remaining, ResourceRef};
use crate::step::LostAttempt;

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
    /// How long each attempt of a call was given, in milliseconds: what is sent may have its effect for as long.
    #[serde(default = "usual_attempt")]
    pub attempt_millis: u64,
}

impl Opened {
    /// How long each attempt of a call was given.
    #[must_use]
    pub fn attempt(&self) -> Duration {
        Duration::from_millis(self.attempt_millis)
    }
}

/// What a journal that does not say it was written with.
fn usual_attempt() -> u64 {
    u64::try_from(CallTimeouts::default().attempt.as_millis()).unwrap_or(u64::MAX)
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first line.
    Opened(Opened),
    /// What the run makes is wanted until then.
    KeptUntil {
        /// When it may go.
        #[serde(with = "crate::event::rfc3339::millis")]
        until: Timestamp,
    },
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
        /// That step's number, which no other step of the run has; nothing in journals of earlier versions.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        number: String,
        /// What undoing it takes.
        #[serde(alias = "made")]
        undo: Value,
        /// The entries that it was made from; they are undone after it.
        depends: Vec<u64>,
        /// Whether it is to stay.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keep: bool,
        /// When that was.
        #[serde(default, with = "crate::event::rfc3339", skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// Another run, not finished then, that had changed the same, so that nobody knows what was there before either.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beside: Option<String>,
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
    /// An attempt of the call got no answer, and may have its effect yet, whatever became of the others.
    UnderWay {
        /// Which.
        seq: u64,
        /// When that was.
        #[serde(flatten)]
        attempt: LostAttempt,
    },
    /// A step of the playbook removed it.
    #[serde(alias = "settled")]
    Removed {
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
        #[serde(alias = "made")]
        undo: Value,
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
    /// The run goes on, in another process.
    Resumed {
        /// When that was.
        #[serde(with = "crate::event::rfc3339::millis")]
        at: Timestamp,
    },
}

/// What has become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// The call may be under way, or nobody lived to see its end.
    Open,
    /// The call has ended, and its end says nothing of its effect.
    Unknown,
    /// It was created.
    Done,
    /// Nothing was created, or a step removed it, or clean-up did.
    Closed,
    /// Clean-up could not remove it.
    Failed,
}

impl EntryState {
    /// Whether nobody knows if it was created.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Open | Self::Unknown)
    }

    /// For messages about records that may not follow.
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
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
    /// That step's number, which no other step of the run has; nothing in journals of earlier versions.
    pub number: String,
    /// Whether undoing it has begun.
    pub undoing: bool,
    /// What undoing it takes.
    pub undo: Value,
    /// The entries that it was made from.
    pub depends: Vec<u64>,
    /// Whether it is to stay.
    pub keep: bool,
    /// When it was intended, as far as that was written down.
    pub at: Option<Timestamp>,
    /// Another run that had changed the same, so that nobody knows what was there before either.
    pub beside: Option<String>,
    /// The last attempt of its call that got no answer, if one did.
    pub under_way: Option<LostAttempt>,
    /// What is known of it only since it was created.
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
    pub fn remaining(&self, arn: Option<String>, reason: Reason) -> Remaining {
        let said = self.ids.as_ref().and_then(|ids| ids.get("arn")).and_then(Value::as_str);
        let arn = said.map(str::to_owned).or(arn);
        Remaining { resource: self.resource(), arn, reason }
    }

    /// Whether clean-up has something to do.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.keep && !matches!(self.state, EntryState::Closed)
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
pub struct JournalState {
    /// The head.
    pub opened: Option<Opened>,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The exit code, once the run is over.
    pub closed: Option<u8>,
    /// Until when what it has made is wanted, where somebody has said so.
    pub kept_until: Option<Timestamp>,
}

impl JournalState {
    /// Takes in one more record.
    ///
    /// # Errors
    /// [`Illegal`] when it may not come now; nothing has changed then.
    pub fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        self.check(record)?;
        match record {
            Record::Opened(opened) => self.opened = Some(opened.clone()),
            Record::Closed { exit_code } => self.closed = Some(*exit_code),
            Record::KeptUntil { until } => self.kept_until = Some(*until),
            Record::Resumed { .. } => self.closed = None,
            Record::Intent { seq, kind, name, step, number, undo, depends, keep, at, beside } => {
                self.entries.push(Entry {
                    seq: *seq,
                    kind: kind.clone(),
                    name: name.clone(),
                    step: step.clone(),
                    number: number.clone(),
                    undoing: false,
                    undo: undo.clone(),
                    depends: depends.clone(),
                    keep: *keep,
                    at: *at,
                    beside: beside.clone(),
                    under_way: None,
                    ids: None,
                    state: EntryState::Open,
                });
            }
            Record::Done { seq, ids } => {
                self.change(*seq, |entry| {
                    entry.ids = Some(ids.clone());
                    entry.state = EntryState::Done;
                });
            }
            Record::Amended { seq, undo } => {
                self.change(*seq, |entry| entry.undo = undo.clone());
            }
            Record::UndoStarted { seq } => self.change(*seq, |entry| entry.undoing = true),
            Record::UnderWay { seq, attempt } => {
                self.change(*seq, |entry| {
                    entry.under_way = Some(attempt.latest(entry.under_way));
                });
            }
            Record::Unknown { seq, .. } => {
                self.change(*seq, |entry| entry.state = EntryState::Unknown);
            }
            Record::UndoFailed { seq, .. } => {
                self.change(*seq, |entry| entry.state = EntryState::Failed);
            }
            Record::Failed { seq, .. } | Record::Removed { seq } | Record::UndoDone { seq, .. } => {
                self.change(*seq, |entry| entry.state = EntryState::Closed);
            }
        }
        Ok(())
    }

    /// Whether a record may come now.
    ///
    /// # Errors
    /// [`Illegal`] when it may not.
    pub fn check(&self, record: &Record) -> Result<(), Illegal> {
        const UNDECIDED: &[EntryState] = &[EntryState::Open, EntryState::Unknown];
        const LEFT: &[EntryState] =
            &[EntryState::Open, EntryState::Unknown, EntryState::Done, EntryState::Failed];
        if matches!(record, Record::Opened(_)) != self.opened.is_none() {
            return Err(Illegal::Head);
        }
        match record {
            Record::Opened(_)
            | Record::Closed { .. }
            | Record::Resumed { .. }
            | Record::KeptUntil { .. } => Ok(()),
            Record::Intent { .. } if self.closed.is_some() => Err(Illegal::Closed),
            Record::Intent { seq, .. } => {
                let expected = self.entries.len() as u64 + 1;
                let illegal = Illegal::Order { expected, found: *seq };
                if *seq == expected { Ok(()) } else { Err(illegal) }
            }
            Record::Done { seq, .. } => self.allows("the success", *seq, UNDECIDED),
            Record::Failed { seq, .. } => self.allows("the refusal", *seq, UNDECIDED),
            Record::Unknown { seq, .. } => self.allows("the doubt", *seq, UNDECIDED),
            Record::UnderWay { seq, .. } => self.allows("the lost attempt", *seq, UNDECIDED),
            Record::Removed { seq } => self.allows("the deletion", *seq, LEFT),
            Record::UndoStarted { seq } => self.allows("the undo", *seq, LEFT),
            Record::Amended { seq, .. } => self.allows("the rest", *seq, LEFT),
            Record::UndoDone { seq, .. } => self.allows("the undo's end", *seq, LEFT),
            Record::UndoFailed { seq, .. } => self.allows("the undo's failure", *seq, LEFT),
        }
    }

    fn allows(&self, what: &'static str, seq: u64, states: &[EntryState]) -> Result<(), Illegal> {
        let entry = self.entry(seq).ok_or(Illegal::NoSuchEntry { what, seq })?;
        if states.contains(&entry.state) {
            return Ok(());
        }
        Err(Illegal::Sequence { what, seq, state: entry.state.word() })
    }

    /// The entry of a number.
    #[must_use]
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        self.entries.get(index_of(seq)?)
    }

    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = index_of(seq).and_then(|index| self.entries.get_mut(index)) {
            change(entry);
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

/// Entries count up from 1.
fn index_of(seq: u64) -> Option<usize> {
    usize::try_from(seq).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests;
