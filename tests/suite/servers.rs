//! AWS's own clients against the embedded AWS, and the program's own clients against a server that nobody here wrote.
//!
//! They need Python packages (`tests/requirements.txt`) in an environment that `PLAYBOOK_TEST_VENV` names. `.ci/run` makes
//! one; without it these tests say that they were skipped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::harness::calls;
use crate::harness::sandbox::{LONGEST, Sandbox, eventually, finish, repository};
use crate::harness::server::Server;

/// A program of the environment.
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn peer(program: &str) -> Option<PathBuf> {
    let Some(environment) = std::env::var_os("PLAYBOOK_TEST_VENV") else {
        eprintln!("skipped: PLAYBOOK_TEST_VENV names no Python environment with {program}");
        return None;
    };
    let path = PathBuf::from(environment).join("bin").join(program);
    assert!(path.exists(), "{} is not there", path.display());
    Some(path)
}

fn script(name: &str) -> PathBuf {
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

/// `moto_server`, with AWS's managed policies and without Docker.
struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    fn start(program: PathBuf, sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command(program, ["-H", "127.0.0.1", "-p", "0"]);
        command
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let endpoint = lines
            .find_map(|line| {
                Some(format!(
                    "http://127.0.0.1:{}",
                    line.unwrap().rsplit_once("http://127.0.0.1:")?.1
                ))
            })
            .expect("moto says where it is");
        // It goes on writing; somebody must read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, endpoint }
    }

    /// Invocations are to echo their payload instead of starting containers.
    fn without_docker(&self, python: &PathBuf, sandbox: &Sandbox) {
        let program = "import sys, urllib.request\nbody = b'{\"lambda\": {\"use_docker\": false}}'\nheaders = {'Content-Type': \
                       'application/json'}\nurllib.request.urlopen(urllib.request.Request(sys.argv[1] + '/moto-api/config', body, headers))\n";
        let set = eventually(LONGEST, || {
            let outcome = finish(&mut sandbox.command(python, ["-c", program, &self.endpoint]), "");
            (outcome.exit == 0).then_some(())
        });
        assert!(set.is_some(), "moto takes no configuration");
    }

    fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .args(["--endpoint-url", &self.endpoint, "--region", "us-east-1", "--no-input"])
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
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
    let (Some(moto), Some(python)) = (peer("moto_server"), peer("python")) else { return };
    let surroundings = Sandbox::new();
    let server = Moto::start(moto, &surroundings);
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
    assert_eq!(finished["counts"]["made"], finished["counts"]["removed"], "{finished}");
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
