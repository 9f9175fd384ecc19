//! The journal, reversed: everything that a run has made is taken away again.

mod order;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use serde_json::Value;

use crate::event::{Owner, Reason, Remaining, UndoStatus, What};
use crate::journal::{Entry, Journal, Record, Target};
use crate::run::progress;
use crate::sink::Sink;
use crate::step::{Context, Kind, Place, Seq, StepError, Undone};
use order::Order;

pub use windows::Windows;

/// How many resources are removed at the same time unless somebody says otherwise: enough to be quick, too few to be throttled.
pub const USUAL_MAX: usize = 4;

/// How long what the run is known to have created is looked at before it is reported for want of a tag: that is rare, and
/// may take its time.
const LONGEST_DOUBT: Duration = Duration::from_secs(10);

/// How long one resource may take unless somebody says otherwise.
pub const USUAL_TIMEOUT: Duration = Duration::from_secs(120);

/// What clean-up works with.
pub struct Cleaner<'a> {
    /// What there is to undo.
    pub journal: &'a Journal,
    /// What undoing is handed.
    pub context: Context,
    /// Who can undo what.
    pub maker_of: fn(&str) -> Option<&'static Kind>,
    /// Where events go.
    pub sink: &'a Sink,
    /// How long one resource may take.
    pub timeout: Duration,
    /// How many are removed at the same time.
    pub max: usize,
    /// How long to look for what is not there.
    pub windows: Windows,
}

/// How undoing an entry ended, and why it did not end better.
type End = (UndoStatus, Option<Reason>);

impl Cleaner<'_> {
    /// Removes everything that the journal holds, latest first; what has nothing to do with each other at the same time.
    /// One failure never stops the rest, but what the failed one was created from stays, and is reported.
    ///
    /// Returns what is still there, latest first.
    pub async fn clean(&self) -> Vec<Remaining> {
        let pending = self.journal.pending();
        self.sink.emit(Owner::Run, What::CleanupStarted { count: pending.len() });
        self.undo_all(pending).await
    }

    /// The same for these entries alone, which come latest first.
    pub(crate) async fn undo_all(&self, pending: Vec<Entry>) -> Vec<Remaining> {
        let started = Instant::now();
        let mut order = Order::of(&pending);
        let mut running = FuturesUnordered::new();
        let mut left: BTreeMap<Seq, Remaining> = BTreeMap::new();
        let mut needed: BTreeSet<Seq> = BTreeSet::new();
        let target = self.journal.target();
        loop {
            while running.len() < self.at_once() {
                let Some(index) = order.next() else { break };
                let Some(entry) = pending.get(index) else { break };
                let is_needed = needed.contains(&entry.seq);
                running.push(
                    async move { (index, entry, self.undo(entry, is_needed, started).await) },
                );
            }
            let Some((index, entry, (status, reason))) = running.next().await else { break };
            order.done(index);
            if matches!(status, UndoStatus::Failed | UndoStatus::Skipped) {
                needed.extend(entry.depends.iter().copied());
                needed.extend(underneath(entry, &pending));
                let reason = reason.unwrap_or(Reason::Interrupted);
                left.insert(entry.seq, remaining(entry, &target, self.maker_of, reason));
            }
        }
        left.into_values().rev().collect()
    }

    /// A dry run tells of one thing after the other.
    fn at_once(&self) -> usize {
        if self.context.aws.is_dry_run() { 1 } else { self.max.max(1) }
    }

    async fn undo(&self, entry: &Entry, needed: bool, cleaning: Instant) -> End {
        let started = Instant::now();
        let (status, reason) = self.entry(entry, needed, cleaning).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tell(entry, What::UndoFinished { status, reason: reason.clone(), millis });
        (status, reason)
    }

    /// Tells what happened to an entry while it is undone.
    fn tell(&self, entry: &Entry, what: What) {
        self.sink.emit(Owner::Undo(entry.resource()), what);
    }

    async fn entry(&self, entry: &Entry, needed: bool, cleaning: Instant) -> End {
        if needed {
            return (UndoStatus::Skipped, Some(Reason::StillNeeded));
        }
        if self.context.interrupt.requested() {
            return (UndoStatus::Skipped, Some(Reason::Interrupted));
        }
        if let Some(run) = &entry.beside {
            let reason = Reason::ChangedByAnotherRun { run: run.clone() };
            return (UndoStatus::Failed, Some(reason));
        }
        self.tell(entry, What::UndoStarted);
        // On a full disk too: where the journal still says that something is there, the next clean-up finds it gone.
        let _ = self.journal.append(&Record::UndoStarted { seq: entry.seq });
        let undone = self.undone(entry, cleaning).await;
        let (status, reason) = self.status(undone);
        let record = match &reason {
            Some(Reason::Failed { message, .. }) => Record::UndoFailed {
                seq: entry.seq,
                reason: self.journal.redactor().redact(message).into_owned(),
            },
            _ => Record::UndoDone { seq: entry.seq, how: format!("{status:?}").to_lowercase() },
        };
        // What could not be written is looked for again by the next clean-up, which finds it gone.
        let _ = self.journal.append(&record);
        (status, reason)
    }

    fn status(&self, undone: Result<Undone, StepError>) -> End {
        let found = |text| Some(Reason::Found { text });
        match undone {
            Ok(Undone::NotOurs { reason } | Undone::Unproven { reason }) => {
                (UndoStatus::NotOurs, found(reason))
            }
            Ok(Undone::Changed { reason }) => (UndoStatus::Changed, found(reason)),
            Ok(_) if self.context.aws.is_dry_run() => (UndoStatus::Planned, None),
            Ok(Undone::Deleted) => (UndoStatus::Deleted, None),
            Ok(Undone::Restored) => (UndoStatus::Restored, None),
            Ok(Undone::AlreadyGone) => (UndoStatus::AlreadyGone, None),
            Err(error) => {
                let (code, message) = (error.code().to_owned(), error.to_string());
                (UndoStatus::Failed, Some(Reason::Failed { code, message }))
            }
        }
    }

    /// What undoing an entry is handed: its calls and its progress are told as its own.
    fn context_of(&self, entry: &Entry) -> Context {
        let owner = Owner::Undo(entry.resource());
        let observer = {
            let (sink, owner) = (self.sink.clone(), owner.clone());
            Arc::new(move |call| sink.emit(owner.clone(), What::Called { only_if: None, call }))
        };
        Context {
            aws: self.context.aws.observed_by(observer),
            progress: progress(self.sink, owner),
            kind: Arc::from(entry.kind.as_str()),
            step: Arc::from(entry.step.as_str()),
            slug: Arc::from(entry.step.as_str()),
            ledger: Arc::new(self.journal.for_undo(entry)),
            // Some things take longer than usual, and are waited for; not where somebody asks to be quick.
            longest_wait: Some(self.timeout).filter(|timeout| *timeout < USUAL_TIMEOUT),
            ..self.context.clone()
        }
    }

    /// Undoes an entry, again and again while what keeps it from being undone may pass. What is not found is looked for
    /// over a while before it is believed not to be there.
    async fn undone(&self, entry: &Entry, cleaning: Instant) -> Result<Undone, StepError> {
        let Some(kind) = (self.maker_of)(&entry.kind) else {
            let message = format!("this version of playbook cannot remove a {}", entry.kind);
            return Err(StepError::failed("UnknownType", message));
        };
        self.outlast(entry).await?;
        let started = Instant::now();
        let age = self.journal.age(entry.seq);
        let window = self.windows.of(entry, age, Timestamp::now(), cleaning.elapsed());
        let doubt = match entry.ids {
            Some(_) => window.max(LONGEST_DOUBT).min(self.timeout),
            None => window.max(self.windows.visibility),
        };
        let mut pause = Duration::from_millis(50);
        let mut told = !entry.state.is_undecided();
        // In a dry run, what stands for an id is named after the step that was to create it. Ids that a journal has kept
        // are of no use there: what would be found is not known.
        let dry_run = self.context.aws.is_dry_run();
        let ids = entry.ids.as_ref().filter(|ids| !dry_run || is_planned(ids));
        let context = self.context_of(entry);
        loop {
            let began = started.elapsed();
            let undo = self.journal.undo_of(entry.seq).unwrap_or_else(|| entry.undo.clone());
            let undone = (kind.undo)(context.clone(), undo, ids.cloned()).await;
            let wait = match &undone {
                Err(error) if may_pass(error) && started.elapsed() + pause <= self.timeout => pause,
                // However long a look takes, only one that begins after the window says that there is nothing.
                Ok(Undone::AlreadyGone) if began < window => {
                    if !dry_run && !std::mem::replace(&mut told, true) {
                        self.tell_wait(entry, window.saturating_sub(began));
                    }
                    pause.min(window.saturating_sub(began))
                }
                // So do tags, and not only those of what was created a moment ago.
                Ok(Undone::Unproven { .. }) if began < doubt => {
                    pause.min(doubt.saturating_sub(began))
                }
                _ => return decided(undone, entry),
            };
            if dry_run {
                return decided(undone, entry);
            }
            self.context.sleep(wait).await?;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Waits until an attempt that got no answer can have no effect any more: whatever it makes after a look is not seen.
    async fn outlast(&self, entry: &Entry) -> Result<(), StepError> {
        let left = self.windows.of_lost_attempt(entry, Timestamp::now());
        if left.is_zero() || self.context.aws.is_dry_run() {
            return Ok(());
        }
        self.tell_wait(entry, left);
        self.context.sleep(left).await
    }

    /// Says that something is waited for which may not come, where that takes as long as anybody notices.
    fn tell_wait(&self, entry: &Entry, left: Duration) {
        if left >= Duration::from_secs(1) {
            let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            self.tell(entry, What::StillUnderWay { millis });
        }
    }
}

/// An entry, as something that is still there. What its ARN is, the resource knows.
#[must_use]
pub fn remaining(
    entry: &Entry,
    target: &Target,
    maker_of: fn(&str) -> Option<&'static Kind>,
    reason: Reason,
) -> Remaining {
    let place = Place { account: &target.account, region: &target.region };
    let arn = maker_of(&entry.kind).and_then(|kind| (kind.arn)(&entry.undo, &place));
    entry.remaining(arn, reason)
}

/// What was never proven to be anybody's may be the run's: it counts as still there, for somebody to look at.
fn decided(undone: Result<Undone, StepError>, entry: &Entry) -> Result<Undone, StepError> {
    let Ok(Undone::Unproven { reason }) = undone else {
        return undone;
    };
    let made = if entry.ids.is_some() { "has made" } else { "was about to make" };
    let message = format!(
        "{reason}, and nothing else tells whether it is what this run {made}; delete it by hand if it is"
    );
    Err(StepError::failed("Unproven", message))
}

/// Whether these are of a dry run: values that are not known yet are among them, or there are none to know.
fn is_planned(ids: &Value) -> bool {
    let mut found = Vec::new();
    texts(ids, &mut found);
    found.is_empty() || found.iter().any(|text| text.contains('⟨'))
}

/// Whether a refusal may pass by itself: throttling, an unknown outcome, something that is still being changed or let go
/// of, credentials that somebody may be renewing.
fn may_pass(error: &StepError) -> bool {
    let StepError::Call(call) = error else {
        return false;
    };
    match call.code.as_deref() {
        None => true,
        Some(code) if THROTTLING_ERRORS.contains(&code) || TRANSIENT_ERRORS.contains(&code) => true,
        Some(
            "ConcurrentModification"
            | "ConcurrentModificationException"
            | "EntityTemporarilyUnmodifiable"
            | "OperationAborted"
            | "OperationAbortedException"
            | "ResourceConflictException"
            | "DeleteConflict"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "ServiceException"
            | "InternalFailure"
            | "InternalServerError"
            | "ServiceFailure",
        ) => true,
        Some(_) => call.status.is_some_and(|status| status >= 500),
    }
}

/// Earlier changes of the same thing: what they put back would not be what was there before the later one.
fn underneath(entry: &Entry, pending: &[Entry]) -> impl Iterator<Item = Seq> {
    let is_same = |other: &&Entry| {
        other.seq < entry.seq && other.kind == entry.kind && other.name == entry.name
    };
    pending.iter().filter(is_same).map(|other| other.seq)
}

fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again() {
        let refused = |code: &str, status: u16| {
            StepError::Call(aws::CallError {
                service: "any".to_owned(),
                operation: "Delete".to_owned(),
                code: Some(code.to_owned()),
                message: code.to_owned(),
                status: Some(status),
                request_id: None,
                outcome: aws::Outcome::Refused,
            })
        };
        for code in [
            "ProvisionedThroughputExceededException",
            "SlowDown",
            "OperationAborted",
            "EntityTemporarilyUnmodifiable",
            "TransactionInProgressException",
            "RequestTimeout",
            "ExpiredToken",
        ] {
            assert!(may_pass(&refused(code, 400)), "{code}");
        }
        assert!(may_pass(&refused("InternalErrorException", 500)));
        assert!(!may_pass(&refused("AccessDenied", 403)));
    }
}
