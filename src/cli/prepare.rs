//! From a checked playbook and its inputs to a run that is ready to start.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::args::{CleanupWhen, RunArgs};
use super::exit::Exit;
use super::jobs::Job;
use super::output::{Output, RunFormat};
use super::resume::{self, Resumption};
use super::run::Session;
use super::{guard, inbox, state, target};
use ::steps;
use aws::{CallTimeouts, Connected};
use engine::cleanup::USUAL_TIMEOUT;
use engine::event::Mode;
use engine::journal::{
    Began, Journal, JournalError, JournalFile, Line, Opened, Record, Target, folder,
};
use engine::redactor::Redactor;
use engine::run::{CleanupMode, Setup};
use engine::sink::Sink;
use engine::step::RunFacts;
use language::playbook::Playbook;

/// A run that is ready to start, and what must live as long as it.
pub(super) struct Prepared {
    pub(super) setup: Setup,
    pub(super) local: target::Local,
}

/// Finds the way to AWS, asks which account that is, opens the journal.
pub(super) async fn prepare(
    session: &Session<'_>,
    job: &Job,
    inputs: BTreeMap<String, Value>,
    overrides: BTreeMap<String, Value>,
) -> Result<Prepared, Exit> {
    let Session { args, output, mode, .. } = session;
    let playbook = &job.playbook;
    let redactor = Redactor::default();
    let target::Reached { connected, local, endpoint } = target::reach(args, *mode, output).await?;
    let guards = guards(session, playbook, &connected)?;
    if let Some(resumption) = &session.resumption {
        same_endpoint(resumption, endpoint.as_deref(), *output)?;
    }
    let (account, prologue) = target::account(args, &connected, output).await?;
    if let Some(guards) = &guards {
        guards.check_account(account.as_deref().unwrap_or_default(), *output)?;
    }
    let facts = facts(session, &connected, account, endpoint.as_deref());
    if *mode == Mode::Live {
        mention_unfinished(*output);
    }
    let inbox = match &endpoint {
        Some(endpoint) if args.embedded => Some(inbox::at(endpoint)),
        _ => local.inbox(),
    };
    let opened = opened(args, playbook, *mode, &facts, endpoint.as_deref());
    let began = resume::began(playbook, &inputs, &overrides);
    let journal = journal_of(session, opened, began, &redactor)?;
    if let Some(keep) = args.keep.filter(|_| *mode != Mode::DryRun) {
        keep_until(keep, &facts, &journal, *output)?;
    }
    let past = session.resumption.as_ref().map(|resumption| Arc::clone(&resumption.past));
    let setup = Setup {
        playbook: Arc::clone(playbook),
        cell: job.cell.clone(),
        sources: Arc::clone(&session.sources),
        inputs,
        overrides,
        environment: environment(session),
        region_known: connected.region.is_some(),
        aws: connected.aws,
        mode: *mode,
        endpoint,
        inbox,
        prompter: session.asking.prompter(),
        prologue,
        sink: Sink::new(&facts.id, output.listener(&session.reporters), redactor),
        journal,
        interrupt: session.wishes.interrupt(),
        kind: steps::kind,
        maker_of: steps::maker_of,
        past: past.unwrap_or_default(),
        left_out: session.left_out,
        cleanup: cleanup_mode(args),
        yes: args.yes,
        stepping: args.step,
        pause_on_failure: args.pause_on_failure,
        cleanup_timeout: args.cleanup_timeout.unwrap_or(USUAL_TIMEOUT),
        cleanup_command: cleanup_command(args, &facts),
        facts: Arc::new(facts),
    };
    Ok(Prepared { setup, local })
}

/// What keeps the run from going where it should not, once it is known to what region it goes.
fn guards(
    session: &Session<'_>,
    playbook: &Playbook,
    connected: &Connected,
) -> Result<Option<guard::Guards>, Exit> {
    let output = session.output;
    if session.mode != Mode::Live {
        return Ok(None);
    }
    let guards = guard::configured(output)?;
    guard::check_expiry(playbook, connected.expires, output)?;
    if let Some(guards) = &guards {
        guards.check_region(connected.region.as_deref().unwrap_or_default(), output)?;
    }
    Ok(guards)
}

/// What `env.*` is; in a script the variables themselves.
fn environment(session: &Session<'_>) -> BTreeMap<String, String> {
    let names = session.environment.iter();
    match session.args.output {
        RunFormat::Shell => names
            .map(|(name, _)| (name.clone(), language::template::marker(&format!("env.{name}"))))
            .collect(),
        _ => BTreeMap::clone(&session.environment),
    }
}

/// Facts about the run; what a dry run cannot know is marked where it is used.
fn facts(
    session: &Session<'_>,
    connected: &Connected,
    account: Option<String>,
    endpoint: Option<&str>,
) -> RunFacts {
    let before = session.resumption.as_ref().map(|resumption| &resumption.opened);
    RunFacts {
        id: before.map_or_else(state::run_id, |opened| opened.run.clone()),
        started: before.map_or_else(started, |opened| opened.started.clone()),
        region: connected
            .region
            .clone()
            .unwrap_or_else(|| language::template::marker("run.region")),
        account,
        local: session.args.is_embedded(),
        on_this_machine: session.args.is_embedded() || endpoint.is_some_and(target::is_loopback),
        allow_admin: session.args.allow_admin,
    }
}

/// Runs that have left something behind are mentioned in one line.
fn mention_unfinished(output: Output) {
    let Ok(directory) = state::directory() else { return };
    let runs = folder::sweep(&directory).unwrap_or_default();
    let unfinished: Vec<String> =
        runs.into_iter().filter(|run| state::has_left_something(&directory, run)).collect();
    match unfinished.as_slice() {
        [] => {}
        [run] => {
            output.note(&format!("Run {run} has left something behind: playbook cleanup {run}"));
        }
        runs => output.note(&format!(
            "{} runs have left something behind: playbook runs, playbook cleanup --all",
            runs.len()
        )),
    }
}

/// The time, to the second.
fn started() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// A run goes on where it was.
fn same_endpoint(
    resumption: &Resumption,
    endpoint: Option<&str>,
    output: Output,
) -> Result<(), Exit> {
    let Opened { run, target, .. } = &resumption.opened;
    match endpoint.filter(|_| target.endpoint.is_none()) {
        Some(url) => {
            let message = format!("run {run} was at AWS itself, and the configuration says {url}");
            let help = "set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true to go on at AWS";
            Err(output.fail(&message, Some(help)))
        }
        None => Ok(()),
    }
}

/// The head of the journal of a run that begins.
fn opened(
    args: &RunArgs,
    playbook: &Playbook,
    mode: Mode,
    facts: &RunFacts,
    endpoint: Option<&str>,
) -> Opened {
    let attempt = args.attempt_timeout.unwrap_or(CallTimeouts::default().attempt);
    Opened {
        run: facts.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        playbook: playbook.name.clone(),
        file: playbook.file.display().to_string(),
        started: facts.started.clone(),
        target: Target {
            account: facts.account.clone().unwrap_or_default(),
            region: facts.region.clone(),
            endpoint: endpoint.map(str::to_owned),
            local: mode == Mode::Local,
        },
        profile: args.profile.clone(),
        attempt_millis: u64::try_from(attempt.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The journal of the run: its own from before, where it goes on.
fn journal_of(
    session: &Session<'_>,
    opened: Opened,
    began: Began,
    redactor: &Redactor,
) -> Result<Journal, Exit> {
    let output = session.output;
    let taken = session.resumption.as_ref().and_then(|resumption| resumption.take_journal());
    match taken {
        Some(journal) => {
            let history = journal.history().map_err(|error| unwritable(&error, output))?;
            Ok(Journal::on_disk(journal, redactor.clone()).with_history(history))
        }
        None => open_journal(opened, began, session.mode, redactor, output),
    }
}

fn open_journal(
    opened: Opened,
    began: Began,
    mode: Mode,
    redactor: &Redactor,
    output: Output,
) -> Result<Journal, Exit> {
    if mode == Mode::DryRun {
        return Ok(Journal::in_memory(&Record::Opened(opened), redactor.clone()));
    }
    let directory = state::directory().map_err(|error| output.fail(&error, None))?;
    let journal =
        JournalFile::create(&directory, opened).map_err(|error| unwritable(&error, output))?;
    let history = match journal.history() {
        Ok(history) => history,
        Err(error) => {
            // A run that never was is not to be found by anybody.
            let _ = journal.remove();
            return Err(unwritable(&error, output));
        }
    };
    history.add(&Line::Began(began));
    Ok(Journal::on_disk(journal, redactor.clone()).with_history(history))
}

fn unwritable(error: &JournalError, output: Output) -> Exit {
    let help = format!("nothing was changed; {}", remedy(error));
    output.fail(&format!("the journal cannot be written: {error}"), Some(&help))
}

/// Writes down until when what the run makes is wanted, and says so.
fn keep_until(
    keep: Duration,
    facts: &RunFacts,
    journal: &Journal,
    output: Output,
) -> Result<(), Exit> {
    let started: Timestamp = facts.started.parse().unwrap_or_else(|_| Timestamp::now());
    let Ok(until) = started.checked_add(keep) else {
        return Err(output.fail("`--keep` is too long", Some("write a duration such as 2h")));
    };
    if let Err(error) = journal.append(&Record::KeptUntil { until }) {
        return Err(output.fail(&error.to_string(), Some(error.help())));
    }
    output.note(&format!(
        "What this run makes is kept until {until}; `playbook cleanup --due` removes it then."
    ));
    Ok(())
}

/// What to do about a journal that cannot be begun.
fn remedy(error: &JournalError) -> &'static str {
    match error {
        JournalError::Io { source, .. } => match source.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                "name a directory in PLAYBOOK_STATE_DIR"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "name a directory of your own in PLAYBOOK_STATE_DIR"
            }
            _ => "free some space, or name another directory in PLAYBOOK_STATE_DIR",
        },
        JournalError::Untrusted { distrust, .. } => distrust.help(),
        _ => "name another directory in PLAYBOOK_STATE_DIR",
    }
}

fn cleanup_mode(args: &RunArgs) -> CleanupMode {
    if args.keep.is_some() {
        return CleanupMode::Never;
    }
    match args.cleanup {
        CleanupWhen::Always => CleanupMode::Always,
        CleanupWhen::OnSuccess => CleanupMode::OnSuccess,
        CleanupWhen::Ask => CleanupMode::Ask,
        CleanupWhen::Never => CleanupMode::Never,
    }
}

fn cleanup_command(args: &RunArgs, facts: &RunFacts) -> String {
    let options = [
        ("--profile", args.profile.as_deref()),
        ("--region", args.region.as_deref()),
        ("--endpoint-url", args.endpoint_url.as_deref()),
    ];
    state::cleanup_command(&facts.id, &options)
}
