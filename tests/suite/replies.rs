//! Replies that are lost, or come only in part, or say that something passes by itself: what the run made is still its own.

use std::sync::Arc;

use local_aws::http::{Request, Response};
use local_aws::protocol::AwsError;
use local_aws::server::Middleware;

use crate::harness::account::Account;
use crate::harness::sandbox::{Sandbox, finish};
use crate::harness::script::{Act, Script, is_named};

/// Runs a playbook to its end in an account where this happens, and leaves nothing.
#[track_caller]
fn passes(script: &Arc<Script>, playbook: &str) {
    let account = Account::disturbed_by(Arc::clone(script) as Arc<dyn Middleware>);
    let sandbox = Sandbox::with_file("playbook.yaml", playbook);
    sandbox.write("code.py", "def handler(event, context):\n    return event\n");
    let outcome = finish(&mut account.run_command(&sandbox, &[]), "").exited(0);
    assert!(script.is_over(), "not everything happened:\n{}", outcome.stderr);
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn a_table_whose_reply_is_cut_after_its_head_is_the_runs() {
    let script = Script::new(|it| is_named(it, "CreateTable"), [Act::Cut]);
    passes(
        &script,
        "name: cut\nsteps:\n  - create-table: {table_name: \"demo-{{ run.id }}\", key: {mail: string}}\n",
    );
}

fn is_add_permission(request: &Request) -> bool {
    request.method == "POST" && request.path.last().is_some_and(|part| part == "policy")
}

const ROLE_AND_FUNCTION: &str = "\
name: function
steps:
  - id: role
    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
  - create-function:
      function_name: shared
      runtime: python3.13
      handler: code.handler
      code: code.py
      role: \"{{ steps.role.arn }}\"
";

/// The first attempt takes effect and its reply is lost, the second is told to wait, the third that it is there already.
#[test]
fn a_permission_of_which_the_last_call_says_that_it_is_there_is_taken_away() {
    let busy =
        "The operation cannot be performed at this time. An update is in progress for resource";
    let busy = AwsError::new(409, "ResourceConflictException", busy);
    let script = Script::new(is_add_permission, [Act::Lose, Act::Refuse(busy)]);
    let account = Account::disturbed_by(Arc::clone(&script) as Arc<dyn Middleware>);
    let theirs = Sandbox::with_file("playbook.yaml", ROLE_AND_FUNCTION);
    theirs.write("code.py", "def handler(event, context):\n    return event\n");
    finish(&mut account.run_command(&theirs, &["--cleanup", "never"]), "").exited(3);
    let ours = Sandbox::with_file(
        "playbook.yaml",
        "name: allow\nsteps:\n  - add-permission: {function_name: shared, principal: s3.amazonaws.com}\n",
    );
    let before = account.snapshot()["lambda"].to_string();
    assert!(before.contains("shared"), "{before}");
    finish(&mut account.run_command(&ours, &[]), "").exited(0);
    assert!(script.is_over());
    let after = account.snapshot()["lambda"].to_string();
    assert!(!after.contains("s3.amazonaws.com"), "the permission is left: {after}");
}

#[test]
fn a_principal_that_lambda_has_not_heard_of_yet_is_waited_for() {
    let unknown = "The provided principal was invalid. Please check the principal and try again.";
    let refuse = || AwsError::bad_request("InvalidParameterValueException", unknown);
    let script = Script::new(is_add_permission, [Act::Refuse(refuse()), Act::Refuse(refuse())]);
    let step = "  - add-permission: {function_name: shared, principal: \"{{ steps.role.arn }}\"}\n";
    passes(&script, &format!("{ROLE_AND_FUNCTION}{step}"));
}

/// Two roles, the second of which trusts the first, and has two policies.
const ROLES: &str = "\
name: roles
steps:
  - id: first
    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
  - create-role:
      role_name: \"demo2-{{ run.id }}\"
      managed_policies: [arn:aws:iam::aws:policy/ReadOnlyAccess]
      assume_role_policy_document:
        Version: \"2012-10-17\"
        Statement: {Effect: Allow, Action: sts:AssumeRole, Principal: {AWS: \"{{ steps.first.arn }}\"}}
  - put-role-policy:
      role_name: \"demo2-{{ run.id }}\"
      policy_name: read
      policy_document: {Version: \"2012-10-17\", Statement: {Effect: Allow, Action: s3:GetObject, Resource: \"*\"}}
";

#[test]
fn a_role_that_iam_has_not_heard_of_yet_is_waited_for() {
    let missing =
        || AwsError::new(404, "NoSuchEntity", "The role with name demo2 cannot be found.");
    for operation in [(|it| is_named(it, "AttachRolePolicy")) as fn(&Request) -> bool, |it| {
        is_named(it, "PutRolePolicy")
    }] {
        passes(&Script::new(operation, [Act::Refuse(missing())]), ROLES);
    }
    let invalid = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::000000000000:role/demo\"";
    let invalid = AwsError::bad_request("MalformedPolicyDocument", invalid);
    let script =
        Script::new(|it| is_named(it, "CreateRole"), [Act::Pass, Act::Refuse(invalid.clone())]);
    passes(&script, ROLES);
    // One that no other role of the run is named in says what is wrong.
    let script = Script::new(|it| is_named(it, "CreateRole"), [Act::Refuse(invalid)]);
    let account = Account::disturbed_by(Arc::clone(&script) as Arc<dyn Middleware>);
    let sandbox = Sandbox::with_file("playbook.yaml", ROLES);
    let outcome = finish(&mut account.run_command(&sandbox, &[]), "").exited(1);
    assert!(outcome.stderr.contains("MalformedPolicyDocument"), "{}", outcome.stderr);
}

/// What a proxy that wants somebody to sign in makes of a reply.
fn page(_: &Response) -> Response {
    Response {
        body: "<!DOCTYPE html><title>Sign in to the network</title>".into(),
        ..Response::empty(200).with_header("content-type", "text/html")
    }
}

#[test]
fn what_a_page_of_a_proxy_hides_is_looked_for_and_taken_away() {
    let script = Script::new(|it| is_named(it, "CreateLogGroup"), [Act::Change(page)]);
    let account = Account::disturbed_by(Arc::clone(&script) as Arc<dyn Middleware>);
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: page\nsteps:\n  - create-log-group: {log_group_name: \"/demo/{{ run.id }}\"}\n",
    );
    let outcome = finish(&mut account.run_command(&sandbox, &[]), "").exited(1);
    assert!(outcome.stderr.contains("no answer of AWS"), "{}", outcome.stderr);
    assert!(script.is_over());
    assert_eq!(account.resources(), Vec::<String>::new());
}
