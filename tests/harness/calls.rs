//! The calls of a run, as its events tell them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::pages;

/// The events of a `--report json=` file; none where there was no run. Whatever the run has called stands on the pages of
/// its kinds.
#[track_caller]
pub fn events_of_report(path: &Path) -> Vec<Value> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let document: Value = serde_json::from_str(&text).unwrap();
    let events = document["events"].as_array().unwrap().clone();
    pages::hold(&events);
    events
}

/// The events of `--output json`.
pub fn events_of_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of one kind, such as `called`.
pub fn of_kind<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

/// The ids of the runs.
pub fn runs(events: &[Value]) -> Vec<String> {
    of_kind(events, "run-started")
        .iter()
        .map(|event| event["run"].as_str().unwrap().to_owned())
        .collect()
}

/// The calls, one `service Operation` a line, with the error's code where one failed.
pub fn listing(events: &[Value]) -> String {
    let lines = of_kind(events, "called").into_iter().map(|call| {
        let name = |field: &str| call[field].as_str().unwrap().to_owned();
        let error = call["outcome"]["error"].as_str().map(|code| format!(" ({code})"));
        format!("{} {}{}\n", name("service"), name("operation"), error.unwrap_or_default())
    });
    lines.collect()
}

/// The same without errors: what is refused for a while is sent again.
pub fn operations(events: &[Value]) -> String {
    let listing = listing(events);
    let lines = listing.lines().map(|line| line.split(" (").next().unwrap_or_default());
    as_lines(lines)
}

/// The listing with repeated polls told once.
pub fn without_repetition(listing: &str) -> String {
    let mut lines: Vec<&str> = listing.lines().collect();
    lines.dedup();
    as_lines(lines)
}

/// A text of lines, each with its end.
pub fn as_lines<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    text
}
