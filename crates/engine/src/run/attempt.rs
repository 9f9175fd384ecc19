//! A step of a kind: rendered, run, repeated while that helps, judged.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Engine;
use super::fault::Fault;
use super::frame::{Frame, Place};
use super::outputs::{Given, Outputs, with_result};
use super::prompter::Answers;
use crate::event::{Call, Note, Owner, Status, StepRef, What};
use crate::journal::{Change, OnChange};
use crate::redactor::StepSecrets;
use crate::step::ledger::told_to;
use crate::step::{Answer, Context, OperationKeys, Spec, StepError};
use language::diagnostic::Code;
use language::playbook::{Poll, Retry, Step};
use language::template::{Evaluated, Expression, Scope, Template, from_json};

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
            let attempts = match &retry.attempts_from {
                Some(template) => match self.render(template, &place.scope) {
                    Ok(attempts) => Some(language::template::to_text(&attempts.value)),
                    Err(_) => None,
                },
                None => Some(retry.attempts.to_string()),
            };
            self.note(at, Note::Retries { on: retry.on.clone(), attempts });
        }
        for (codes, must) in [(&step.expect_error, true), (&step.allow_error, false)] {
            if !codes.is_empty() {
                let codes = codes.clone();
                self.tell(at, What::Expects { codes, must });
            }
        }
    }

    async fn polled(&self, attempt: &Attempt<'_>, poll: &Poll) -> Result<Outputs, Fault> {
        let started = Instant::now();
        if self.setup.aws.is_dry_run() {
            let condition = poll.until.source().to_owned();
            self.note(attempt.at, Note::PollsUntil { condition });
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
                let mut fault = Fault::of_step(&error, |_| None).at(poll.until.span());
                fault.details = values_read(&poll.until, &scope);
                return Err(fault);
            }
            self.tell(attempt.at, What::Waiting { text: poll.until.source().to_owned() });
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
                self.ask_again(attempt, input, fault).await?;
            } else {
                let after = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                self.tell(attempt.at, What::Retrying { reason: fault.message, after });
                self.pause(pause).await?;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Shows why the step was refused and asks for an input again. Where nobody can be asked, the refusal stands.
    async fn ask_again(
        &self,
        attempt: &Attempt<'_>,
        name: &str,
        fault: Fault,
    ) -> Result<(), Fault> {
        let Attempt { frame, at, .. } = attempt;
        let found = frame.playbook.inputs.iter().find(|input| input.question.name == name);
        let Some(input) = found else {
            return Err(fault);
        };
        self.tell(at, What::Warned { text: fault.message.clone() });
        let prompter = self.prompter(Owner::Step((*at).clone()), Answers::default());
        let question = input.question.clone();
        match crate::step::ask(prompter, question, &self.setup.interrupt).await {
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
            let journal = place.aside.as_ref().unwrap_or(&self.setup.journal);
            let ledger = journal.for_step(who, depends.iter().copied().collect(), keep, on_change);
            Arc::new(ledger.numbered(&at.number).hiding(given.secrets.clone()))
        };
        let unread = !self.is_read(step, spec);
        let answers = Answers::default();
        let prompter = self.prompter(Owner::Step((*at).clone()), Arc::clone(&answers));
        let context = self.context(attempt, who, ledger.clone(), &given.secrets);
        let context = Context { prompter, unread, ..context };
        let digest = self.keeps().then(|| self.digest_of(&given, &input_data));
        let result = self.limited(step, spec, context, input_data).await;
        for answer in answers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            given.secrets.add("answer", &answer);
        }
        self.look_into_inbox().await;
        if let Some(id) = &step.id {
            frame.remember(id, ledger.created().into_iter().chain(depends));
        }
        match result {
            Ok(returned) => {
                let outputs = self.outputs(step, spec, returned, &given);
                Ok(Outputs { given: digest, ..outputs })
            }
            Err(error) => {
                let fault = Fault::of_step(&error, |field| place_of(spec, input, field))
                    .hiding(&given.secrets);
                if !fault.unknown.is_empty() {
                    let calls = spec.calls.iter().map(|call| (*call).to_owned()).collect();
                    self.note(at, Note::Unplannable { calls, unknown: fault.unknown });
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
        let aside = place.aside.is_some();
        let owner = Owner::Step(at.clone());
        Arc::new(move |change| {
            let what = match (aside, change) {
                (false, Change::Created(resource)) => What::Created { resource },
                (false, Change::Removed(resource)) => What::Removed { resource },
                (true, Change::Created(resource)) => {
                    What::Noted { note: Note::WouldCreate { resource, keep } }
                }
                (true, Change::Removed(resource)) => {
                    What::Noted { note: Note::WouldRemove { resource } }
                }
            };
            sink.emit(owner.clone(), what);
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
        let owner = Owner::Step((*at).clone());
        let observer = {
            let (sink, owner, only_if) = (setup.sink.clone(), owner.clone(), place.only_if);
            let secrets = secrets.clone();
            Arc::new(move |mut call: Call| {
                secrets.mask(&mut call.body);
                secrets.mask(&mut call.parameters);
                call.path = secrets.mask_text(&call.path).into_owned();
                sink.emit(owner.clone(), What::Called { only_if, call });
            })
        };
        let keys = attempt.spec.operation.is_some().then(|| {
            let Step { pages, wait, undo, keep, .. } = attempt.step;
            let keep = *keep || place.keep;
            Arc::new(OperationKeys::of(*pages, wait.as_ref(), undo.as_ref(), keep, &place.scope))
        });
        Context {
            kind: Arc::from(attempt.spec.name),
            keys,
            aws: setup.aws.observed_by(observer).telling_unanswered(told_to(Arc::clone(&ledger))),
            run: Arc::clone(&setup.facts),
            directory: Arc::clone(&frame.directory),
            root: Arc::clone(&frame.root),
            ledger,
            progress: self.progress_hiding(secrets, owner),
            prompter: Arc::clone(&setup.prompter),
            interrupt: setup.interrupt.clone(),
            step: Arc::from(who),
            slug: Arc::from(at.slug()),
            unread: false,
            longest_wait: None,
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
            Err(fault) if !step.expect_error.is_empty() => {
                let expected = step.expect_error.join(" or ");
                let mut help = format!("`expect_error` says {expected}, this is {}", fault.code);
                if let Some(own) = &fault.help {
                    help = format!("{help}; {own}");
                }
                Err(fault.help(help))
            }
            Err(fault) => Err(fault),
        }
    }

    fn failed_on_purpose(&self, fault: &Fault) -> Outputs {
        Outputs { expected: Some(self.failure(fault)), ..Outputs::none() }
    }

    /// Tells of every assertion that does not hold, with the values that it read.
    pub(super) fn check_asserts(&self, step: &Step, scope: &Scope) -> Result<(), Fault> {
        let mut wrong: Vec<&Expression> = Vec::new();
        for assert in &step.asserts {
            let holds = self.evaluate(assert, scope)?;
            if !holds.unknown && !holds.is_true() {
                wrong.push(assert);
            }
        }
        let Some((first, others)) = wrong.split_first() else { return Ok(()) };
        let mut fault = Fault::new(
            "AssertionFailed",
            Code::AssertionFailed,
            format!("this does not hold: {}", first.source()),
        );
        fault.details = values_read(first, scope);
        for other in others {
            fault.details.push(format!("nor does this hold: {}", other.source()));
            for value in values_read(other, scope) {
                if !fault.details.contains(&value) {
                    fault.details.push(value);
                }
            }
        }
        Err(fault.at(first.span()))
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

/// The values that an expression was made from, each as `name is value`. Where there is none of a name, what is there of the
/// path to it says more.
fn values_read(expression: &Expression, scope: &Scope) -> Vec<String> {
    let mut values = Vec::new();
    for reference in expression.references() {
        let Some((path, value)) = look_up(scope, &reference.path) else { continue };
        let told = format!("{path} is {value}");
        if !values.contains(&told) {
            values.push(told);
        }
    }
    values
}

/// As much of a path as leads to something, and what that is, less its secrets.
fn look_up(scope: &Scope, path: &[String]) -> Option<(String, Json)> {
    let known = (1..=path.len()).rev().find_map(|length| {
        let path = path.get(..length)?;
        Some((path.join("."), scope.look_up(path)?.shown()))
    });
    // A namespace as a whole is no value that anybody asked for.
    known.filter(|(found, _)| path.len() == 1 || found.contains('.'))
}

/// The place of a field of a step's input; that of the whole where the shorthand was written.
fn place_of(spec: &Spec, input: &Template, field: &[String]) -> Option<language::diagnostic::Span> {
    input.at(field).or_else(|| spec.shorthand.map(|_| input.span()))
}
