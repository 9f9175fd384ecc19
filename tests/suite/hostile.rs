//! Files that nobody wrote in good faith: whatever they hold, they are refused, quickly, with a message.
//!
//! `PLAYBOOK_FUZZ_SECONDS=600 cargo test --workspace --test playbook hostile` fuzzes for ten minutes instead of three
//! seconds; `PLAYBOOK_FUZZ_SEED` repeats one input.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use language::diagnostic::{SourceId, Sources, render};
use language::document;
use language::template::{Namespace, Scope, Template};

use super::mutants::{faults, shipped};
use crate::harness::sandbox::{Sandbox, finish, repository};

/// No input of the size that is fuzzed may take longer, on a machine that is busy with others.
const LONGEST: Duration = Duration::from_secs(60);
const SECONDS: u64 = 3;
/// What tends to break readers of YAML and templates.
const WORDS: [&str; 56] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{ ",
    " }}",
    "{% for x in range(99999) %}",
    "{% endfor %}",
    "{% if ",
    "{% set ",
    "{% macro ",
    "{% include 'x' %}",
    "&a",
    "*a",
    "<<: *a",
    "!!str",
    "!tag",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "|2+\n",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\"",
    "\\",
    "\\u0000",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "日本",
    "e\u{301}",
    "%0999999999d",
    "|format(1)",
    "|join",
    "|tojson",
    "range(1000000)",
    "steps.",
    "inputs.",
    "run.id",
    "~",
    "1e999",
    "-9223372036854775809",
    "0x",
    "\0",
];

fn seconds() -> u64 {
    std::env::var("PLAYBOOK_FUZZ_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(SECONDS)
}

/// Calls `attempt` with one seed after the other until the time is over.
fn fuzz(attempt: impl Fn(u64)) {
    if let Some(seed) = std::env::var("PLAYBOOK_FUZZ_SEED").ok().and_then(|it| it.parse().ok()) {
        attempt(seed);
        return;
    }
    let first = fastrand::u64(..);
    let started = Instant::now();
    let mut inputs = 0_u64;
    while started.elapsed() < Duration::from_secs(seconds()) {
        let seed = first.wrapping_add(inputs);
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| attempt(seed)));
        assert!(outcome.is_ok(), "PLAYBOOK_FUZZ_SEED={seed} panics");
        assert!(begun.elapsed() < LONGEST, "PLAYBOOK_FUZZ_SEED={seed} took {:?}", begun.elapsed());
        inputs += 1;
    }
    println!("{inputs} inputs from seed {first}");
}

/// Playbooks to begin with: those that ship, and those that are wrong on purpose.
fn seeds() -> Vec<String> {
    let inside = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let topics = inside(repository().join("tests/cases"));
    let cases = topics.flat_map(inside).map(|case| case.join("playbook.yaml"));
    let texts = shipped().into_iter().chain(cases).filter_map(|path| fs::read(path).ok());
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// A text with some of it overwritten, repeated, taken out, or taken from another.
fn spoil(text: &str, other: &str, chance: &mut fastrand::Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let other: Vec<char> = other.chars().collect();
    for _ in 0..chance.usize(1..12) {
        let at = chance.usize(..=letters.len());
        let end = (at + chance.usize(..40)).min(letters.len());
        match chance.u8(..6) {
            0 => drop(letters.drain(at..end)),
            1 => drop(letters.splice(at..at, chance.choice(WORDS).unwrap_or("").chars())),
            2 => {
                let piece: Vec<char> = letters[at..end].to_vec();
                let times = chance.usize(1..30);
                letters.splice(at..at, piece.repeat(times));
            }
            3 => {
                let from = chance.usize(..=other.len());
                let to = (from + chance.usize(..200)).min(other.len());
                letters.splice(at..end, other[from..to].iter().copied());
            }
            4 => letters.insert(at, chance.char(..)),
            _ => letters.truncate(letters.len() - chance.usize(..=letters.len().min(30))),
        }
    }
    letters.into_iter().collect()
}

#[test]
fn a_spoilt_playbook_is_survived() {
    let texts = seeds();
    let path = repository().join("playbooks/spoilt.yaml");
    fuzz(|seed| {
        let mut chance = fastrand::Rng::with_seed(seed);
        let text = &texts[chance.usize(..texts.len())];
        let other = &texts[chance.usize(..texts.len())];
        let spoilt = spoil(text, other, &mut chance);
        let (found, sources) = faults(&path, &spoilt);
        let shown = render(&found, &sources, chance.bool());
        assert!(found.is_empty() == shown.is_empty());
    });
}

#[test]
fn a_spoilt_template_is_survived() {
    let texts = seeds();
    fuzz(|seed| {
        let mut chance = fastrand::Rng::with_seed(seed);
        let text = &texts[chance.usize(..texts.len())];
        let mut line = text.lines().nth(chance.usize(..text.lines().count().max(1))).unwrap_or("");
        if chance.bool() {
            line = "{{ steps.a.b + inputs.c * 2 | length ~ 'x' }} and {{ vars.d[0] if run.id else 1 }}";
        }
        evaluate(&spoil(line, text, &mut chance));
    });
}

/// Compiles a text as a template and renders it.
fn evaluate(text: &str) {
    let quoted = format!("{}\n", serde_json::Value::from(text));
    let Ok(node) = document::parse(SourceId::default(), &quoted) else { return };
    let Ok(template) = Template::compile(&node) else { return };
    let names = Namespace::new();
    names.insert("a", "text");
    names.insert("c", 7);
    names.insert_secret("d", "hunter22");
    let mut scope = Scope::new();
    for root in ["steps", "inputs", "vars", "run", "env", "item", "loop"] {
        scope.set(root, &names);
    }
    if let Err(error) = template.render(&scope) {
        let mut sources = Sources::new();
        sources.add("fuzz.yaml", quoted);
        assert!(!render(&[error.to_diagnostic()], &sources, false).is_empty());
    }
}

/// Refused by `check` with exactly this as the first line, and fast.
#[track_caller]
fn refused(bytes: &[u8], first: &str) {
    let sandbox = Sandbox::new();
    let path = sandbox.work().join("hostile.yaml");
    fs::write(&path, bytes).unwrap();
    let begun = Instant::now();
    let mut command = sandbox.playbook(["check", "hostile.yaml"]);
    let outcome = finish(command.current_dir(sandbox.work()), "").exited(2);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    assert_eq!(outcome.stderr.lines().next(), Some(first), "{}", outcome.stderr);
    sandbox.nothing_left();
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "name: bomb\nvars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "  a{level}: &a{level} [{}]", before.trim_end_matches(", ")).unwrap();
    }
    refused(text.as_bytes(), "error[alias-bomb]: aliases make this file too large");
}

#[test]
fn a_hundred_thousand_levels_are_refused() {
    for opening in ["[", "{a: "] {
        let text = format!("steps: {}", opening.repeat(100_000));
        refused(text.as_bytes(), "error[too-deep]: lists and maps are nested too deeply");
    }
    let text = format!("steps:\n  {}", "- ".repeat(100_000));
    refused(text.as_bytes(), "error[too-deep]: lists and maps are nested too deeply");
}

#[test]
fn a_hundred_megabytes_are_refused() {
    refused(
        &vec![b'#'; 100 * 1024 * 1024],
        "error[unreadable-file]: hostile.yaml: is longer than 4 MiB",
    );
}

#[test]
fn what_is_no_text_is_refused() {
    refused(
        b"name: \xff\xfe\nsteps: []\n",
        "error[unreadable-file]: hostile.yaml: is not UTF-8 text: see line 1",
    );
}
