//! AWS's own clients against the embedded AWS, and the program's own clients against a server that nobody here wrote.
//!
//! They need Python packages (`tests/requirements.txt`) in an environment that `PLAYBOOK_TEST_VENV` names. `.ci/run` makes
//! one; without it these tests say that they were skipped.

use std::fs;
use std::path::PathBuf;

use crate::harness::calls;
use crate::harness::peers::{Moto, peer};
use crate::harness::sandbox::{Sandbox, finish, repository};
use crate::harness::server::Server;

pub fn script(name: &str) -> PathBuf {
    repository().join("tests/conformance").join(name)
}

#[test]
fn boto3_works_against_serve() {
    let Some(python) = peer("python") else { return };
    let server = Server::start();
    let sandbox = Sandbox::new();
    let outcome =
        finish(server.tell(&mut sandbox.command(python, [script("serve_boto3.py")])), "").exited(0);
    assert_eq!(outcome.stdout, "every operation answers as boto3 expects\n");
    server.stop();
    sandbox.nothing_left();
}

#[test]
fn the_aws_cli_works_against_serve() {
    let Some(aws) = peer("aws") else { return };
    let server = Server::start();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("bash", [script("serve_cli.sh")]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", aws.parent().unwrap().display()));
    let outcome = finish(server.tell(&mut command), "").exited(0);
    assert_eq!(
        outcome.stdout, "every operation answers as the AWS CLI expects\n",
        "{}",
        outcome.stderr
    );
    server.stop();
    sandbox.nothing_left();
}

#[test]
fn boto3_works_against_the_embedded_s3() {
    let Some(python) = peer("python") else { return };
    let server = Server::start();
    let sandbox = Sandbox::new();
    let outcome =
        finish(server.tell(&mut sandbox.command(python, [script("s3_boto3.py")])), "").exited(0);
    assert_eq!(outcome.stdout, "S3 answers as boto3 expects\n");
    server.stop();
    sandbox.nothing_left();
}

#[test]
fn the_aws_cli_works_against_the_embedded_s3() {
    let Some(aws) = peer("aws") else { return };
    let server = Server::start();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("bash", [script("s3_cli.sh")]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", aws.parent().unwrap().display()));
    let outcome = finish(server.tell(&mut command), "").exited(0);
    assert_eq!(outcome.stdout, "S3 answers as the AWS CLI expects\n", "{}", outcome.stderr);
    server.stop();
    sandbox.nothing_left();
}

/// The shipped playbook, but for what depends on the execution's result: moto executes nothing.
fn without_results(playbook: &str) -> String {
    let kept = playbook.lines().filter(|line| !line.trim_start().starts_with("assert:"));
    let text: Vec<&str> = kept.collect();
    let (mut lines, mut skipping) = (Vec::new(), false);
    for line in text {
        let indent = line.len() - line.trim_start().len();
        let starts_step = line.trim_start().starts_with("- ");
        if skipping && (starts_step || line.is_empty() || indent < 4) {
            skipping = false;
        }
        if starts_step
            && line.contains("- print:")
            && (line.contains(".payload") || line.trim_end().ends_with('|'))
        {
            skipping = true;
        }
        if !skipping {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn get_started_functions_runs_against_moto() {
    let Some(python) = peer("python") else { return };
    let surroundings = Sandbox::new();
    let server = Moto::start(&python, &surroundings);
    server.without_docker(&python, &surroundings);
    let sandbox = Sandbox::new();
    let shipped =
        fs::read_to_string(repository().join("playbooks/get-started-functions.yaml")).unwrap();
    let adapted = without_results(&shipped);
    assert!(
        adapted.matches("invoke:").count() == shipped.matches("invoke:").count(),
        "every call is still there\n{adapted}"
    );
    sandbox.write(".git/HEAD", "");
    sandbox.write("playbooks/get-started-functions.yaml", &adapted);
    for handler in ["lambda_handler_basic.py", "lambda_handler_calculator.py"] {
        let text = fs::read_to_string(repository().join("handlers").join(handler)).unwrap();
        sandbox.write(&format!("handlers/{handler}"), &text);
    }
    let mut command =
        sandbox.playbook(["run", "playbooks/get-started-functions.yaml", "--output", "json"]);
    let outcome = finish(server.tell(&mut command), "").exited(0);
    let events = calls::events_of_lines(&outcome.stdout);
    let called = calls::operations(&events);
    for operation in [
        "iam CreateRole",
        "iam AttachRolePolicy",
        "lambda CreateFunction",
        "lambda Invoke",
        "lambda UpdateFunctionCode",
        "lambda UpdateFunctionConfiguration",
        "lambda ListFunctions",
        "lambda DeleteFunction",
        "logs DeleteLogGroup",
        "iam DetachRolePolicy",
        "iam DeleteRole",
    ] {
        assert!(called.lines().any(|line| line == operation), "{operation} is missing:\n{called}");
    }
    let finished = calls::of_kind(&events, "run-finished")[0];
    assert_eq!(finished["counts"]["created"], finished["counts"]["removed"], "{finished}");
    let look = "name: look\nsteps:\n  - list-functions: {}\n    assert: result.count == 0\n";
    sandbox.write("look.yaml", look);
    finish(server.tell(&mut sandbox.playbook(["run", "look.yaml"])), "").exited(0);
}

#[test]
fn only_results_are_left_out_for_moto() {
    let playbook = "steps:\n  - id: a\n    invoke: {x: 1}\n    assert: result.payload == 1\n\n  - print: \"{{ steps.a.payload }}\"\n\n  - print: |\n      \
                    log\n      more\n  - print: plain\n  - cleanup:\n";
    assert_eq!(
        without_results(playbook),
        "steps:\n  - id: a\n    invoke: {x: 1}\n\n\n  - print: plain\n  - cleanup:\n"
    );
}
