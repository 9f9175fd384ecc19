//! What a run that goes on has done before, in another process.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::Failure;
use crate::journal::{Began, EndedStep, Entry, EntryState, JournalState, Line};
use crate::step::Seq;

/// What a run that goes on has done before; of a run that begins, nothing.
#[derive(Debug, Default)]
pub struct Past {
    run: String,
    began: Option<Began>,
    ended: HashMap<String, EndedStep>,
    failed: HashMap<String, Failure>,
    cleaned: HashMap<String, bool>,
    /// Up to which entry a `cleanup` step has removed everything.
    cleaned_upto: Seq,
    /// What was undone for its step to be done again.
    undone: HashSet<Seq>,
    /// The steps at the top that have begun, counted from 1.
    furthest: usize,
    /// The first of the steps at the top that are done again.
    from: Option<usize>,
    /// Whether it is only looked whether the playbook still says what was done.
    pub(super) checking: AtomicBool,
    /// The steps that the playbook still has.
    met: Mutex<HashSet<String>>,
    /// Whether a step has to be done again for what it returns.
    pub(super) again: AtomicBool,
}

impl Past {
    /// What the history of a run says.
    #[must_use]
    pub fn of(run: &str, lines: &[Line]) -> Self {
        let mut past = Self { run: run.to_owned(), ..Self::default() };
        for line in lines {
            past.take(line);
        }
        past
    }

    fn take(&mut self, line: &Line) {
        match line {
            Line::Began(began) => self.began = Some(began.clone()),
            Line::Told(event) => {
                let step = event.owner.step();
                let top = step.and_then(|step| top_of(&step.number)).unwrap_or_default();
                self.furthest = self.furthest.max(top);
            }
            Line::Ended(step) => {
                self.ended.insert(step.number.clone(), step.clone());
            }
            Line::Failed { inside, failure } => {
                self.failed.insert(inside.clone(), failure.clone());
            }
            Line::Cleaned { number, wanted, upto } => {
                self.cleaned.insert(number.clone(), *wanted);
                if *wanted {
                    self.cleaned_upto = *upto;
                }
            }
            Line::Resumed { from } => {
                if let Some(from) = from {
                    self.forget_from(*from);
                }
            }
            Line::Undone { entries } => self.undone.extend(entries),
        }
    }

    /// Has the steps at the top from one on, counted from 1, done again.
    pub fn start_from(&mut self, step: usize) {
        self.forget_from(step);
        self.from = Some(step);
    }

    fn forget_from(&mut self, step: usize) {
        let stays = |number: &str| top_of(number).is_none_or(|top| top < step);
        self.ended.retain(|number, _| stays(number));
        self.failed.retain(|number, _| stays(number));
        self.cleaned.retain(|number, _| stays(number));
    }

    /// What the run was begun with, as far as that is known.
    #[must_use]
    pub fn began(&self) -> Option<&Began> {
        self.began.as_ref()
    }

    /// Whether there is anything before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.began.is_none()
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// How many of the steps at the top have begun.
    #[must_use]
    pub fn furthest(&self) -> usize {
        self.furthest
    }

    pub(super) fn from(&self) -> Option<usize> {
        self.from
    }

    /// Whether the clean-up of the run has begun: what its steps have made is not all there any more.
    #[must_use]
    pub fn is_cleaned_up(&self, journal: &JournalState) -> bool {
        journal.entries.iter().any(|entry| {
            entry.undoing && entry.seq > self.cleaned_upto && !self.undone.contains(&entry.seq)
        })
    }

    /// The entries of steps that were begun and are to be done again, latest first.
    #[must_use]
    pub fn unfinished(&self, journal: &JournalState) -> Vec<Entry> {
        let is_left =
            |entry: &&Entry| entry.state != EntryState::Closed && !self.is_over(&entry.number);
        journal.entries.iter().rev().filter(is_left).cloned().collect()
    }

    /// Whether a step is not done again.
    pub(super) fn is_over(&self, number: &str) -> bool {
        let in_failed = |inside: &String| {
            number
                .strip_prefix(inside.as_str())
                .is_some_and(|rest| !rest.starts_with("rescue.") && !rest.starts_with("always."))
        };
        self.ended.contains_key(number) || self.failed.keys().any(in_failed)
    }

    /// What is known of a step that did what it should.
    pub(super) fn ended(&self, number: &str) -> Option<&EndedStep> {
        let ended = self.ended.get(number)?;
        self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(number.to_owned());
        Some(ended)
    }

    /// Why the steps whose numbers begin so have failed, where something after them has begun.
    pub(super) fn failed(&self, inside: &str) -> Option<&Failure> {
        self.failed.get(inside)
    }

    /// Whether a `cleanup` step that is over was wanted.
    pub(super) fn cleaned(&self, number: &str) -> Option<bool> {
        self.cleaned.get(number).copied()
    }

    pub(super) fn is_checking(&self) -> bool {
        self.checking.load(Ordering::Relaxed)
    }

    /// A step that was done, and that nobody has met.
    pub(super) fn missing(&self) -> Option<&str> {
        if self.again.load(Ordering::Relaxed) {
            return None;
        }
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing: Vec<&str> =
            self.ended.keys().filter(|number| !met.contains(*number)).map(String::as_str).collect();
        missing.sort_unstable();
        missing.first().copied()
    }
}

/// The place at the top of the step with that number, counted from 1.
#[must_use]
pub fn top_of(number: &str) -> Option<usize> {
    number.split(['.', '[']).next()?.parse().ok()
}
