//! Takes out of a text what is different in every run, and nothing else.

use std::path::Path;

use regex_lite::{Captures, Regex};

use super::calls::as_lines;

/// What to write for what, in order.
const PATTERNS: &[(&str, &str)] = &[
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIMESTAMP]"),
    (r"\d{4}/\d\d/\d\d/\[(\$LATEST|\d+)\][0-9a-f]{32}", "[STREAM]"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[UUID]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"\bAROA[A-Z0-9]{17}\b", "[ROLE-ID]"),
    (r"\bus-east-1_[A-Za-z0-9]{9}\b", "[POOL]"),
    (r": code [0-9]{6}\b", ": code [CODE]"),
    (r"\b[a-z0-9]{26}\b", "[CLIENT]"),
    (r"\bKnownUsers-[A-Za-z0-9]{12}\b", "KnownUsers-[SUFFIX]"),
    (r#""millis":\d+"#, "\"millis\":[MILLIS]"),
    (r"Duration: \d+(\.\d+)? ms", "Duration: [MS] ms"),
    (r"Max Memory Used: \d+ MB", "Max Memory Used: [MB] MB"),
    // The carets under a line of a Python traceback came with Python 3.11.
    (r"(?m)^ *│ [ \u{a0}]*[~^]+\n", ""),
    // Which version of Python runs a function depends on the machine.
    (r"(?m)^ *│ \[WARNING\] The local AWS of playbook found no [^\n]*\n", ""),
    (r"\b(\d\.\d\ds|\d\d\.\ds|\d+m \d\ds)\b", "[TIME]"),
];

/// Takes out what depends on how fast the machine is: what was waited for, how often, how many calls that took.
pub fn progress(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("… "));
    let text = as_lines(lines);
    Regex::new(r"\b\d+ calls\b").unwrap().replace_all(&text, "[CALLS] calls").into_owned()
}

/// Replaces the run's id, the test's directory, and what depends on clock or chance.
pub fn text(text: &str, root: &Path, runs: &[String]) -> String {
    let mut text = text.replace(&root.display().to_string(), "[SANDBOX]");
    // Where there are several runs, or none that came far enough to be reported.
    let headed = Regex::new(r"(?m)  run ([a-z0-9]{8}) · ").unwrap();
    let shown: Vec<String> = headed.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    for run in runs.iter().chain(&shown) {
        text = text.replace(run.as_str(), "[RUN]");
    }
    for (pattern, instead) in PATTERNS {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, |_: &Captures<'_>| (*instead).to_owned()).into_owned();
    }
    text
}

#[test]
fn what_tests_are_about_stays() {
    let said = "retried after 1s, 3 calls, code 0.31 of 2.00s at 10:00, k3x9 in us-east-1";
    let kept = text(said, Path::new("/tmp/x"), &["k3x9".to_owned()]);
    assert_eq!(kept, "retried after 1s, 3 calls, code 0.31 of [TIME] at 10:00, [RUN] in us-east-1");
}
