//! The journal, reversed: everything that a run has made is taken away again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use crate::event::{Event, Remaining, UndoStatus};
use crate::journal::{Book, Entry, EntryState, Record, Target};
use crate::step::{Context, Kind, Place, Seq, StepError, Undone};

/// How many resources are taken away at the same time: enough to be quick, too few to be throttled.
const AT_ONCE: usize = 4;

/// How long what the run is known to have made is looked at before it is reported for want of a tag: that is rare, and may
/// take its time.
const LONGEST_DOUBT: Duration = Duration::from_secs(10);

/// What clean-up works with.
pub struct Cleaner<'a> {
    /// What there is to undo.
    pub book: &'a Book,
    /// What undoing is handed.
    pub context: Context,
    /// Who can undo what.
    pub maker_of: fn(&str) -> Option<&'static Kind>,
    /// Who hears of it.
    pub emit: &'a (dyn Fn(Event) + Send + Sync),
    /// How long one resource may take.
    pub timeout: Duration,
    /// How long to look for something that nobody knows was made, since AWS shows new things late.
    pub window: Duration,
    /// The same where the call was given up moments ago, and may still be at work.
    pub window_of_unanswered: Duration,
}

impl Cleaner<'_> {
    /// Takes away everything that the journal holds, latest first; what has nothing to do with each other at the same
    /// time. One failure never stops the rest, but what the failed one was made from stays, and is reported.
    ///
    /// Returns what is still there, latest first.
    pub async fn clean(&self) -> Vec<Remaining> {
        let pending = self.book.pending();
        (self.emit)(Event::CleanupStarted { count: pending.len() });
        let mut waiting: Vec<(&Entry, BTreeSet<Seq>)> =
            pending.iter().map(|entry| (entry, before(entry, &pending))).collect();
        let mut running = FuturesUnordered::new();
        let mut stuck: BTreeMap<Seq, Remaining> = BTreeMap::new();
        let mut over: BTreeSet<Seq> = BTreeSet::new();
        let mut needed: BTreeSet<Seq> = BTreeSet::new();
        loop {
            while running.len() < self.at_once() {
                let ready = waiting.iter().position(|(_, before)| before.is_subset(&over));
                let Some(ready) = ready else { break };
                let (entry, _) = waiting.remove(ready);
                running.push(self.undo(entry, needed.contains(&entry.seq)));
            }
            let Some((entry, status, reason)) = running.next().await else { break };
            over.insert(entry.seq);
            if matches!(status, UndoStatus::Failed | UndoStatus::Skipped) {
                needed.extend(entry.depends.iter().copied());
                needed.extend(underneath(entry, &pending));
                let target = self.book.target();
                let reason = reason.unwrap_or_default();
                stuck.insert(entry.seq, remaining(entry, &target, self.maker_of, &reason));
            }
        }
        stuck.into_values().rev().collect()
    }

    /// A dry run tells of one thing after the other.
    fn at_once(&self) -> usize {
        if self.context.aws.is_dry_run() { 1 } else { AT_ONCE }
    }

    async fn undo<'e>(
        &self,
        entry: &'e Entry,
        needed: bool,
    ) -> (&'e Entry, UndoStatus, Option<String>) {
        let started = Instant::now();
        let (status, reason) = self.entry(entry, needed).await;
        (self.emit)(Event::UndoFinished {
            resource: entry.resource(),
            status,
            reason: reason.clone(),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        (entry, status, reason)
    }

    async fn entry(&self, entry: &Entry, needed: bool) -> (UndoStatus, Option<String>) {
        if needed {
            let reason = "something that was made from it is still there".to_owned();
            return (UndoStatus::Skipped, Some(reason));
        }
        if self.context.interrupt.requested() {
            return (UndoStatus::Skipped, Some("the clean-up was interrupted".to_owned()));
        }
        (self.emit)(Event::UndoStarted { resource: entry.resource() });
        // On a full disk too: where the journal still says that something is there, the next clean-up finds it gone.
        let _ = self.book.append(&Record::UndoStarted { seq: entry.seq });
        let undone = self.patiently(entry).await;
        let (status, reason) = self.status(undone);
        let record = match (status, &reason) {
            (UndoStatus::Failed, Some(reason)) => Record::UndoFailed {
                seq: entry.seq,
                reason: self.book.redactor().redact(reason).into_owned(),
            },
            _ => Record::UndoDone { seq: entry.seq, how: format!("{status:?}").to_lowercase() },
        };
        // What could not be written is looked for again by the next clean-up, which finds it gone.
        let _ = self.book.append(&record);
        (status, reason)
    }

    fn status(&self, undone: Result<Undone, StepError>) -> (UndoStatus, Option<String>) {
        match undone {
            Ok(Undone::NotOurs { reason } | Undone::Unproven { reason }) => {
                (UndoStatus::NotOurs, Some(reason))
            }
            Ok(Undone::Changed { reason }) => (UndoStatus::Changed, Some(reason)),
            Ok(_) if self.context.aws.is_dry_run() => (UndoStatus::Planned, None),
            Ok(Undone::Deleted) => (UndoStatus::Deleted, None),
            Ok(Undone::Restored) => (UndoStatus::Restored, None),
            Ok(Undone::AlreadyGone) => (UndoStatus::AlreadyGone, None),
            Err(error) => (UndoStatus::Failed, Some(error.to_string())),
        }
    }

    /// How long to look for something. What nobody knows was made may be being made now; what was made a moment ago may
    /// not be seen yet.
    fn window_of(&self, entry: &Entry) -> Duration {
        match entry.state {
            EntryState::Done(_) => self.window.saturating_sub(self.book.age(entry.seq)),
            EntryState::Open => self.window_of_unanswered,
            EntryState::Over | EntryState::Stuck(_) => self.window,
        }
    }

    /// Undoes an entry, again and again while what keeps it from being undone may pass. What is not found is looked for
    /// over a while before it is believed not to be there.
    async fn patiently(&self, entry: &Entry) -> Result<Undone, StepError> {
        let Some(kind) = (self.maker_of)(&entry.kind) else {
            let message = format!("this version of playbook cannot remove a {}", entry.kind);
            return Err(StepError::failed("UnknownType", message));
        };
        let started = Instant::now();
        let window = self.window_of(entry);
        let doubt = match entry.ids {
            Some(_) => window.max(LONGEST_DOUBT).min(self.timeout),
            None => window.max(self.window),
        };
        let mut pause = Duration::from_millis(50);
        // In a dry run, what stands for an id is named after the step that was to make it. Ids that a journal has kept are
        // of no use there: what would be found is not known.
        let dry_run = self.context.aws.is_dry_run();
        let ids = entry.ids.as_ref().filter(|ids| !dry_run || is_planned(ids));
        let context = Context {
            step: Arc::from(entry.step.as_str()),
            ledger: Arc::new(self.book.for_undo(entry)),
            ..self.context.clone()
        };
        loop {
            let began = started.elapsed();
            let made = self.book.made(entry.seq).unwrap_or_else(|| entry.made.clone());
            let undone = (kind.undo)(context.clone(), made, ids.cloned()).await;
            let wait = match &undone {
                Err(error) if may_pass(error) && started.elapsed() + pause <= self.timeout => pause,
                // However long a look takes, only one that begins after the window says that there is nothing.
                Ok(Undone::AlreadyGone) if began < window => {
                    pause.min(window.saturating_sub(began))
                }
                // So do tags, and not only those of what was made a moment ago.
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
}

/// An entry, as something that is still there. What its ARN is, the resource knows.
#[must_use]
pub fn remaining(
    entry: &Entry,
    target: &Target,
    maker_of: fn(&str) -> Option<&'static Kind>,
    reason: &str,
) -> Remaining {
    let place = Place { account: &target.account, region: &target.region };
    let arn = maker_of(&entry.kind).and_then(|kind| (kind.arn)(&entry.made, &place));
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

/// The entries that must be over before this one is undone: those that were made from it, and later ones that have
/// anything to do with it, as far as names tell.
fn before(entry: &Entry, pending: &[Entry]) -> BTreeSet<Seq> {
    let mut own = vec![entry.name.as_str()];
    texts(&entry.made, &mut own);
    let related = |other: &Entry| {
        let mut others = vec![other.name.as_str()];
        texts(&other.made, &mut others);
        others.iter().any(|other| own.iter().any(|own| meet(own, other)))
    };
    let later = pending.iter().filter(|other| other.seq > entry.seq);
    later
        .filter(|other| other.depends.contains(&entry.seq) || related(other))
        .map(|other| other.seq)
        .collect()
}

/// Earlier changes of the same thing: what they put back would not be what was there before the later one.
fn underneath(entry: &Entry, pending: &[Entry]) -> impl Iterator<Item = Seq> {
    let is_same = |other: &&Entry| {
        other.seq < entry.seq && other.kind == entry.kind && other.name == entry.name
    };
    pending.iter().filter(is_same).map(|other| other.seq)
}

/// Whether one text holds the other. What is shorter than a name says nothing.
fn meet(one: &str, other: &str) -> bool {
    one.len() >= 3 && other.len() >= 3 && (one.contains(other) || other.contains(one))
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
    use serde_json::json;

    fn entry(seq: Seq, made: Value, depends: &[Seq]) -> Entry {
        Entry {
            seq,
            kind: "AWS::IAM::Role".to_owned(),
            name: format!("resource-number-{seq}"),
            step: "step".to_owned(),
            made,
            depends: depends.to_vec(),
            keep: false,
            ids: None,
            state: EntryState::Open,
        }
    }

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

    #[test]
    fn what_was_made_from_it_or_names_it_goes_first() {
        let pending = [
            entry(4, json!({"name": "elsewhere"}), &[]),
            entry(3, json!({"role": "resource-number-1"}), &[]),
            entry(2, json!({"name": "another"}), &[1]),
            entry(1, json!({"name": "one"}), &[]),
        ];
        assert_eq!(before(&pending[3], &pending), BTreeSet::from([2, 3]));
        assert_eq!(before(&pending[2], &pending), BTreeSet::new());
        assert_eq!(before(&pending[0], &pending), BTreeSet::new());
    }
}
