//! `playbook run`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::args::RunArgs;
use super::disk::Disk;
use super::exit::Exit;
use super::guard;
use super::inputs::{self, Asking};
use super::jobs::{self, Job};
use super::output::{self, Output, Reporters};
use super::prepare::{Prepared, prepare};
use super::resume::{self, Resumption};
use super::signals::Wishes;
use super::{start_at, target};
use ::steps::Registry;
use engine::cleanup::remaining;
use engine::event::{Mode, Owner, Reason, Remaining, What};
use engine::journal::Journal;
use engine::redactor::Redactor;
use engine::run;
use engine::sink::Sink;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use language::diagnostic::{Diagnostic, Sources};
use language::playbook::{self, Circumstances, Playbook};
use serde_json::Value;

/// What the runs of one command line share.
#[derive(Clone)]
pub(super) struct Session<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) output: Output,
    pub(super) mode: Mode,
    pub(super) sources: Arc<Sources>,
    pub(super) environment: Arc<BTreeMap<String, String>>,
    pub(super) reporters: Arc<Mutex<Reporters>>,
    pub(super) asking: Asking,
    pub(super) wishes: Wishes,
    /// The run that goes on, if one does.
    pub(super) resumption: Option<Arc<Resumption>>,
    /// How many of the steps at the top are left out.
    pub(super) left_out: usize,
}

impl Session<'_> {
    /// Tells the reports of a run that could not begin: why was said at the terminal.
    fn refused(&self) {
        let failures = output::said();
        if !failures.is_empty() {
            let sink = Sink::new("", self.output.listener(&self.reporters), Redactor::default());
            sink.emit(Owner::Run, What::Refused { failures });
        }
    }
}

/// Runs playbooks, so many at a time; the exit code is the worst of theirs.
pub(super) async fn run(args: &RunArgs, output: &Output) -> Exit {
    match all(args, *output).await {
        Ok(exit) => exit,
        Err(exit) => {
            output.refused_as_said(args);
            exit
        }
    }
}

async fn all(args: &RunArgs, output: Output) -> Result<Exit, Exit> {
    let environment = environment();
    let mut sources = Sources::new();
    let (args, resumption) = resume::take_up(args, output).await?;
    let args = &args;
    let playbooks = load(args, &environment, &mut sources, output)?;
    let (resumption, left_out) = whence(args, &playbooks, resumption, &sources, output)?;
    let jobs = jobs::all(args, &playbooks, output)?;
    let mode = target::mode(args);
    let wishes = Wishes::none();
    wishes.listen().map_err(|error| output.fail(&error.to_string(), None))?;
    let reporters = Arc::new(Mutex::new(output.reporters(args, mode)?));
    if (args.step || args.pause_on_failure) && !Output::has_person() {
        let option = if args.step { "--step" } else { "--pause-on-failure" };
        let message = format!("`{option}` asks, and there is no terminal to ask at");
        return Err(output.fail(&message, Some("run it at a terminal, or leave it out")));
    }
    let asking = Asking::new(args, mode, &wishes, &reporters, output);
    if asking.nobody_answers() {
        let faults: Vec<Diagnostic> =
            playbooks.iter().flat_map(|playbook| playbook.unanswered()).collect();
        if !faults.is_empty() {
            output.diagnostics(&faults, &sources);
            output.refused(args, &faults, &sources);
            return Err(Exit::WRONG);
        }
    }
    let (sources, environment) = (Arc::new(sources), Arc::new(environment));
    let resumption = resumption.map(Arc::new);
    let session = Session {
        args,
        output,
        mode,
        sources,
        environment,
        reporters,
        asking,
        wishes,
        resumption,
        left_out,
    };
    // Everything that is missing is said before anything is called.
    let mut runs = Vec::new();
    for job in &jobs {
        let session = Session { args: &job.args, ..session.clone() };
        let given = inputs::gather(&session, &job.playbook, &playbooks).await?;
        inputs::mask(&job.playbook, &given, output);
        let mut overrides = inputs::overrides(args, &job.playbook, output)?;
        if let Some(resumption) = &session.resumption {
            let given = &mut overrides;
            resumption.same_as_before("variable", |began| &began.variables, given, output)?;
        }
        runs.push((session, job, given, overrides));
    }
    Ok(begin(args, &session, runs).await)
}

/// Where the run begins: the run that goes on, and how many of the steps at the top are left out.
fn whence(
    args: &RunArgs,
    playbooks: &[Arc<Playbook>],
    resumption: Option<Resumption>,
    sources: &Sources,
    output: Output,
) -> Result<(Option<Resumption>, usize), Exit> {
    if args.resume.is_none() && args.start_at.is_none() {
        return Ok((None, 0));
    }
    let [playbook] = playbooks else {
        let option = if args.resume.is_some() { "--resume" } else { "--start-at" };
        let message = format!("`{option}` is about one playbook");
        return Err(output.fail(&message, Some("name one file")));
    };
    match (&args.start_at, resumption) {
        (Some(id), Some(taken)) => Ok((Some(taken.go_back_to(id, playbook, output)?), 0)),
        (Some(id), None) => {
            let left_out = resume::place_of(id, playbook, output)?;
            let faults = start_at::unmet(playbook, left_out, id);
            if faults.is_empty() {
                return Ok((None, left_out));
            }
            output.diagnostics(&faults, sources);
            output.refused(args, &faults, sources);
            Err(Exit::WRONG)
        }
        (None, taken) => Ok((taken, 0)),
    }
}

/// A run with its inputs and the variables that are given.
type Ready<'a> = (Session<'a>, &'a Job, BTreeMap<String, Value>, BTreeMap<String, Value>);

/// Runs what is ready, so many at a time; the exit code is the worst of theirs.
async fn begin(args: &RunArgs, session: &Session<'_>, runs: Vec<Ready<'_>>) -> Exit {
    let mut worst = Exit::FINE;
    let mut waiting = runs.into_iter();
    let mut under_way = FuturesUnordered::new();
    let at_once = usize::try_from(args.jobs).unwrap_or(usize::MAX);
    loop {
        let stop = worst.is_interruption() || worst != Exit::FINE && !args.keep_going;
        while !stop && under_way.len() < at_once {
            let Some((session, job, given, overrides)) = waiting.next() else { break };
            under_way.push(Box::pin(one(session, job, given, overrides)));
        }
        let Some(exit) = under_way.next().await else { break };
        worst = worst.max(exit);
    }
    let left = waiting.len();
    let output = session.output;
    let finished = session.reporters.lock().unwrap_or_else(PoisonError::into_inner).finish();
    if left > 0 && !worst.is_interruption() {
        let verb = if left == 1 { "was" } else { "were" };
        output.note(&format!("{left} more {verb} not begun; `--keep-going` begins them, too"));
    }
    worst.max(output.told(finished))
}

/// One run, from the way to AWS to its end.
async fn one(
    session: Session<'_>,
    job: &Job,
    given: BTreeMap<String, Value>,
    overrides: BTreeMap<String, Value>,
) -> Exit {
    if session.wishes.interrupt().requested() {
        return Exit::from_code(128 + session.wishes.signal().unwrap_or(2));
    }
    match prepare(&session, job, given, overrides).await {
        Ok(prepared) => carry_out(prepared, &session).await,
        Err(exit) => {
            session.refused();
            exit
        }
    }
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn load(
    args: &RunArgs,
    environment: &BTreeMap<String, String>,
    sources: &mut Sources,
    output: Output,
) -> Result<Vec<Arc<Playbook>>, Exit> {
    let disk = Disk::with(&args.library);
    let mut playbooks = Vec::new();
    let mut faults = Vec::new();
    for file in &jobs::files(args, output)? {
        match playbook::load(file, &disk, &Registry, sources) {
            Ok(playbook) => {
                let local = args.is_embedded();
                faults.extend(playbook.preflight(Circumstances { environment, local }));
                if !args.allow_admin {
                    faults.extend(guard::administrator_policies(&playbook));
                }
                playbooks.push(Arc::new(playbook));
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        return jobs::chosen(args, playbooks, output);
    }
    output.diagnostics(&faults, sources);
    output.refused(args, &faults, sources);
    Err(Exit::WRONG)
}

async fn carry_out(prepared: Prepared, session: &Session<'_>) -> Exit {
    let Prepared { mut setup, local } = prepared;
    let Session { wishes, mode, output, resumption, .. } = session;
    let mode = *mode;
    if resumption.is_some() {
        let sink = setup.sink.clone();
        setup = match run::check_past(setup).await {
            Ok(setup) => setup,
            Err(failure) => {
                output.note(&failure.excerpt);
                sink.emit(Owner::Run, What::Refused { failures: vec![*failure] });
                return Exit::WRONG;
            }
        };
    }
    let journal = setup.journal.clone();
    let sink = setup.sink.clone();
    let command = setup.cleanup_command.clone();
    let signal = {
        let wishes = wishes.clone();
        move || wishes.signal()
    };
    let now = wishes.interrupt().at(2);
    let started = Instant::now();
    let exit = tokio::select! {
        biased;
        outcome = run::run(setup, signal) => Exit::from_code(outcome.exit_code(wishes.signal())),
        () = now.wait() => {
            crate::prompt::restore_terminal();
            stop_now(&journal, &sink, mode, &command, wishes, started)
        }
    };
    local.shutdown().await;
    exit
}

/// The second wish to stop: nothing more is done, but what remains is said.
fn stop_now(
    journal: &Journal,
    sink: &Sink,
    mode: Mode,
    command: &str,
    wishes: &Wishes,
    started: Instant,
) -> Exit {
    let target = journal.target();
    let remaining: Vec<Remaining> = match mode {
        Mode::Live => {
            let pending = journal.pending();
            let left = |entry| remaining(entry, &target, steps::maker_of, Reason::Stopped);
            pending.iter().map(left).collect()
        }
        Mode::Local | Mode::DryRun => Vec::new(),
    };
    let exit = if remaining.is_empty() {
        Exit::from_code(128 + wishes.signal().unwrap_or(2))
    } else {
        Exit::REMAINS
    };
    if mode == Mode::Local {
        journal.discard();
    } else {
        // Where even that cannot be written, the next clean-up finds the run unfinished all the same.
        let _ = journal.close(exit.code());
    }
    sink.emit(
        Owner::Run,
        What::RunFinished {
            passed: false,
            exit_code: exit.code(),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            counts: sink.counts(),
            command: (!remaining.is_empty()).then(|| command.to_owned()),
            remaining,
            outputs: serde_json::Value::Null,
        },
    );
    exit
}
