//! The log groups of functions that a stack brings along: Lambda makes them, no template names them, and they go too.

use std::fs;
use std::sync::Arc;

use aws::{LAST_REPLY, MORTAL};
use local_aws::http::Response;
use local_aws::server::Middleware;

use crate::harness::account::Account;
use crate::harness::sandbox::{Sandbox, finish};
use crate::harness::script::{Act, Script, is_named};

const TEMPLATE: &str = "\
Parameters:
  Name: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: lambda.amazonaws.com}}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Ref Name
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          def handler(event, context):
              print('called')
              return event
Outputs:
  Function: {Value: !Ref Function}
";

const PLAYBOOK: &str = "\
name: stack
inputs: {name: {default: \"demo-{{ run.id }}\"}}
steps:
  - id: stack
    deploy-stack:
      stack_name: \"demo-{{ run.id }}\"
      template: stack.yaml
      parameters: {Name: \"{{ inputs.name }}\"}
      capabilities: [CAPABILITY_IAM]
  - invoke: {function_name: \"{{ steps.stack.outputs.Function }}\", payload: {number: 1}}
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_file("playbook.yaml", PLAYBOOK);
    sandbox.write("stack.yaml", TEMPLATE);
    sandbox
}

#[test]
fn they_go_when_the_run_is_over() {
    let account = Account::open();
    let sandbox = sandbox();
    finish(&mut account.run_command(&sandbox, &[]), "").exited(0);
    let left: Vec<_> = account.resources().into_iter().filter(|it| !is_stack(it)).collect();
    assert_eq!(left, Vec::<String>::new());
}

/// A stack that was deleted can still be described.
fn is_stack(name: &str) -> bool {
    name.starts_with("cloudformation ")
}

#[test]
fn one_that_was_there_before_stays() {
    let account = Account::open();
    let theirs = Sandbox::with_file(
        "playbook.yaml",
        "name: theirs\nsteps:\n  - create-log-group: {log_group_name: /aws/lambda/known}\n",
    );
    finish(&mut account.run_command(&theirs, &["--cleanup", "never"]), "").exited(3);
    let sandbox = sandbox();
    finish(&mut account.run_command(&sandbox, &["--input", "name=known"]), "").exited(0);
    let left: Vec<_> = account.resources().into_iter().filter(|it| !is_stack(it)).collect();
    assert_eq!(left, ["logs /aws/lambda/known"]);
}

/// The clean-up dies when the stack is gone, and the next one finds it gone.
#[test]
fn they_go_although_a_clean_up_ended_between_the_stack_and_them() {
    let script = Script::new(
        |it| is_named(it, "ListStackResources"),
        [Act::Reply(Response::empty(200).with_header(LAST_REPLY, "1"))],
    );
    let account = Account::disturbed_by(Arc::clone(&script) as Arc<dyn Middleware>);
    let sandbox = sandbox();
    finish(account.run_command(&sandbox, &[]).env(MORTAL, "1"), "").exited(137);
    assert!(script.is_over());
    let groups = || account.resources().into_iter().filter(|it| it.starts_with("logs ")).count();
    assert_eq!(groups(), 1, "{:?}", account.resources());
    finish(account.tell(&mut sandbox.playbook(["cleanup"])), "").exited(0);
    assert_eq!(groups(), 0, "{:?}", account.resources());
}

#[test]
fn they_go_whatever_happens() {
    let sandbox = sandbox();
    let outcome =
        sandbox.run(["chaos", "playbook.yaml", "--seed", "7", "--sample", "12"]).exited(0);
    assert!(outcome.stdout.contains(": 0 left, 0 touched\n"), "{}", outcome.stdout);
    assert!(fs::read_dir(sandbox.root().join("tmp")).unwrap().next().is_none());
}

const ROLLED_BACK: &str = "\
Resources:
  Good: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 1}}
  Kept: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: {LogGroupName: !Sub \"/kept/${AWS::StackName}\"}}
  Bad: {Type: AWS::Logs::LogGroup, DependsOn: [Good, Kept], Properties: {RetentionInDays: 4}}
";

/// The rollback has kept it, long before the stack is deleted.
#[test]
fn what_a_template_keeps_is_named_after_a_creation_that_was_rolled_back() {
    let playbook = "name: stack\nsteps:\n  - deploy-stack: {stack_name: \"demo-{{ run.id }}\", template: stack.yaml}\n";
    let sandbox = Sandbox::with_file("playbook.yaml", playbook);
    sandbox.write("stack.yaml", ROLLED_BACK);
    let outcome =
        sandbox.run(["run", "--local", "--local-pace", "none", "playbook.yaml"]).exited(1);
    let kept = outcome.stderr.matches("keeps Kept: AWS::Logs::LogGroup").count();
    assert_eq!(kept, 1, "{}", outcome.stderr);
}
