//! A step of a kind: rendered, run, repeated while that helps, judged.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Engine;
use super::fault::Fault;
use super::frame::{Frame, Place};
use super::outputs::{Given, Outputs, with_result};
use crate::event::{Call, Event, ResourceRef, Status, StepRef};
use crate::journal::{Change, OnChange};
use crate::redactor::StepSecrets;
use crate::step::{Answer, Context, Spec, StepError};
use language::diagnostic::Code;
use language::playbook::{Poll, Retry, Step};
use language::template::{Evaluated, Scope, Template, from_json};

const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A step of a kind, where it stands.
struct Attempt<'a> {
    frame: &'a Frame<'a>,
    step: &'a Step,
    spec: &'static Spec,
    input: &'a Template,
    place: &'a Place,
    at: &'a StepRef,
}

impl Engine {
    /// Runs a step of a kind until it succeeds, may not be tried again, or has failed as expected.
    pub(super) async fn attempts(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        spec: &'static Spec,
        input: &Template,
        place: &Place,
        at: &StepRef,
    ) -> Result<(Outputs, Status), Fault> {
        let attempt = Attempt { frame, step, spec, input, place, at };
        if self.setup.aws.is_dry_run() {
            self.tell_what_may_fail(step, place, at);
        }
        let result = match &step.poll {
            None => self.with_retries(&attempt).await,
            Some(poll) => self.polled(&attempt, poll).await,
        };
        self.judge(step, result)
    }

    /// What a dry run cannot show happening.
    fn tell_what_may_fail(&self, step: &Step, place: &Place, at: &StepRef) {
        if let Some(retry) = &step.retry {
            let on = if retry.on.is_empty() { "any error".to_owned() } else { retry.on.join(", ") };
            let attempts = match &retry.attempts_from {
                Some(template) => match self.render(template, &place.scope) {
                    Ok(attempts) => language::template::to_text(&attempts.value),
                    Err(_) => "several".to_owned(),
                },
                None => retry.attempts.to_string(),
            };
            self.note(at, format!("tries again on {on}, {attempts} times in all"));
        }
        for (codes, must) in [(&step.expect_error, true), (&step.allow_error, false)] {
            if !codes.is_empty() {
                let codes = codes.clone();
                self.setup.sink.emit(Event::Expects { step: at.clone(), codes, must });
            }
        }
    }

    async fn polled(&self, attempt: &Attempt<'_>, poll: &Poll) -> Result<Outputs, Fault> {
        let started = Instant::now();
        if self.setup.aws.is_dry_run() {
            self.note(attempt.at, format!("polls until {}", poll.until.source()));
        }
        loop {
            let outputs = self.with_retries(attempt).await?;
            let scope = with_result(&attempt.place.scope, &outputs.namespace);
            let until = self.evaluate(&poll.until, &scope)?;
            if until.is_true() || self.setup.aws.is_dry_run() {
                return Ok(outputs);
            }
            if started.elapsed() + poll.every > poll.timeout {
                let error = StepError::TimedOut {
                    what: format!("waiting until {}", poll.until.source()),
                    limit: poll.timeout,
                };
                return Err(Fault::of_step(&error, |_| None).at(poll.until.span()));
            }
            self.setup.sink.emit(Event::Waiting { text: poll.until.source().to_owned() });
            self.pause(poll.every).await?;
        }
    }

    /// How many tries a step has in all.
    fn most_tries(&self, attempt: &Attempt<'_>) -> Result<u32, Fault> {
        let Some(retry) = &attempt.step.retry else { return Ok(1) };
        let Some(template) = &retry.attempts_from else { return Ok(retry.attempts) };
        let attempts = self.render(template, &attempt.place.scope)?;
        let number = u32::try_from(attempts.value).ok().filter(|number| *number > 0);
        match number {
            Some(number) => Ok(number),
            None if attempts.unknown => Ok(1),
            None => {
                let message = "`retry.attempts` must be a whole number of at least 1";
                Err(Fault::new("InvalidInput", Code::StepFailed, message).at(template.span()))
            }
        }
    }

    async fn with_retries(&self, attempt: &Attempt<'_>) -> Result<Outputs, Fault> {
        let mut tries = 1;
        let most = self.most_tries(attempt)?;
        let mut pause = attempt.step.retry.as_ref().map_or(Duration::ZERO, |retry| retry.every);
        loop {
            let fault = match self.attempt(attempt).await {
                Err(fault) => fault,
                Ok(outputs) => return Ok(outputs),
            };
            let retry =
                attempt.step.retry.as_ref().filter(|retry| helps(retry, most, &fault, tries));
            let Some(retry) = retry else { return Err(tried(fault, tries)) };
            tries += 1;
            if let Some(input) = &retry.ask {
                self.ask_again(attempt.frame, input, fault).await?;
            } else {
                let after = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                self.setup.sink.emit(Event::Retrying { reason: fault.message, after });
                self.pause(pause).await?;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Shows why the step was refused and asks for an input again. Where nobody can be asked, the refusal stands.
    async fn ask_again(&self, frame: &Frame<'_>, name: &str, fault: Fault) -> Result<(), Fault> {
        let found = frame.playbook.inputs.iter().find(|input| input.question.name == name);
        let Some(input) = found else {
            return Err(fault);
        };
        self.setup.sink.emit(Event::Warned { text: fault.message.clone() });
        let prompter = Arc::clone(&self.prompter);
        let question = input.question.clone();
        let asked = tokio::task::spawn_blocking(move || prompter.ask(&question));
        let answer = tokio::select! {
            answer = asked => answer.unwrap_or(Err(StepError::Interrupted)),
            () = self.setup.interrupt.wait() => Err(StepError::Interrupted),
        };
        match answer {
            Ok(Answer::Given(value)) => {
                frame.set_input(self, input, Evaluated::open(from_json(&value)));
                Ok(())
            }
            Err(StepError::Interrupted) => Err(Fault::interrupted()),
            Ok(Answer::Default(_) | Answer::NotAsked) | Err(_) => Err(fault),
        }
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Outputs, Fault> {
        let Attempt { frame, step, spec, input, place, at } = attempt;
        let (mut given, input_data) = self.given(spec, input, &place.scope)?;
        let depends = Self::depends(frame, step, place);
        let keep = step.keep || place.keep;
        let who = step.id.as_deref().unwrap_or(spec.name);
        let ledger = {
            let on_change = self.on_change(place, at, keep);
            let book = place.aside.as_ref().unwrap_or(&self.setup.book);
            let ledger = book.for_step(who, depends.iter().copied().collect(), keep, on_change);
            Arc::new(ledger.hiding(given.secrets.clone()))
        };
        let unread = !self.is_read(step, spec);
        let context =
            Context { unread, ..self.context(attempt, who, ledger.clone(), &given.secrets) };
        let result = self.limited(step, spec, context, input_data).await;
        for answer in self.answers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            given.secrets.add("answer", &answer);
        }
        self.look_into_inbox().await;
        if let Some(id) = &step.id {
            frame.remember(id, ledger.made().into_iter().chain(depends));
        }
        match result {
            Ok(returned) => Ok(self.outputs(step, spec, returned, &given)),
            Err(error) => {
                let fault = Fault::of_step(&error, |field| place_of(spec, input, field))
                    .hiding(&given.secrets);
                if !fault.unknown.is_empty() {
                    let what = fault.unknown.join(", ");
                    self.note(at, format!("calls {} with {what}", spec.calls.join(", ")));
                    return Ok(self.outputs(step, spec, Json::Null, &Given::default()));
                }
                Err(fault.at(step.kind_span))
            }
        }
    }

    /// One run of the kind, within the step's `timeout`. A call under way when the time is up stays open in the journal,
    /// so clean-up looks whether it had an effect.
    async fn limited(
        &self,
        step: &Step,
        spec: &Spec,
        context: Context,
        input: Json,
    ) -> Result<Json, StepError> {
        let Some(kind) = (self.setup.kind)(spec.name) else {
            let message = format!("there is no step kind {}", spec.name);
            return Err(StepError::failed("UnknownKind", message));
        };
        let running = (kind.run)(context, input);
        match step.timeout {
            Some(limit) if !self.setup.aws.is_dry_run() => {
                let what = format!("this {} step", spec.name);
                tokio::time::timeout(limit, running)
                    .await
                    .unwrap_or(Err(StepError::TimedOut { what, limit }))
            }
            _ => running.await,
        }
    }

    /// Who hears of what a step makes and takes away. What it may never make, the clean-up does not list.
    fn on_change(&self, place: &Place, at: &StepRef, keep: bool) -> OnChange {
        let sink = self.setup.sink.clone();
        let at = place.aside.is_some().then(|| at.clone());
        Arc::new(move |change| {
            let event = match (&at, change) {
                (None, Change::Made(resource)) => Event::Made { resource },
                (None, Change::Settled(resource)) => Event::Settled { resource },
                (Some(step), Change::Made(ResourceRef { kind, name, .. })) => {
                    let end = if keep { "which stays" } else { "which the clean-up takes away" };
                    Event::Noted { step: step.clone(), text: format!("makes {kind} {name}, {end}") }
                }
                (Some(step), Change::Settled(ResourceRef { kind, name, .. })) => {
                    Event::Noted { step: step.clone(), text: format!("takes away {kind} {name}") }
                }
            };
            sink.emit(event);
        })
    }

    fn context(
        &self,
        attempt: &Attempt<'_>,
        who: &str,
        ledger: Arc<dyn crate::step::Ledger>,
        secrets: &StepSecrets,
    ) -> Context {
        let Attempt { frame, at, place, .. } = attempt;
        let setup = &self.setup;
        let observer = {
            let sink = setup.sink.clone();
            let (at, only_if, secrets) = ((*at).clone(), place.only_if, secrets.clone());
            Arc::new(move |mut call: Call| {
                secrets.mask(&mut call.body);
                secrets.mask(&mut call.parameters);
                call.path = secrets.mask_text(&call.path).into_owned();
                sink.emit(Event::Called { step: Some(at.clone()), only_if, call });
            })
        };
        Context {
            aws: setup.aws.observed_by(observer),
            run: Arc::clone(&setup.facts),
            directory: Arc::clone(&frame.directory),
            root: Arc::clone(&frame.root),
            ledger,
            prompter: Arc::clone(&self.prompter),
            progress: self.progress_hiding(secrets),
            interrupt: setup.interrupt.clone(),
            step: Arc::from(who),
            unread: false,
        }
    }

    /// `expect_error` and `allow_error`.
    fn judge(
        &self,
        step: &Step,
        result: Result<Outputs, Fault>,
    ) -> Result<(Outputs, Status), Fault> {
        let listed = |codes: &[String], fault: &Fault| codes.contains(&fault.code);
        match result {
            Ok(outputs) if step.expect_error.is_empty() => Ok((outputs, Status::Passed)),
            // Only AWS could refuse it, and what it returns otherwise nobody will see.
            Ok(_) if self.setup.aws.is_dry_run() => Ok((Outputs::none(), Status::Passed)),
            Ok(_) => {
                let expected = step.expect_error.join(" or ");
                let message = format!("the step succeeded, but {expected} was expected");
                Err(Fault::new("UnexpectedSuccess", Code::StepFailed, message))
            }
            Err(fault) if fault.interrupted => Err(fault),
            Err(fault) if listed(&step.expect_error, &fault) => {
                Ok((self.failed_on_purpose(&fault), Status::ExpectedError))
            }
            Err(fault) if listed(&step.allow_error, &fault) => {
                Ok((self.failed_on_purpose(&fault), Status::AllowedError))
            }
            Err(fault) if !step.expect_error.is_empty() && fault.help.is_none() => {
                let expected = step.expect_error.join(" or ");
                let found = fault.code.clone();
                Err(fault.help(format!("`expect_error` says {expected}, this is {found}")))
            }
            Err(fault) => Err(fault),
        }
    }

    fn failed_on_purpose(&self, fault: &Fault) -> Outputs {
        Outputs { expected: Some(self.failure(fault)), ..Outputs::none() }
    }

    pub(super) fn check_asserts(&self, step: &Step, scope: &Scope) -> Result<(), Fault> {
        for assert in &step.asserts {
            let holds = self.evaluate(assert, scope)?;
            if holds.unknown || holds.is_true() {
                continue;
            }
            let mut fault = Fault::new(
                "AssertionFailed",
                Code::AssertionFailed,
                format!("this does not hold: {}", assert.source()),
            );
            for reference in assert.references() {
                let name = reference.path.join(".");
                if let Some(value) = scope.look_up(&reference.path) {
                    fault.details.push(format!("{name} is {}", value.shown()));
                }
            }
            fault.details.dedup();
            return Err(fault.at(assert.span()));
        }
        Ok(())
    }

    pub(super) async fn pause(&self, duration: Duration) -> Result<(), Fault> {
        if self.setup.aws.is_dry_run() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.setup.interrupt.wait() => Err(Fault::interrupted()),
        }
    }
}

fn tried(mut fault: Fault, tries: u32) -> Fault {
    if tries > 1 {
        fault.message = format!("{} (tried {tries} times)", fault.message);
    }
    fault
}

fn helps(retry: &Retry, most: u32, fault: &Fault, tries: u32) -> bool {
    fault.retryable && tries < most && (retry.on.is_empty() || retry.on.contains(&fault.code))
}

/// The place of a field of a step's input; that of the whole where the shorthand was written.
fn place_of(spec: &Spec, input: &Template, field: &[String]) -> Option<language::diagnostic::Span> {
    input.at(field).or_else(|| spec.shorthand.map(|_| input.span()))
}
