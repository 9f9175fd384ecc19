//! `playbook chaos`: it finds what is left and what is touched, says so, and ends with all its processes.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::calls::{events_of_lines, of_kind};
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Running, Sandbox, eventually};

/// A role, and then a call whose failure does what `rescue` says.
fn sandbox(rescue: &str) -> Sandbox {
    let text = format!(
        "name: disturbed\nsteps:\n  - create-role: {{role_name: \"demo-{{{{ run.id }}}}\", trust_service: \
         lambda.amazonaws.com}}\n  - block:\n      - list-functions: {{}}\n    rescue:\n      - {rescue}\n"
    );
    Sandbox::with_file("playbook.yaml", &text)
}

fn chaos(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let fixed = ["chaos", "playbook.yaml", "--seed", "7"];
    sandbox.run(fixed.iter().chain(arguments))
}

/// The last event's `outputs.total`.
fn total(outcome: &Outcome) -> Value {
    let events = events_of_lines(&outcome.stdout);
    of_kind(&events, "run-finished")[0]["outputs"]["total"].clone()
}

#[test]
fn a_clean_playbook_passes_every_trial() {
    let sandbox = sandbox("print: it failed");
    let arguments = ["--sample", "40", "--output", "json", "--report", "junit=chaos.xml"];
    let outcome = chaos(&sandbox, &arguments).exited(0);
    let total = total(&outcome);
    assert_eq!(total["trials"], 40, "{total}");
    for nothing in ["left", "touched", "problems", "missed"] {
        assert_eq!(total[nothing], 0, "{nothing} in {total}");
    }
    assert!(total["recovered"].as_u64().is_some_and(|recovered| recovered > 5), "{total}");
    let report = fs::read_to_string(sandbox.work().join("chaos.xml")).unwrap();
    assert!(report.contains(" killed ") && report.contains("tests=\"41\""), "{report}");
    sandbox.nothing_left();
}

#[test]
fn what_is_left_and_what_is_touched_is_named() {
    // A neighbour's names are the run's own with one more character.
    let sandbox = sandbox(
        "{create-role: {role_name: \"kept-{{ run.id }}\", trust_service: lambda.amazonaws.com}, keep: true}\n      \
         - delete-role: {role_name: \"demo-{{ run.id }}0\"}",
    );
    let outcome = chaos(&sandbox, &[]).exited(1);
    let said = |text: &str| assert!(outcome.stderr.contains(text), "{text}:\n{}", outcome.stderr);
    said("lambda ListFunctions: throttled at every attempt");
    said("left: iam roles kept-");
    said("touched: iam roles demo-");
    said("0 is gone");
    assert!(outcome.stdout.contains("seed 7: "), "{}", outcome.stdout);
    sandbox.nothing_left();
}

#[test]
fn a_sample_is_a_sample() {
    let sandbox = sandbox("print: it failed");
    let outcome = chaos(&sandbox, &["--sample", "5", "--output", "quiet"]).exited(0);
    assert!(outcome.stdout.contains("\n5 trials in "), "{}", outcome.stdout);
    let again = chaos(&sandbox, &["--sample", "5", "--output", "quiet"]).exited(0);
    let table = |outcome: &Outcome| outcome.stdout.split("5 trials").next().unwrap().to_owned();
    assert_eq!(table(&outcome), table(&again));
    sandbox.nothing_left();
}

#[test]
fn a_playbook_that_does_not_pass_proves_nothing() {
    let wrong = Sandbox::with_file("playbook.yaml", "name: wrong\nsteps:\n  - create-rule: {}\n");
    let outcome = chaos(&wrong, &[]).exited(2);
    assert!(outcome.stderr.contains("does not pass undisturbed"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("create-rule"), "{}", outcome.stderr);
    let failing = Sandbox::with_file("playbook.yaml", "name: failing\nsteps:\n  - fail: no\n");
    assert!(chaos(&failing, &[]).exited(1).stderr.contains("does not pass undisturbed"));
    let silent = Sandbox::with_file("playbook.yaml", "name: silent\nsteps:\n  - print: hello\n");
    assert!(chaos(&silent, &[]).exited(1).stderr.contains("sends no requests"));
}

/// Starts it, and waits until trials are made.
fn start(sandbox: &Sandbox) -> Running {
    let out = sandbox.root().join("events");
    let mut command = sandbox.playbook(["chaos", "playbook.yaml", "--output", "json"]);
    let running = Running::with_stdout_in(&mut command, &out);
    let made = eventually(LONGEST, || {
        let text = fs::read_to_string(&out).ok()?;
        text.contains("step-finished").then_some(())
    });
    assert!(made.is_some(), "no trial is ever made");
    running
}

#[test]
fn an_interruption_ends_it_and_all_it_started() {
    let sandbox = sandbox("print: it failed");
    let running = start(&sandbox);
    process::signal(running.id(), Signal::INT);
    running.finish().exited(130);
    sandbox.nothing_left();
}

#[cfg(target_os = "linux")]
#[test]
fn what_it_started_dies_with_it() {
    let sandbox = sandbox("print: it failed");
    let running = start(&sandbox);
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    let left = process::remaining(sandbox.root(), LONGEST);
    assert!(left.is_empty(), "{left:?}");
}
