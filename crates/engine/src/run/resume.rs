//! Going on with a run: steps that did what they should are not done again, and what was under way is undone first.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value as Json};

use super::fault::{Fault, Stop};
use super::frame::{Frame, Place};
use super::outputs::{Given, Outputs};
use super::{Engine, Setup};
use crate::cleanup::{Cleaner, Windows};
use crate::event::{Effect, Failure, Mode, Owner, Remaining, Status, StepRef, What};
use crate::journal::{EndedStep, EntryState, Line, Record};
use crate::sink::Sink;
use crate::step::Spec;
use language::diagnostic::{Code, Sources, Span};
use language::playbook::{Action, Playbook, Step};
use language::template::from_json;

/// What is longer is not kept.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// Calls that hand out something new each time and leave nothing behind.
const HAND_OUT: [&str; 5] =
    ["InitiateAuth", "AdminInitiateAuth", "AssumeRole", "GenerateRandom", "GenerateDataKey"];

/// What is known of a step from before.
pub(super) enum Before {
    /// Nothing: it is to be done.
    Nothing,
    /// It did what it should.
    Done(Box<Outputs>),
    /// It stopped, and what comes after that has begun.
    Stopped(Stop),
}

/// Where a step stands: the same for as long as a file is as it is.
type Key = (language::diagnostic::SourceId, u32);

/// What tells whether steps are written as they were.
#[derive(Debug, Default)]
pub(super) struct Written(HashMap<Key, String>);

impl Written {
    /// That of all steps of a playbook and those that it includes.
    pub(super) fn of(playbook: &Playbook, sources: &Sources) -> Self {
        let mut written = Self::default();
        written.add(&playbook.steps, sources, "");
        written
    }

    fn add(&mut self, steps: &[Step], sources: &Sources, around: &str) {
        for step in steps {
            let own = own_text(step, sources);
            let inner = match &step.action {
                Action::Block { .. } | Action::Repeat { .. } | Action::Parallel { .. } => {
                    format!("{around}{own}")
                }
                Action::Include { playbook, .. } => {
                    let around = format!("{around}{own}");
                    self.add(&playbook.steps, sources, &around);
                    around
                }
                Action::Kind { .. } | Action::Cleanup { .. } => String::new(),
            };
            for step in step.inner() {
                self.add(std::slice::from_ref(step), sources, &inner);
            }
            let key = (step.span.source, step.span.start);
            self.0.insert(key, digest(&format!("{around}{own}")));
        }
    }

    fn get(&self, step: &Step) -> &str {
        self.0.get(&(step.span.source, step.span.start)).map_or("", String::as_str)
    }
}

/// A step as it is written, without the steps in it, comments of their own lines, and how far it is indented.
fn own_text(step: &Step, sources: &Sources) -> String {
    let Span { source, start, end } = step.span;
    let mut text = String::new();
    let mut at = start;
    for inner in step.inner() {
        text.push_str(sources.slice(Span { source, start: at, end: inner.span.start.max(at) }));
        at = inner.span.end.max(at);
    }
    text.push_str(sources.slice(Span { source, start: at, end: end.max(at) }));
    let lines = text.lines().map(str::trim);
    let told = lines.filter(|line| !line.is_empty() && *line != "-" && !line.starts_with('#'));
    told.flat_map(|line| [line, "\n"]).collect()
}

/// FNV-1a: what it says in a history must be the same whoever built the program.
fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Whether a run can go on: whether the playbook still says what the run has done. Nothing is called, and nobody hears of
/// it.
///
/// # Errors
/// Where it does not, and why.
pub async fn check_past(setup: Setup) -> Result<Setup, Box<Failure>> {
    let silent = Sink::new(setup.past.run(), Box::new(|_| ()), setup.sink.redactor().clone());
    let told = setup.sink.clone();
    setup.past.checking.store(true, Ordering::Relaxed);
    let engine = Engine::new(Setup { sink: silent, ..setup });
    let checked = engine.check_past().await;
    let setup = Setup { sink: told, ..engine.setup };
    setup.past.checking.store(false, Ordering::Relaxed);
    checked.map(|()| setup)
}

impl Engine {
    async fn check_past(&self) -> Result<(), Box<Failure>> {
        let playbook = Arc::clone(&self.setup.playbook);
        let failed = |fault: Fault| Box::new(self.failure(&fault));
        let frame = Frame::main(self, &playbook).map_err(failed)?;
        if let Err(Stop::Failed(failure)) =
            self.run_steps(&frame, &playbook.steps, &frame.top()).await
        {
            return Err(failure);
        }
        let past = &self.setup.past;
        match past.missing() {
            None => Ok(()),
            Some(number) => {
                let run = past.run();
                let message = format!(
                    "run {run} has done step {number}, which the playbook does not come to"
                );
                Err(failed(self.changed(message)))
            }
        }
    }

    fn changed(&self, message: String) -> Fault {
        let run = self.setup.past.run();
        Fault::new("ChangedSince", Code::ChangedSince, message).help(format!(
            "put it back as it was, or give the run up: `playbook cleanup {run}` removes what it has made"
        ))
    }

    /// What is known from before of a step of a kind. A fault is why the run cannot go on.
    pub(super) fn before(
        &self,
        step: &Step,
        (spec, input): (&Spec, &language::template::Template),
        place: &Place,
        at: &StepRef,
    ) -> Result<Before, Fault> {
        let past = &self.setup.past;
        if past.is_empty() {
            return Ok(Before::Nothing);
        }
        let Some(ended) = past.ended(&at.number) else {
            return Ok(match &place.failed_before {
                Some(failure) => Before::Stopped(Stop::Failed(failure.clone())),
                None if past.is_checking() => Before::Stopped(Stop::Interrupted),
                None => Before::Nothing,
            });
        };
        let run = past.run();
        if ended.written != self.written.get(step) {
            let message = format!("this step is not the one that run {run} has passed here");
            return Err(self.changed(message));
        }
        let (given, data) = self.given(spec, input, &place.scope)?;
        if ended.given != self.digest_of(&given, &data) {
            let message = format!("this step would be given something else than in run {run}");
            return Err(self.changed(message));
        }
        if let Some(field) = self.read_of(step, &ended.left_out) {
            if self.may_be_repeated(spec, at) {
                past.again.store(true, Ordering::Relaxed);
                let checking = past.is_checking();
                return Ok(if checking {
                    Before::Stopped(Stop::Interrupted)
                } else {
                    Before::Nothing
                });
            }
            let message = format!(
                "run {run} cannot go on: what this step returned as `{field}` is a secret or too long to be kept, is read, and the step cannot be repeated without doing twice what it does"
            );
            let fault = Fault::new("NotKept", Code::ChangedSince, message);
            return Err(
                fault.help(format!("`playbook cleanup {run}` removes what the run has made"))
            );
        }
        let namespace = language::template::Namespace::new();
        let mut data = Map::new();
        for (name, value) in &ended.outputs {
            let output = self.output(spec, name, from_json(value), &given);
            data.insert(name.clone(), output.shown());
            namespace.insert_evaluated(name, &output);
        }
        let expected = ended.failure.clone();
        let data = Json::Object(data);
        Ok(Before::Done(Box::new(Outputs { data, namespace, expected, given: None })))
    }

    /// Tells of a step that did what it should before.
    pub(super) fn tell_before(&self, frame: &Frame<'_>, step: &Step, place: &Place, at: &StepRef) {
        let entries = self.setup.journal.entries_of(&at.number);
        let sink = &self.setup.sink;
        let owner = Owner::Step(at.clone());
        sink.emit_again(owner.clone(), self.started(step, at));
        for entry in entries.iter().filter(|entry| entry.state == EntryState::Done) {
            sink.emit_again(owner.clone(), What::Created { resource: entry.resource() });
        }
        let (status, outputs) = (Status::DoneBefore, Json::Null);
        sink.emit_again(owner, What::StepFinished { status, millis: 0, outputs, failure: None });
        if let Some(id) = &step.id {
            let made = entries.iter().map(|entry| entry.seq);
            frame.remember(id, made.chain(Self::depends(frame, step, place)));
        }
    }

    /// Whether the run can go on in another process.
    pub(super) fn keeps(&self) -> bool {
        self.setup.mode == Mode::Live && self.setup.journal.history().is_some()
    }

    /// What is kept of a step that did what it should, where the run can go on in another process.
    pub(super) fn kept(
        &self,
        step: &Step,
        (spec, input): (&Spec, &language::template::Template),
        place: &Place,
        at: &StepRef,
        outputs: &Outputs,
    ) -> Option<EndedStep> {
        if !self.keeps() {
            return None;
        }
        let given = match &outputs.given {
            Some(given) => given.clone(),
            None => {
                let (given, data) = self.given(spec, input, &place.scope).ok()?;
                self.digest_of(&given, &data)
            }
        };
        let mut ended = EndedStep {
            number: at.number.clone(),
            written: self.written.get(step).to_owned(),
            given,
            outputs: Map::new(),
            left_out: Vec::new(),
            failure: outputs.expected.clone(),
        };
        let Json::Object(returned) = outputs.namespace.to_json() else { return Some(ended) };
        for (name, value) in returned {
            // What is shown of a secret is not what it is; a text that holds one shows that only to a search.
            let is_open = outputs.data.get(&name) == Some(&value)
                && !self.setup.sink.redactor().finds_secret_inside(&value)
                && value.to_string().len() <= LONGEST_OUTPUT;
            if is_open {
                ended.outputs.insert(name, value);
            } else {
                ended.left_out.push(name);
            }
        }
        Some(ended)
    }

    /// Adds something to the history of the run, where that is kept.
    pub(super) fn note_down(&self, line: &Line) {
        if self.setup.past.is_checking() {
            return;
        }
        let Some(history) = self.setup.journal.history() else { return };
        match line {
            Line::Failed { failure, .. } => {
                let (mut line, failure) = (line.clone(), self.masked(failure));
                if let Line::Failed { failure: told, .. } = &mut line {
                    *told = failure;
                }
                history.add(&line);
            }
            Line::Ended(step) if step.failure.is_some() => {
                let failure = step.failure.as_ref().map(|failure| self.masked(failure));
                history.add(&Line::Ended(EndedStep { failure, ..step.clone() }));
            }
            // Of everything else, what holds a secret was left out.
            line => history.add(line),
        }
    }

    fn masked(&self, failure: &Failure) -> Failure {
        let redactor = self.setup.sink.redactor();
        let mask = |text: &String| redactor.redact(text).into_owned();
        Failure {
            code: failure.code.clone(),
            message: mask(&failure.message),
            help: failure.help.as_ref().map(mask),
            place: failure.place.clone(),
            excerpt: mask(&failure.excerpt),
            details: failure.details.iter().map(mask).collect(),
        }
    }

    /// Where steps in a block have failed, what comes after them begins now.
    pub(super) fn note_if_failed(&self, place: &Place, result: &Result<(), Stop>) {
        if let Err(Stop::Failed(failure)) = result
            && self.setup.mode == Mode::Live
            && self.setup.past.failed(place.numbers()).is_none()
        {
            let inside = place.numbers().to_owned();
            self.note_down(&Line::Failed { inside, failure: (**failure).clone() });
        }
    }

    pub(super) fn digest_of(&self, given: &Given, data: &Json) -> String {
        if !given.is_secret() {
            return digest(&data.to_string());
        }
        let shown = given.shown().unwrap_or_default();
        digest(&self.setup.sink.redactor().redact(&shown.to_string()))
    }

    /// Of what a step returned, something that is read and not kept.
    fn read_of<'f>(&self, step: &Step, left_out: &'f [String]) -> Option<&'f String> {
        if left_out.is_empty() {
            return None;
        }
        let own = step.outputs.iter().flat_map(|(_, output)| output.references());
        let own = own.filter(|it| it.path.first().is_some_and(|root| root == "result"));
        let mut fields: Vec<Option<&str>> =
            own.map(|reference| reference.path.get(1).map(String::as_str)).collect();
        let readers = self.readers.iter();
        fields.extend(
            readers
                .filter(|(id, _)| step.id.is_some() && (id.is_none() || *id == step.id))
                .map(|(_, field)| field.as_deref()),
        );
        left_out.iter().find(|name| {
            fields.iter().any(|field| field.is_none_or(|field| field == name.as_str()))
        })
    }

    /// Whether doing a step twice comes to the same as doing it once.
    fn may_be_repeated(&self, spec: &Spec, at: &StepRef) -> bool {
        let is_harmless = |call: &&str| {
            let operation = call.rsplit_once(':').map_or(*call, |(_, operation)| operation);
            Effect::of(operation) == Effect::Read || HAND_OUT.contains(&operation)
        };
        spec.makes.is_empty()
            && spec.calls.iter().all(is_harmless)
            && self.setup.journal.entries_of(&at.number).is_empty()
    }

    /// Undoes what steps have made that are to be done again. Returns what could not be undone.
    pub(super) async fn undo_unfinished(&self) -> Vec<Remaining> {
        let past = &self.setup.past;
        if past.is_empty() {
            return Vec::new();
        }
        let journal = &self.setup.journal;
        // The disk may be full: then nothing more can be made, which the next intent says.
        let _ = journal.append(&Record::Resumed { at: jiff::Timestamp::now() });
        self.note_down(&Line::Resumed { from: past.from() });
        let unfinished = past.unfinished(&journal.state());
        if unfinished.is_empty() {
            return Vec::new();
        }
        self.note_down(&Line::Undone { entries: unfinished.iter().map(|it| it.seq).collect() });
        let mut steps: Vec<&str> = unfinished.iter().map(|entry| entry.step.as_str()).collect();
        steps.sort_unstable();
        steps.dedup();
        let text = match steps.as_slice() {
            [step] => format!("step {step} is done again: what it has made is undone first"),
            steps => format!(
                "steps {} are done again: what they have made is undone first",
                steps.join(", ")
            ),
        };
        self.setup.sink.emit(Owner::Run, What::Warned { text });
        let here = self.setup.facts.on_this_machine;
        let windows = Windows::of_dead_calls(here, journal.attempt());
        Cleaner { windows, ..self.cleaner() }.undo_all(unfinished).await
    }

    /// The same place for steps whose failure is known from before.
    pub(super) fn as_before(&self, place: &Place) -> Place {
        let failed = self.setup.past.failed(place.numbers());
        let failed_before =
            failed.map(|failure| Box::new(failure.clone())).or(place.failed_before.clone());
        Place { failed_before, ..place.clone() }
    }
}

/// All that the steps of a playbook and of those that it includes read of other steps: whose, and which field.
/// where an expression decides, none.
pub(super) fn readers(playbook: &Playbook) -> Vec<(Option<String>, Option<String>)> {
    let mut read = playbook.references();
    playbook.walk(&mut |step| read.extend(step.references()));
    let mut found = Vec::new();
    for reference in read {
        match reference.path.as_slice() {
            [root, id, rest @ ..] if root == "steps" => {
                // What rounds return stands in a list.
                let field = rest.first().filter(|field| *field != "items");
                found.push((Some(id.clone()), field.cloned()));
            }
            [root] if root == "steps" => found.push((None, None)),
            _ => {}
        }
    }
    found
}
