//! The playbooks of this repository run to their end and leave nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::sandbox::{LONGEST, Sandbox, finish, repository, start};
use crate::harness::{calls, difference, normalise, shipped};

/// Runs a playbook from the repository itself, and compares what it prints with `tests/shipped/NAME.stdout`.
#[track_caller]
fn runs(name: &str) -> Vec<Value> {
    runs_with(name, |command| command.current_dir(repository()))
}

/// The same of a scenario whose handlers are Rust.
#[track_caller]
fn scenario(name: &str) -> Vec<Value> {
    runs_with(name, shipped::prepare)
}

#[track_caller]
fn runs_with(name: &str, prepare: fn(&mut Command) -> &mut Command) -> Vec<Value> {
    let sandbox = Sandbox::new();
    let report = sandbox.root().join("report.json");
    let mut command =
        sandbox.playbook(["run", &format!("playbooks/{name}.yaml"), "--local", "--no-input"]);
    command.arg("--report").arg(format!("json={}", report.display()));
    let outcome = finish(prepare(&mut command), "").exited(0);
    let events = calls::events_of_report(&report);
    let stdout = normalise::text(&outcome.stdout, sandbox.root(), &calls::runs(&events));
    let expected = repository().join(format!("tests/shipped/{name}.stdout"));
    if let Some(difference) = difference::with_file(&expected, &stdout) {
        panic!("{difference}");
    }
    let finished = calls::of_kind(&events, "run-finished");
    assert_eq!(finished.len(), 1);
    assert_eq!(
        finished[0]["counts"]["created"], finished[0]["counts"]["removed"],
        "what was made was removed"
    );
    sandbox.nothing_left();
    events
}

/// What a step has returned.
#[track_caller]
fn outputs<'e>(events: &'e [Value], id: &str) -> &'e Value {
    let finished = calls::of_kind(events, "step-finished");
    let step = finished.into_iter().find(|event| event["owner"]["id"] == id);
    &step.unwrap_or_else(|| panic!("there is no step {id}"))["outputs"]
}

/// What the handler itself has logged of its only invocation, which must be all that is shown beside Lambda's own words.
#[track_caller]
fn logged(events: &[Value]) -> Vec<String> {
    let log = outputs(events, "log");
    let entries = log["events"].as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["stream"] == entries[0]["stream"]), "{log}");
    let messages: Vec<&str> = entries.iter().map(|it| it["message"].as_str().unwrap()).collect();
    let own = messages
        .strip_prefix(&messages[..2])
        .and_then(|rest| rest.split_last_chunk::<2>())
        .map(|(own, _)| own)
        .unwrap();
    for (message, start) in [
        (messages[0], "INIT_START "),
        (messages[1], "START RequestId: "),
        (messages[messages.len() - 2], "END RequestId: "),
        (messages[messages.len() - 1], "REPORT RequestId: "),
    ] {
        assert!(message.starts_with(start), "{log}");
    }
    let own: Vec<String> = own.iter().map(|message| message.trim().to_owned()).collect();
    assert!(own.iter().all(|message| message.starts_with("INFO ")), "{log}");
    own
}

#[test]
fn auto_confirm() {
    let events = scenario("auto-confirm");
    let own = logged(&events);
    assert!(own[0].contains("PreSignUp_SignUp") && own[0].contains("test_user_1"), "{own:?}");
}

#[test]
fn migrate_user() {
    let events = scenario("migrate-user");
    let own = logged(&events);
    assert!(own[0].contains("UserMigration_Authentication"), "{own:?}");
}

#[test]
fn the_last_login_shown_is_what_the_handler_wrote() {
    let events = scenario("activity-log");
    let own = logged(&events);
    let activity = own.iter().find_map(|line| line.strip_prefix("INFO Signed in: ")).unwrap();
    let activity: Value = serde_json::from_str(activity).unwrap();
    let item = &outputs(&events, "written")["item"];
    assert_eq!(item["LastLogin"], activity["LastLogin"]);
    assert_eq!(item["UserName"], activity["UserName"]);
    let said = calls::of_kind(&events, "printed");
    let time = activity["LastLogin"]["Time"].as_str().unwrap();
    let shown = format!("test_user_1 signed in last at {time},");
    assert!(said.iter().any(|it| it["text"].as_str().unwrap().contains(&shown)), "{said:?}");
}

#[test]
fn products_go_through_the_api() {
    let events = scenario("serverless-api");
    let asked = calls::of_kind(&events, "called");
    let asked: Vec<_> = asked.into_iter().filter(|call| call["service"] == "http").collect();
    assert!(asked.len() >= 15, "{asked:?}");
    assert!(
        asked.iter().all(|call| call["path"].as_str().unwrap().contains("/_api/")),
        "{asked:?}"
    );
    assert_eq!(outputs(&events, "pen")["json"]["price"], 1.75);
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
        assert_eq!(run["remaining"], serde_json::json!([]), "what was made was removed");
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
        command
            .args(["--input", "deliver=direct"])
            .args(arguments)
            .arg("--report")
            .arg(format!("json={}", report.display()));
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
    assert!(!planned.to_string().contains('«'), "{planned}");
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

/// A plan, for people, for machines and as a script.
#[test]
fn every_shipped_playbook_can_be_planned() {
    let directories = [
        "playbooks",
        "playbooks/lib",
        "playbooks/examples",
        "playbooks/events",
        "playbooks/events/data",
    ];
    let files: Vec<_> = directories.into_iter().flat_map(playbooks_in).collect();
    let sandbox = Sandbox::new();
    for output in ["human", "json", "shell"] {
        for local in [&["--local"][..], &[]] {
            let mut command = sandbox.playbook(["run", "--dry-run", "--no-input"]);
            command.args(&files).args(["--output", output, "--region", "us-east-1"]).args(local);
            let outcome = start(command.current_dir(repository())).finish_within(LONGEST);
            let outcome = outcome.exited(0);
            assert_eq!(outcome.stderr, "", "{output} {local:?}");
            assert!(!outcome.stdout.contains("ends here"), "{}", outcome.stdout);
            if output == "json" {
                let events = calls::events_of_lines(&outcome.stdout);
                let finished = calls::of_kind(&events, "run-finished");
                assert_eq!(finished.len(), files.len());
                assert!(finished.iter().all(|run| run["passed"] == true), "{finished:?}");
            }
        }
    }
    sandbox.nothing_left();
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

#[test]
fn every_shipped_playbook_passes_check() {
    let directories = [
        "playbooks",
        "playbooks/lib",
        "playbooks/examples",
        "playbooks/events",
        "playbooks/events/data",
    ];
    let files: Vec<_> = directories.into_iter().flat_map(playbooks_in).collect();
    assert!(files.len() > 31);
    let sandbox = Sandbox::new();
    let mut command = sandbox.playbook(["check"]);
    command.args(files);
    finish(&mut command, "").exited(0);
    sandbox.nothing_left();
}
