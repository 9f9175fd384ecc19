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
use super::run::Session;
use super::{guard, inbox, state, target};
use ::steps;
use aws::{CallTimeouts, Connected};
use engine::cleanup::USUAL_TIMEOUT;
use engine::event::Mode;
use engine::journal::{Journal, JournalError, JournalFile, Opened, Record, Target, folder};
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
    let guards = if *mode == Mode::Live { guard::configured(*output)? } else { None };
    if *mode == Mode::Live {
        guard::check_expiry(playbook, connected.expires, *output)?;
    }
    if let Some(guards) = &guards {
        guards.check_region(connected.region.as_deref().unwrap_or_default(), *output)?;
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
    let journal =
        open_journal(args, playbook, *mode, &facts, endpoint.as_deref(), &redactor, *output)?;
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
    RunFacts {
        id: state::run_id(),
        started: started(),
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

fn open_journal(
    args: &RunArgs,
    playbook: &Playbook,
    mode: Mode,
    facts: &RunFacts,
    endpoint: Option<&str>,
    redactor: &Redactor,
    output: Output,
) -> Result<Journal, Exit> {
    let attempt = args.attempt_timeout.unwrap_or(CallTimeouts::default().attempt);
    let opened = Opened {
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
    };
    if mode == Mode::DryRun {
        return Ok(Journal::in_memory(&Record::Opened(opened), redactor.clone()));
    }
    let directory = state::directory().map_err(|error| output.fail(&error, None))?;
    let journal = JournalFile::create(&directory, opened).map_err(|error| {
        let help = format!("nothing was changed; {}", remedy(&error));
        output.fail(&format!("the journal cannot be written: {error}"), Some(&help))
    })?;
    let journal = Journal::on_disk(journal, redactor.clone());
    if let Some(keep) = args.keep {
        keep_until(keep, facts, &journal, output)?;
    }
    Ok(journal)
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
