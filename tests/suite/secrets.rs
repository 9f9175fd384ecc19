//! A secret is nowhere in what a run leaves or says, in whatever form, however the run ends.

mod canary;
mod provenance;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::calls;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Sandbox, eventually, finish, start};
use crate::harness::server::Server;

/// Characters that every encoding writes in its own way.
const PASSWORD: &str = "Kä\"s\\e+&/brücke=7X";
const TOKEN: &str = "tö'ken\"\\+&/?%42 wert";
/// What a template makes of the password.
const DERIVED: &str = "KÄ\"S\\E+&/BRÜCKE=7X";

/// Everything that a secret goes through: a pool's password and a client's secret, a function's environment, its log, its
/// answer and its error, templates, questions.
const PLAYBOOK: &str = r#"
name: secret
inputs:
  password: {type: secret, min_length: 8}
  outcome: {default: print}
vars:
  name: "demo-{{ run.id }}"
  derived: "{{ inputs.password | upper }}"
steps:
  - id: role
    create-role: {role_name: "{{ vars.name }}", trust_service: lambda.amazonaws.com}
  - id: pool
    create-user-pool: {pool_name: "{{ vars.name }}", password_policy: {minimum_length: 8}}
  - id: client
    create-user-pool-client:
      user_pool_id: "{{ steps.pool.user_pool_id }}"
      explicit_auth_flows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
      generate_secret: true
  - sign-up:
      user_pool_id: "{{ steps.pool.user_pool_id }}"
      client_id: "{{ steps.client.client_id }}"
      client_secret: "{{ steps.client.client_secret }}"
      username: ann
      password: "{{ inputs.password }}"
      attributes: {email: ann@example.com}
  - admin-set-user-password:
      user_pool_id: "{{ steps.pool.user_pool_id }}"
      username: ann
      password: "{{ inputs.password }}"
      permanent: true
  - id: early
    sign-in:
      client_id: "{{ steps.client.client_id }}"
      client_secret: "{{ steps.client.client_secret }}"
      username: ann
      password: "{{ inputs.password }}x"
    allow_error: [NotAuthorizedException, UserNotConfirmedException]
  - id: function
    create-function:
      function_name: "{{ vars.name }}"
      runtime: python3.13
      handler: echo.handler
      code: echo.py
      role: "{{ steps.role.arn }}"
      environment: {PASSWORD: "{{ inputs.password }}", TOKEN: "{{ env.TOKEN }}", DERIVED: "{{ vars.derived }}"}
  - id: echoed
    invoke:
      function_name: "{{ vars.name }}"
      payload: {password: "{{ inputs.password }}", nested: ["{{ vars.derived }}", "{{ env.TOKEN }}"]}
  - invoke: {function_name: "{{ vars.name }}", payload: {fail: true}}
    allow_error: RuntimeError
  - print: "{{ steps.echoed.payload }}"
  - print: "password {{ inputs.password }}, token {{ env.TOKEN }}, derived {{ vars.derived }}"
  - id: log
    log-events: {function_name: "{{ vars.name }}", limit: 20}
    poll: {until: result.events | length > 3, every: 100ms, timeout: 30s}
  - print: "{{ steps.log.messages }}"
  - name: With {{ inputs.password }} in its name
    fail: {code: Leak, message: "this is {{ inputs.password }} and {{ env.TOKEN }}"}
    allow_error: Leak
  - create-log-group: {log_group_name: "/{{ vars.name }}/{{ inputs.password }}"}
    allow_error: [JournalUnwritable, InvalidParameterException]
  - id: last
    print: about to end
  - when: inputs.outcome == "wait"
    pause: 60s
  - when: inputs.outcome == "fail"
    fail: "at the end, {{ inputs.password }}"
"#;

const ECHO: &str = r#"
import base64, json, os, urllib.parse


def handler(event, context):
    secrets = [os.environ[name] for name in ("PASSWORD", "TOKEN", "DERIVED")]
    told = []
    for secret in secrets:
        raw = secret.encode()
        told += [secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), urllib.parse.quote(secret, safe="")]
        told += [urllib.parse.quote_plus(secret)]
        told += [base64.b64encode(b"xyz"[:shift] + raw + b"tail").decode() for shift in range(3)]
        told += [base64.urlsafe_b64encode(b"xyz"[:shift] + raw).decode() for shift in range(3)]
    print(json.dumps(event, ensure_ascii=False))
    print(" ".join(told))
    if event.get("fail"):
        raise RuntimeError(f"the secret is {secrets[0]}")
    return {"told": told, "event": event}
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_file("playbook.yaml", PLAYBOOK);
    sandbox.write("echo.py", ECHO);
    sandbox
}

fn knowing(command: &mut Command) -> &mut Command {
    command.env("PLAYBOOK_INPUT_PASSWORD", PASSWORD).env("TOKEN", TOKEN)
}

/// Every form of every secret that must not be anywhere, with a name for it.
fn forms() -> Vec<(String, Vec<u8>)> {
    let mut forms = Vec::new();
    for (name, secret) in [("password", PASSWORD), ("token", TOKEN), ("derived", DERIVED)] {
        let mut add = |how: &str, form: &str| {
            forms.push((format!("{name}, {how}"), form.as_bytes().to_vec()));
        };
        add("raw", secret);
        let quoted = Value::from(secret).to_string();
        let escaped = quoted.trim_matches('"').trim_end_matches('\\').to_owned();
        add("in JSON", &escaped);
        add("in JSON in JSON", Value::from(escaped.as_str()).to_string().trim_matches('"'));
        add("in JSON, ASCII alone", &ascii_json(secret));
        let url = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        add("in a URL", &url);
        add("in a URL, small letters", &url.to_lowercase());
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        add("in a form", &form);
        add("in YAML", &secret.replace('\'', "''"));
        add("in JSON in YAML", &escaped.replace('\'', "''"));
        add("in ASCII JSON in YAML", &ascii_json(secret).replace('\'', "''"));
        add("in XML", &secret.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&apos;"));
        for shift in 0..3 {
            let mut bytes = vec![b'x'; shift];
            bytes.extend_from_slice(secret.as_bytes());
            // What all base64 of a text that holds the secret at this place has in common.
            let whole = bytes.len() / 3 * 4;
            let from = if shift == 0 { 0 } else { 4 };
            add(&format!("base64 at {shift}"), &STANDARD_NO_PAD.encode(&bytes)[from..whole]);
            add(
                &format!("URL-safe base64 at {shift}"),
                &URL_SAFE_NO_PAD.encode(&bytes)[from..whole],
            );
        }
    }
    forms
}

fn ascii_json(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from) {
            Some(c @ ('"' | '\\')) => escaped.extend(['\\', c]),
            Some(c) => escaped.push(c),
            None => write!(escaped, "\\u{unit:04x}").unwrap(),
        }
    }
    escaped
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Fails with every secret found in a text.
#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let found: Vec<_> =
        forms().into_iter().filter(|(_, form)| holds(bytes, form)).map(|(name, _)| name).collect();
    assert!(found.is_empty(), "{what} holds {found:?}:\n{}", String::from_utf8_lossy(bytes));
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && !path.is_symlink() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Fails where a secret is in what a run said, in a file that it left (its name included), or in a process's arguments.
#[track_caller]
fn nothing_told(sandbox: &Sandbox, outcome: Option<&Outcome>) {
    if let Some(outcome) = outcome {
        clean("stdout", outcome.stdout.as_bytes());
        clean("stderr", outcome.stderr.as_bytes());
    }
    let mut found = Vec::new();
    files(sandbox.root(), &mut found);
    for path in found {
        clean("a path", path.as_os_str().as_bytes());
        // A pipe, or a file that is gone by now.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_file() {
            clean(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
        }
    }
    for running in process::of(sandbox.root()) {
        clean("the arguments of a process", running.command.as_bytes());
    }
}

fn reports(sandbox: &Sandbox) -> [String; 2] {
    ["junit=report.xml", "json=report.json"].map(|report| {
        let (format, name) = report.split_once('=').unwrap();
        format!("{format}={}", sandbox.work().join(name).display())
    })
}

/// Runs the playbook against a server, which outlives it and keeps the journal from being discarded.
fn ran(server: &Server, outcome: &str, exit: i32, format: &str) -> (Sandbox, Outcome) {
    let sandbox = sandbox();
    let mut command = server.run_command(&sandbox, "playbook.yaml", &["--output", format]);
    for report in reports(&sandbox) {
        command.args(["--report", &report]);
    }
    command.args(["--input", &format!("outcome={outcome}")]);
    let outcome = finish(knowing(&mut command), "").exited(exit);
    nothing_told(&sandbox, Some(&outcome));
    (sandbox, outcome)
}

#[test]
fn runs_that_succeed_or_fail_tell_nothing() {
    let server = Server::start();
    for format in ["human", "json", "quiet"] {
        for (outcome, exit) in [("print", 0), ("fail", 1)] {
            let (sandbox, said) = ran(&server, outcome, exit, format);
            if format == "human" {
                assert!(said.stdout.contains("password ***, token ***"), "{}", said.stdout);
            }
            assert_eq!(sandbox.journals().len(), 1, "there is a journal to look into");
            let report = fs::read_to_string(sandbox.work().join("report.json")).unwrap();
            assert!(report.contains("\"***\""), "the secret is masked, not absent:\n{report}");
        }
    }
    server.stop();
}

#[test]
fn what_proves_a_clients_secret_is_masked_and_so_are_tokens() {
    let server = Server::start();
    let sandbox = sandbox();
    sandbox.write(
        "playbook.yaml",
        &PLAYBOOK.replace("{{ inputs.password }}x\"", "{{ inputs.password }}\"").replace(
            "print: about to end",
            "print: \"token {{ steps.early.access_token }}, {{ steps.early.refresh_token }}\"",
        ),
    );
    let report = sandbox.work().join("report.json");
    let mut command = server.run_command(&sandbox, "playbook.yaml", &["--output", "json"]);
    command.args(["--report", &format!("json={}", report.display())]);
    let outcome = finish(knowing(&mut command), "").exited(0);
    nothing_told(&sandbox, Some(&outcome));
    let events = calls::events_of_lines(&outcome.stdout);
    let called = calls::of_kind(&events, "called");
    let body = |operation: &str| {
        called.iter().find(|call| call["operation"] == operation).expect("it is called")["body"]
            .clone()
    };
    assert_eq!(body("SignUp")["SecretHash"], "***");
    assert_eq!(body("SignUp")["Password"], "***");
    assert_eq!(body("InitiateAuth")["AuthParameters"]["SECRET_HASH"], "***");
    assert_eq!(body("InitiateAuth")["AuthParameters"]["PASSWORD"], "***");
    assert!(outcome.stdout.contains("token ***, ***"), "{}", outcome.stdout);
    // JSON web tokens begin so.
    assert!(!outcome.stdout.contains("eyJ"), "{}", outcome.stdout);
    assert!(!fs::read_to_string(report).unwrap().contains("eyJ"));
    server.stop();
}

#[test]
fn a_dry_run_tells_nothing() {
    for format in ["human", "json"] {
        let sandbox = sandbox();
        let mut command =
            sandbox.playbook(["run", "playbook.yaml", "--dry-run", "--output", format]);
        for report in reports(&sandbox) {
            command.args(["--report", &report]);
        }
        let outcome = finish(knowing(&mut command), "").exited(0);
        assert!(outcome.stdout.contains("***"), "{}", outcome.stdout);
        nothing_told(&sandbox, Some(&outcome));
    }
}

#[test]
fn an_error_before_the_run_tells_nothing() {
    let sandbox = sandbox();
    let inputs = format!("password: {}\nunknown: 1\n", Value::from(PASSWORD));
    let path = sandbox.root().join("home/inputs.yaml");
    fs::write(&path, inputs).unwrap();
    let given = path.display().to_string();
    let refused = sandbox.run(["run", "playbook.yaml", "--local", "--inputs", &given]).exited(2);
    fs::write(&path, format!("password: [{}]\n", Value::from(PASSWORD))).unwrap();
    let malformed = sandbox.run(["run", "playbook.yaml", "--local", "--inputs", &given]).exited(2);
    fs::write(&path, format!("password: {}\n  nonsense", Value::from(PASSWORD))).unwrap();
    let unreadable = sandbox.run(["run", "playbook.yaml", "--local", "--inputs", &given]).exited(2);
    fs::remove_file(&path).unwrap();
    let mut short = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    short.env("PLAYBOOK_INPUT_PASSWORD", &PASSWORD[..5]).env("TOKEN", TOKEN);
    let short = finish(&mut short, "").exited(2);
    assert!(!short.stderr.contains(&PASSWORD[..5]), "{}", short.stderr);
    for outcome in [refused, malformed, unreadable, short] {
        nothing_told(&sandbox, Some(&outcome));
    }
}

/// Whether this machine writes core files at all, where it is told to, into a directory of ours.
fn writes_cores(sandbox: &Sandbox) -> bool {
    let directory = sandbox.root().join("control");
    fs::create_dir(&directory).unwrap();
    let mut command = sandbox.command("sh", ["-c", "ulimit -c unlimited && kill -ABRT $$"]);
    finish(command.current_dir(&directory), "").exited(134);
    let any = fs::read_dir(&directory).unwrap().count() > 0;
    fs::remove_dir_all(&directory).unwrap();
    any
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_leaves_no_core_and_tells_nothing() {
    let server = Server::start();
    let mut expected = BTreeSet::new();
    for (signal, code) in [(Signal::ABORT, 134), (Signal::KILL, 137), (Signal::QUIT, 131)] {
        let sandbox = sandbox();
        expected.insert(writes_cores(&sandbox));
        let run = server.run_command(&sandbox, "playbook.yaml", &["--input", "outcome=wait"]);
        let words: Vec<_> = std::iter::once(run.get_program()).chain(run.get_args()).collect();
        let script = ["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""];
        let mut command = sandbox.command("sh", script);
        command.args(words);
        server.tell(knowing(&mut command));
        let running = start(&mut command);
        let waits = eventually(LONGEST, || {
            let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
            // Role, pool, client, user, function and its log group.
            (text.matches("\"done\"").count() >= 5 && text.contains("Lambda::Function"))
                .then_some(())
        });
        let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
        nothing_told(&sandbox, None);
        process::signal(running.id(), signal);
        let outcome = running.finish().exited(code);
        assert!(waits.is_some(), "it never comes so far:\n{}", outcome.stderr);
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("1"), "{core}");
        let mut left = Vec::new();
        files(&sandbox.work(), &mut left);
        left.sort();
        let names: Vec<_> =
            left.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect();
        assert_eq!(names, ["echo.py", "playbook.yaml"], "no core file");
        nothing_told(&sandbox, Some(&outcome));
        let recovered = server.playbook(&sandbox, &["cleanup", "--all", "--output", "json"]);
        nothing_told(&sandbox, Some(&recovered.exited(0)));
    }
    println!("this machine writes core files: {expected:?}");
    server.stop();
}

#[test]
fn a_local_run_that_is_killed_tells_nothing() {
    let sandbox = sandbox();
    let mut command =
        sandbox.playbook(["run", "playbook.yaml", "--local", "--input", "outcome=wait"]);
    let running = start(knowing(&mut command));
    let waits = eventually(LONGEST, || {
        let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
        (text.contains("Lambda::Function") && text.matches("\"done\"").count() >= 5).then_some(())
    });
    // Packages and whatever else handlers need are on the disk now.
    nothing_told(&sandbox, None);
    process::signal(running.id(), Signal::ABORT);
    let outcome = running.finish().exited(134);
    assert!(waits.is_some(), "{}", outcome.stderr);
    process::remaining(sandbox.root(), LONGEST);
    nothing_told(&sandbox, Some(&outcome));
}

#[test]
fn a_proof_of_the_clean_up_tells_nothing() {
    let sandbox = sandbox();
    let mut command = sandbox.playbook(["chaos", "playbook.yaml", "--sample", "6", "--seed", "5"]);
    for report in reports(&sandbox) {
        command.args(["--report", &report]);
    }
    let outcome = finish(knowing(&mut command), "").exited(0);
    nothing_told(&sandbox, Some(&outcome));
    // Where the playbook does not pass, the proof tells what the run has said.
    let mut command = sandbox.playbook(["chaos", "playbook.yaml", "--input", "outcome=fail"]);
    let outcome = finish(knowing(&mut command), "").exited(1);
    assert!(outcome.stderr.contains("at the end, ***"), "{}", outcome.stderr);
    nothing_told(&sandbox, Some(&outcome));
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let forms = forms();
    for (shift, padding) in ["", "a", "ab"].iter().enumerate() {
        let text = STANDARD_NO_PAD.encode(format!("{padding}{PASSWORD}cd"));
        let wanted = format!("password, base64 at {shift}");
        let found =
            forms.iter().any(|(name, form)| *name == wanted && holds(text.as_bytes(), form));
        assert!(found, "{wanted} in {text}");
    }
    let json = serde_json::json!({ "p": PASSWORD }).to_string();
    assert!(
        forms
            .iter()
            .any(|(name, form)| name == "password, in JSON" && holds(json.as_bytes(), form))
    );
}
