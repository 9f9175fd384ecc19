//! The playbooks of this repository run to their end and leave nothing.

use std::fs;
use std::path::PathBuf;

use crate::harness::sandbox::{LONGEST, Sandbox, finish, repository, start};
use crate::harness::{calls, difference, normalise};

/// Runs a playbook from the repository itself, and compares what it prints with `tests/shipped/NAME.stdout`.
#[track_caller]
fn runs(name: &str) {
    let sandbox = Sandbox::new();
    let report = sandbox.root().join("report.json");
    let mut command =
        sandbox.playbook(["run", &format!("playbooks/{name}.yaml"), "--local", "--no-input"]);
    command.arg("--report").arg(format!("json={}", report.display())).current_dir(repository());
    let outcome = finish(&mut command, "").exited(0);
    let events = calls::events_of_report(&report);
    let stdout = normalise::text(&outcome.stdout, sandbox.root(), &calls::runs(&events));
    let expected = repository().join(format!("tests/shipped/{name}.stdout"));
    if let Some(difference) = difference::with_file(&expected, &stdout) {
        panic!("{difference}");
    }
    let finished = calls::of_kind(&events, "run-finished");
    assert_eq!(finished.len(), 1);
    assert_eq!(
        finished[0]["counts"]["made"], finished[0]["counts"]["removed"],
        "what was made was removed"
    );
    sandbox.nothing_left();
}

#[test]
fn hello() {
    runs("hello");
}

#[test]
fn get_started_functions() {
    runs("get-started-functions");
}

/// The playbooks of a directory.
fn playbooks_in(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(directory)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn events_are_handled_and_nothing_is_left() {
    let files = playbooks_in("playbooks/events");
    assert_eq!(files.len(), 11);
    let sandbox = Sandbox::new();
    let report = sandbox.root().join("report.json");
    let mut command = sandbox.building_playbook(["run"]);
    command.args(&files).args(["--local", "--no-input", "--report"]);
    command.arg(format!("json={}", report.display())).current_dir(repository());
    let outcome = start(&mut command).finish_within(LONGEST * 10).exited(0);
    assert!(outcome.stderr.contains("✓ 11 playbooks passed in "), "{}", outcome.stderr);
    let events = calls::events_of_report(&report);
    let finished = calls::of_kind(&events, "run-finished");
    assert_eq!(finished.len(), 11);
    for run in finished {
        assert_eq!(run["counts"]["made"], run["counts"]["removed"], "what was made was removed");
    }
    sandbox.nothing_left();
}

#[test]
fn a_dry_run_shows_the_event_as_it_will_be_sent() {
    let file = "playbooks/events/sqs-messages.yaml";
    let delivered = |arguments: &[&str]| {
        let sandbox = Sandbox::new();
        let report = sandbox.root().join("report.json");
        let mut command = sandbox.building_playbook(["run", file, "--no-input"]);
        command.args(arguments).arg("--report").arg(format!("json={}", report.display()));
        let running = start(command.current_dir(repository()));
        let outcome = running.finish_within(LONGEST * 5).exited(0);
        let events = calls::events_of_report(&report);
        let called = calls::of_kind(&events, "called");
        let invoked = called.iter().find(|call| call["operation"] == "Invoke").unwrap();
        (invoked["body"].clone(), outcome.stdout)
    };
    let (planned, plan) = delivered(&["--dry-run", "--region", "us-east-1"]);
    let (sent, _) = delivered(&["--local"]);
    assert_eq!(planned, sent);
    assert!(!planned.to_string().contains('⟨'), "{planned}");
    assert_eq!(planned["Records"][0]["md5OfBody"], "e4e68fb7bd0e697a0ae8f1bb342846b3");
    assert_eq!(planned["Records"][0]["awsRegion"], "us-east-1");
    // A person sees it all, too.
    for text in [
        "Test message.",
        "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "arn:aws:sqs:us-east-1:123456789012:orders",
    ] {
        assert!(plan.contains(text), "{text} in\n{plan}");
    }
}

#[test]
fn every_shipped_playbook_passes_check() {
    let directories = ["playbooks", "playbooks/lib", "playbooks/events", "playbooks/events/data"];
    let files: Vec<_> = directories.into_iter().flat_map(playbooks_in).collect();
    assert!(files.len() > 25);
    let sandbox = Sandbox::new();
    let mut command = sandbox.playbook(["check"]);
    command.args(files);
    finish(&mut command, "").exited(0);
    sandbox.nothing_left();
}
