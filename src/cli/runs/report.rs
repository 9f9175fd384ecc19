//! A report of a run from its journal and its history: also of one that was killed.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::cli::args::RunsArgs;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::state;
use crate::report::{Reporter as _, Reporters};
use engine::cleanup::remaining;
use engine::event::{Event, Owner, Reason, Remaining, Status, StepRef, What};
use engine::journal::{JournalError, JournalFile, JournalState, Line, Lock, history};
use engine::run::top_of;

/// What a report from a journal says of itself.
const UNKNOWN: &str = "This is told from the run's journal, which keeps no requests, answers or outputs, nor what was printed, asked or \
                       waited for.";

/// Writes the reports of a run that was named.
pub(super) fn write(args: &RunsArgs, directory: &Path, run: &str, output: Output) -> Exit {
    let events = match told(directory, run) {
        Ok(events) => events,
        Err(error) => {
            let help = match &error {
                JournalError::NoSuchRun { .. } => Some("`playbook runs` lists the journalled runs"),
                JournalError::Untrusted { distrust, .. } => Some(distrust.help()),
                _ => None,
            };
            return output.fail(&error.to_string(), help);
        }
    };
    if events.is_empty() {
        let message = format!("how run {run} went is not known: it has no history");
        return output.fail(&message, Some("it was begun by an earlier version"));
    }
    let planning = false;
    let mut reporters = Reporters::new();
    if let Err(exit) = output.add_files(&mut reporters, &args.report, planning) {
        return exit;
    }
    for event in &events {
        reporters.event(event);
    }
    let written = output.told(reporters.finish());
    if written == Exit::FINE {
        for report in &args.report {
            output.note(&format!("Wrote {}", report.path.display()));
        }
    }
    written
}

fn told(directory: &Path, run: &str) -> Result<Vec<Event>, JournalError> {
    let (state, lock) = JournalFile::peek(directory, run)?;
    Ok(as_one_run(history::read(directory, run)?, &state, lock))
}

/// The events of a run as if one process had seen all of it, with what its journal says of its end.
fn as_one_run(lines: Vec<Line>, state: &JournalState, lock: Lock) -> Vec<Event> {
    let mut whole = Whole::default();
    for line in lines {
        match line {
            Line::Told(event) => whole.take(event),
            Line::Resumed { from: Some(from) } => whole.go_back_to(from),
            _ => {}
        }
    }
    let Whole { mut events, end, .. } = whole;
    let Some(first) = events.first().cloned() else { return events };
    let last = end.as_ref().or(events.last()).map_or(first.at, |event| event.at);
    let mut said = vec![UNKNOWN];
    if end.is_none() {
        said.push(match lock {
            Lock::Held => "It is still going on.",
            Lock::Free => {
                "Its process ended before it did: it was killed, or the machine went down."
            }
        });
    }
    let own = |what| Event { seq: 0, at: last, run: first.run.clone(), owner: Owner::Run, what };
    events.extend(said.into_iter().map(|text| own(What::Warned { text: text.to_owned() })));
    events.extend(end.map(|end| now_left(end, state)));
    for (seq, event) in (1..).zip(&mut events) {
        event.seq = seq;
    }
    events
}

/// What several processes have told of one run.
#[derive(Default)]
struct Whole {
    events: Vec<Event>,
    /// What the last of them told of the end.
    end: Option<Event>,
    /// The steps under way.
    open: Vec<StepRef>,
    /// The numbers of the steps that are over.
    over: BTreeSet<String>,
    /// Those that were over when the process began that tells now.
    over_before: BTreeSet<String>,
}

impl Whole {
    fn take(&mut self, event: Event) {
        match &event.what {
            What::RunStarted { .. } => return self.start(event),
            What::RunFinished { .. } => {
                self.end = Some(event);
                return;
            }
            _ => {}
        }
        if let Owner::Step(step) = &event.owner {
            if self.over_before.contains(&step.number) {
                return;
            }
            match &event.what {
                What::StepStarted { .. } => self.open.push(step.clone()),
                What::StepFinished { status, .. } => {
                    self.open.retain(|open| open.number != step.number);
                    if !matches!(status, Status::Failed | Status::Interrupted) {
                        self.over.insert(step.number.clone());
                    }
                }
                _ => {}
            }
        }
        self.events.push(event);
    }

    /// Another process tells from here on: what the one before has left under way was never finished.
    fn start(&mut self, event: Event) {
        self.end = None;
        let Some(last) = self.events.last().cloned() else { return self.events.push(event) };
        for step in std::mem::take(&mut self.open).into_iter().rev() {
            let (status, outputs, failure) = (Status::Interrupted, Value::Null, None);
            let what = What::StepFinished { status, millis: 0, outputs, failure };
            self.events.push(Event { owner: Owner::Step(step), what, ..last.clone() });
        }
        self.over_before = self.over.clone();
    }

    fn go_back_to(&mut self, from: usize) {
        let stays = |number: &String| top_of(number).is_none_or(|top| top < from);
        self.over.retain(stays);
        self.over_before.retain(stays);
    }
}

/// The end of a run with what remains of it by now.
fn now_left(end: Event, state: &JournalState) -> Event {
    let Some(opened) = &state.opened else { return end };
    let What::RunFinished { passed, exit_code, millis, counts, remaining: left, command, outputs } =
        end.what
    else {
        return end;
    };
    let is_local = opened.target.local;
    let pending = state.pending().filter(|_| !is_local).map(|entry| {
        let known = left.iter().find(|left| left.resource.seq == entry.seq).cloned();
        known.unwrap_or_else(|| {
            remaining(entry, &opened.target, ::steps::maker_of, Reason::ToBeLeft)
        })
    });
    let remaining: Vec<Remaining> = pending.collect();
    let command = command
        .or_else(|| Some(state::cleanup_command(&opened.run, &[])))
        .filter(|_| !remaining.is_empty());
    let what = What::RunFinished { passed, exit_code, millis, counts, remaining, command, outputs };
    Event { what, ..end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::event::{Counts, Mode};

    fn event(what: What) -> Event {
        let at = "2026-11-23T10:00:00Z".parse().expect("a time");
        Event { seq: 1, at, run: "k3x9".to_owned(), owner: Owner::Run, what }
    }

    fn started() -> Event {
        event(What::RunStarted {
            playbook: "hello".to_owned(),
            cell: None,
            description: None,
            file: "hello.yaml".to_owned(),
            mode: Mode::Live,
            region: "us-east-1".to_owned(),
            account: None,
            endpoint: None,
            started: "2026-11-23T10:00:00Z".to_owned(),
            steps: 1,
        })
    }

    fn finished(exit_code: u8) -> Event {
        event(What::RunFinished {
            passed: exit_code == 0,
            exit_code,
            millis: 1,
            counts: Counts::default(),
            remaining: Vec::new(),
            command: None,
            outputs: serde_json::Value::Null,
        })
    }

    fn words(events: Vec<Event>, lock: Lock) -> Vec<String> {
        let lines = events.into_iter().map(Line::Told).collect();
        let events = as_one_run(lines, &JournalState::default(), lock);
        let word = |event: Event| match event.what {
            What::RunStarted { .. } => "started".to_owned(),
            What::RunFinished { exit_code, .. } => format!("finished {exit_code}"),
            What::StepStarted { .. } => "begins".to_owned(),
            What::StepFinished { status, .. } => format!("{status:?}"),
            What::Warned { text } => text.split(' ').take(2).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        };
        events.into_iter().map(word).collect()
    }

    #[test]
    fn a_run_that_went_on_is_one_run() {
        let events = vec![started(), finished(3), started(), finished(0)];
        assert_eq!(words(events, Lock::Free), ["started", "This is", "finished 0"]);
    }

    #[test]
    fn a_step_that_was_under_way_was_interrupted_and_what_was_over_is_told_once() {
        let of = |number: &str, what: What| {
            let step = StepRef {
                path: number.to_owned(),
                rounds: Vec::new(),
                number: number.to_owned(),
                depth: 0,
                id: None,
                title: number.to_owned(),
                kind: "print".to_owned(),
            };
            Event { owner: Owner::Step(step), ..event(what) }
        };
        let begins = |number| of(number, What::StepStarted { place: None, source: None });
        let ends = |number| {
            let (outputs, failure) = (Value::Null, None);
            of(number, What::StepFinished { status: Status::Passed, millis: 1, outputs, failure })
        };
        let told = vec![
            started(),
            begins("1"),
            ends("1"),
            begins("2"),
            started(),
            begins("1"),
            ends("1"),
            begins("2"),
            ends("2"),
        ];
        let expected = [
            "started",
            "begins",
            "Passed",
            "begins",
            "Interrupted",
            "begins",
            "Passed",
            "This is",
            "Its process",
        ];
        assert_eq!(words(told, Lock::Free), expected);
    }

    #[test]
    fn a_run_without_an_end_says_so() {
        let killed = vec![started(), finished(3), started()];
        assert_eq!(words(killed, Lock::Free), ["started", "This is", "Its process"]);
        assert_eq!(words(vec![started()], Lock::Held), ["started", "This is", "It is"]);
        assert_eq!(words(Vec::new(), Lock::Free), Vec::<String>::new());
    }
}
