//! What happened in runs, as spans with a beginning and an end: what the reports that are files are drawn from.

use jiff::Timestamp;
use serde_json::Value;

use super::words;
use engine::event::{
    Call, Counts, Event, Failure, Mode, Owner, Remaining, ResourceRef, SourcePlace, Status,
    StepRef, UndoStatus, What,
};

/// All runs of a command line.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) runs: Vec<Run>,
    /// Why there is none, where the playbook or the command line is wrong.
    pub(super) refused: Vec<Failure>,
}

/// A run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) playbook: String,
    pub(super) description: Option<String>,
    pub(super) file: String,
    pub(super) mode: Mode,
    pub(super) region: String,
    pub(super) account: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) started: Timestamp,
    /// When the last thing happened.
    pub(super) last: Timestamp,
    /// The run's own calls, before the first step.
    pub(super) calls: Vec<Made>,
    /// Steps and undone entries, in the order in which they began.
    pub(super) spans: Vec<Span>,
    /// What it said of itself.
    pub(super) said: Vec<Said>,
    pub(super) end: Option<End>,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) passed: bool,
    pub(super) exit_code: u8,
    pub(super) millis: u64,
    pub(super) counts: Counts,
    pub(super) remaining: Vec<Remaining>,
    pub(super) command: Option<String>,
    pub(super) outputs: Value,
}

/// A call, and when it was over.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) at: Timestamp,
    pub(super) call: Call,
}

impl Made {
    /// How long it took.
    pub(super) fn millis(&self) -> u64 {
        self.call.outcome.as_ref().map_or(0, |outcome| outcome.millis)
    }
}

/// Something that was said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) at: Timestamp,
    pub(super) how: How,
    pub(super) text: String,
}

/// How something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Printed,
    Warned,
    Noted,
    Waits,
    Retries,
    Asks,
    Answered,
}

impl How {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Printed => "says",
            Self::Warned => "warns",
            Self::Noted => "notes",
            Self::Waits => "waits",
            Self::Retries => "tries again",
            Self::Asks => "asks",
            Self::Answered => "hears",
        }
    }
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Step(Status),
    Undo(UndoStatus),
}

impl Ended {
    /// One word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Step(status) => match status {
                Status::Passed => "passed",
                Status::ExpectedError => "failed as expected",
                Status::DoneBefore => "passed before",
                Status::AllowedError => "failed as allowed",
                Status::Failed => "failed",
                Status::Skipped => "skipped",
                Status::Planned => "planned",
                Status::Interrupted => "interrupted",
            },
            Self::Undo(status) => match status {
                UndoStatus::Deleted => "deleted",
                UndoStatus::Restored => "restored",
                UndoStatus::AlreadyGone => "already gone",
                UndoStatus::NotOurs => "not ours",
                UndoStatus::Changed => "changed since",
                UndoStatus::Failed => "not removed",
                UndoStatus::Skipped => "left",
                UndoStatus::Planned => "to delete",
                UndoStatus::Kept => "kept",
            },
        }
    }

    /// Whether it is as it should be.
    pub(super) fn is_fine(self) -> bool {
        match self {
            Self::Step(status) => !matches!(status, Status::Failed | Status::Interrupted),
            Self::Undo(status) => !matches!(
                status,
                UndoStatus::Failed
                    | UndoStatus::Skipped
                    | UndoStatus::NotOurs
                    | UndoStatus::Changed
            ),
        }
    }
}

/// A step, or undoing an entry of the journal.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) owner: Owner,
    pub(super) started: Timestamp,
    pub(super) ended: Option<Timestamp>,
    pub(super) how: Option<Ended>,
    pub(super) place: Option<SourcePlace>,
    pub(super) source: Option<String>,
    pub(super) calls: Vec<Made>,
    pub(super) said: Vec<Said>,
    pub(super) failure: Option<Failure>,
    /// Why an entry was not undone.
    pub(super) reason: Option<String>,
    pub(super) outputs: Value,
    pub(super) created: Vec<ResourceRef>,
    pub(super) removed: Vec<ResourceRef>,
}

impl Span {
    fn new(owner: Owner, started: Timestamp) -> Self {
        Self {
            owner,
            started,
            ended: None,
            how: None,
            place: None,
            source: None,
            calls: Vec::new(),
            said: Vec::new(),
            failure: None,
            reason: None,
            outputs: Value::Null,
            created: Vec::new(),
            removed: Vec::new(),
        }
    }

    pub(super) fn step(&self) -> Option<&StepRef> {
        self.owner.step()
    }

    /// What a person calls it.
    pub(super) fn title(&self) -> String {
        match &self.owner {
            Owner::Step(step) => step.title.clone(),
            Owner::Undo(resource) => format!("{} {}", resource.kind, resource.name),
            Owner::Run => String::new(),
        }
    }

    /// How it ended, in a word.
    pub(super) fn word(&self) -> &'static str {
        self.how.map_or("not over", Ended::word)
    }

    pub(super) fn is_fine(&self) -> bool {
        self.how.is_some_and(Ended::is_fine)
    }

    /// How long it took, as far as it went.
    pub(super) fn millis(&self, last: Timestamp) -> u64 {
        between(self.started, self.ended.unwrap_or(last))
    }
}

/// The milliseconds from one time to another.
pub(super) fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or_default()
}

impl Run {
    fn span(&mut self, owner: &Owner) -> Option<&mut Span> {
        let open = |span: &&mut Span| span.ended.is_none() && is_same(&span.owner, owner);
        self.spans.iter_mut().rev().find(open)
    }

    /// The span of that owner; one that nobody has begun begins now.
    fn span_or_new(&mut self, owner: &Owner, at: Timestamp) -> Option<&mut Span> {
        if *owner == Owner::Run {
            return None;
        }
        if self.span(owner).is_none() {
            self.spans.push(Span::new(owner.clone(), at));
        }
        self.span(owner)
    }

    /// Whether it passed, and nothing remains.
    pub(super) fn is_fine(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.passed && end.remaining.is_empty())
    }

    /// How it ended, in few words.
    pub(super) fn verdict(&self) -> &'static str {
        match &self.end {
            None => "not over",
            Some(end) if matches!(end.exit_code, 129 | 130 | 143) => "interrupted",
            Some(end) if !end.remaining.is_empty() => "something remains",
            Some(end) if end.passed => "passed",
            Some(_) => "failed",
        }
    }

    /// How long it took, as far as it went.
    pub(super) fn millis(&self) -> u64 {
        self.end.as_ref().map_or_else(|| between(self.started, self.last), |end| end.millis)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (&Span, &StepRef)> {
        self.spans.iter().filter_map(|span| Some((span, span.step()?)))
    }

    pub(super) fn undos(&self) -> impl Iterator<Item = (&Span, &ResourceRef)> {
        self.spans.iter().filter_map(|span| Some((span, span.owner.undone()?)))
    }

    /// All calls, whoever made them.
    pub(super) fn count_calls(&self) -> usize {
        self.calls.len() + self.spans.iter().map(|span| span.calls.len()).sum::<usize>()
    }

    /// The failures that end it: the steps around the one that failed fail with the same.
    pub(super) fn failures(&self) -> Vec<(&StepRef, &Failure)> {
        let mut found: Vec<(&StepRef, &Failure)> = Vec::new();
        for (span, step) in
            self.steps().filter(|(span, _)| span.how == Some(Ended::Step(Status::Failed)))
        {
            if let Some(failure) = &span.failure {
                // The innermost has most to say, and begins last.
                found.retain(|(_, known)| *known != failure);
                found.push((step, failure));
            }
        }
        found
    }
}

/// Whether two owners are the same, whatever the title is by now.
fn is_same(one: &Owner, other: &Owner) -> bool {
    match (one, other) {
        (Owner::Step(one), Owner::Step(other)) => one.number == other.number,
        (Owner::Undo(one), Owner::Undo(other)) => one.seq == other.seq,
        (Owner::Run, Owner::Run) => true,
        _ => false,
    }
}

impl Trace {
    /// Takes note of what happened.
    pub(super) fn event(&mut self, event: &Event) {
        match &event.what {
            What::RunStarted {
                playbook,
                cell,
                description,
                file,
                mode,
                region,
                account,
                endpoint,
                ..
            } => self.runs.push(Run {
                id: event.run.clone(),
                playbook: words::run_name(playbook, cell.as_deref()),
                description: description.clone(),
                file: file.clone(),
                mode: *mode,
                region: region.clone(),
                account: account.clone(),
                endpoint: endpoint.clone(),
                started: event.at,
                last: event.at,
                calls: Vec::new(),
                spans: Vec::new(),
                said: Vec::new(),
                end: None,
            }),
            What::Refused { failures } => self.refused.extend(failures.iter().cloned()),
            _ => {
                let mut runs = self.runs.iter_mut().rev();
                if let Some(run) = runs.find(|run| run.id == event.run) {
                    run.last = event.at;
                    run.event(event);
                }
            }
        }
    }
}

impl Run {
    fn event(&mut self, event: &Event) {
        let at = event.at;
        match &event.what {
            What::RunFinished {
                passed,
                exit_code,
                millis,
                counts,
                remaining,
                command,
                outputs,
            } => {
                self.end = Some(End {
                    passed: *passed,
                    exit_code: *exit_code,
                    millis: *millis,
                    counts: *counts,
                    remaining: remaining.clone(),
                    command: command.clone(),
                    outputs: outputs.clone(),
                });
            }
            What::Called { call, .. } => {
                let made = Made { at, call: call.clone() };
                match self.span_or_new(&event.owner, at) {
                    Some(span) => span.calls.push(made),
                    None => self.calls.push(made),
                }
            }
            what => {
                if let Some((how, text)) = said(what) {
                    let said = Said { at, how, text };
                    match self.span_or_new(&event.owner, at) {
                        Some(span) => span.said.push(said),
                        None => self.said.push(said),
                    }
                } else if let Some(span) = self.span_or_new(&event.owner, at) {
                    span.event(at, what);
                }
            }
        }
    }
}

impl Span {
    fn event(&mut self, at: Timestamp, what: &What) {
        match what {
            What::StepStarted { place, source } => {
                self.place.clone_from(place);
                self.source.clone_from(source);
            }
            What::Created { resource } => self.created.push(resource.clone()),
            What::Removed { resource } => self.removed.push(resource.clone()),
            What::StepFinished { status, outputs, failure, .. } => {
                self.ended = Some(at);
                self.how = Some(Ended::Step(*status));
                self.outputs = outputs.clone();
                self.failure.clone_from(failure);
            }
            What::UndoFinished { status, reason, .. } => {
                self.ended = Some(at);
                self.how = Some(Ended::Undo(*status));
                self.reason = reason.as_ref().map(words::reason);
            }
            _ => {}
        }
    }
}

/// What an event says, where that is all that it does.
fn said(what: &What) -> Option<(How, String)> {
    Some(match what {
        What::Printed { text } => (How::Printed, text.clone()),
        What::Warned { text } => (How::Warned, text.clone()),
        What::Noted { note } => (How::Noted, words::note(note)),
        What::Waiting { text } => (How::Waits, text.clone()),
        What::Retrying { reason, after } => {
            (How::Retries, format!("in {}: {reason}", words::duration(*after)))
        }
        What::StillUnderWay { millis } => {
            let limit = words::duration(*millis);
            (How::Waits, format!("up to {limit}: a call may still be under way"))
        }
        What::Asking => (How::Asks, String::new()),
        What::Answered { prompt, answer, default } => {
            (How::Answered, words::answered(prompt, answer, *default))
        }
        What::Mailed { mail } => (How::Noted, format!("mail to {}: code {}", mail.to, mail.code)),
        What::Stopping { count, cleanup } => {
            let what = words::counted(*count, "resource");
            let then = if *cleanup { "to remove" } else { "to stay" };
            (How::Warned, format!("stopping: {what} {then}"))
        }
        What::LeftBehind { count } => (How::Warned, words::left_behind(*count, false)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn traced(events: &[Event]) -> Trace {
        let mut trace = Trace::default();
        for event in events {
            trace.event(event);
        }
        trace
    }

    #[test]
    fn steps_and_undone_entries_are_spans() {
        let trace = traced(&sample::failing());
        let run = &trace.runs[0];
        let titles: Vec<String> = run.steps().map(|(span, _)| span.title()).collect();
        assert_eq!(titles, ["Try it", "Invoke it"]);
        assert_eq!(run.undos().count(), 5);
        assert_eq!(run.failures().len(), 1, "the block fails with the same");
        assert_eq!(run.failures()[0].0.number, "1.1");
        assert_eq!(run.verdict(), "something remains");
    }

    #[test]
    fn what_has_no_end_is_not_over() {
        let events = sample::passing();
        let trace = traced(&events[..3]);
        let run = &trace.runs[0];
        assert_eq!((run.verdict(), run.spans[0].word()), ("not over", "not over"));
        assert_eq!(run.count_calls(), 1);
    }
}
