//! `playbook runs`.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::RunsFormat;
use super::exit::Exit;
use super::output::Output;
use super::state;
use crate::report::safe;
use engine::journal::{History, Journal, Lock};

/// A journalled run, as it is listed.
struct Listed {
    run: String,
    state: &'static str,
    history: Option<History>,
    problem: Option<String>,
}

/// Lists the journalled runs: when, what, state, what is still there.
pub(super) fn runs(format: RunsFormat, output: Output) -> Exit {
    let directory = match state::directory() {
        Ok(directory) => directory,
        Err(error) => return output.fail(&error, None),
    };
    let mut listed = match Journal::runs(&directory) {
        Ok(runs) => runs.into_iter().map(|run| look(&directory, run)).collect::<Vec<_>>(),
        Err(error) => return output.fail(&error.to_string(), None),
    };
    listed.sort_by_key(|listed| started(listed).to_owned());
    let now = Timestamp::now();
    match format {
        RunsFormat::Json => {
            let runs: Vec<Value> = listed.iter().map(|run| as_json(run, now)).collect();
            output.result(&format!("{:#}\n", Value::from(runs)))
        }
        RunsFormat::Human => output.result(&as_text(&listed, now)),
    }
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

/// How long ago a run was started, in seconds.
fn age(listed: &Listed, now: Timestamp) -> Option<u64> {
    let started: Timestamp = started(listed).parse().ok()?;
    u64::try_from(now.duration_since(started).as_secs()).ok()
}

/// Such as `5 min ago`.
fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        86_400..172_800 => (1, "day"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

fn is_unfinished(listed: &Listed) -> bool {
    listed.state == "unfinished"
}

fn as_json(listed: &Listed, now: Timestamp) -> Value {
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
        "age_seconds": age(listed, now),
        "account": opened.map(|opened| &opened.target.account),
        "region": opened.map(|opened| &opened.target.region),
        "endpoint": opened.and_then(|opened| opened.target.endpoint.as_ref()),
        "exit_code": listed.history.as_ref().and_then(|history| history.closed),
        "left": left,
        "problem": listed.problem,
    })
}

fn as_text(listed: &[Listed], now: Timestamp) -> String {
    if listed.is_empty() {
        return "No runs are journalled.\n".to_owned();
    }
    let mut text = String::new();
    for one in listed {
        let opened = one.history.as_ref().and_then(|history| history.opened.as_ref());
        let playbook = opened.map_or("", |opened| opened.playbook.as_str());
        let age = age(one, now).map(ago).unwrap_or_default();
        let line =
            format!("{:<10} {:<21} {age:<12} {:<26} {playbook}", one.run, started(one), one.state);
        let _ = writeln!(text, "{}", safe::line(line.trim_end()));
        if let Some(problem) = &one.problem {
            let _ = writeln!(text, "    {}", safe::line(problem));
        }
        if let (Some(history), true) = (&one.history, is_unfinished(one)) {
            for entry in history.pending() {
                let _ = writeln!(text, "    {} {}", entry.kind, safe::line(&entry.name));
            }
            let _ = writeln!(text, "    {}", safe::line(&state::cleanup_command(&one.run, &[])));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::journal::{Opened, Record};

    fn listed(started: &str) -> Listed {
        let opened = Opened {
            run: "k3x9".to_owned(),
            version: "0.1.0".to_owned(),
            playbook: "hello".to_owned(),
            file: "hello.yaml".to_owned(),
            started: started.to_owned(),
            target: engine::journal::Target::default(),
            profile: None,
        };
        let mut history = History::default();
        history.apply(&Record::Opened(opened)).expect("a head comes first");
        let history = Some(history);
        Listed { run: "k3x9".to_owned(), state: "finished", history, problem: None }
    }

    #[test]
    fn a_run_says_how_long_ago_it_was() {
        let now: Timestamp = "2026-11-23T10:05:30Z".parse().expect("a time");
        let run = listed("2026-11-23T10:00:00Z");
        assert_eq!(
            as_text(&[run], now),
            "k3x9       2026-11-23T10:00:00Z  5 min ago    finished                   hello\n"
        );
        assert_eq!(as_json(&listed("2026-11-23T10:00:00Z"), now)["age_seconds"], 330);
        // A clock that was put back, and a journal of somebody else's making.
        assert_eq!(as_json(&listed("2026-11-23T10:06:00Z"), now)["age_seconds"], Value::Null);
        assert_eq!(as_json(&listed("yesterday"), now)["age_seconds"], Value::Null);
    }

    #[test]
    fn ages_are_told_in_the_largest_unit() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 172_800, 864_000];
        let told = ages.map(ago);
        let expected = [
            "0 s ago",
            "59 s ago",
            "1 min ago",
            "59 min ago",
            "1 h ago",
            "23 h ago",
            "1 day ago",
            "2 days ago",
            "10 days ago",
        ];
        assert_eq!(told, expected);
    }
}
