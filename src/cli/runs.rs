//! `playbook runs`.

mod report;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{RunsArgs, RunsFormat};
use super::exit::Exit;
use super::output::Output;
use super::state;
use crate::report::{ago, safe};
use engine::journal::{
    Entry, Finished, JournalError, JournalFile, JournalState, Lock, Opened, folder,
};

/// A journalled run, as it is listed.
#[derive(Default)]
struct Listed {
    run: String,
    state: &'static str,
    opened: Option<Opened>,
    exit_code: Option<u8>,
    /// What clean-up has to see to.
    left: Vec<Entry>,
    /// Until when that is wanted.
    kept_until: Option<Timestamp>,
    problem: Option<String>,
}

/// Lists the journalled runs: when, what, state, what is still there. With `--prune`, removes the journals of finished ones.
pub(super) fn runs(args: &RunsArgs, output: Output) -> Exit {
    let directory = match state::directory() {
        Ok(directory) => directory,
        Err(error) => return output.fail(&error, None),
    };
    if let Some(run) = args.run.as_ref().filter(|_| !args.report.is_empty()) {
        return report::write(args, &directory, run, output);
    }
    let told = if args.prune {
        prune(args, &directory)
    } else {
        let all = match &args.run {
            Some(run) => one(&directory, run),
            None => list(&directory),
        };
        all.map(|listed| match args.output {
            RunsFormat::Json => as_json(&listed, Timestamp::now()),
            RunsFormat::Human => as_text(&listed, Timestamp::now()),
        })
    };
    match told {
        Ok(text) => output.result(&text),
        Err(error) => {
            let help = match &error {
                JournalError::Untrusted { distrust, .. } => Some(distrust.help()),
                _ => None,
            };
            output.fail(&error.to_string(), help)
        }
    }
}

fn prune(args: &RunsArgs, directory: &Path) -> Result<String, JournalError> {
    let now = Timestamp::now();
    let least = args.older_than.unwrap_or_default();
    let is_old = |found: &Finished| {
        least == Duration::ZERO
            || age(&found.opened.started, now).is_some_and(|age| age >= least.as_secs())
    };
    let pruned = folder::prune(directory, is_old)?;
    Ok(match args.output {
        RunsFormat::Json => format!("{:#}\n", json!({"pruned": pruned})),
        RunsFormat::Human => match pruned {
            1 => "Removed the journal of 1 finished run.\n".to_owned(),
            count => format!("Removed the journals of {count} finished runs.\n"),
        },
    })
}

/// The run of that name alone.
fn one(directory: &Path, run: &str) -> Result<Vec<Listed>, JournalError> {
    JournalFile::peek(directory, run)?;
    Ok(vec![look(directory, run.to_owned())])
}

/// The oldest first.
fn list(directory: &Path) -> Result<Vec<Listed>, JournalError> {
    let mut listed: Vec<Listed> =
        folder::sweep(directory)?.into_iter().map(|run| look(directory, run)).collect();
    listed.extend(folder::finished(directory)?.into_iter().map(|run| finished(directory, run)));
    listed.sort_by_key(|listed| started(listed).to_owned());
    Ok(listed)
}

fn finished(directory: &Path, run: String) -> Listed {
    match folder::summary(directory, &run) {
        Ok(Some(Finished { opened, exit_code })) => {
            let (opened, exit_code) = (Some(opened), Some(exit_code));
            Listed { run, state: "finished", opened, exit_code, ..Listed::default() }
        }
        Ok(None) => look(directory, run),
        Err(error) => unreadable(run, &error),
    }
}

fn look(directory: &Path, run: String) -> Listed {
    match JournalFile::peek(directory, &run) {
        Ok((found, lock)) => {
            let left = found.pending().next().is_some();
            let local = found.opened.as_ref().is_some_and(|opened| opened.target.local);
            let state = match (lock, local, left, found.closed) {
                (Lock::Held, ..) => "running",
                (Lock::Free, true, ..) => "ended with its process",
                (Lock::Free, false, true, _) if state::is_wanted(&found) => KEPT,
                (Lock::Free, false, true, _) => UNFINISHED,
                (Lock::Free, false, false, Some(_)) => "finished",
                (Lock::Free, false, false, None) => "ended early, nothing left",
            };
            listed(run, state, found)
        }
        Err(error) => unreadable(run, &error),
    }
}

/// The state of a run whose clean-up is to be finished.
const UNFINISHED: &str = "unfinished";

/// The state of a run whose clean-up is not wanted yet.
const KEPT: &str = "kept";

fn listed(run: String, state: &'static str, found: JournalState) -> Listed {
    let left = match state {
        UNFINISHED | KEPT => found.pending().cloned().collect(),
        _ => Vec::new(),
    };
    let kept_until = found.kept_until.filter(|_| !left.is_empty());
    let (opened, exit_code) = (found.opened, found.closed);
    Listed { run, state, opened, exit_code, left, kept_until, problem: None }
}

fn unreadable(run: String, error: &JournalError) -> Listed {
    Listed { run, state: "unreadable", problem: Some(error.to_string()), ..Listed::default() }
}

fn started(listed: &Listed) -> &str {
    listed.opened.as_ref().map_or("", |opened| opened.started.as_str())
}

/// How long ago a run was started, in seconds.
fn age(started: &str, now: Timestamp) -> Option<u64> {
    let started: Timestamp = started.parse().ok()?;
    u64::try_from(now.duration_since(started).as_secs()).ok()
}

fn as_json(listed: &[Listed], now: Timestamp) -> String {
    let runs: Vec<Value> = listed.iter().map(|run| one_as_json(run, now)).collect();
    format!("{:#}\n", Value::from(runs))
}

fn one_as_json(listed: &Listed, now: Timestamp) -> Value {
    let opened = listed.opened.as_ref();
    let left = listed.left.iter().map(|entry| {
        json!({"seq": entry.seq, "type": entry.kind, "name": entry.name, "step": entry.step})
    });
    json!({
        "run": listed.run,
        "state": listed.state,
        "playbook": opened.map(|opened| &opened.playbook),
        "file": opened.map(|opened| &opened.file),
        "started": opened.map(|opened| &opened.started),
        "age_seconds": age(started(listed), now),
        "account": opened.map(|opened| &opened.target.account),
        "region": opened.map(|opened| &opened.target.region),
        "endpoint": opened.and_then(|opened| opened.target.endpoint.as_ref()),
        "exit_code": listed.exit_code,
        "kept_until": listed.kept_until.map(|until| until.to_string()),
        "left": left.collect::<Vec<Value>>(),
        "problem": listed.problem,
    })
}

fn as_text(listed: &[Listed], now: Timestamp) -> String {
    if listed.is_empty() {
        return "No runs are journalled.\n".to_owned();
    }
    let mut text = String::new();
    for one in listed {
        let playbook = one.opened.as_ref().map_or("", |opened| opened.playbook.as_str());
        let age = age(started(one), now).map(ago).unwrap_or_default();
        let state = match one.kept_until {
            Some(until) => format!("{} until {until}", one.state),
            None => one.state.to_owned(),
        };
        let line = format!("{:<10} {:<21} {age:<12} {state:<26} {playbook}", one.run, started(one));
        let _ = writeln!(text, "{}", safe::line(line.trim_end()));
        if let Some(problem) = &one.problem {
            let _ = writeln!(text, "    {}", safe::line(problem));
        }
        for entry in &one.left {
            let _ = writeln!(text, "    {} {}", safe::line(&entry.kind), safe::line(&entry.name));
        }
        if !one.left.is_empty() {
            let _ = writeln!(text, "    {}", safe::line(&state::cleanup_command(&one.run, &[])));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(started: &str) -> Listed {
        let opened = Opened {
            run: "k3x9".to_owned(),
            version: "0.1.0".to_owned(),
            playbook: "hello".to_owned(),
            file: "hello.yaml".to_owned(),
            started: started.to_owned(),
            target: engine::journal::Target::default(),
            profile: None,
            attempt_millis: 60_000,
        };
        let (run, opened) = ("k3x9".to_owned(), Some(opened));
        Listed { run, state: "finished", opened, ..Listed::default() }
    }

    #[test]
    fn a_run_says_how_long_ago_it_was() {
        let now: Timestamp = "2026-11-23T10:05:30Z".parse().expect("a time");
        let run = listed("2026-11-23T10:00:00Z");
        assert_eq!(
            as_text(&[run], now),
            "k3x9       2026-11-23T10:00:00Z  5 min ago    finished                   hello\n"
        );
        let seconds = |started| one_as_json(&listed(started), now)["age_seconds"].clone();
        assert_eq!(seconds("2026-11-23T10:00:00Z"), 330);
        // A clock that was put back, and a journal of somebody else's making.
        assert_eq!(seconds("2026-11-23T10:06:00Z"), Value::Null);
        assert_eq!(seconds("yesterday"), Value::Null);
    }
}
