//! A checked playbook in, events out: order, conditions, loops, retries, rescue.
//!
//! A dry run is the same engine with a client that sends nothing; what follows from values that do not exist yet is
//! walked and marked.

mod attempt;
mod control;
mod fault;
mod frame;
mod lanes;
mod loops;
mod outputs;
mod past;
mod prompter;
mod resume;
mod step;
mod stepping;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cleanup::{Cleaner, Windows, remaining};
use crate::event::{Call, Mail, Mode, Owner, Reason, Remaining, UndoStatus, What};
use crate::journal::Journal;
use crate::redactor::StepSecrets;
use crate::sink::Sink;
use crate::step::{Context, Interrupt, Kind, Progress, Prompter, RunFacts};
use aws::Aws;
use language::diagnostic::Sources;
use language::playbook::Playbook;
use language::template::{Namespace, from_json};

pub use fault::Stop;
use frame::Frame;
pub use past::{Past, top_of};
use prompter::{Announced, Answers};
use resume::Written;
pub use resume::check_past;

/// When to take away what the run has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CleanupMode {
    /// Whatever happened.
    #[default]
    Always,
    /// Only when every step passed, so that a failure can be looked at.
    OnSuccess,
    /// When a person says so.
    Ask,
    /// Not now.
    Never,
}

/// Everything that a run needs.
pub struct Setup {
    /// What to run.
    pub playbook: Arc<Playbook>,
    /// The values of a matrix that this run has, for people.
    pub cell: Option<String>,
    /// Its text, for errors.
    pub sources: Arc<Sources>,
    /// The inputs that were given or asked for.
    pub inputs: BTreeMap<String, Value>,
    /// `--set`.
    pub overrides: BTreeMap<String, serde_json::Value>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The client of AWS.
    pub aws: Aws,
    /// Facts about the run.
    pub facts: Arc<RunFacts>,
    /// Whether the region is known; in a dry run it may not be.
    pub region_known: bool,
    /// How calls are carried out.
    pub mode: Mode,
    /// The endpoint, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// The messages that the embedded AWS would have sent, where that is who is called.
    pub inbox: Option<Inbox>,
    /// Who answers questions.
    pub prompter: Arc<dyn Prompter>,
    /// The calls that were made to get this far.
    pub prologue: Vec<Call>,
    /// Where events go.
    pub sink: Sink,
    /// The journal.
    pub journal: Journal,
    /// The wish to stop.
    pub interrupt: Interrupt,
    /// The step kinds.
    pub kind: fn(&str) -> Option<&'static Kind>,
    /// Who can undo what.
    pub maker_of: fn(&str) -> Option<&'static Kind>,
    /// What the run has done before, in another process.
    pub past: Arc<Past>,
    /// How many of the steps at the top are left out.
    pub left_out: usize,
    /// When to clean up.
    pub cleanup: CleanupMode,
    /// Whether to clean up without asking first.
    pub yes: bool,
    /// Whether a person is asked before each step.
    pub stepping: bool,
    /// Whether a person is asked before the clean-up of a run that has failed.
    pub pause_on_failure: bool,
    /// How long the clean-up of one resource may take.
    pub cleanup_timeout: Duration,
    /// The command that finishes the clean-up of this run.
    pub cleanup_command: String,
}

/// Every message so far, the oldest first; nothing where that cannot be found out.
pub type Inbox =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<Vec<Mail>>> + Send>> + Send + Sync>;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether every step passed.
    pub passed: bool,
    /// Whether it was asked to stop.
    pub interrupted: bool,
    /// What is still there.
    pub remaining: Vec<Remaining>,
}

impl Outcome {
    /// The exit code; `signal` is the one that interrupted it, if one did.
    #[must_use]
    pub fn exit_code(&self, signal: Option<u8>) -> u8 {
        match (self.remaining.is_empty(), self.interrupted, self.passed) {
            (false, _, _) => 3,
            (true, true, _) => 128 + signal.unwrap_or(2),
            (true, false, true) => 0,
            (true, false, false) => 1,
        }
    }
}

/// Runs a playbook to its end, clean-up included. `signal` says which signal interrupted it, once one has.
pub async fn run(setup: Setup, signal: impl Fn() -> Option<u8>) -> Outcome {
    let started = Instant::now();
    let stepping = setup.stepping && setup.mode != Mode::DryRun;
    let engine = Engine::new(setup);
    engine.stepping.store(stepping, Ordering::Relaxed);
    engine.setup.sink.keep(engine.setup.journal.history());
    engine.announce();
    let (outcome, outputs) = engine.to_the_end().await;
    let exit_code = outcome.exit_code(signal());
    engine.close(&outcome, exit_code);
    let setup = &engine.setup;
    setup.sink.emit(
        Owner::Run,
        What::RunFinished {
            passed: outcome.passed,
            exit_code,
            millis: millis_since(started),
            counts: setup.sink.counts(),
            command: (!outcome.remaining.is_empty()).then(|| setup.cleanup_command.clone()),
            remaining: outcome.remaining.clone(),
            outputs,
        },
    );
    outcome
}

pub(super) fn millis_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A run under way.
struct Engine {
    setup: Setup,
    /// Whether a person said no to a `cleanup` step.
    declined: AtomicBool,
    /// `run.*`.
    run: Namespace,
    /// Whether a person is asked before the next step.
    stepping: AtomicBool,
    /// How many messages were shown.
    shown: AtomicUsize,
    /// What tells whether steps are written as they were.
    written: Written,
    /// Which outputs are read.
    readers: Vec<(Option<String>, Option<String>)>,
}

impl Engine {
    fn new(setup: Setup) -> Self {
        let goes_on = setup.mode == Mode::Live;
        let written = goes_on.then(|| Written::of(&setup.playbook, &setup.sources));
        let readers = goes_on.then(|| resume::readers(&setup.playbook));
        Self {
            run: outputs::run_namespace(&setup),
            setup,
            declined: AtomicBool::new(false),
            shown: AtomicUsize::new(0),
            stepping: AtomicBool::new(false),
            written: written.unwrap_or_default(),
            readers: readers.unwrap_or_default(),
        }
    }

    fn announce(&self) {
        let setup = &self.setup;
        setup.sink.emit(
            Owner::Run,
            What::RunStarted {
                playbook: setup.playbook.name.clone(),
                cell: setup.cell.clone(),
                description: setup.playbook.description.clone(),
                file: setup.playbook.file.display().to_string(),
                mode: setup.mode,
                region: setup.facts.region.clone(),
                account: setup.facts.account.clone(),
                endpoint: setup.endpoint.clone(),
                started: setup.facts.started.clone(),
                steps: setup.playbook.steps.len(),
            },
        );
        for call in &setup.prologue {
            setup.sink.emit(Owner::Run, What::Called { only_if: None, call: call.clone() });
        }
    }

    /// The steps and the clean-up. That they are to stop is told when it is asked for, not when it is heeded.
    async fn to_the_end(&self) -> (Outcome, Value) {
        let work = async {
            let stuck = self.undo_unfinished().await;
            if !stuck.is_empty() {
                return (self.given_up(stuck), Value::Null);
            }
            let (result, outputs) = self.steps().await;
            let passed = result.is_ok();
            let interrupted =
                matches!(result, Err(Stop::Interrupted)) || self.setup.interrupt.requested();
            let remaining = self.finish(passed, interrupted).await;
            (Outcome { passed: passed && !interrupted, interrupted, remaining }, outputs)
        };
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            () = self.setup.interrupt.wait() => {}
            ended = &mut work => return ended,
        }
        self.tell_stopping();
        work.await
    }

    fn tell_stopping(&self) {
        if self.setup.mode == Mode::DryRun {
            return;
        }
        let cleanup = match self.setup.cleanup {
            CleanupMode::Always | CleanupMode::Ask => !self.declined(),
            CleanupMode::OnSuccess | CleanupMode::Never => false,
        };
        let count = self.setup.journal.count_pending();
        self.setup.sink.emit(Owner::Run, What::Stopping { count, cleanup });
    }

    async fn steps(&self) -> (Result<(), Stop>, Value) {
        let playbook = Arc::clone(&self.setup.playbook);
        let frame = match Frame::main(self, &playbook) {
            Ok(frame) => frame,
            Err(fault) => return (Err(self.stop_before_steps(&fault)), Value::Null),
        };
        let top = frame.top();
        for (index, step) in playbook.steps.iter().enumerate().take(self.setup.left_out) {
            let at = self.titled(step, &top, top.step(index, step.id.as_deref(), step.kind()));
            self.skip(&frame, step, &at);
        }
        let result = self.run_from(self.setup.left_out, &frame, &playbook.steps, &top).await;
        let outputs = match &result {
            Ok(()) => self.playbook_outputs(&frame),
            Err(_) => Ok(Value::Null),
        };
        match outputs {
            Ok(outputs) => (result, outputs),
            Err(fault) => (Err(self.stop_before_steps(&fault)), Value::Null),
        }
    }

    /// Cleans up as told, unless a step has done so already; returns what is still there.
    async fn finish(&self, passed: bool, interrupted: bool) -> Vec<Remaining> {
        let pause = self.setup.pause_on_failure && !passed && !interrupted;
        let wanted = match self.setup.cleanup {
            _ if pause => self.pause_after_failure().await,
            CleanupMode::Always => true,
            CleanupMode::OnSuccess => passed,
            CleanupMode::Never => false,
            CleanupMode::Ask if interrupted => true,
            CleanupMode::Ask => self.ask_for_cleanup().await,
        };
        let count = self.setup.journal.count_pending();
        if wanted && !self.declined() {
            let remaining = if count == 0 { Vec::new() } else { self.clean().await };
            self.tell_kept();
            return remaining;
        }
        if count == 0 {
            return Vec::new();
        }
        if self.setup.mode != Mode::Live {
            self.setup.sink.emit(Owner::Run, What::LeftBehind { count });
            return Vec::new();
        }
        self.left()
    }

    /// All that is still there.
    fn left(&self) -> Vec<Remaining> {
        let (target, maker_of) = (self.setup.journal.target(), self.setup.maker_of);
        let left = |entry| remaining(entry, &target, maker_of, Reason::ToBeLeft);
        self.setup.journal.pending().iter().map(left).collect()
    }

    /// The run cannot go on, as something could not be undone.
    fn given_up(&self, stuck: Vec<Remaining>) -> Outcome {
        let text = "the run does not go on: what was under way could not be undone".to_owned();
        self.setup.sink.emit(Owner::Run, What::Warned { text });
        let mut remaining = self.left();
        for stuck in stuck {
            match remaining.iter_mut().find(|left| left.resource.seq == stuck.resource.seq) {
                Some(left) => *left = stuck,
                None => remaining.push(stuck),
            }
        }
        Outcome { passed: false, interrupted: self.setup.interrupt.requested(), remaining }
    }

    fn tell_kept(&self) {
        for entry in self.setup.journal.kept() {
            let (status, reason, millis) = (UndoStatus::Kept, None, 0);
            let owner = Owner::Undo(entry.resource());
            self.setup.sink.emit(owner, What::UndoFinished { status, reason, millis });
        }
    }

    async fn clean(&self) -> Vec<Remaining> {
        self.cleaner().clean().await
    }

    fn cleaner(&self) -> Cleaner<'_> {
        let setup = &self.setup;
        let ledger = setup.journal.for_step("cleanup", Vec::new(), false, Arc::new(|_| ()));
        let context = Context {
            aws: setup.aws.clone(),
            run: Arc::clone(&setup.facts),
            directory: Arc::from(setup.playbook.directory.as_path()),
            root: Arc::from(setup.playbook.root.as_path()),
            ledger: Arc::new(ledger),
            prompter: Arc::clone(&setup.prompter),
            progress: progress(&setup.sink, Owner::Run),
            interrupt: setup.interrupt.at(2),
            kind: Arc::from("cleanup"),
            keys: None,
            step: Arc::from("cleanup"),
            slug: Arc::from("cleanup"),
            unread: false,
            longest_wait: None,
        };
        Cleaner {
            journal: &setup.journal,
            context,
            maker_of: setup.maker_of,
            sink: &setup.sink,
            timeout: setup.cleanup_timeout,
            max: crate::cleanup::USUAL_MAX,
            windows: Windows::of_own_calls(setup.facts.on_this_machine, setup.journal.attempt()),
        }
    }

    /// Tells how a step gets on, without what only its origin tells to be secret.
    fn progress_hiding(
        &self,
        secrets: &StepSecrets,
        owner: Owner,
    ) -> Arc<dyn Fn(Progress) + Send + Sync> {
        let tell = progress(&self.setup.sink, owner);
        if secrets.is_empty() {
            return tell;
        }
        let secrets = secrets.clone();
        let hide = move |text: String| secrets.mask_text(&text).into_owned();
        Arc::new(move |told| {
            tell(match told {
                Progress::Said(text) => Progress::Said(hide(text)),
                Progress::Warned(text) => Progress::Warned(hide(text)),
                Progress::Waiting(text) => Progress::Waiting(hide(text)),
                Progress::Retrying { reason, after } => {
                    Progress::Retrying { reason: hide(reason), after }
                }
                told @ (Progress::Uploads { .. } | Progress::Packed { .. }) => told,
            });
        })
    }

    /// Whoever answers questions, with questions and answers told. The secrets that somebody answers are added to
    /// `answers`.
    fn prompter(&self, owner: Owner, answers: Answers) -> Arc<dyn Prompter> {
        let (inner, sink) = (Arc::clone(&self.setup.prompter), self.setup.sink.clone());
        Arc::new(Announced { inner, sink, answers, owner })
    }

    /// Shows what has come in since, and lets expressions see it.
    async fn look_into_inbox(&self) {
        let Some(inbox) = self.setup.inbox.as_ref().filter(|_| !self.setup.past.is_checking())
        else {
            return;
        };
        let Some(mails) = inbox().await else { return };
        let shown = self.shown.swap(mails.len(), Ordering::Relaxed);
        if mails.len() == shown {
            return;
        }
        let list = serde_json::to_value(&mails).unwrap_or_default();
        self.run.insert("inbox", from_json(&list));
        for mail in mails.into_iter().skip(shown) {
            self.setup.sink.emit(Owner::Run, What::Mailed { mail });
        }
    }

    fn close(&self, outcome: &Outcome, exit_code: u8) {
        let journal = &self.setup.journal;
        if outcome.remaining.is_empty() && self.setup.mode == Mode::Local {
            journal.discard();
            return;
        }
        match journal.close(exit_code) {
            Ok(()) => {}
            // The disk is full, which keeps nobody from removing a file: nothing is left that it would have to tell of.
            Err(_) if outcome.remaining.is_empty() => journal.discard(),
            Err(error) => {
                self.setup.sink.emit(Owner::Run, What::Warned { text: error.to_string() });
            }
        }
    }
}

/// What passes on what a step says while it runs, as its own.
pub(crate) fn progress(sink: &Sink, owner: Owner) -> Arc<dyn Fn(Progress) + Send + Sync> {
    let sink = sink.clone();
    Arc::new(move |progress| {
        let what = match progress {
            Progress::Waiting(text) => What::Waiting { text },
            Progress::Uploads { file, path } => {
                What::Uploads { file, path: path.display().to_string() }
            }
            Progress::Packed { code, path, form } => {
                What::Packed { code, path: path.display().to_string(), form }
            }
            Progress::Retrying { reason, after } => What::Retrying {
                reason,
                after: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            },
            Progress::Said(text) => What::Printed { text },
            Progress::Warned(text) => What::Warned { text },
        };
        sink.emit(owner.clone(), what);
    })
}
