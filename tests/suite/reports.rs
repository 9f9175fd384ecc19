//! Reports: all formats at once, whatever becomes of the run, and read by programs that nobody here wrote.

use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::calls;
use crate::harness::peers::peer;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Sandbox, eventually, finish, repository, start};

const CANARY: &str = "canary-of-the-reports";
const FORMATS: [&str; 6] = ["html", "markdown", "junit", "tap", "json", "otlp"];

/// Fails in one lane, with a loop, a secret, a text that is markup, and a clean-up.
const FAILS: &str = "name: fails\ninputs: {password: {type: secret, prompt: Password}}\nsteps:\n  - id: group\n    create-log-group: \
                     {log_group_name: \"/{{ run.id }}/-b-\"}\n  - print: \"it is {{ inputs.password }} <script>alert(1)</script>\"\n  - \
                     parallel:\n      steps:\n        - name: Wait a little\n          pause: 50ms\n        - id: sum\n          set: {value: \
                     3}\n          assert: [result.value == 3, result.value == 4]\n  - print: never reached\n";

fn with_reports(command: &mut Command) -> &mut Command {
    for format in FORMATS {
        command.arg("--report").arg(format!("{format}=report.{format}"));
    }
    command
}

/// What was written, by format.
fn written(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let read =
        |format| fs::read_to_string(sandbox.work().join(format!("report.{format}"))).unwrap();
    FORMATS.iter().map(|format| (*format, read(format))).collect()
}

fn failing(sandbox: &Sandbox) -> Command {
    sandbox.write("playbook.yaml", FAILS);
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    command.env("PLAYBOOK_INPUT_PASSWORD", CANARY);
    command
}

#[test]
fn every_format_tells_of_a_failure_and_none_of_a_secret() {
    let sandbox = Sandbox::new();
    let mut command = failing(&sandbox);
    finish(with_reports(&mut command), "").exited(1);
    for (format, text) in written(&sandbox) {
        assert!(!text.contains(CANARY), "{format}");
        assert!(text.contains("result.value == 4"), "{format}: {text}");
        assert!(!text.contains("never reached"), "{format}: {text}");
        if format != "junit" && format != "json" {
            assert!(text.contains("Wait a little"), "{format}: {text}");
        }
        if format == "html" {
            assert!(text.contains("&lt;script&gt;alert(1)"), "{text}");
            assert!(!text.contains("<script>alert"), "{text}");
            assert!(text.contains("result.value is 3"), "{text}");
            for address in ["src=", "href=\"h", "url(", "@import"] {
                assert!(!text.contains(address), "{address} in {text}");
            }
        }
    }
    sandbox.nothing_left();
}

#[test]
fn an_interrupted_run_is_reported() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: interrupted\nsteps:\n  - create-log-group: {log_group_name: /demo}\n  - print: ready\n  - pause: 60s\n",
    );
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local", "--output", "json"]);
    with_reports(&mut command);
    let out = sandbox.root().join("events");
    let running = crate::harness::sandbox::Running::with_stdout_in(&mut command, &out);
    let ready = || fs::read_to_string(&out).ok()?.contains("ready").then_some(());
    eventually(LONGEST, ready).expect("it gets as far as that");
    process::signal(running.id(), Signal::INT);
    let outcome = running.finish().exited(130);
    let stopping = calls::events_of_lines(&outcome.stdout);
    let told = calls::of_kind(&stopping, "stopping");
    assert_eq!((told[0]["count"].as_u64(), told[0]["cleanup"].as_bool()), (Some(1), Some(true)));
    for (format, text) in written(&sandbox) {
        assert!(text.contains("interrupted"), "{format}: {text}");
    }
}

#[test]
fn what_is_refused_is_reported_too() {
    let sandbox = Sandbox::with_file("playbook.yaml", "name: wrong\nsteps:\n  - prinf: Hello\n");
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    finish(with_reports(&mut command), "").exited(2);
    for (format, text) in written(&sandbox) {
        if format != "otlp" {
            assert!(text.contains("there is no step kind `prinf`"), "{format}: {text}");
        }
    }
    let json: Value = serde_json::from_str(&written(&sandbox)[4].1).unwrap();
    assert_eq!(json["summary"]["passed"], false);
    assert_eq!(json["events"][0]["failures"][0]["place"]["line"], 3);
}

#[test]
fn githubs_runner_gets_groups_annotations_masks_and_a_summary() {
    let sandbox = Sandbox::new();
    let mut command = failing(&sandbox);
    let summary = sandbox.root().join("summary.md");
    fs::write(&summary, "# Before\n").unwrap();
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let outcome = finish(&mut command, "").exited(1);
    // As the runner reads it: a line that begins with two colons is a command.
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(told[0], format!("::add-mask::{CANARY}"));
    assert_eq!(told[1..3], ["::group::fails", "::endgroup::"]);
    assert_eq!(told[3..5], ["::group::Clean-up", "::endgroup::"]);
    let line = FAILS.lines().position(|line| line.contains("assert:")).unwrap() + 1;
    let annotation = format!("::error file=playbook.yaml,line={line},col=");
    assert!(told[5].starts_with(&annotation), "{told:?}");
    assert!(told[5].contains("this does not hold: result.value == 4"), "{told:?}");
    assert_eq!(outcome.stderr.matches(CANARY).count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stdout.contains(CANARY));
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("# Before\n## ✗ fails: failed\n"), "{summary}");
    assert!(!summary.contains(CANARY), "{summary}");
    sandbox.nothing_left();
}

/// `junitparser` and `opentelemetry-proto` read what was written.
#[test]
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn others_read_the_reports() {
    let Some(python) = peer("python") else { return };
    let ask = |script: &str, path: &std::path::Path| -> Outcome {
        finish(Command::new(&python).arg("-c").arg(script).arg(path), "")
    };
    let modules = "import junitparser, opentelemetry.proto.collector.trace.v1.trace_service_pb2";
    if ask(modules, repository()).exit != 0 {
        eprintln!("skipped: the Python environment has no junitparser or opentelemetry-proto");
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = failing(&sandbox);
    finish(with_reports(&mut command), "").exited(1);
    let junit = "import sys, junitparser\nxml = junitparser.JUnitXml.fromfile(sys.argv[1])\nprint(xml.tests, xml.failures, xml.errors, \
                 [case.name for suite in xml for case in suite][-1])";
    let read = ask(junit, &sandbox.work().join("report.junit")).exited(0);
    assert_eq!(read.stdout.trim(), "6 2 0 clean-up");
    let otlp = "import sys\nfrom google.protobuf import json_format\nfrom opentelemetry.proto.collector.trace.v1 import trace_service_pb2 \
                as t\nread = json_format.Parse(open(sys.argv[1]).read(), t.ExportTraceServiceRequest())\nspans = \
                read.resource_spans[0].scope_spans[0].spans\nids = {span.span_id for span in spans}\nassert len(ids) == len(spans)\nassert \
                all(span.parent_span_id in ids for span in spans if span.parent_span_id)\nassert all(span.start_time_unix_nano <= \
                span.end_time_unix_nano for span in spans)\nprint(sorted({span.name for span in spans}))";
    let read = ask(otlp, &sandbox.work().join("report.otlp")).exited(0);
    assert!(read.stdout.contains("'logs:CreateLogGroup'"), "{}", read.stdout);
}

/// Every event of a run that shows much is one by the published schema.
#[test]
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn events_are_as_their_schema_says() {
    let Some(python) = peer("python") else { return };
    let import = finish(Command::new(&python).args(["-c", "import jsonschema"]), "");
    if import.exit != 0 {
        eprintln!("skipped: the Python environment has no jsonschema");
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = failing(&sandbox);
    finish(with_reports(&mut command), "").exited(1);
    let script = "import json, sys, jsonschema\nschema = json.load(open(sys.argv[1]))\ncheck = \
                  jsonschema.Draft202012Validator(schema)\nevents = json.load(open(sys.argv[2]))['events']\nfor event in events: \
                  check.validate(event)\nbroken = dict(events[0], event='unheard-of')\nassert not check.is_valid(broken)\nprint(len(events))";
    let schema = repository().join("docs/events.schema.json");
    let mut command = Command::new(python);
    command.arg("-c").arg(script).arg(schema).arg(sandbox.work().join("report.json"));
    let count: usize = finish(&mut command, "").exited(0).stdout.trim().parse().unwrap();
    assert!(count > 20, "{count} events");
}

/// Independent steps wait together.
#[test]
fn steps_at_the_same_time_take_as_long_as_the_longest() {
    let pauses = "        - pause: 400ms\n".repeat(10);
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        &format!("name: lanes\nsteps:\n  - parallel:\n      max: 10\n      steps:\n{pauses}"),
    );
    let outcome = sandbox.run(["run", "playbook.yaml", "--local", "--output", "json"]).exited(0);
    let events = calls::events_of_lines(&outcome.stdout);
    let finished = calls::of_kind(&events, "step-finished");
    let whole = finished.iter().find(|event| event["owner"]["kind"] == "parallel").unwrap();
    let millis = whole["millis"].as_u64().unwrap();
    assert!((400..4000).contains(&millis), "{millis} ms, for ten pauses of 400 ms");
    assert_eq!(finished.len(), 11);
}

#[test]
fn many_playbooks_at_the_same_time_leave_nothing() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: copy\nsteps:\n  - create-log-group: {log_group_name: \"/{{ run.id }}\"}\n  - pause: 200ms\n",
    );
    let mut command = sandbox.playbook(["run", "--local", "--jobs", "10", "--keep-going"]);
    command.args(std::iter::repeat_n("playbook.yaml", 20)).args(["--report", "json=report.json"]);
    let outcome = start(&mut command).finish_within(Duration::from_secs(120)).exited(0);
    assert!(outcome.stderr.contains("20 playbooks passed"), "{}", outcome.stderr);
    let events = calls::events_of_report(&sandbox.work().join("report.json"));
    let finished = calls::of_kind(&events, "run-finished");
    assert_eq!(finished.len(), 20);
    assert!(finished.iter().all(|event| event["counts"]["removed"] == 1), "{finished:?}");
    sandbox.nothing_left();
}
