//! Steps that hold steps and run them one after the other: `block`, `repeat`, `include`; and `cleanup`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::fault::{Fault, Stop};
use super::frame::{Frame, Place};
use super::outputs::Outputs;
use super::step::Ended;
use super::{CleanupMode, Engine};
use crate::event::{Mode, Note, OnlyIf, Owner, StepRef};
use crate::journal::{Journal, Line};
use crate::step::{Answer, Question, QuestionType, StepError};
use language::diagnostic::Code;
use language::playbook::{Action, Playbook, Step};
use language::template::{Evaluated, Expression, Namespace, Template, from_json, unknown};

impl Engine {
    pub(super) async fn control(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        place: &Place,
        at: &StepRef,
    ) -> Result<Outputs, Ended> {
        let mut inner = place.beneath(at);
        inner.keep |= step.keep;
        match &step.action {
            Action::Block { steps, rescue, always } => {
                let parts = Block { steps, rescue, always };
                let running = self.block(frame, &parts, &inner, at);
                self.within(step, running).await
            }
            Action::Repeat { until, steps, limit } => {
                let running = self.repeat(frame, until, steps, *limit, &inner, at);
                self.within(step, running).await
            }
            Action::Parallel { steps, max } => {
                let running = self.parallel(frame, steps, *max, &inner, at);
                self.within(step, running).await
            }
            Action::Include { playbook, inputs } => {
                let running = self.include(frame, step, playbook, inputs, &inner);
                self.within(step, running).await
            }
            Action::Cleanup { confirm } => {
                self.cleanup_step(confirm.as_ref(), place, at).await.map_err(Ended::from)
            }
            // The registry's kinds are run by `attempts`.
            Action::Kind { .. } => Ok(Outputs::none()),
        }
    }

    /// `timeout` of a step that holds steps.
    async fn within(
        &self,
        step: &Step,
        running: impl Future<Output = Result<Outputs, Ended>>,
    ) -> Result<Outputs, Ended> {
        let Some(limit) = step.timeout.filter(|_| !self.setup.aws.is_dry_run()) else {
            return running.await;
        };
        tokio::time::timeout(limit, running).await.unwrap_or_else(|_| {
            let what = format!("this {} step", step.kind());
            Err(Fault::of_step(&StepError::TimedOut { what, limit }, |_| None).into())
        })
    }

    async fn block(
        &self,
        frame: &Frame<'_>,
        parts: &Block<'_>,
        place: &Place,
        at: &StepRef,
    ) -> Result<Outputs, Ended> {
        let calls_before = self.setup.sink.counts().calls;
        let mut result = self.run_steps(frame, parts.steps, &self.as_before(place)).await;
        let mut failing = place.clone();
        if !parts.rescue.is_empty() || !parts.always.is_empty() {
            self.note_if_failed(place, &result);
        }
        if !parts.rescue.is_empty() {
            let dry_run = self.setup.aws.is_dry_run();
            result = match result {
                Err(Stop::Failed(failure)) => {
                    // A call that comes before the step that is sure to fail may be refused first.
                    let open = dry_run && self.setup.sink.counts().calls > calls_before;
                    let error =
                        if open { Evaluated::open(unknown("error")) } else { self.error(&failure) };
                    if dry_run {
                        self.note(at, Note::RescuesSurely);
                    }
                    failing = self.as_before(&rescue_place(place, &error));
                    self.run_steps(frame, parts.rescue, &failing).await
                }
                Ok(()) if dry_run => self.plan_rescue(frame, parts.rescue, place, at).await,
                other => other,
            };
        }
        if !matches!(result, Err(Stop::Interrupted)) && !parts.always.is_empty() {
            self.note_if_failed(&failing, &result);
            let place = place.part("always");
            let always = self.run_steps(frame, parts.always, &place).await;
            result = result.and(always);
        }
        result?;
        Ok(Outputs::none())
    }

    /// What a dry run can tell of a `rescue` that may not be needed. Nothing that comes after it sees what it does.
    async fn plan_rescue(
        &self,
        frame: &Frame<'_>,
        rescue: &[Step],
        place: &Place,
        at: &StepRef,
    ) -> Result<(), Stop> {
        self.note(at, Note::Rescues);
        let frame = frame.aside();
        let mut place = rescue_place(place, &Evaluated::open(unknown("error")));
        place.scope.set("steps", &frame.steps);
        place.only_if = Some(OnlyIf::Failure);
        let journal = place.aside.as_ref().unwrap_or(&self.setup.journal);
        place.aside = Some(Journal::copy_of(&journal.state(), journal.redactor().clone()));
        match self.run_steps(&frame, rescue, &place).await {
            Err(Stop::Interrupted) => Err(Stop::Interrupted),
            Ok(()) | Err(Stop::Failed(_)) => Ok(()),
        }
    }

    async fn repeat(
        &self,
        frame: &Frame<'_>,
        until: &Expression,
        steps: &[Step],
        limit: u32,
        place: &Place,
        at: &StepRef,
    ) -> Result<Outputs, Ended> {
        for round in 1..=limit {
            let mut place = place.round(round);
            place.scope = place.scope.child();
            let facts = json!({"index": round, "index0": round - 1, "first": round == 1});
            place.scope.set("loop", from_json(&facts));
            self.run_steps(frame, steps, &place).await?;
            let until_value = self.evaluate(until, &place.scope)?;
            if self.setup.aws.is_dry_run() && !until_value.is_true() {
                let condition = until.source().to_owned();
                self.note(at, Note::RepeatsUntil { condition });
                return Ok(Outputs::none());
            }
            if until_value.is_true() {
                return Ok(Outputs::none());
            }
            if self.setup.interrupt.requested() {
                return Err(Stop::Interrupted.into());
            }
        }
        let message = format!("after {limit} rounds this does not hold yet: {}", until.source());
        let fault = Fault::new("TooManyRounds", Code::StepFailed, message).at(until.span());
        Err(fault.help("raise `limit`, or look at what `until` waits for").into())
    }

    async fn include(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        playbook: &Playbook,
        inputs: &Template,
        place: &Place,
    ) -> Result<Outputs, Ended> {
        let given = self.render(inputs, &place.scope)?;
        let mut depends = Self::depends(frame, step, place);
        let inner = Frame::included(self, playbook, &given, depends.clone(), place)?;
        let top = Place {
            keep: place.keep,
            depends: depends.clone(),
            only_if: place.only_if,
            aside: place.aside.clone(),
            ..inner.top()
        };
        self.run_steps(&inner, &playbook.steps, &top).await?;
        depends.extend(inner.all_sources());
        if let Some(id) = &step.id {
            frame.remember(id, depends);
        }
        let namespace = Namespace::new();
        let scope = inner.top().scope;
        for (name, expression) in &playbook.outputs {
            namespace.insert_evaluated(name, &self.evaluate(expression, &scope)?);
        }
        Ok(Outputs { data: self.playbook_outputs(&inner)?, namespace, expected: None, given: None })
    }

    async fn cleanup_step(
        &self,
        confirm: Option<&Template>,
        place: &Place,
        at: &StepRef,
    ) -> Result<Outputs, Fault> {
        let past = &self.setup.past;
        if let Some(wanted) = past.cleaned(&at.number) {
            self.declined.store(!wanted, Ordering::Relaxed);
            return Ok(Outputs::none());
        }
        if past.is_checking() {
            return Err(Fault::interrupted());
        }
        let wanted = match (self.setup.cleanup, confirm) {
            (CleanupMode::Never, _) => false,
            (_, None) => true,
            (_, Some(_)) if self.setup.yes => true,
            (_, Some(question)) => {
                let question = self.render(question, &place.scope)?.shown_text();
                self.confirm_cleanup(&question, Owner::Step(at.clone())).await?
            }
        };
        if !wanted {
            self.declined.store(true, Ordering::Relaxed);
        } else if self.setup.aws.is_dry_run() {
            // What comes after this step may make more; a dry run shows the whole clean-up once, at the end.
            self.note(at, Note::CleansUp);
        } else {
            self.clean().await;
        }
        if self.setup.mode == Mode::Live {
            let (number, upto) = (at.number.clone(), self.setup.journal.last_entry());
            self.note_down(&Line::Cleaned { number, wanted, upto });
        }
        Ok(Outputs::none())
    }

    pub(super) fn declined(&self) -> bool {
        self.declined.load(Ordering::Relaxed)
    }

    /// Asks before everything is taken away. Where nobody is there to ask, it is: that is what leaves nothing behind.
    pub(super) async fn confirm_cleanup(&self, prompt: &str, owner: Owner) -> Result<bool, Fault> {
        let question = Question {
            name: "cleanup".to_owned(),
            prompt: prompt.to_owned(),
            answer: QuestionType::Boolean,
            default: Some(true.into()),
            ..Question::default()
        };
        // What is asked here is no secret.
        let prompter = self.prompter(owner, Arc::default());
        match crate::step::ask(prompter, question, &self.setup.interrupt).await {
            Ok(Answer::Given(value) | Answer::Default(value)) => Ok(value != json!(false)),
            Ok(Answer::NotAsked) => Ok(true),
            Err(StepError::Interrupted) => Err(Fault::interrupted()),
            Err(error) => Err(Fault::of_step(&error, |_| None)),
        }
    }

    /// `--cleanup ask`, once the steps are over.
    pub(super) async fn ask_for_cleanup(&self) -> bool {
        if self.setup.yes || self.setup.journal.count_pending() == 0 {
            return true;
        }
        let prompt = "Remove everything that this run has made?";
        self.confirm_cleanup(prompt, Owner::Run).await.unwrap_or(true)
    }
}

/// The parts of a `block`.
struct Block<'a> {
    steps: &'a [Step],
    rescue: &'a [Step],
    always: &'a [Step],
}

fn rescue_place(place: &Place, error: &Evaluated) -> Place {
    let mut place = place.part("rescue");
    place.scope = place.scope.child();
    place.scope.set_evaluated("error", error);
    place
}
