//! What a person sees of a dry run: every call, in order, on stdout.

use std::collections::BTreeSet;
use std::io;

use serde_json::Value;

use super::failures::Failures;
use super::words::{self, answered, counted, padded};
use super::{Reporter, Stream, body, safe};
use engine::event::{
    Call, CodeForm, Counts, Effect, Event, Failure, Owner, Reason, ResourceRef, Status, StepRef,
    UndoStatus, What,
};

/// Writes the plan.
#[derive(Debug)]
pub struct DryRunReporter {
    out: Stream,
    err: Stream,
    /// The steps whose headings stand there already.
    headed: BTreeSet<String>,
    /// How far what belongs to the current step is indented.
    depth: usize,
    /// Between the start and the end of a run.
    running: bool,
    /// How many runs have started.
    runs: usize,
    /// Calls that the run makes before it starts, such as the look at whose account it is.
    early: Vec<Call>,
    /// The failures of which no step around has made something better yet, and the paths of their steps.
    failures: Failures,
    /// The last call, whose it is, and what it waits for: what it comes to is told after it.
    call: Option<(Owner, Call, Option<String>)>,
    /// What somebody's next call is repeated until.
    waits: Option<(Owner, String)>,
    /// A run that is over is cleaned up, and so has an id, an account and an endpoint.
    cleaning: bool,
    /// The file that somebody's next call sends.
    uploads: Option<(Owner, String)>,
}

/// What requests stand under that go to no service of AWS's.
const HTTP: &str = "http";

/// Where what a call is for begins, if its name is no longer than that.
const CALL_WIDTH: usize = 34;

impl DryRunReporter {
    /// Writes the plan to `out`, what goes wrong to `err`.
    #[must_use]
    pub fn new(out: Stream, err: Stream) -> Self {
        Self {
            out,
            err,
            headed: BTreeSet::new(),
            depth: 0,
            running: false,
            runs: 0,
            early: Vec::new(),
            failures: Failures::default(),
            call: None,
            waits: None,
            cleaning: false,
            uploads: None,
        }
    }

    /// The same for the clean-up of a run that is over.
    #[must_use]
    pub fn cleaning_up(self) -> Self {
        Self { cleaning: true, ..self }
    }

    /// Writes a line that belongs to the current step.
    fn inside(&mut self, line: &str) {
        let line = format!("{}{line}", "  ".repeat(self.depth + 1));
        self.out.line(&line);
    }

    fn heading(&mut self, step: &StepRef) {
        self.depth = step.depth;
        if !self.headed.insert(step.number.clone()) {
            return;
        }
        let paint = self.out.paint();
        let mut line = format!(
            "{}{} {}",
            "  ".repeat(step.depth),
            paint.dim(&safe::line(&step.number)),
            paint.bold(&paint.markers(&safe::line(&step.title)))
        );
        if step.kind != step.title {
            line.push_str("  ");
            line.push_str(&paint.dim(&safe::line(&step.kind)));
        }
        self.out.line("");
        self.out.line(&line);
    }

    fn run_started(&mut self, event: &Event) {
        let run = &event.run;
        let What::RunStarted { playbook, description, region, account, endpoint, .. } = &event.what
        else {
            return;
        };
        if self.runs > 0 {
            self.out.line("");
        }
        self.headed.clear();
        self.failures = Failures::default();
        self.running = true;
        self.runs += 1;
        let paint = self.out.paint();
        let name = paint.bold(&safe::line(playbook));
        let whereabouts = match (self.cleaning, endpoint, account) {
            (false, ..) | (true, None, None) => format!("dry run · {region}"),
            (true, Some(endpoint), _) => format!("dry run · run {run} · {endpoint} · {region}"),
            (true, None, Some(account)) => {
                format!("dry run · run {run} · account {account} · {region}")
            }
        };
        let whereabouts = paint.dim(&safe::line(&whereabouts));
        self.out.line(&format!("{name}  {whereabouts}"));
        for line in description.iter().flat_map(|description| safe::lines(description)) {
            self.out.line(&line);
        }
        let early = std::mem::take(&mut self.early);
        if !early.is_empty() {
            self.depth = 0;
            self.out.line("");
            self.out.line(&paint.bold("Before the first step"));
        }
        for call in early {
            self.call = Some((Owner::Run, call, None));
            self.flush(None);
        }
    }

    /// Writes the call that was waiting for what it comes to.
    fn flush(&mut self, makes: Option<String>) {
        let Some((_, call, waits)) = self.call.take() else { return };
        let paint = self.out.paint();
        let symbol = symbol(call.effect);
        let head = safe::line(&format!("{} {}", call.service, call.operation)).into_owned();
        let what_for = match (makes, waits) {
            (Some(makes), _) => makes,
            (None, Some(waits)) => format!("waits for {waits}"),
            (None, None) if call.service == HTTP => call.path.clone(),
            (None, None) if call.parameters.is_null() => format!("{} {}", call.method, call.path),
            (None, None) => subject(&call).unwrap_or_default(),
        };
        let what_for = paint.markers(&safe::line(&what_for));
        let line = format!("{symbol} {}  {what_for}", padded(&head, CALL_WIDTH));
        self.inside(line.trim_end());
        let body = if call.parameters.is_null() { &call.body } else { &call.parameters };
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return;
        }
        for line in body::lines(body, paint) {
            self.inside(&format!("    {line}"));
        }
    }

    /// What the last call comes to; more than one thing has lines of its own.
    fn comes_to(&mut self, owner: &Owner, verb: &str, resource: &ResourceRef) {
        let text = format!("{verb} {} {}", resource.kind, resource.name);
        if self.call.as_ref().is_some_and(|(whose, ..)| whose == owner) {
            self.flush(Some(text));
        } else {
            self.flush(None);
            let line = self.out.paint().markers(&safe::line(&text));
            self.inside(&line);
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let paint = self.out.paint();
        for (index, line) in safe::lines(text).enumerate() {
            let label =
                if index == 0 { label.to_owned() } else { " ".repeat(label.chars().count()) };
            self.inside(&format!("{} {}", paint.dim(&label), paint.markers(&line)));
        }
    }

    fn step_finished(&mut self, step: &StepRef, status: Status, failure: Option<&Failure>) {
        self.depth = step.depth;
        match status {
            Status::Skipped => {
                self.heading(step);
                let word = self.out.paint().dim("skipped");
                self.inside(&word);
            }
            Status::Interrupted => self.inside("interrupted"),
            Status::Failed => self.fail(step, failure),
            Status::Passed
            | Status::DoneBefore
            | Status::ExpectedError
            | Status::AllowedError
            | Status::Planned => {
                self.failures.rescued_by(step);
            }
        }
        self.depth = step.depth.saturating_sub(1);
    }

    /// Says in the plan what fails. The steps around the one that failed fail with it, and have nothing to add.
    fn fail(&mut self, step: &StepRef, failure: Option<&Failure>) {
        let Some(failure) = failure else { return };
        if self.failures.add(step, failure) {
            self.labelled("failed:", &failure.message);
        }
    }

    fn expects(&mut self, step: &StepRef, codes: &[String], must: bool) {
        self.heading(step);
        let word = if must { "must" } else { "may" };
        let text = format!("{word} fail with {}", codes.join(" or "));
        let line = self.out.paint().dim(&safe::line(&text));
        self.inside(&line);
    }

    fn packed(&mut self, code: &str, form: &CodeForm) {
        let what = match form {
            CodeForm::File | CodeForm::Directory => "packs",
            CodeForm::Zip => "takes",
            CodeForm::Program(_) => "builds and packs",
        };
        let line = self.out.paint().dim(&safe::line(&format!("{what} {code}")));
        self.inside(&line);
    }

    fn undo_started(&mut self, resource: &ResourceRef) {
        self.depth = 0;
        let name = safe::line(&format!("{} {}", resource.kind, resource.name)).into_owned();
        let name = self.out.paint().markers(&name);
        self.out.line(&format!("- {name}"));
    }

    fn undo_finished(&mut self, status: UndoStatus, reason: Option<&Reason>) {
        let word = match status {
            UndoStatus::Planned | UndoStatus::Deleted | UndoStatus::Restored => return,
            UndoStatus::Kept => "kept",
            UndoStatus::AlreadyGone => "already gone",
            UndoStatus::NotOurs => "not ours",
            UndoStatus::Changed => "changed",
            UndoStatus::Failed => "failed",
            UndoStatus::Skipped => "skipped",
        };
        match reason {
            Some(reason) => self.labelled(&format!("{word}:"), &words::reason(reason)),
            None => self.inside(word),
        }
    }

    fn finished(&mut self, passed: bool, counts: Counts, outputs: &Value) {
        let paint = self.out.paint();
        self.depth = 0;
        self.running = false;
        self.out.line("");
        if outputs.as_object().is_some_and(|outputs| !outputs.is_empty()) {
            self.out.line(&paint.bold("Outputs"));
            for line in body::lines(outputs, paint) {
                self.inside(&line);
            }
            self.out.line("");
        }
        let plan = plan_in_words(counts);
        let verdict = if passed {
            format!("Plan: {plan}.")
        } else {
            let failed = counted(self.failures.len().max(1), "step");
            format!("The plan ends early: {failed} failed after {plan}.")
        };
        self.out.line(&paint.bold(&format!("{verdict} Nothing was called.")));
        for line in self.failures.lines() {
            self.err.line(&line);
        }
    }
}

fn symbol(effect: Effect) -> char {
    match effect {
        Effect::Create => '+',
        Effect::Change => '~',
        Effect::Delete => '-',
        Effect::Read => '?',
        Effect::Act => '>',
    }
}

/// A call that sends a file: its name says more than all that is in it.
fn uploading(call: &Call, file: &str) -> Call {
    let mut call = call.clone();
    if let Some(body) = call.parameters.get_mut("Body") {
        *body = format!("the file {file}").into();
    }
    call
}

/// What a call is about, as far as its parameters tell: the first that is a name, else an id, else an ARN.
fn subject(call: &Call) -> Option<String> {
    let parameters = call.parameters.as_object()?;
    let texts = || parameters.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    ["name", "id", "arn", "prefix"].iter().find_map(|ending| {
        let found = texts().find(|(name, _)| name.to_ascii_lowercase().ends_with(ending));
        found.map(|(_, text)| text.to_owned())
    })
}

/// Such as `14 calls: 5 create, 2 change, 7 read; 9 more to clean up 3 resources`.
fn plan_in_words(counts: Counts) -> String {
    let plan = counts.plan.unwrap_or_default();
    let effects = [
        (plan.create, "create"),
        (plan.change, "change"),
        (plan.delete, "delete"),
        (plan.read, "read"),
        (plan.act, "act"),
    ];
    let calls = match counts.plan {
        Some(_) => effects.iter().map(|(count, _)| count).sum(),
        None => counts.calls,
    };
    let parts: Vec<String> = effects
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let mut words = counted(calls, "call");
    if !parts.is_empty() {
        words = format!("{words}: {}", parts.join(", "));
    }
    if plan.conditional > 0 {
        words = format!("{words}; {} more only under a condition", plan.conditional);
    }
    match (plan.cleanup, counts.created) {
        (0, 0) => words,
        (0, created) => format!("{words}; {} to make", counted(created, "resource")),
        (more, _) => {
            let what = format!("to clean up {}", counted(counts.removed, "resource"));
            match calls {
                0 if plan.conditional == 0 => format!("{} {what}", counted(more, "call")),
                _ => format!("{words}; {more} {what}"),
            }
        }
    }
}

impl Reporter for DryRunReporter {
    fn event(&mut self, event: &Event) {
        if !matches!(event.what, What::Created { .. } | What::Removed { .. }) {
            self.flush(None);
        }
        match &event.owner {
            Owner::Step(step) => self.of_step(step, event),
            Owner::Undo(resource) => self.of_undo(resource, event),
            Owner::Run => self.of_any(event),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.finish().and(self.err.finish())
    }
}

impl DryRunReporter {
    fn of_step(&mut self, step: &StepRef, event: &Event) {
        match &event.what {
            What::StepStarted { .. } => self.heading(step),
            What::Noted { note } => {
                self.heading(step);
                let paint = self.out.paint();
                for line in safe::lines(&words::note(note)) {
                    self.inside(&paint.dim(&line));
                }
            }
            What::Called { call, .. } => {
                self.heading(step);
                self.called(&event.owner, call);
            }
            What::Expects { codes, must } => self.expects(step, codes, *must),
            What::StepFinished { status, failure, .. } => {
                self.step_finished(step, *status, failure.as_ref());
            }
            _ => self.of_any(event),
        }
    }

    fn of_undo(&mut self, resource: &ResourceRef, event: &Event) {
        match &event.what {
            What::UndoStarted => self.undo_started(resource),
            What::UndoFinished { status, reason, .. } => {
                self.undo_finished(*status, reason.as_ref());
            }
            _ => self.of_any(event),
        }
    }

    fn of_any(&mut self, event: &Event) {
        let owner = &event.owner;
        match &event.what {
            What::RunStarted { .. } => self.run_started(event),
            What::Called { call, .. } => self.called(owner, call),
            What::Packed { code, form, .. } => self.packed(code, form),
            What::Uploads { file, .. } => self.uploads = Some((owner.clone(), file.clone())),
            What::Waiting { text } => self.waits = Some((owner.clone(), text.clone())),
            What::Printed { text } => self.labelled("says", text),
            What::Warned { text } => self.warned(text),
            What::LeftBehind { count } => self.warned(&words::left_behind(*count, true)),
            What::Answered { prompt, answer, default } => {
                self.labelled("asks", &answered(prompt, answer, *default));
            }
            What::Created { resource } => self.comes_to(owner, "makes", resource),
            What::Removed { resource } => self.comes_to(owner, "takes away", resource),
            What::CleanupStarted { count } if *count > 0 => {
                let heading = self.out.paint().bold("Clean-up");
                self.out.line("");
                self.out.line(&heading);
            }
            What::RunFinished { passed, counts, outputs, .. } => {
                self.finished(*passed, *counts, outputs);
            }
            // What happens in a real run alone, and what belongs to a step or an undo.
            _ => {}
        }
    }

    fn called(&mut self, owner: &Owner, call: &Call) {
        if !self.running {
            return self.early.push(call.clone());
        }
        let own = |(whose, text): (Owner, String)| (whose == *owner).then_some(text);
        let call = match self.uploads.take().and_then(own) {
            Some(file) => uploading(call, &file),
            None => call.clone(),
        };
        let waits = self.waits.take().and_then(own);
        self.call = Some((owner.clone(), call, waits));
    }

    fn warned(&mut self, text: &str) {
        for line in safe::lines(text) {
            self.err.line(&format!("! {line}"));
        }
    }
}

#[cfg(test)]
mod tests;
