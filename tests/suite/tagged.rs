//! What runs have left, found by its tags alone: listed, removed when told to, and nothing else touched.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::peers::{Moto, peer};
use crate::harness::sandbox::{Outcome, Sandbox, finish};
use crate::harness::server::Server;

const EVERYTHING: &str = "\
name: everything
steps:
  - id: role
    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
  - id: policy
    iam:CreatePolicy: {PolicyName: \"demo-{{ run.id }}\", PolicyDocument: '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}]}'}
  - attach-role-policy: {role_name: \"{{ steps.role.role_name }}\", policy_arn: \"{{ steps.policy.Policy.Arn }}\"}
  - create-log-group: {log_group_name: \"/demo/{{ run.id }}\"}
  - create-bucket: {bucket: \"demo-{{ run.id }}\"}
  - put-object: {bucket: \"demo-{{ run.id }}\", key: a, body: hello}
  - create-table: {table_name: \"demo-{{ run.id }}\", key: {id: string}}
  - create-user-pool: {pool_name: \"demo-{{ run.id }}\"}
  - sqs:CreateQueue: {QueueName: \"demo-{{ run.id }}\"}
  - sns:CreateTopic: {Name: \"demo-{{ run.id }}\"}
  - kinesis:CreateStream: {StreamName: \"demo-{{ run.id }}\", ShardCount: 1}
  - secretsmanager:CreateSecret: {Name: \"demo-{{ run.id }}\", SecretString: none}
  - ssm:PutParameter: {Name: \"/demo/{{ run.id }}\", Value: none, Type: String}
  - id: function
    create-function:
      function_name: \"demo-{{ run.id }}\"
      runtime: python3.13
      handler: f.handler
      code: f.py
      role: \"{{ steps.role.arn }}\"
";

const ONLY_HERE: &str = "  - events:PutRule: {Name: \"demo-{{ run.id }}\", ScheduleExpression: rate(1 hour)}
  - events:PutTargets: {Rule: \"demo-{{ run.id }}\", Targets: [{Id: one, Arn: \"{{ steps.function.arn }}\"}]}
  - apigatewayv2:CreateApi: {Name: \"demo-{{ run.id }}\", ProtocolType: HTTP}
  - deploy-stack: {stack_name: \"demo-{{ run.id }}\", template: stack.yaml}
  - create-log-group: {log_group_name: \"/kept/{{ run.id }}\"}
    keep: true
";

const STACK: &str = "\
Resources:
  Jobs:
    Type: AWS::SQS::Queue
";

/// What that run has left, in the order in which it goes; of the log groups one is a function's, and one is to stay.
const KINDS: [&str; 17] = [
    "events:PutRule",
    "apigatewayv2:CreateApi",
    "AWS::CloudFormation::Stack",
    "AWS::Cognito::UserPool",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogGroup",
    "sns:CreateTopic",
    "sqs:CreateQueue",
    "kinesis:CreateStream",
    "AWS::DynamoDB::Table",
    "secretsmanager:CreateSecret",
    "ssm:PutParameter",
    "AWS::S3::Bucket",
    "AWS::IAM::Role",
    "iam:CreatePolicy",
];

/// A sandbox in which a run has left everything, as if its machine were gone.
fn sandbox(steps: &str) -> Sandbox {
    let sandbox = Sandbox::with_file("playbook.yaml", &format!("{EVERYTHING}{steps}"));
    sandbox.write("f.py", "def handler(event, context):\n    return event\n");
    sandbox.write("stack.yaml", STACK);
    sandbox
}

/// The id of the only run that was journalled there.
fn run_of(sandbox: &Sandbox) -> String {
    let journals = sandbox.journals();
    assert_eq!(journals.len(), 1, "{journals:?}");
    journals[0].file_stem().unwrap().to_string_lossy().into_owned()
}

/// Those of what is listed that are told by kind and name.
#[track_caller]
fn listed(outcome: &Outcome) -> Vec<(String, Value)> {
    let runs: Value = serde_json::from_str(&outcome.stdout).expect(&outcome.stdout);
    let all = runs.as_array().unwrap().iter().flat_map(|run| run["resources"].as_array().unwrap());
    all.map(|one| (one["type"].as_str().unwrap().to_owned(), one.clone())).collect()
}

#[test]
fn what_a_dead_runner_has_left_is_found_and_removed() {
    let server = Server::start();
    let runner = sandbox(ONLY_HERE);
    server.run(&runner, "playbook.yaml", &["--no-input", "--cleanup", "never"]).exited(3);
    let run = run_of(&runner);
    let elsewhere = Sandbox::new();
    let cleanup = |sandbox: &Sandbox, more: &[&str]| {
        server.playbook(sandbox, &[&["cleanup", "--tagged"], more].concat())
    };

    // A run that is going on looks the same: nothing is old enough, unless told so.
    let young = cleanup(&elsewhere, &["--yes"]).exited(0);
    assert!(
        young.stdout.contains("it may be going on elsewhere, being younger than 2h"),
        "{}",
        young.stdout
    );
    thread::sleep(Duration::from_millis(1_100));
    let old = ["--older-than", "1s"];
    let asked = cleanup(&elsewhere, &old).exited(3);
    assert!(asked.stdout.starts_with(&format!("Run {run}: ")), "{}", asked.stdout);
    assert_eq!(asked.stderr, "To remove it: playbook cleanup --tagged --yes --older-than 1s\n");
    let found = listed(
        &cleanup(&elsewhere, &["--older-than", "1s", "--dry-run", "--output", "json"]).exited(3),
    );
    let kinds: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, KINDS);
    assert!(found.iter().all(|(_, one)| one["known"] == true));

    // Where its journal is, that is gone by.
    let here = cleanup(&runner, &old).exited(3);
    assert!(here.stdout.contains("its journal is here"), "{}", here.stdout);

    let removed = cleanup(&elsewhere, &["--older-than", "1s", "--yes"]).exited(0);
    let told = &removed.stderr;
    assert_eq!(told.matches("\n- deleted").count(), 18, "{told}");
    let at = |what: &str| told.find(what).unwrap_or_else(|| panic!("{what}: {told}"));
    assert!(at("AWS::S3::Object") < at("AWS::S3::Bucket"), "{told}");
    assert!(at("AWS::Lambda::Function") < at("AWS::IAM::Role"), "{told}");
    assert!(at("AWS::IAM::Role") < at("iam:CreatePolicy"), "{told}");
    assert!(at("targets of demo-") < at("events:PutRule "), "{told}");

    // What is to stay has stayed, and is nobody's business.
    let left = cleanup(&elsewhere, &old).exited(0);
    assert!(left.stdout.contains("its playbook wants it to stay"), "{}", left.stdout);
    assert!(left.stdout.ends_with(&format!("/kept/{run}  (is to stay)\n")), "{}", left.stdout);
    assert_eq!(left.stdout.lines().count(), 2, "{}", left.stdout);
    server.stop();
}

#[test]
fn what_somebody_else_has_put_there_remains_and_is_listed() {
    let server = Server::start();
    let runner = Sandbox::with_file(
        "playbook.yaml",
        "name: two\nsteps:\n  - create-bucket: {bucket: shared}\n  - put-object: {bucket: shared, key: theirs, body: a}\n    keep: true\n",
    );
    server.run(&runner, "playbook.yaml", &["--no-input", "--cleanup", "never"]).exited(3);
    thread::sleep(Duration::from_millis(1_100));
    let arguments = ["cleanup", "--tagged", "--older-than", "1s", "--yes"];
    let outcome = server.playbook(&Sandbox::new(), &arguments).exited(3);
    let reason = "it holds what this run did not put there: theirs";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("playbook cleanup --tagged --yes --older-than 1s"),
        "{}",
        outcome.stderr
    );
    server.stop();
}

/// A server that nobody here wrote, which tells less by tag than AWS does.
#[test]
fn what_is_left_at_moto_is_found_and_removed() {
    let Some(python) = peer("python") else { return };
    let place = Sandbox::new();
    let moto = Moto::start(&python, &place);
    let runner = sandbox("");
    let mut run = runner.playbook(["run", "playbook.yaml", "--cleanup", "never"]);
    finish(moto.tell(&mut run), "").exited(3);
    thread::sleep(Duration::from_millis(1_100));
    let elsewhere = Sandbox::new();
    let cleanup = |more: &[&str]| {
        let mut command = elsewhere.playbook(["cleanup", "--tagged", "--older-than", "1s"]);
        command.args(more).args(["--endpoint-url", &moto.endpoint, "--region", "us-east-1"]);
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        finish(&mut command, "")
    };
    let removed = cleanup(&["--yes"]).exited(0);
    assert!(removed.stderr.contains("AWS::IAM::Role"), "{}", removed.stderr);
    let left = cleanup(&[]).exited(0);
    assert_eq!(left.stdout, "Nothing bears the tag of a run.\n");
}

#[test]
fn what_is_kept_for_a_while_goes_when_it_is_due() {
    let server = Server::start();
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: kept\nsteps:\n  - create-log-group: {log_group_name: \"/demo/{{ run.id }}\"}\n",
    );
    let kept = server.run(&sandbox, "playbook.yaml", &["--no-input", "--keep", "1h"]).exited(3);
    assert!(kept.stderr.contains("`playbook cleanup --due` removes it then"), "{}", kept.stderr);
    let run = run_of(&sandbox);
    let cleanup = |option: &str| server.playbook(&sandbox, &["cleanup", option]);
    let listed = server.playbook(&sandbox, &["runs"]).exited(0);
    assert!(listed.stdout.contains("  kept until 20"), "{}", listed.stdout);
    assert_eq!(cleanup("--due").exited(0).stderr, "Nothing that was kept for a while is due.\n");
    let none = "Nothing is left behind by any journalled run.\n";
    assert_eq!(cleanup("--all").exited(0).stderr, none);

    let short = server.run(&sandbox, "playbook.yaml", &["--no-input", "--keep", "1s"]).exited(3);
    assert!(!short.stderr.contains("has left something behind"), "{}", short.stderr);
    thread::sleep(Duration::from_millis(1_100));
    let due = cleanup("--due").exited(0);
    assert_eq!(due.stderr.matches("- deleted").count(), 1, "{}", due.stderr);
    assert!(!due.stderr.contains(&run), "{}", due.stderr);
    // Nor does who goes by tags take what is wanted.
    let tagged = ["cleanup", "--tagged", "--older-than", "1s", "--yes"];
    let tagged = server.playbook(&sandbox, &tagged).exited(0);
    assert!(tagged.stdout.contains("says that this stays"), "{}", tagged.stdout);
    // Who names the run means it.
    let named = cleanup(&run).exited(0);
    assert_eq!(named.stderr.matches("- deleted").count(), 1, "{}", named.stderr);
    server.stop();
}
