//! The embedded AWS, moto and cognito-local answer alike, but for what `tests/conformance/differences.tsv` lists.
//!
//! They need Python and Node packages (`tests/requirements.txt`, `tests/conformance/package.json`), which `.ci/run` installs;
//! without them these tests say that they were skipped.

use std::path::Path;
use std::process::Command;

use crate::harness::peers::{CognitoLocal, Moto, peer};
use crate::harness::sandbox::{Outcome, Sandbox, finish, repository};
use crate::harness::server::Server;

/// The function that `cognito-local` calls; the script makes it.
const FUNCTION: &str = "triggers";

/// The script against a server, told of it by whatever the server needs.
#[track_caller]
fn hold(
    sandbox: &Sandbox,
    python: &Path,
    arguments: &[&str],
    tell: impl FnOnce(&mut Command),
) -> Outcome {
    let script = repository().join("tests/conformance/conformance.py");
    let mut command = sandbox.command(python, [&script]);
    command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
    tell(&mut command);
    let outcome = finish(&mut command, "").exited(0);
    assert!(outcome.stdout.ends_with(", 0 complaints\n"), "{}", outcome.stdout);
    outcome
}

#[test]
fn serve_answers_as_aws_does() {
    let Some(python) = peer("python") else { return };
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let outcome = hold(&sandbox, &python, &["--server", "playbook"], |command| {
        server.tell(command);
    });
    assert!(outcome.stdout.contains(", 0 differ as listed"), "{}", outcome.stdout);
    server.stop();
    sandbox.nothing_left();
}

#[test]
fn moto_answers_as_serve_but_for_what_is_listed() {
    let Some(python) = peer("python") else { return };
    let (surroundings, sandbox) = (Sandbox::new(), Sandbox::new());
    let moto = Moto::start(&python, &surroundings);
    hold(&sandbox, &python, &["--server", "moto"], |command| at(command, &moto.endpoint));
}

#[test]
fn cognito_local_answers_as_serve_but_for_what_is_listed() {
    let Some(python) = peer("python") else { return };
    let (surroundings, sandbox) = (Sandbox::new(), Sandbox::new());
    let Some(cognito) = CognitoLocal::start(&surroundings, None) else { return };
    hold(&sandbox, &python, &["--server", "cognito-local"], |command| {
        at(command, &cognito.endpoint);
    });
}

#[test]
fn cognito_local_fires_the_same_triggers_but_for_what_is_listed() {
    let Some(python) = peer("python") else { return };
    let (surroundings, sandbox, server) = (Sandbox::new(), Sandbox::new(), Server::start());
    let functions = Some((server.endpoint.as_str(), FUNCTION));
    let Some(cognito) = CognitoLocal::start(&surroundings, functions) else { return };
    hold(&sandbox, &python, &["--server", "cognito-local", "triggers"], |command| {
        server.tell(command).env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &cognito.endpoint);
    });
}

/// The same credentials and region for everybody.
fn at(command: &mut Command, endpoint: &str) {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_DEFAULT_REGION", "us-east-1");
}

/// Who is right is not left open, and neither is by which document.
#[test]
fn every_listed_difference_says_who_is_right() {
    let path = repository().join("tests/conformance/differences.tsv");
    let table = std::fs::read_to_string(path).unwrap();
    let mut rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    assert_eq!(rows.next().unwrap(), ["server", "check", "answers", "ours", "right", "by"]);
    let mut before = ("", "");
    for row in rows {
        let [server, check, answers, ours, right, by] = row[..] else { panic!("{row:?}") };
        assert!(["moto", "cognito-local"].contains(&server), "{row:?}");
        assert!(before < (server, check), "in order, each once: {row:?}");
        before = (server, check);
        assert_ne!(answers, ours, "{row:?}");
        assert!(right == "playbook" || right == server || right == "undocumented", "{row:?}");
        assert!(by.starts_with("https://docs.aws.amazon.com/"), "{row:?}");
    }
}
