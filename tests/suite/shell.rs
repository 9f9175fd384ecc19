//! A dry run as a script: what bash takes, what shellcheck finds, what the AWS CLI does with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::sandbox::{Outcome, Sandbox, finish, repository};
use crate::harness::server::Server;

fn written(sandbox: &Sandbox, file: &str, arguments: &[&str]) -> Outcome {
    let mut command = sandbox.playbook(["run", file, "--dry-run", "--output", "shell"]);
    command.args(["--no-input", "--region", "us-east-1"]).args(arguments).current_dir(repository());
    finish(&mut command, "").exited(0)
}

/// Every playbook of the repository, those with Rust handlers included: a dry run builds nothing.
fn playbooks() -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["playbooks", "playbooks/events", "playbooks/examples", "tests/dry_run"] {
        for entry in std::fs::read_dir(repository().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "yaml") {
                found.push(path.strip_prefix(repository()).unwrap().display().to_string());
            }
        }
    }
    found
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that proves less says so")]
fn every_script_is_bash() {
    let sandbox = Sandbox::new();
    let found = playbooks();
    assert!(found.len() > 22);
    if !has("shellcheck") {
        eprintln!("shellcheck is not installed: bash alone looks at the scripts");
    }
    for file in found {
        let script = written(&sandbox, &file, &[]).stdout;
        let commands: Vec<&str> = script.lines().filter(|line| !line.starts_with('#')).collect();
        let marks = ['«', '»'];
        assert!(!commands.join("\n").contains(marks), "{file}: a mark is no variable:\n{script}");
        assert!(script.starts_with("#!/usr/bin/env bash\n"), "{script}");
        sandbox.write("plan.sh", &script);
        let checked = finish(&mut sandbox.command("bash", ["-n", "plan.sh"]), "");
        assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""), "{file}:\n{script}");
        if has("shellcheck") {
            finish(&mut sandbox.command("shellcheck", ["plan.sh"]), "").exited(0);
        }
    }
    sandbox.nothing_left();
}

#[test]
fn a_script_has_no_secrets() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.playbook(["run", "playbooks/auto-confirm.yaml", "--dry-run"]);
    command.args(["--output", "shell", "--no-input", "--region", "us-east-1"]);
    command.current_dir(repository()).env("PLAYBOOK_INPUT_PASSWORD", "Hunter-22-hunter");
    let script = finish(&mut command, "").exited(0).stdout;
    assert!(!script.contains("Hunter-22") && !script.contains("***"), "{script}");
    assert!(script.contains(": \"${PLAYBOOK_INPUT_PASSWORD?}\"\n"), "{script}");
    assert!(script.contains("--password \"$PLAYBOOK_INPUT_PASSWORD\""), "{script}");
    sandbox.nothing_left();
}

#[test]
fn a_script_is_of_a_dry_run_alone() {
    let sandbox = Sandbox::with_file("x.yaml", "name: x\nsteps:\n  - print: x\n");
    for rest in [&["--local"][..], &["--region", "us-east-1"]] {
        let mut command = sandbox.playbook(["run", "x.yaml", "--output", "shell"]);
        let outcome = finish(command.args(rest), "").exited(2);
        assert_eq!(
            outcome.stderr,
            "error: `--output shell` tells what a run would do\n  help: write `--dry-run --output shell`\n"
        );
    }
    sandbox.nothing_left();
}

/// The AWS CLI.
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn cli() -> Option<PathBuf> {
    let Some(environment) = std::env::var_os("PLAYBOOK_TEST_VENV") else {
        eprintln!("skipped: PLAYBOOK_TEST_VENV names no Python environment with the AWS CLI");
        return None;
    };
    let bin = PathBuf::from(environment).join("bin");
    assert!(bin.join("aws").exists(), "{} is not there", bin.join("aws").display());
    if !has("zip") {
        eprintln!("skipped: zip, which the script calls, is not installed");
        return None;
    }
    Some(bin)
}

fn run(server: &Server, sandbox: &Sandbox, bin: &Path, script: &str) -> Outcome {
    sandbox.write("plan.sh", script);
    let mut command = sandbox.command("bash", [sandbox.work().join("plan.sh")]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bin.display())).current_dir(repository());
    // What the script makes for itself stays for whoever ran it.
    command.env("TMPDIR", sandbox.work()).env("PLAYBOOK_INPUT_PASSWORD", "Hunter-22-$x");
    let outcome = finish(server.tell(&mut command), "");
    assert_eq!(outcome.exit, 0, "{}\n{}\n{script}", outcome.stdout, outcome.stderr);
    outcome
}

/// What is there, as the AWS CLI sees it.
fn account(server: &Server, sandbox: &Sandbox, bin: &Path) -> String {
    let look = "aws iam list-roles --query Roles[].RoleName --output text\n\
                aws lambda list-functions --query Functions[].FunctionName --output text\n\
                aws logs describe-log-groups --query logGroups[].logGroupName --output text\n\
                aws dynamodb list-tables --query TableNames[] --output text\n\
                aws cognito-idp list-user-pools --max-results 10 --query UserPools[].Name --output text\n\
                aws s3api list-buckets --query Buckets[].Name --output text\n";
    run(server, sandbox, bin, &format!("set -e\n{look}")).stdout.trim().to_owned()
}

#[test]
fn the_aws_cli_does_what_the_script_says() {
    let Some(bin) = cli() else { return };
    let server = Server::start();
    let sandbox = Sandbox::new();
    let empty = account(&server, &sandbox, &bin);

    let script = written(&sandbox, "playbooks/get-started-functions.yaml", &[]).stdout;
    let (steps, cleanup) = script.split_once("# Clean-up\n").expect("it cleans up");
    let begun = run(&server, &sandbox, &bin, steps).stdout;
    assert!(begun.contains("{\"result\": 42}"), "the function has run:\n{begun}");
    assert_ne!(account(&server, &sandbox, &bin), empty, "it has made something");
    let head = "set -euo pipefail\nexport AWS_REGION=us-east-1\n";
    run(&server, &sandbox, &bin, &format!("{head}{cleanup}"));
    assert_eq!(account(&server, &sandbox, &bin), empty, "its own clean-up leaves nothing");

    let script = written(&sandbox, "tests/dry_run/every-kind.yaml", &[]).stdout;
    assert!(script.contains("ROLE_ARN=$(aws iam create-role"), "{script}");
    run(&server, &sandbox, &bin, &script);
    assert_eq!(account(&server, &sandbox, &bin), empty, "its own clean-up leaves nothing");

    let script = written(&sandbox, "tests/dry_run/users-and-tables.yaml", &[]).stdout;
    for expected in [
        "--description 'it'\\''s for $HOME, not for `pwd`'",
        "# must fail with UsernameExistsException\n",
        "--username ada || true\n",
        "IN_ACCESS_TOKEN=$(aws cognito-idp initiate-auth",
        "--user-pool-id \"$POOL_USER_POOL_ID\" --client-id \"$CLIENT_CLIENT_ID\"\n",
    ] {
        assert!(script.contains(expected), "{expected}\n{script}");
    }
    let done = run(&server, &sandbox, &bin, &script).stdout;
    assert!(done.contains("\"Count\": 1"), "the item is there:\n{done}");
    assert_eq!(account(&server, &sandbox, &bin), empty, "its own clean-up leaves nothing");

    let script = written(&sandbox, "tests/dry_run/buckets.yaml", &[]).stdout;
    assert!(script.contains("printf %s text >\"$work/put-object-body\"\n"), "{script}");
    assert!(script.contains("--body tests/dry_run/buckets.yaml"), "{script}");
    let fetched = "cat \"$work/get-object-object\"\n# Clean-up\n";
    let script = script.replacen("# Clean-up\n", fetched, 1);
    let done = run(&server, &sandbox, &bin, &script).stdout;
    assert!(done.contains("}\ntext"), "the object is there:\n{done}");
    assert_eq!(account(&server, &sandbox, &bin), empty, "its own clean-up leaves nothing");

    server.stop();
    sandbox.nothing_left();
}

const AWKWARD: &str = r#"
name: awkward
inputs: {secret: {type: secret}}
steps:
  - id: role
    create-role: {role_name: "awkward-{{ run.id }}", description: "file:///etc/hostname", trust_service: lambda.amazonaws.com}
  - id: function
    create-function:
      function_name: "awkward-{{ run.id }}"
      description: "https://127.0.0.1:1/x"
      runtime: python3.13
      handler: -code.handler
      code: -code.py
      role: "{{ steps.role.arn }}"
  - invoke: {function_name: "{{ steps.function.function_name }}", payload: {word: "{{ inputs.secret }}"}}
"#;

#[test]
fn the_aws_cli_takes_no_value_for_a_file_or_an_option() {
    let Some(bin) = cli() else { return };
    let server = Server::start();
    let sandbox = Sandbox::with_file("awkward.yaml", AWKWARD);
    sandbox.write("-code.py", "def handler(event, context):\n    return event\n");
    let mut command = sandbox.playbook(["run", "awkward.yaml", "--dry-run", "--output", "shell"]);
    command.args(["--no-input", "--region", "us-east-1"]).env("PLAYBOOK_INPUT_SECRET", "Hunter-22");
    let script = finish(&mut command, "").exited(0).stdout;
    assert!(script.contains("zip -qj \"$work/function.zip\" ./-code.py"), "{script}");
    assert!(!script.contains("--description"), "{script}");
    let (steps, cleanup) = script.split_once("# Clean-up\n").expect("it cleans up");
    let look = "aws iam list-roles --query Roles[].Description --output text\n";
    let script = format!("{steps}{look}{cleanup}");
    sandbox.write("plan.sh", &script);
    let mut command = sandbox.command("bash", ["plan.sh"]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bin.display())).env("TMPDIR", sandbox.work());
    let secret = "a\"b\\c\nd";
    let variable =
        script.split_once(": \"${").and_then(|(_, rest)| rest.split_once('?')).expect("it asks").0;
    command.env(variable, secret);
    let outcome = finish(server.tell(&mut command), "");
    assert_eq!(outcome.exit, 0, "{}\n{}\n{script}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("file:///etc/hostname\n"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(r#"{"word": "a\"b\\c\nd"}"#), "{}", outcome.stdout);
    server.stop();
}
