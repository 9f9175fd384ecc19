//! A dry run as a script of AWS CLI commands.

mod command;
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
use super::words::answered;
use super::{Reporter, Stream, safe};
use engine::event::{Call, CodeForm, Effect, Event, OnlyIf, Status, StepRef};

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

/// What holds for the next call.
#[derive(Debug, Default)]
struct Now {
    step: Option<StepRef>,
    waits: Option<String>,
    packed: Option<Packed>,
    uploads: Option<PathBuf>,
    may_fail: bool,
    must_fail: bool,
    undoing: Option<u64>,
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
        path: String,
        message: String,
    },
    Call(Box<Planned>),
}

/// A call, and what it stands in.
#[derive(Debug, Clone)]
struct Planned {
    call: Call,
    /// The step's path, without the rounds of loops, as far as there is a step.
    path: String,
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

    fn called(&mut self, step: Option<&StepRef>, only_if: Option<OnlyIf>, call: &Call) {
        let absent = |run: &Run| run.now.undoing.is_some_and(|seq| run.absent.contains(&seq));
        if self.run.as_ref().is_some_and(absent) {
            return;
        }
        let now = match &mut self.run {
            Some(run) => {
                // A plan shows a loop's body once for each item that is known.
                let step = step.cloned().or_else(|| run.now.step.clone());
                Now {
                    step: step.filter(|_| run.now.undoing.is_none()),
                    waits: run.now.waits.take(),
                    packed: run.now.packed.clone(),
                    uploads: run.now.uploads.take(),
                    ..Now { may_fail: run.now.may_fail, undoing: run.now.undoing, ..Now::default() }
                }
            }
            None => Now::default(),
        };
        let path = now.step.as_ref().map(|step| step.path.clone()).unwrap_or_default();
        let kind = now.step.as_ref().map_or("run", |step| &step.kind).to_owned();
        let id = now.step.as_ref().and_then(|step| step.id.clone());
        let item = Item::Call(Box::new(Planned {
            call: call.clone(),
            path,
            who: id.unwrap_or_else(|| kind.clone()),
            kind,
            waits: now.waits,
            packed: now.packed,
            uploads: now.uploads,
            may_fail: now.may_fail,
            rescues: only_if == Some(OnlyIf::Failure),
            undoes: now.undoing,
        }));
        match &mut self.run {
            Some(run) => run.items.push(item),
            None => self.early.push(item),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm an event")]
    fn in_run(&mut self, event: &Event) {
        let Some(run) = &mut self.run else { return };
        match event {
            Event::StepStarted { step } => run.step(step),
            Event::Noted { step, text } => {
                run.step(step);
                run.comment(text);
            }
            Event::Expects { step, codes, must } => {
                run.step(step);
                run.now.may_fail = true;
                run.now.must_fail |= *must;
                let word = if *must { "must" } else { "may" };
                run.comment(&format!("{word} fail with {}", codes.join(" or ")));
            }
            Event::Packed { path, form, .. } => {
                let path = shown(path, &self.directory);
                run.now.packed = Some(Packed { path, form: form.clone() });
            }
            Event::Uploads { path, .. } => run.now.uploads = Some(shown(path, &self.directory)),
            Event::Waiting { text } => run.now.waits = Some(text.clone()),
            Event::Said { text } => run.comment(&format!("says: {text}")),
            Event::Answered { prompt, answer, default } => {
                run.comment(&format!("asks: {}", answered(prompt, answer, *default)));
            }
            Event::Made { resource } => {
                if let Some(step) = &run.now.step {
                    let who = step.id.clone().unwrap_or_else(|| step.kind.clone());
                    run.makers.insert(resource.seq, who);
                }
                if run.now.must_fail {
                    run.absent.insert(resource.seq);
                } else if run.now.may_fail {
                    run.uncertain.insert(resource.seq);
                }
            }
            Event::StepFinished { status: Status::Skipped, step, .. } => {
                run.step(step);
                run.comment("skipped");
            }
            Event::StepFinished { status: Status::Failed, step, failure, .. } => {
                let Some(failure) = failure else { return };
                if run.failures.add(step, failure) {
                    let (path, message) = (step.path.clone(), failure.message.clone());
                    run.items.push(Item::Failure { path, message });
                }
            }
            Event::StepFinished {
                status:
                    Status::Passed | Status::ExpectedError | Status::AllowedError | Status::Planned,
                step,
                ..
            } => run.failures.rescued_by(step),
            Event::CleanupStarted { count } if *count > 0 => {
                run.items.push(Item::Heading("Clean-up".to_owned()));
            }
            Event::UndoStarted { resource } => {
                let may_fail = run.uncertain.contains(&resource.seq);
                run.now = Now { undoing: Some(resource.seq), may_fail, ..Now::default() };
                let absent = run.absent.contains(&resource.seq);
                let but = if absent { ": not made, since its step must fail" } else { "" };
                run.comment(&format!("{} {}{but}", resource.kind, resource.name));
            }
            Event::UndoFinished { reason: Some(reason), .. } => run.comment(reason),
            _ => {}
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
    fn step(&mut self, step: &StepRef) {
        if self.now.step.as_ref().is_some_and(|now| now.path == step.path) {
            return;
        }
        let heading = format!("{} {}", step.path, step.title);
        if self.headed.insert(step.path.clone()) {
            self.items.push(Item::Heading(heading));
        } else {
            self.comment(&format!("({heading})"));
        }
        self.now = Now { step: Some(step.clone()), ..Now::default() };
    }

    fn comment(&mut self, text: &str) {
        self.items.push(Item::Comment(text.to_owned()));
    }
}

impl Reporter for ShellReporter {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { playbook, description, file, region, .. } => {
                self.run = Some(Run {
                    playbook: playbook.clone(),
                    description: description.clone().unwrap_or_default(),
                    file: file.clone(),
                    region: region.clone(),
                    items: std::mem::take(&mut self.early),
                    ..Run::default()
                });
            }
            Event::Called { step, only_if, call } => self.called(step.as_ref(), *only_if, call),
            Event::Warned { text } => {
                for line in safe::lines(text) {
                    self.err.line(&format!("! {line}"));
                }
            }
            Event::RunFinished { .. } => self.finished(),
            event => self.in_run(event),
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
