//! One step: its condition, its loop, its end.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use serde_json::Value as Json;

use super::fault::{Fault, Stop};
use super::frame::{Frame, Place};
use super::outputs::{Outputs, with_result};
use super::resume::Before;
use super::{Engine, millis_since};
use crate::event::{Failure, Note, OnlyIf, Owner, Status, StepRef, What};
use crate::journal::Line;
use language::playbook::{Action, Step};
use language::template::{Expression, Namespace};

/// So many lines of a step are shown as its source.
const MOST_LINES: usize = 40;

/// How a step ended, if not well: by a fault of its own, or because a step inside it stopped.
pub(super) enum Ended {
    Fault(Fault),
    Inner(Stop),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Inner(stop)
    }
}

/// What `when` comes to.
pub(super) enum Condition {
    Holds,
    Fails,
    /// In a dry run.
    NotKnown,
}

pub(super) type Steps<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

impl Engine {
    /// Runs steps in order, until one stops.
    pub(super) fn run_steps<'a>(
        &'a self,
        frame: &'a Frame<'a>,
        steps: &'a [Step],
        place: &'a Place,
    ) -> Steps<'a> {
        self.run_from(0, frame, steps, place)
    }

    /// The same from one of them on, counted from 0.
    pub(super) fn run_from<'a>(
        &'a self,
        first: usize,
        frame: &'a Frame<'a>,
        steps: &'a [Step],
        place: &'a Place,
    ) -> Steps<'a> {
        Box::pin(async move {
            for (index, step) in steps.iter().enumerate().skip(first) {
                if self.setup.interrupt.requested() {
                    return Err(Stop::Interrupted);
                }
                self.step(frame, step, place, index).await?;
            }
            Ok(())
        })
    }

    /// One step, in a lane of its own.
    pub(super) fn step_apart<'a>(
        &'a self,
        frame: &'a Frame<'a>,
        step: &'a Step,
        place: &'a Place,
        index: usize,
    ) -> Steps<'a> {
        Box::pin(async move { self.step(frame, step, place, index).await })
    }

    async fn step(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        place: &Place,
        index: usize,
    ) -> Result<(), Stop> {
        let at = self.titled(step, place, place.step(index, step.id.as_deref(), step.kind()));
        self.look_into_inbox().await;
        let mut place = place.clone();
        match self.condition(step.when.as_ref(), &place, &at) {
            Err(fault) => return self.stop(&at, &place, fault.at(step.span)),
            Ok(Condition::Fails) => {
                self.skip(frame, step, &at);
                return Ok(());
            }
            Ok(Condition::Holds) => {}
            Ok(Condition::NotKnown) => {
                place.only_if.get_or_insert(OnlyIf::Condition);
            }
        }
        let place = &place;
        if !self.setup.past.is_over(&at.number) && !self.wanted(step, place, &at).await? {
            self.skip(frame, step, &at);
            return Ok(());
        }
        match &step.for_each {
            None => {
                let outputs = self.once(frame, step, place, &at).await?;
                self.publish(frame, step, &outputs);
                Ok(())
            }
            Some(over) => self.each(frame, step, over, place, &at).await,
        }
    }

    /// The step with its name, as it reads at its place.
    pub(super) fn titled(&self, step: &Step, place: &Place, at: StepRef) -> StepRef {
        let named = step.name.as_ref().and_then(|name| self.render(name, &place.scope).ok());
        match named {
            Some(name) => StepRef { title: name.shown_text(), ..at },
            None => at,
        }
    }

    /// Whether the step is to run. In a dry run a condition that is not known yet is told, and its step walked.
    pub(super) fn condition(
        &self,
        when: Option<&Expression>,
        place: &Place,
        at: &StepRef,
    ) -> Result<Condition, Fault> {
        let Some(when) = when else { return Ok(Condition::Holds) };
        let value = self.evaluate(when, &place.scope)?;
        if value.unknown {
            self.note(at, Note::OnlyIf { condition: when.source().to_owned() });
            return Ok(Condition::NotKnown);
        }
        Ok(if value.is_true() { Condition::Holds } else { Condition::Fails })
    }

    pub(super) fn note(&self, at: &StepRef, note: Note) {
        self.tell(at, What::Noted { note });
    }

    /// Tells what happened to a step, or by it.
    pub(super) fn tell(&self, at: &StepRef, what: What) {
        self.setup.sink.emit(Owner::Step(at.clone()), what);
    }

    pub(super) fn skip(&self, frame: &Frame<'_>, step: &Step, at: &StepRef) {
        let skipped = Namespace::new();
        skipped.insert("skipped", true);
        if let Some(id) = &step.id {
            frame.steps.insert(id, &skipped);
        }
        self.finish_step(at, Instant::now(), Status::Skipped, Json::Null, None);
    }

    pub(super) fn publish(&self, frame: &Frame<'_>, step: &Step, outputs: &Namespace) {
        if let Some(id) = &step.id {
            outputs.insert("skipped", false);
            frame.steps.insert(id, outputs);
        }
    }

    /// Runs a step whose condition holds, for one item if it loops.
    pub(super) async fn once(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        place: &Place,
        at: &StepRef,
    ) -> Result<Namespace, Stop> {
        let started = Instant::now();
        if let Some(ended) = self.ended_before(frame, step, place, at) {
            return ended;
        }
        self.tell(at, self.started(step, at));
        let result = match &step.action {
            Action::Kind { spec, input } => {
                self.attempts(frame, step, spec, input, place, at).await.map_err(Ended::Fault)
            }
            _ => {
                self.control(frame, step, place, at).await.map(|outputs| (outputs, Status::Passed))
            }
        };
        let result = result.and_then(|(mut outputs, status)| {
            let kept = match &step.action {
                Action::Kind { spec, input } => self.kept(step, (spec, input), place, at, &outputs),
                _ => None,
            };
            self.conclude(step, place, &mut outputs, true)?;
            if let Some(kept) = kept {
                self.note_down(&Line::Ended(kept));
            }
            Ok((outputs, status))
        });
        match result {
            Ok((mut outputs, mut status)) => {
                if status == Status::Passed && self.setup.aws.is_dry_run() {
                    status = Status::Planned;
                }
                let (data, expected) = (outputs.data.take(), outputs.expected.take());
                self.finish_step(at, started, status, data, expected);
                Ok(outputs.namespace)
            }
            Err(Ended::Inner(stop)) => {
                let status = match stop {
                    Stop::Failed(_) => Status::Failed,
                    Stop::Interrupted => Status::Interrupted,
                };
                self.finish_step(at, started, status, Json::Null, None);
                Err(stop)
            }
            Err(Ended::Fault(fault)) if place.only_if.is_some() && !fault.interrupted => {
                self.would_fail(at, started, &fault);
                Ok(Namespace::new())
            }
            Err(Ended::Fault(fault)) => Err(self.fail(at, started, &fault.at(step.kind_span))),
        }
    }

    /// How a step has ended before the run went on; nothing where it is to be done.
    fn ended_before(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        place: &Place,
        at: &StepRef,
    ) -> Option<Result<Namespace, Stop>> {
        let Action::Kind { spec, input } = &step.action else { return None };
        let started = Instant::now();
        let mut outputs = match self.before(step, (spec, input), place, at) {
            Ok(Before::Nothing) => return None,
            Ok(Before::Stopped(stop)) => return Some(Err(stop)),
            Ok(Before::Done(outputs)) => *outputs,
            Err(fault) => return Some(Err(self.fail(at, started, &fault.at(step.span)))),
        };
        self.tell_before(frame, step, place, at);
        Some(match self.conclude(step, place, &mut outputs, false) {
            Ok(()) => Ok(outputs.namespace),
            Err(Ended::Fault(fault)) => Err(self.fail(at, started, &fault)),
            Err(Ended::Inner(stop)) => Err(stop),
        })
    }

    /// Where the step stands, and how it is written.
    pub(super) fn started(&self, step: &Step, at: &StepRef) -> What {
        let sources = &self.setup.sources;
        let place = self.place(step.span);
        let first = at.rounds.iter().all(|round| round.is_none_or(|round| round == 1));
        let source = (first && self.setup.aws.captures_bodies()).then(|| {
            let (text, column) = (sources.slice(step.span), place.column.saturating_sub(1));
            let lines = text.lines().take(MOST_LINES).map(|line| {
                let indented = line.len() - line.trim_start_matches(' ').len();
                line.get(indented.min(column)..).unwrap_or_default().trim_end()
            });
            let mut source = lines.collect::<Vec<_>>().join("\n");
            if text.lines().nth(MOST_LINES).is_some() {
                source.push_str("\n…");
            }
            source
        });
        What::StepStarted { place: Some(place), source }
    }

    /// `outputs` and, unless it has been seen that they hold, `assert`: once, after everything else.
    fn conclude(
        &self,
        step: &Step,
        place: &Place,
        outputs: &mut Outputs,
        asserts: bool,
    ) -> Result<(), Ended> {
        let error = self.own_error(step, outputs);
        if !step.outputs.is_empty() || !step.asserts.is_empty() {
            let mut scope = with_result(&place.scope, &outputs.namespace);
            if let Some(error) = &error {
                error.show_in(&mut scope);
            }
            self.add_outputs(step, &scope, outputs)?;
            if asserts {
                self.check_asserts(step, &scope)?;
            }
        }
        if let Some(error) = error {
            error.publish(&outputs.namespace);
        }
        Ok(())
    }

    pub(super) fn finish_step(
        &self,
        at: &StepRef,
        started: Instant,
        status: Status,
        outputs: Json,
        failure: Option<Failure>,
    ) {
        let millis = millis_since(started);
        self.tell(at, What::StepFinished { status, millis, outputs, failure });
    }

    /// The end of a step that failed before it began.
    pub(super) fn stop(&self, at: &StepRef, place: &Place, fault: Fault) -> Result<(), Stop> {
        if place.only_if.is_some() {
            self.would_fail(at, Instant::now(), &fault);
            return Ok(());
        }
        Err(self.fail(at, Instant::now(), &fault))
    }

    /// Tells in a dry run of the failure of a step that may never run.
    fn would_fail(&self, at: &StepRef, started: Instant, fault: &Fault) {
        self.note(at, Note::WouldFail { message: fault.message.clone() });
        self.finish_step(at, started, Status::Planned, Json::Null, None);
    }

    /// Tells of a step's failure; returns why the steps stop.
    pub(super) fn fail(&self, at: &StepRef, started: Instant, fault: &Fault) -> Stop {
        if fault.interrupted {
            self.finish_step(at, started, Status::Interrupted, Json::Null, None);
            return Stop::Interrupted;
        }
        let failure = self.failure(fault);
        self.finish_step(at, started, Status::Failed, Json::Null, Some(failure.clone()));
        Stop::Failed(Box::new(failure))
    }

    /// A fault before the first step, or after the last: told as a step of its own.
    pub(super) fn stop_before_steps(&self, fault: &Fault) -> Stop {
        let at = StepRef {
            path: "0".to_owned(),
            rounds: Vec::new(),
            number: "0".to_owned(),
            depth: 0,
            id: None,
            title: self.setup.playbook.name.clone(),
            kind: "playbook".to_owned(),
        };
        self.fail(&at, Instant::now(), fault)
    }

    /// The entries of the journal that a step's input comes from.
    pub(super) fn depends(frame: &Frame<'_>, step: &Step, place: &Place) -> BTreeSet<u64> {
        let mut depends = place.depends.clone();
        if let Action::Kind { input, .. } | Action::Include { inputs: input, .. } = &step.action {
            depends.extend(frame.sources_of(&input.references()));
        }
        if let Some(undo) = &step.undo {
            depends.extend(frame.sources_of(&undo.input.references()));
        }
        depends
    }
}
