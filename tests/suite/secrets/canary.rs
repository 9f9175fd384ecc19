//! A canary in many forms and places: whatever a run says or leaves, it is not there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::calls;
use crate::harness::sandbox::{Outcome, Sandbox, finish};
use crate::harness::server::Server;

const CANARY: &str = "c4N&r<y>'q\"/e \u{f6}-Z9x";
const TOKEN: &str = "tok-&\u{f6}\"7x/q";
/// Too short to be searched for: only where it came from tells.
const PIN: &str = "4711";

const HANDLER: &str = include_str!("canary/canary.py");

/// Every file of the scenario with its name.
const FILES: [(&str, &str); 4] = [
    ("canary.py", HANDLER),
    ("playbook.yaml", include_str!("canary/playbook.yaml")),
    ("lib.yaml", include_str!("canary/lib.yaml")),
    ("stack.yaml", include_str!("canary/stack.yaml")),
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, text) in FILES {
        sandbox.write(name, text);
    }
    sandbox
}

fn knowing(command: &mut Command) -> &mut Command {
    command
        .env("PLAYBOOK_INPUT_CANARY", CANARY)
        .env("PLAYBOOK_INPUT_PIN", PIN)
        .env("CANARY_TOKEN", TOKEN)
}

/// What the handler makes of a secret, and of the secret backwards, which the playbook makes of it.
fn forms() -> Vec<String> {
    let mut all = Vec::new();
    let backwards: String = CANARY.chars().rev().collect();
    for secret in [CANARY, TOKEN, &backwards] {
        let output = Command::new("python3")
            .args(["-c", HANDLER])
            .env("CANARY", secret)
            .stdin(Stdio::null())
            .output()
            .expect("python3 runs");
        let forms: Vec<String> = serde_json::from_slice(&output.stdout).expect("forms");
        assert!(forms.len() >= 40, "{}", forms.len());
        all.extend(forms);
    }
    all
}

/// The text as it is, and with the escapes undone that JSON, YAML and the drawing of outputs add.
fn readings(text: &str) -> Vec<String> {
    let unescaped = text.replace("\\\\", "\\").replace("\\\"", "\"");
    let unquoted = text.replace("''", "'");
    vec![text.to_owned(), unescaped, unquoted]
}

#[track_caller]
fn clean(what: &str, text: &str, forms: &[String]) {
    let readings = readings(text);
    for form in forms {
        let found = readings.iter().find(|text| text.contains(form.as_str()));
        assert!(found.is_none(), "{what} holds {form:?}:\n{text}");
    }
}

/// Whether the digits stand in a text by themselves.
#[track_caller]
fn without_pin(what: &str, text: &str) {
    for (at, _) in text.match_indices(PIN) {
        let before = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let after =
            text[at + PIN.len()..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        let around = text.get(at.saturating_sub(60)..(at + 60).min(text.len())).unwrap_or_default();
        assert!(before || after, "{what} tells the number: …{around}…");
    }
}

fn texts_below(directory: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && !path.is_symlink() {
            texts_below(&path, found);
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

#[track_caller]
fn nowhere(sandbox: &Sandbox, outcome: &Outcome, forms: &[String]) {
    for (what, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        clean(what, text, forms);
        without_pin(what, text);
    }
    let mut files = Vec::new();
    texts_below(sandbox.root(), &mut files);
    for (name, text) in files {
        if !FILES.iter().any(|(own, _)| name.ends_with(own)) {
            clean(&name, &text, forms);
        }
        if name.ends_with(".journal")
            || name.ends_with("report.json")
            || name.ends_with("report.xml")
        {
            without_pin(&name, &text);
        }
    }
}

fn with_reports(command: &mut Command, sandbox: &Sandbox) {
    for (format, name) in [("json", "report.json"), ("junit", "report.xml")] {
        command.arg("--report").arg(format!("{format}={}", sandbox.work().join(name).display()));
    }
}

#[test]
fn a_canary_is_in_nothing_that_a_run_says_or_leaves() {
    let forms = forms();
    let server = Server::start();
    for format in ["human", "json"] {
        let sandbox = sandbox();
        let mut command = server.run_command(&sandbox, "playbook.yaml", &["--output", format]);
        with_reports(&mut command, &sandbox);
        let outcome = finish(knowing(&mut command), "").exited(0);
        nowhere(&sandbox, &outcome, &forms);
        assert_eq!(sandbox.journals().len(), 1, "there is a journal to look into");
        let events = calls::events_of_report(&sandbox.work().join("report.json"));
        let finished = calls::of_kind(&events, "step-finished");
        let told = finished.iter().find(|event| event["owner"]["id"] == "told").expect("it ran");
        let payload = &told["outputs"]["payload"];
        assert_eq!(
            payload["names"],
            Value::from(vec!["CANARY"]),
            "no other variable of the process has it"
        );
        assert_eq!(payload["event"]["pin"], "***");
        assert_eq!(payload["event"]["sure"], "***");
        let included = finished.iter().find(|event| event["owner"]["id"] == "lib").expect("it ran");
        assert_eq!(included["outputs"]["beside"], "plain-text");
        assert_eq!(included["outputs"]["value"], "***");
    }
    server.stop();
}

#[test]
fn a_canary_is_in_no_plan() {
    let forms = forms();
    for format in ["human", "json", "shell"] {
        let sandbox = sandbox();
        let mut command = sandbox.playbook([
            "run",
            "playbook.yaml",
            "--dry-run",
            "--no-input",
            "--output",
            format,
        ]);
        with_reports(&mut command, &sandbox);
        let outcome = finish(knowing(&mut command), "").exited(0);
        nowhere(&sandbox, &outcome, &forms);
        assert!(
            outcome.stdout.contains("plain-text"),
            "what is no secret is told:\n{}",
            outcome.stdout
        );
    }
}
