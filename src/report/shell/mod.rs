//! A dry run as a script of AWS CLI commands, and of curl's for the requests of `http` steps.

mod command;
mod curl;
mod names;
mod script;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use words::quoted;

use super::failures::Failures;
use super::words::{self as report_words, answered};
use super::{Reporter, Stream, safe};
use engine::event::{
    Call, CodeForm, Effect, Event, OnlyIf, Owner, ResourceRef, Status, StepRef, What,
};

/// Where the outputs of step kinds come from: kind, output, source.
pub type Sources = BTreeMap<String, BTreeMap<String, Source>>;

/// Where an output comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Such as `iam:CreateRole`.
    pub call: String,
    /// A JMESPath in its answer; in that of a map, `KEY` stands for the key.
    pub query: String,
}

/// Writes the script once the run is over: what a command must keep of its answer is known only then.
#[derive(Debug)]
pub struct ShellReporter {
    out: Stream,
    err: Stream,
    sources: Sources,
    /// Paths below it are shown relative to it.
    directory: PathBuf,
    /// Whether the head of the script stands there already.
    headed: bool,
    run: Option<Run>,
    /// Calls that the run makes before it starts.
    early: Vec<Item>,
}

/// One run of those that the script consists of.
#[derive(Debug, Default)]
struct Run {
    playbook: String,
    description: String,
    file: String,
    region: String,
    items: Vec<Item>,
    /// The steps whose headings stand there already.
    headed: BTreeSet<String>,
    /// The step that each resource was made by.
    makers: BTreeMap<u64, String>,
    /// What steps that may fail have made: it may not be there.
    uncertain: BTreeSet<u64>,
    /// What steps that must fail would have made: it is not there.
    absent: BTreeSet<u64>,
    now: Now,
    failures: Failures,
}

/// What holds for the next call of the same owner.
#[derive(Debug, Default)]
struct Now {
    owner: Option<Owner>,
    waits: Option<String>,
    packed: Option<Packed>,
    uploads: Option<PathBuf>,
    may_fail: bool,
    must_fail: bool,
}

/// What a zip is made from.
#[derive(Debug, Clone)]
struct Packed {
    path: PathBuf,
    form: CodeForm,
}

#[derive(Debug)]
enum Item {
    /// A step, or a part of the script.
    Heading(String),
    Comment(String),
    /// What a step fails with.
    Failure {
        number: String,
        message: String,
    },
    Call(Box<Planned>),
}

/// A call, and what it stands in.
#[derive(Debug, Clone)]
struct Planned {
    call: Call,
    /// The step's number, as far as there is a step.
    number: String,
    /// What its values are named after: the step's id, or its kind.
    who: String,
    kind: String,
    /// What it is repeated until.
    waits: Option<String>,
    packed: Option<Packed>,
    /// The file that it sends.
    uploads: Option<PathBuf>,
    may_fail: bool,
    /// Whether it is made only if something else fails.
    rescues: bool,
    /// The resource that it takes away.
    undoes: Option<u64>,
}

impl ShellReporter {
    /// Writes the script to `out`, what goes wrong to `err`. Paths below `directory` are shown relative to it.
    #[must_use]
    pub fn new(out: Stream, err: Stream, sources: Sources, directory: PathBuf) -> Self {
        Self { out, err, sources, directory, headed: false, run: None, early: Vec::new() }
    }

    fn called(&mut self, owner: &Owner, only_if: Option<OnlyIf>, call: &Call) {
        let undoes = owner.undone().map(|resource| resource.seq);
        let now = match &mut self.run {
            Some(run) if undoes.is_some_and(|seq| run.absent.contains(&seq)) => return,
            Some(run) => {
                run.turn_to(owner);
                let (waits, uploads) = (run.now.waits.take(), run.now.uploads.take());
                let (packed, may_fail) = (run.now.packed.clone(), run.now.may_fail);
                Now { waits, packed, uploads, may_fail, ..Now::default() }
            }
            None => Now::default(),
        };
        let step = owner.step();
        let kind = step.map_or("run", |step| &step.kind).to_owned();
        let item = Item::Call(Box::new(Planned {
            call: call.clone(),
            number: step.map(|step| step.number.clone()).unwrap_or_default(),
            who: step.and_then(|step| step.id.clone()).unwrap_or_else(|| kind.clone()),
            kind,
            waits: now.waits,
            packed: now.packed,
            uploads: now.uploads,
            may_fail: now.may_fail,
            rescues: only_if == Some(OnlyIf::Failure),
            undoes,
        }));
        match &mut self.run {
            Some(run) => run.items.push(item),
            None => self.early.push(item),
        }
    }

    fn of_step(&mut self, step: &StepRef, event: &Event) {
        let Some(run) = &mut self.run else { return };
        // The end of a step adds nothing that would have to stand under its heading, unless there is nothing else.
        let is_end =
            matches!(event.what, What::StepFinished { status, .. } if status != Status::Skipped);
        if !is_end {
            run.turn_to(&event.owner);
        }
        match &event.what {
            What::Expects { codes, must } => {
                run.now.may_fail = true;
                run.now.must_fail |= *must;
                let word = if *must { "must" } else { "may" };
                run.comment(&format!("{word} fail with {}", codes.join(" or ")));
            }
            What::Created { resource } => {
                let who = step.id.clone().unwrap_or_else(|| step.kind.clone());
                run.makers.insert(resource.seq, who);
                if run.now.must_fail {
                    run.absent.insert(resource.seq);
                } else if run.now.may_fail {
                    run.uncertain.insert(resource.seq);
                }
            }
            What::StepFinished { status: Status::Skipped, .. } => run.comment("skipped"),
            What::StepFinished { status: Status::Failed, failure, .. } => {
                let Some(failure) = failure else { return };
                if run.failures.add(step, failure) {
                    let (number, message) = (step.number.clone(), failure.message.clone());
                    run.items.push(Item::Failure { number, message });
                }
            }
            What::StepFinished {
                status:
                    Status::Passed
                    | Status::DoneBefore
                    | Status::ExpectedError
                    | Status::AllowedError
                    | Status::Planned,
                ..
            } => run.failures.rescued_by(step),
            _ => self.of_any(event),
        }
    }

    fn of_undo(&mut self, resource: &ResourceRef, event: &Event) {
        let Some(run) = &mut self.run else { return };
        run.turn_to(&event.owner);
        match &event.what {
            What::UndoStarted => {
                run.now.may_fail = run.uncertain.contains(&resource.seq);
                let absent = run.absent.contains(&resource.seq);
                let but = if absent { ": not made, since its step must fail" } else { "" };
                run.comment(&format!("{} {}{but}", resource.kind, resource.name));
            }
            What::UndoFinished { reason: Some(reason), .. } => {
                run.comment(&report_words::reason(reason));
            }
            _ => self.of_any(event),
        }
    }

    fn of_any(&mut self, event: &Event) {
        let Some(run) = &mut self.run else { return };
        match &event.what {
            What::Noted { note } => run.comment(&report_words::note(note)),
            What::Packed { path, form, .. } => {
                let path = shown(path, &self.directory);
                run.now.packed = Some(Packed { path, form: form.clone() });
            }
            What::Uploads { path, .. } => run.now.uploads = Some(shown(path, &self.directory)),
            What::Waiting { text } => run.now.waits = Some(text.clone()),
            What::Printed { text } => run.comment(&format!("says: {text}")),
            What::Answered { prompt, answer, default } => {
                run.comment(&format!("asks: {}", answered(prompt, answer, *default)));
            }
            What::CleanupStarted { count } if *count > 0 => {
                run.items.push(Item::Heading("Clean-up".to_owned()));
            }
            _ => {}
        }
    }

    fn warned(&mut self, text: &str) {
        for line in safe::lines(text) {
            self.err.line(&format!("! {line}"));
        }
    }

    fn finished(&mut self) {
        let Some(run) = self.run.take() else { return };
        let lines = script::lines(&run, &self.sources, !self.headed);
        self.headed = true;
        for line in lines {
            self.out.line(&line);
        }
        for line in run.failures.lines() {
            self.err.line(&line);
        }
    }
}

/// A path, relative to a directory if it lies below.
fn shown(path: &str, directory: &Path) -> PathBuf {
    let path = PathBuf::from(path);
    path.strip_prefix(directory).map_or(path.clone(), PathBuf::from)
}

impl Run {
    /// What comes next is this owner's.
    fn turn_to(&mut self, owner: &Owner) {
        if self.now.owner.as_ref() == Some(owner) {
            return;
        }
        if let Owner::Step(step) = owner {
            let heading = format!("{} {}", step.number, step.title);
            if self.headed.insert(step.number.clone()) {
                self.items.push(Item::Heading(heading));
            } else {
                self.comment(&format!("({heading})"));
            }
        }
        self.now = Now { owner: Some(owner.clone()), ..Now::default() };
    }

    fn comment(&mut self, text: &str) {
        self.items.push(Item::Comment(text.to_owned()));
    }
}

impl Reporter for ShellReporter {
    fn event(&mut self, event: &Event) {
        match (&event.what, &event.owner) {
            (What::RunStarted { playbook, description, file, region, .. }, _) => {
                self.run = Some(Run {
                    playbook: playbook.clone(),
                    description: description.clone().unwrap_or_default(),
                    file: file.clone(),
                    region: region.clone(),
                    items: std::mem::take(&mut self.early),
                    ..Run::default()
                });
            }
            (What::Called { only_if, call }, owner) => self.called(owner, *only_if, call),
            (What::Warned { text }, _) => self.warned(text),
            (What::LeftBehind { count }, _) => {
                self.warned(&report_words::left_behind(*count, true));
            }
            (What::RunFinished { .. }, _) => self.finished(),
            (_, Owner::Step(step)) => self.of_step(step, event),
            (_, Owner::Undo(resource)) => self.of_undo(resource, event),
            (_, Owner::Run) => self.of_any(event),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.finish().and(self.err.finish())
    }
}

impl Planned {
    /// Such as `iam:CreateRole`.
    fn name(&self) -> String {
        format!("{}:{}", self.call.service, self.call.operation)
    }

    fn only_looks(&self) -> bool {
        self.call.effect == Effect::Read
    }
}
