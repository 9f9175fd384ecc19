//! A dry run tells exactly the calls of the real one: same order, same requests, but for polls and values that do not
//! exist yet.

use std::process::Command;

use regex_lite::Regex;
use serde_json::Value;

use crate::harness::sandbox::{Sandbox, finish, repository};
use crate::harness::shipped::{self, PASSWORD};
use crate::harness::{calls, pages};

/// A request, without what differs from run to run.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    what: String,
    body: Value,
}

/// The calls of the steps, and those of the clean-up.
fn requests(events: &[Value]) -> (Vec<Request>, Vec<Request>) {
    let run = calls::runs(events).remove(0);
    let cleanup = events.iter().position(|event| event["event"] == "cleanup-started");
    let (steps, cleanup) = events.split_at(cleanup.unwrap_or(events.len()));
    (called(steps, &run), called(cleanup, &run))
}

fn called(events: &[Value], run: &str) -> Vec<Request> {
    let called = calls::of_kind(events, "called");
    let mut requests: Vec<Request> = called
        .into_iter()
        .map(|call| {
            let text = |field: &str| call[field].as_str().unwrap().to_owned();
            let what = [text("service"), text("operation"), text("method"), text("path")].join(" ");
            let body = call["body"].to_string().replace(run, "[RUN]");
            let mut body: Value = serde_json::from_str(&body).unwrap();
            // Logs are read from the start of the run.
            if body["startTime"].is_number() {
                body["startTime"] = "[START]".into();
            }
            Request { what: what.replace(run, "[RUN]"), body }
        })
        .collect();
    // A poll, and a call that is refused for a while, is told once; what a poll of a stack shows meanwhile, not at all.
    requests.retain(|request| !request.what.starts_with("cloudformation DescribeStackEvents "));
    requests.dedup();
    requests
}

/// What stands for fields that a dry run cannot know.
const OTHERS: &str = "and all its other settings";

/// Whether a real text is what the dry run said, in which `«…»` stands for what was not known.
fn text_agrees(planned: &str, real: &str) -> bool {
    let unknown = Regex::new("«[^»]*»").unwrap();
    let known: Vec<String> = unknown.split(planned).map(regex_lite::escape).collect();
    Regex::new(&format!("^(?s:{})$", known.join(".+"))).unwrap().is_match(real)
}

fn value_agrees(planned: &Value, real: &Value) -> bool {
    match (planned, real) {
        (Value::String(planned), Value::String(real)) => text_agrees(planned, real),
        (Value::String(planned), real) if planned.starts_with('«') && planned.ends_with('»') => {
            !real.is_null()
        }
        (Value::Array(planned), Value::Array(real)) => {
            planned.len() == real.len()
                && planned.iter().zip(real).all(|(planned, real)| value_agrees(planned, real))
        }
        (Value::Object(planned), Value::Object(real)) => {
            let open = planned.values().any(|it| it.as_str().is_some_and(|it| it.contains(OTHERS)));
            (open || planned.len() == real.len())
                && planned.iter().all(|(name, value)| {
                    let mut named = real.iter().filter(|(real, _)| text_agrees(name, real));
                    named.any(|(_, real)| value_agrees(value, real))
                })
        }
        (planned, real) => planned == real,
    }
}

/// A command in a network namespace of its own, where not even loopback answers; the command itself where the system
/// allows no such thing.
fn without_network(command: Command) -> Command {
    let allowed = Command::new("unshare")
        .args(["-rn", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        return command;
    }
    let mut alone = Command::new("unshare");
    alone.arg("-rn").arg(command.get_program()).args(command.get_args()).env_clear();
    alone.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        alone.env(name, value.unwrap());
    }
    alone
}

fn planned(file: &str, more: &[&str]) -> Vec<Value> {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.playbook(["run", file, "--dry-run", "--output", "json", "--no-input"]);
    command.args(more);
    command
        .current_dir(repository())
        .env_remove("AWS_ENDPOINT_URL")
        .env("PLAYBOOK_INPUT_PASSWORD", PASSWORD);
    let outcome = finish(&mut without_network(command), "").exited(0);
    assert!(!sandbox.state().exists(), "a dry run writes no journal");
    sandbox.nothing_left();
    let events = calls::events_of_lines(&outcome.stdout);
    pages::hold(&events);
    events
}

fn real(file: &str, more: &[&str]) -> Vec<Value> {
    let sandbox = Sandbox::new();
    let report = sandbox.root().join("report.json");
    let mut command = sandbox.playbook(["run", file, "--local", "--no-input"]);
    command.args(more).arg("--report").arg(format!("json={}", report.display()));
    if SCENARIOS.contains(&file) {
        shipped::prepare(&mut command);
    }
    finish(command.current_dir(repository()), "").exited(0);
    sandbox.nothing_left();
    calls::events_of_report(&report)
}

fn shown(requests: &[Request]) -> String {
    let lines = requests.iter().map(|request| format!("{} {}\n", request.what, request.body));
    lines.collect()
}

fn agree(planned: &Request, real: &Request) -> bool {
    let names = &real.body["ExpressionAttributeNames"];
    let by_others =
        names.as_object().is_some_and(|names| names.values().any(|it| it == "LastLogin"));
    if by_others {
        // An item is deleted as it was just read, with what a handler has added to it since.
        let same = |field| value_agrees(&planned.body[field], &real.body[field]);
        return planned.what == real.what && same("TableName") && same("Key");
    }
    text_agrees(&planned.what, &real.what) && value_agrees(&planned.body, &real.body)
}

/// Holds the dry run of a playbook against its real run: the steps' calls in order; those of the clean-up, which takes
/// what does not depend on each other at the same time, each against any.
#[track_caller]
fn agrees(file: &str, least: usize) {
    agrees_with(file, &[], &[], least);
}

/// The same with more arguments for the one and for the other.
#[track_caller]
fn agrees_with(file: &str, dry: &[&str], wet: &[&str], least: usize) {
    let (planned, planned_cleanup) = requests(&planned(file, dry));
    let (real, real_cleanup) = requests(&real(file, wet));
    let both = format!("planned:\n{}\nreal:\n{}", shown(&planned), shown(&real));
    assert!(planned.len() + planned_cleanup.len() >= least, "{both}");
    assert_eq!(planned.len(), real.len(), "{both}");
    for (planned, real) in planned.iter().zip(&real) {
        assert!(agree(planned, real), "planned: {planned:?}\nreal: {real:?}\n{both}");
    }
    for planned in &planned_cleanup {
        let made = real_cleanup.iter().any(|real| agree(planned, real));
        assert!(made, "never made: {planned:?}\nreal:\n{}", shown(&real_cleanup));
    }
    for real in &real_cleanup {
        let told = planned_cleanup.iter().any(|planned| agree(planned, real));
        assert!(told, "never told: {real:?}\nplanned:\n{}", shown(&planned_cleanup));
    }
}

/// Their handlers are Rust.
const SCENARIOS: [&str; 3] =
    ["playbooks/auto-confirm.yaml", "playbooks/migrate-user.yaml", "playbooks/activity-log.yaml"];

#[test]
fn of_auto_confirm() {
    agrees("playbooks/auto-confirm.yaml", 40);
}

#[test]
fn of_activity_log() {
    agrees("playbooks/activity-log.yaml", 40);
}

#[test]
fn of_migrate_user() {
    let file = "playbooks/migrate-user.yaml";
    agrees_with(file, &["--local"], &[], 40);
    // On AWS nobody has a code sent without being asked.
    agrees_with(file, &[], &["--input", "send_code=false"], 40);
}

#[test]
fn of_hello() {
    agrees("playbooks/hello.yaml", 1);
}

#[test]
fn of_get_started_functions() {
    agrees("playbooks/get-started-functions.yaml", 12);
}

#[test]
fn of_each_kind_that_makes_changes_or_reads_something() {
    agrees("tests/dry_run/every-kind.yaml", 30);
}

#[test]
fn of_buckets_and_objects() {
    agrees_with("tests/dry_run/buckets.yaml", &["--region", "us-east-1"], &[], 10);
}

#[test]
fn the_clean_up_calls_what_the_pages_say() {
    let events = planned("tests/dry_run/every-kind.yaml", &[]);
    let mut undoing = None;
    let mut seen = 0;
    for event in &events {
        match event["event"].as_str().unwrap() {
            "undo-started" => {
                let made = event["owner"]["type"].as_str().unwrap();
                undoing = ::steps::maker_of(made).map(|kind| (kind.spec)());
            }
            "undo-finished" => undoing = None,
            "called" => {
                let Some(spec) = undoing else { continue };
                let text = |field: &str| event[field].as_str().unwrap();
                let call = format!("{}:{}", text("service"), text("operation"));
                seen += 1;
                let action = pages::action_of(&call).expect("a clean-up proves who it is");
                assert!(
                    spec.undo_permissions.contains(&action),
                    "undoing what {} makes calls {call}",
                    spec.name
                );
            }
            _ => {}
        }
    }
    assert!(seen > 10, "{seen} calls");
}

#[test]
fn every_call_has_its_parameters_and_is_counted() {
    let events = planned("tests/dry_run/every-kind.yaml", &[]);
    let called = calls::of_kind(&events, "called");
    for call in &called {
        assert!(call["parameters"].is_object(), "{call}");
    }
    let role = called.iter().find(|call| call["operation"] == "CreateRole").unwrap();
    assert_eq!(role["effect"], "create");
    assert_eq!(role["parameters"]["Tags"][0]["Key"], "purpose");
    let policy = called.iter().find(|call| call["operation"] == "RemovePermission").unwrap();
    assert_eq!(policy["parameters"]["StatementId"], "pool");
    let plan = &calls::of_kind(&events, "run-finished")[0]["counts"]["plan"];
    let counted: u64 = plan.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    assert_eq!(counted, called.len() as u64, "{plan}");
    assert!(plan["cleanup"].as_u64() > Some(10) && plan["create"].as_u64() > Some(3), "{plan}");
}

#[test]
fn a_bucket_goes_by_its_name_and_what_is_in_an_object_is_told() {
    let file = "tests/dry_run/buckets.yaml";
    for events in [planned(file, &["--region", "us-east-1"]), real(file, &[])] {
        let called = calls::of_kind(&events, "called");
        let of_s3: Vec<_> = called.iter().filter(|call| call["service"] == "s3").collect();
        assert!(of_s3.len() > 8, "{of_s3:?}");
        for call in &of_s3 {
            let bucket = call["parameters"]["Bucket"].as_str().unwrap();
            assert!(bucket.starts_with("buckets-") && !bucket.contains('/'), "{call}");
        }
        let put: Vec<_> = of_s3.iter().filter(|call| call["operation"] == "PutObject").collect();
        assert_eq!(put[0]["effect"], "create", "it refuses to overwrite");
        assert_eq!(put[0]["parameters"]["Body"], "text");
        assert!(put[1]["body"].as_str().unwrap().starts_with("name: buckets\n"));
    }
}

#[test]
fn what_is_known_must_be_the_same() {
    use serde_json::json;
    let planned = json!({"Role": "arn:«steps.role.arn»", "Timeout": 3, "Tags": ["«run.account»"]});
    assert!(value_agrees(&planned, &json!({"Role": "arn:x", "Timeout": 3, "Tags": ["1"]})));
    let open = json!({"Id": 1, "Name": "«the pool's name and all its other settings»"});
    assert!(value_agrees(&open, &json!({"Id": 1, "Name": "n", "More": 2})));
    assert!(!value_agrees(&open, &json!({"Id": 2, "Name": "n", "More": 2})));
    assert!(!value_agrees(&open, &json!({"Id": 1, "More": 2})));
    let key = json!({"«key of t»": "«its value»"});
    assert!(value_agrees(&key, &json!({"UserEmail": "a"})));
    assert!(!value_agrees(&key, &json!({"UserEmail": "a", "More": "b"})));
    for other in [
        json!({"Role": "brn:x", "Timeout": 3, "Tags": ["1"]}),
        json!({"Role": "arn:x", "Timeout": 4, "Tags": ["1"]}),
        json!({"Role": "arn:x", "Timeout": 3, "Tags": []}),
        json!({"Role": "arn:x", "Timeout": 3, "Tags": ["1"], "More": 1}),
        json!({"Role": "arn:x", "Tags": ["1"]}),
    ] {
        assert!(!value_agrees(&planned, &other), "{other}");
    }
}

#[test]
fn a_dry_run_with_no_region_and_no_home_is_told_all_the_same() {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.playbook(["run", "playbooks/get-started-functions.yaml", "--dry-run"]);
    command
        .current_dir(repository())
        .env_remove("HOME")
        .env_remove("PLAYBOOK_STATE_DIR")
        .env_remove("AWS_ENDPOINT_URL");
    let outcome = finish(&mut without_network(command), "").exited(0);
    assert!(outcome.stdout.contains("lambda CreateFunction"), "{}", outcome.stdout);
    sandbox.nothing_left();
}
