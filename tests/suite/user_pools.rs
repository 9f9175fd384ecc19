//! A pool whose triggers are changed keeps all its other settings, in the embedded AWS and in one that nobody here wrote.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::servers::script;
use crate::harness::peers::{Moto, peer};
use crate::harness::sandbox::{Outcome, Sandbox, finish};
use crate::harness::server::Server;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:demo";

const PLAYBOOK: &str = "\
name: attach
inputs: {user_pool_id: {}, function: {}}
steps:
  - update-triggers:
      user_pool_id: \"{{ inputs.user_pool_id }}\"
      triggers: {PreSignUp: \"{{ inputs.function }}\"}
";

/// A server, as its users are told of it.
struct Aws<'a> {
    endpoint: &'a str,
    python: &'a Path,
}

impl Aws<'_> {
    fn tell(&self, command: &mut Command) -> Outcome {
        command
            .env("AWS_ENDPOINT_URL", self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1");
        finish(command, "")
    }

    /// What `user_pool.py` prints.
    #[track_caller]
    fn pool(&self, arguments: &[&str]) -> String {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(self.python, [script("user_pool.py")]);
        self.tell(command.args(arguments)).exited(0).stdout.trim().to_owned()
    }

    #[track_caller]
    fn described(&self, user_pool_id: &str) -> Value {
        serde_json::from_str(&self.pool(&["describe", user_pool_id])).unwrap()
    }
}

/// The settings in which two descriptions differ.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    let (one, other) = (one.as_object().unwrap(), other.as_object().unwrap());
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

/// Sets a trigger, undoes that, and compares the pool before, meanwhile and after.
#[track_caller]
fn keeps_its_settings(aws: &Aws<'_>) {
    let user_pool_id = aws.pool(&["create"]);
    let before = aws.described(&user_pool_id);
    let sandbox = Sandbox::with_file("attach.yaml", PLAYBOOK);
    let mut run = sandbox.playbook([
        "run",
        "attach.yaml",
        "--cleanup",
        "never",
        "--no-input",
        "--endpoint-url",
        aws.endpoint,
        "--input",
        &format!("user_pool_id={user_pool_id}"),
        "--input",
        &format!("function={FUNCTION}"),
    ]);
    aws.tell(&mut run).exited(3);
    let meanwhile = aws.described(&user_pool_id);
    assert_eq!(meanwhile["LambdaConfig"]["PreSignUp"], FUNCTION);
    assert_eq!(differences(&before, &meanwhile), ["LambdaConfig"], "{before}\n{meanwhile}");
    aws.tell(&mut sandbox.playbook(["cleanup", "--all"])).exited(0);
    let after = aws.described(&user_pool_id);
    assert!(
        differences(&before, &after).is_empty()
            || (differences(&before, &after) == ["LambdaConfig"]
                && after["LambdaConfig"] == json!({})),
        "{before}\n{after}"
    );
    // An update with the trigger alone does not pass for one that keeps everything.
    aws.pool(&["set-trigger-alone", &user_pool_id, FUNCTION]);
    let lost = differences(&before, &aws.described(&user_pool_id));
    for setting in [
        "AccountRecoverySetting",
        "AdminCreateUserConfig",
        "AutoVerifiedAttributes",
        "DeletionProtection",
        "DeviceConfiguration",
        "EmailConfiguration",
        "EmailVerificationMessage",
        "Policies",
        "UserPoolTags",
        "VerificationMessageTemplate",
    ] {
        assert!(lost.iter().any(|it| it == setting), "{setting} is not lost: {lost:?}");
    }
}

#[test]
fn of_the_embedded_aws() {
    let Some(python) = peer("python") else { return };
    let server = Server::start();
    keeps_its_settings(&Aws { endpoint: &server.endpoint, python: &python });
    server.stop();
}

#[test]
fn of_moto() {
    let Some(python) = peer("python") else { return };
    let surroundings = Sandbox::new();
    let server = Moto::start(&python, &surroundings);
    keeps_its_settings(&Aws { endpoint: &server.endpoint, python: &python });
}

#[test]
fn every_difference_is_seen() {
    let before = json!({"a": 1, "b": {"c": 2}, "d": 3});
    assert_eq!(differences(&before, &before), Vec::<String>::new());
    assert_eq!(differences(&before, &json!({"b": {"c": 4}, "d": 3, "e": 5})), ["a", "b", "e"]);
}
