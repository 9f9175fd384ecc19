//! The playbooks of this repository run to their end and leave nothing.

use std::fs;
use std::path::PathBuf;

use crate::harness::sandbox::{Sandbox, finish, repository};
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

#[test]
fn examples() {
    let examples = playbooks_in("playbooks/examples");
    assert!(examples.len() >= 6, "{examples:?}");
    for path in examples {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() <= 40, "{} is too long for an example", path.display());
        runs(&format!("examples/{}", path.file_stem().unwrap().to_str().unwrap()));
    }
}

fn playbooks_in(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(directory)).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn every_shipped_playbook_passes_check() {
    let mut files = playbooks_in("playbooks");
    assert!(files.len() >= 2);
    files.extend(playbooks_in("playbooks/examples"));
    let sandbox = Sandbox::new();
    let mut command = sandbox.playbook(["check"]);
    command.args(files);
    finish(&mut command, "").exited(0);
    sandbox.nothing_left();
}
