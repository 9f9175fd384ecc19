//! What each folder of `tests/cases/TOPIC/NAME` says, a trial each.
//!
//! | file | what it is |
//! |---|---|
//! | `command` | command lines, one each line, as a shell would split them |
//! | `env` | `NAME=value` lines for the environment; `[SANDBOX]` is the case's directory |
//! | `stdin` | what is typed without a terminal |
//! | `home/` | what lies in the home directory |
//! | `stdout`, `stderr`, `exit` | what must come of it; a missing file stands for nothing |
//! | `calls` | the calls that must be made, in order, repetitions told once |
//! | `unordered` | its presence says that lines and calls come in any order, and why: they are compared in order of the alphabet |
//! | `timing` | its presence says that progress and numbers of calls depend on the machine, and why |
//! | `without-report` | its presence keeps the harness from asking for the report that `calls` come from, and says why |
//!
//! Whatever a case says, nothing may be left behind: no journal, no process, no temporary file, no connection to AWS. Those
//! called `bad-…` are refused before anything is called.
//!
//! `PLAYBOOK_ACCEPT=1` rewrites what must come. `cargo test --test cases PART-OF-NAME` runs those cases alone, `-- --list` lists
//! them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The harness serves the other tests, too.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};

use harness::sandbox::{Outcome, Sandbox, finish, repository};
use harness::{calls, difference, normalise};

mod harness {
    pub mod calls;
    pub mod difference;
    pub mod normalise;
    pub mod pages;
    pub mod process;
    pub mod sandbox;
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A case waits for its process most of the time.
    let threads = thread::available_parallelism().map_or(2, |count| count.get() * 2);
    arguments.test_threads.get_or_insert(threads);
    let mut trials: Vec<Trial> = folders().into_iter().map(trial).collect();
    trials.push(Trial::test("quotes_hold_words_together", || {
        let words = split("playbook run --input 'a=b c' \"\"");
        assert_eq!(words, ["playbook", "run", "--input", "a=b c", ""]);
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(case: PathBuf) -> Trial {
    let topic = case.parent().map(name).unwrap_or_default();
    Trial::test(format!("{topic}/{}", name(&case)), move || {
        let faults = run(&case);
        if faults.is_empty() { Ok(()) } else { Err(Failed::from(faults.join("\n"))) }
    })
}

/// Every case of every topic.
fn folders() -> Vec<PathBuf> {
    let topics = inside(&repository().join("tests/cases"));
    let cases: Vec<PathBuf> = topics.iter().flat_map(|topic| inside(topic)).collect();
    assert!(cases.len() > 300, "the cases are found");
    cases
}

fn inside(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// What belongs to a case, and not to what the program finds there.
const PARTS: [&str; 10] = [
    "command",
    "env",
    "stdin",
    "stdout",
    "stderr",
    "exit",
    "calls",
    "timing",
    "unordered",
    "without-report",
];

/// The lines of a text, each once, in order of the alphabet.
fn in_order(text: &str) -> String {
    let lines: std::collections::BTreeSet<&str> = text.lines().collect();
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

/// Runs a case; returns what is not as it says.
fn run(case: &Path) -> Vec<String> {
    let sandbox = Sandbox::with_copy_of(case);
    let work = sandbox.work();
    for part in PARTS {
        let _absent = fs::remove_file(work.join(part));
    }
    if work.join("home").exists() {
        fs::remove_dir(sandbox.root().join("home")).unwrap();
        fs::rename(work.join("home"), sandbox.root().join("home")).unwrap();
    }
    let text = |file: &str| fs::read_to_string(case.join(file)).unwrap_or_default();
    let commands = text("command");
    let commands: Vec<&str> = commands.lines().filter(|line| !line.is_empty()).collect();
    let timing = case.join("timing").exists();
    let (mut stdout, mut stderr, mut exit, mut called) = Default::default();
    for command in &commands {
        let report =
            (!case.join("without-report").exists()).then(|| sandbox.root().join("report.json"));
        let (outcome, events) =
            one(&sandbox, command, &text("env"), &text("stdin"), report.as_deref());
        let runs = calls::runs(&events);
        let normal = |text: &str| {
            let text = normalise::text(text, sandbox.root(), &runs);
            if timing { normalise::progress(&text) } else { text }
        };
        add(&mut stdout, &normal(&outcome.stdout), command, commands.len());
        add(&mut stderr, &normal(&outcome.stderr), command, commands.len());
        add(&mut exit, &format!("{}\n", outcome.exit), command, 1);
        let listing = if timing { calls::operations(&events) } else { calls::listing(&events) };
        add(&mut called, &calls::without_repetition(&listing), command, commands.len());
    }
    if case.join("unordered").exists() {
        for text in [&mut stderr, &mut called] {
            *text = in_order(text);
        }
    }
    let mut faults = Vec::new();
    if name(case).starts_with("bad-")
        && (exit.lines().any(|code| code != "2") || !called.is_empty())
    {
        faults.push(format!(
            "bad input is refused with 2 before anything is called, not: {exit}{called}"
        ));
    }
    for (file, actual) in
        [("stdout", stdout), ("stderr", stderr), ("exit", exit), ("calls", called)]
    {
        faults.extend(difference::with_file(&case.join(file), &actual));
    }
    faults.extend(sandbox.leftovers().into_iter().map(|left| format!("left behind: {left}")));
    faults
}

fn one(
    sandbox: &Sandbox,
    command: &str,
    env: &str,
    stdin: &str,
    report: Option<&Path>,
) -> (Outcome, Vec<serde_json::Value>) {
    let mut arguments = split(command);
    assert_eq!(arguments.remove(0), "playbook", "a case runs playbook, and nothing else");
    let report = report.filter(|_| arguments.first().is_some_and(|subcommand| subcommand == "run"));
    if let Some(report) = report {
        let _absent = fs::remove_file(report);
        arguments.extend(["--report".to_owned(), format!("json={}", report.display())]);
    }
    let mut command = sandbox.playbook(arguments);
    let root = sandbox.root().display().to_string();
    for (name, value) in env.lines().filter_map(|line| line.split_once('=')) {
        command.env(name, value.replace("[SANDBOX]", &root));
    }
    let outcome = finish(&mut command, stdin);
    (outcome, report.map(calls::events_of_report).unwrap_or_default())
}

/// Where there are several commands, each of their parts stands under its command.
fn add(all: &mut String, part: &str, command: &str, commands: usize) {
    if commands > 1 && !part.is_empty() {
        all.push_str("$ ");
        all.push_str(command);
        all.push('\n');
    }
    all.push_str(part);
}

/// Splits a command line as a shell does, quotes included.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
