//! `playbook runs`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::OutputFormat;
use super::exit::Exit;
use super::output::Output;
use super::state;
use crate::journal::{History, Journal, Lock};
use crate::report::safe;

/// A journalled run, as it is listed.
struct Listed {
    run: String,
    state: &'static str,
    history: Option<History>,
    problem: Option<String>,
}

/// Lists the journalled runs: when, what, state, what is still there.
pub(super) fn runs(format: OutputFormat, output: Output) -> Exit {
    let directory = match state::directory() {
        Ok(directory) => directory,
        Err(error) => return output.fail(&error, None),
    };
    let mut listed = match Journal::runs(&directory) {
        Ok(runs) => runs.into_iter().map(|run| look(&directory, run)).collect::<Vec<_>>(),
        Err(error) => return output.fail(&error.to_string(), None),
    };
    listed.sort_by_key(|listed| started(listed).to_owned());
    match format {
        OutputFormat::Json => {
            let runs: Vec<Value> = listed.iter().map(as_json).collect();
            output.result(&format!("{:#}\n", Value::from(runs)));
        }
        OutputFormat::Human | OutputFormat::Quiet => output.result(&as_text(&listed)),
    }
    Exit::FINE
}

fn look(directory: &std::path::Path, run: String) -> Listed {
    match Journal::peek(directory, &run) {
        Ok((history, lock)) => {
            let left = history.pending().next().is_some();
            let local = history.opened.as_ref().is_some_and(|opened| opened.target.local);
            let state = match (lock, local, left, history.closed) {
                (Lock::Held, ..) => "running",
                (Lock::Free, true, ..) => "ended with its process",
                (Lock::Free, false, true, _) => "unfinished",
                (Lock::Free, false, false, Some(_)) => "finished",
                (Lock::Free, false, false, None) => "ended early, nothing left",
            };
            Listed { run, state, history: Some(history), problem: None }
        }
        Err(error) => {
            Listed { run, state: "unreadable", history: None, problem: Some(error.to_string()) }
        }
    }
}

fn started(listed: &Listed) -> &str {
    let opened = listed.history.as_ref().and_then(|history| history.opened.as_ref());
    opened.map_or("", |opened| opened.started.as_str())
}

fn is_unfinished(listed: &Listed) -> bool {
    listed.state == "unfinished"
}

fn as_json(listed: &Listed) -> Value {
    let opened = listed.history.as_ref().and_then(|history| history.opened.as_ref());
    let left: Vec<Value> = match (&listed.history, is_unfinished(listed)) {
        (Some(history), true) => history
            .pending()
            .map(|entry| json!({"seq": entry.seq, "type": entry.kind, "name": entry.name, "step": entry.step}))
            .collect(),
        _ => Vec::new(),
    };
    json!({
        "run": listed.run,
        "state": listed.state,
        "playbook": opened.map(|opened| &opened.playbook),
        "file": opened.map(|opened| &opened.file),
        "started": opened.map(|opened| &opened.started),
        "account": opened.map(|opened| &opened.target.account),
        "region": opened.map(|opened| &opened.target.region),
        "endpoint": opened.and_then(|opened| opened.target.endpoint.as_ref()),
        "exit_code": listed.history.as_ref().and_then(|history| history.closed),
        "left": left,
        "problem": listed.problem,
    })
}

fn as_text(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "No runs are journalled.\n".to_owned();
    }
    let mut text = String::new();
    for one in listed {
        let opened = one.history.as_ref().and_then(|history| history.opened.as_ref());
        let playbook = opened.map_or("", |opened| opened.playbook.as_str());
        let line = format!("{:<10} {:<21} {:<26} {}", one.run, started(one), one.state, playbook);
        let _ = writeln!(text, "{}", safe::line(line.trim_end()));
        if let Some(problem) = &one.problem {
            let _ = writeln!(text, "    {}", safe::line(problem));
        }
        if let (Some(history), true) = (&one.history, is_unfinished(one)) {
            for entry in history.pending() {
                let _ = writeln!(text, "    {} {}", entry.kind, safe::line(&entry.name));
            }
            let _ = writeln!(text, "    playbook cleanup {}", one.run);
        }
    }
    text
}
