//! `playbook cleanup`: finishes the clean-up of runs that did not finish their own, from the journal alone.

mod reach;
mod tagged;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::args::CleanupArgs;
use super::exit::Exit;
use super::output::Output;
use super::signals::Wishes;
use super::state;
use super::target::is_loopback;
use crate::prompt::UnattendedPrompter;
use ::steps;
use aws::Aws;
use engine::cleanup::{Cleaner, USUAL_MAX, USUAL_TIMEOUT, Windows};
use engine::event::{Mode, Owner, Remaining, What};
use engine::journal::{Journal, JournalError, JournalFile, JournalState, Opened, folder};
use engine::redactor::Redactor;
use engine::sink::Sink;
use engine::step::{Context, RunFacts};
use reach::{Unreachable, reach};

/// Finishes the clean-up of the run that is named, of all with `--all`, or of the only one that wants it.
pub(super) async fn cleanup(args: &CleanupArgs, output: Output) -> Exit {
    if args.tagged {
        let wishes = Wishes::none();
        return match wishes.listen() {
            Ok(()) => tagged::tagged(args, &wishes, output).await,
            Err(error) => output.fail(&error.to_string(), None),
        };
    }
    let directory = match state::directory() {
        Ok(directory) => directory,
        Err(error) => return output.fail(&error, None),
    };
    let runs = match wanted(args, &directory, output) {
        Ok(runs) => runs,
        Err(exit) => return exit,
    };
    let wishes = Wishes::none();
    if let Err(error) = wishes.listen() {
        return output.fail(&error.to_string(), None);
    }
    let mut worst = Exit::FINE;
    for run in runs {
        let exit = match finish(args, &directory, &run, &wishes, output).await {
            Ok(exit) | Err(exit) => exit,
        };
        worst = worst.max(exit);
        if wishes.signal().is_some() {
            break;
        }
    }
    worst
}

fn wanted(args: &CleanupArgs, directory: &Path, output: Output) -> Result<Vec<String>, Exit> {
    if let Some(run) = &args.run {
        return Ok(vec![run.clone()]);
    }
    let mut runs = folder::sweep(directory).map_err(|error| refuse(&error, output))?;
    if !args.dry_run {
        runs.retain(|run| !closed_with_its_account(directory, run));
    }
    let is_meant = |run: &String| {
        state::has_left_something(directory, run) && (!args.due || state::is_due(directory, run))
    };
    let unfinished: Vec<String> = runs.into_iter().filter(is_meant).collect();
    match unfinished.len() {
        0 if args.due => {
            output.note("Nothing that was kept for a while is due.");
            Ok(Vec::new())
        }
        0 => {
            output.note("Nothing is left behind by any journalled run.");
            Ok(Vec::new())
        }
        1 => Ok(unfinished),
        _ if args.all || args.due => Ok(unfinished),
        count => {
            let message =
                format!("{count} runs have left something behind: {}", unfinished.join(", "));
            Err(output.fail(&message, Some("name one of them, or take all with --all")))
        }
    }
}

/// The account of a local run died with its process, so its journal says nothing any more.
fn closed_with_its_account(directory: &Path, run: &str) -> bool {
    let is_local =
        |state: &JournalState| state.opened.as_ref().is_some_and(|opened| opened.target.local);
    let found = JournalFile::look(directory, run).ok().filter(is_local);
    let journal = found.and_then(|_| JournalFile::resume(directory, run).ok());
    journal
        .filter(|journal| is_local(journal.state()))
        .is_some_and(|journal| journal.remove().is_ok())
}

async fn finish(
    args: &CleanupArgs,
    directory: &Path,
    run: &str,
    wishes: &Wishes,
    output: Output,
) -> Result<Exit, Exit> {
    let refused = |error: JournalError| refuse(&error, output);
    // A dry run leaves the journal as it is.
    let journal = if args.dry_run {
        None
    } else {
        Some(JournalFile::resume(directory, run).map_err(refused)?)
    };
    let state = match &journal {
        Some(journal) => journal.state().clone(),
        None => JournalFile::look(directory, run).map_err(refused)?,
    };
    let opened = match &state.opened {
        Some(opened) if !state::is_over(&state) => opened.clone(),
        _ => {
            output.note(&format!("Run {run} has left nothing behind."));
            // What a power cut or a killed local run leaves is a journal with nothing in it to do.
            if let (Some(journal), None) = (journal, state.closed) {
                let _ = journal.remove();
            }
            return Ok(Exit::FINE);
        }
    };
    let started = Instant::now();
    let connected =
        reach(args, &opened).await.map_err(|why| still_there(&opened, &state, &why, output))?;
    let redactor = Redactor::default();
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Live };
    let reporters = Arc::new(Mutex::new(output.cleanup_reporters(args, mode)));
    let sink = Sink::new(run, output.listener(&reporters), redactor.clone());
    let journal = match journal {
        Some(journal) => {
            let history = journal.history().ok();
            let journal = Journal::on_disk(journal, redactor);
            history.map(|history| journal.clone().with_history(history)).unwrap_or(journal)
        }
        None => Journal::copy_of(&state, redactor),
    };
    sink.emit(Owner::Run, run_started(&opened, mode));
    // What the run itself would have told of its end, nobody else does.
    sink.keep(journal.history());
    let remaining = clean(args, &opened, &connected.aws, &journal, &sink, wishes).await;
    sink.keep(None);
    if let Err(error) = journal.close(exit_of(&remaining).code()) {
        output.error(&error.to_string(), None);
    }
    let exit = told(&sink, Told { started, remaining, command: command(args, run) });
    let told = reporters.lock().unwrap_or_else(PoisonError::into_inner).finish();
    Ok(exit.max(output.told(told)))
}

/// How a clean-up has ended.
struct Told {
    started: Instant,
    remaining: Vec<Remaining>,
    /// What goes on where it has ended.
    command: String,
}

fn exit_of(remaining: &[Remaining]) -> Exit {
    if remaining.is_empty() { Exit::FINE } else { Exit::REMAINS }
}

/// Tells how a clean-up has ended.
fn told(sink: &Sink, Told { started, remaining, command }: Told) -> Exit {
    let exit = exit_of(&remaining);
    sink.emit(
        Owner::Run,
        What::RunFinished {
            passed: remaining.is_empty(),
            exit_code: exit.code(),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            counts: sink.counts(),
            command: (!remaining.is_empty()).then_some(command),
            remaining,
            outputs: serde_json::Value::Null,
        },
    );
    exit
}

fn run_started(opened: &Opened, mode: Mode) -> What {
    What::RunStarted {
        playbook: opened.playbook.clone(),
        cell: None,
        description: None,
        file: opened.file.clone(),
        mode,
        region: opened.target.region.clone(),
        account: Some(opened.target.account.clone()),
        endpoint: opened.target.endpoint.clone(),
        started: opened.started.clone(),
        steps: 0,
    }
}

fn refuse(error: &JournalError, output: Output) -> Exit {
    let help = match error {
        JournalError::Alive { .. } => "wait for it to end, or stop it: it cleans up by itself",
        JournalError::NoSuchRun { .. } => "`playbook runs` lists the journalled runs",
        JournalError::Broken { .. } => {
            "nothing was deleted: a damaged journal proves nothing. Look for resources with the tag playbook:run"
        }
        JournalError::Untrusted { distrust, .. } => distrust.help(),
        JournalError::Io { .. } | JournalError::Illegal { .. } => "nothing was deleted",
    };
    output.fail(&error.to_string(), Some(help))
}

/// Says why a run could not be cleaned up, and how much it has left.
fn still_there(opened: &Opened, state: &JournalState, why: &Unreachable, output: Output) -> Exit {
    output.error(&why.message, why.help.as_deref());
    let left = match state.pending().count() {
        1 => "1 resource remains".to_owned(),
        count => format!("{count} resources remain"),
    };
    output.note(&format!("{left} of run {}: `playbook runs` lists what", opened.run));
    Exit::REMAINS
}

/// The command that goes on where this one ends.
fn command(args: &CleanupArgs, run: &str) -> String {
    let options = [
        ("--profile", args.profile.as_deref()),
        ("--region", args.region.as_deref()),
        ("--endpoint-url", args.endpoint_url.as_deref()),
    ];
    state::cleanup_command(run, &options)
}

async fn clean(
    args: &CleanupArgs,
    opened: &Opened,
    aws: &Aws,
    journal: &Journal,
    sink: &Sink,
    wishes: &Wishes,
) -> Vec<Remaining> {
    let here = Path::new(".");
    let on_this_machine = opened.target.endpoint.as_deref().is_some_and(is_loopback);
    let context = Context {
        aws: aws.clone(),
        run: Arc::new(RunFacts {
            id: opened.run.clone(),
            started: opened.started.clone(),
            region: opened.target.region.clone(),
            account: Some(opened.target.account.clone()),
            local: false,
            on_this_machine,
            allow_admin: false,
        }),
        directory: Arc::from(here),
        root: Arc::from(here),
        ledger: Arc::new(journal.for_step("cleanup", Vec::new(), false, Arc::new(|_| ()))),
        prompter: Arc::new(UnattendedPrompter),
        progress: Arc::new(|_| ()),
        interrupt: wishes.interrupt(),
        kind: Arc::from("cleanup"),
        keys: None,
        step: Arc::from("cleanup"),
        slug: Arc::from("cleanup"),
        unread: false,
        longest_wait: None,
    };
    let attempt = args.attempt_timeout.unwrap_or(opened.attempt());
    Cleaner {
        journal,
        context,
        maker_of: steps::maker_of,
        sink,
        timeout: args.cleanup_timeout.unwrap_or(USUAL_TIMEOUT),
        max: args.max.map_or(USUAL_MAX, usize::from),
        windows: Windows::of_dead_calls(on_this_machine, attempt),
    }
    .clean()
    .await
}
