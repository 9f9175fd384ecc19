//! `playbook chaos`: it finds what is left and what is touched, says so, and ends with all its processes.

use std::fs;
use std::sync::Arc;

use aws::{LAST_REPLY, MORTAL};
use local_aws::http::{BoxFuture, Request, Response};
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::account::Account;
use crate::harness::calls::{events_of_lines, of_kind};
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Running, Sandbox, eventually, finish};

/// A role, and then a call whose failure does what `rescue` says.
fn sandbox(rescue: &str) -> Sandbox {
    let text = format!(
        "name: disturbed\nsteps:\n  - create-role: {{role_name: \"demo-{{{{ run.id }}}}\", trust_service: \
         lambda.amazonaws.com}}\n  - block:\n      - list-functions: {{}}\n    rescue:\n      - {rescue}\n"
    );
    Sandbox::with_file("playbook.yaml", &text)
}

fn chaos(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let fixed = ["chaos", "playbook.yaml", "--seed", "7"];
    sandbox.run(fixed.iter().chain(arguments))
}

/// The last event's `outputs.total`.
fn total(outcome: &Outcome) -> Value {
    let events = events_of_lines(&outcome.stdout);
    of_kind(&events, "run-finished")[0]["outputs"]["total"].clone()
}

#[test]
fn a_clean_playbook_passes_every_trial() {
    let sandbox = sandbox("print: it failed");
    let arguments = ["--sample", "40", "--output", "json", "--report", "junit=chaos.xml"];
    let outcome = chaos(&sandbox, &arguments).exited(0);
    let total = total(&outcome);
    assert_eq!(total["trials"], 40, "{total}");
    for nothing in ["left", "touched", "problems", "missed"] {
        assert_eq!(total[nothing], 0, "{nothing} in {total}");
    }
    assert!(total["recovered"].as_u64().is_some_and(|recovered| recovered > 5), "{total}");
    let report = fs::read_to_string(sandbox.work().join("chaos.xml")).unwrap();
    assert!(report.contains(" killed ") && report.contains("tests=\"41\""), "{report}");
    sandbox.nothing_left();
}

#[test]
fn what_is_left_and_what_is_touched_is_named() {
    // A neighbour's names are the run's own with one more character.
    let sandbox = sandbox(
        "{create-role: {role_name: \"kept-{{ run.id }}\", trust_service: lambda.amazonaws.com}, keep: true}\n      \
         - delete-role: {role_name: \"demo-{{ run.id }}0\", if_foreign: delete}",
    );
    let outcome = chaos(&sandbox, &[]).exited(1);
    let said = |text: &str| assert!(outcome.stderr.contains(text), "{text}:\n{}", outcome.stderr);
    said("lambda ListFunctions: throttled at every attempt");
    said("left: iam roles kept-");
    said("touched: iam roles demo-");
    said("0 is gone");
    assert!(outcome.stdout.contains("seed 7: "), "{}", outcome.stdout);
    sandbox.nothing_left();
}

#[test]
fn a_sample_is_a_sample() {
    let sandbox = sandbox("print: it failed");
    let outcome = chaos(&sandbox, &["--sample", "5", "--output", "quiet"]).exited(0);
    assert!(outcome.stdout.contains("\n5 trials in "), "{}", outcome.stdout);
    let again = chaos(&sandbox, &["--sample", "5", "--output", "quiet"]).exited(0);
    let table = |outcome: &Outcome| outcome.stdout.split("5 trials").next().unwrap().to_owned();
    assert_eq!(table(&outcome), table(&again));
    sandbox.nothing_left();
}

#[test]
fn a_playbook_that_does_not_pass_proves_nothing() {
    let wrong = Sandbox::with_file("playbook.yaml", "name: wrong\nsteps:\n  - create-rule: {}\n");
    let outcome = chaos(&wrong, &[]).exited(2);
    assert!(outcome.stderr.contains("does not pass undisturbed"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("create-rule"), "{}", outcome.stderr);
    let failing = Sandbox::with_file("playbook.yaml", "name: failing\nsteps:\n  - fail: no\n");
    assert!(chaos(&failing, &[]).exited(1).stderr.contains("does not pass undisturbed"));
    let silent = Sandbox::with_file("playbook.yaml", "name: silent\nsteps:\n  - print: hello\n");
    assert!(chaos(&silent, &[]).exited(1).stderr.contains("sends no requests"));
}

/// Signs somebody up, who reads the code in the mail.
const INBOX: &str = "\
name: inbox
steps:
  - id: pool
    create-user-pool: {pool_name: 'inbox-{{ run.id }}', auto_verified_attributes: [email], username_attributes: [email]}
  - id: client
    create-user-pool-client: {user_pool_id: '{{ steps.pool.user_pool_id }}', client_name: 'inbox-{{ run.id }}'}
  - sign-up: {user_pool_id: '{{ steps.pool.user_pool_id }}', client_id: '{{ steps.client.client_id }}', username: a@example.com, password: 'Correct-horse-1'}
  - confirm-sign-up:
      client_id: '{{ steps.client.client_id }}'
      username: a@example.com
      confirmation_code: '{{ run.inbox[-1].code if run.local else none }}'
";

#[test]
fn a_run_of_it_reads_the_inbox() {
    let sandbox = Sandbox::with_file("playbook.yaml", INBOX);
    let outcome = chaos(&sandbox, &["--sample", "4", "--output", "json"]).exited(0);
    let total = total(&outcome);
    assert_eq!((&total["trials"], &total["problems"]), (&4.into(), &0.into()), "{total}");
    sandbox.nothing_left();
}

/// Starts it, and waits until trials are made.
fn start(sandbox: &Sandbox) -> Running {
    let out = sandbox.root().join("events");
    let mut command = sandbox.playbook(["chaos", "playbook.yaml", "--output", "json"]);
    let running = Running::with_stdout_in(&mut command, &out);
    let made = eventually(LONGEST, || {
        let text = fs::read_to_string(&out).ok()?;
        text.contains("step-finished").then_some(())
    });
    assert!(made.is_some(), "no trial is ever made");
    running
}

#[test]
fn an_interruption_ends_it_and_all_it_started() {
    let sandbox = sandbox("print: it failed");
    let running = start(&sandbox);
    process::signal(running.id(), Signal::INT);
    running.finish().exited(130);
    sandbox.nothing_left();
}

#[cfg(target_os = "linux")]
#[test]
fn what_it_started_dies_with_it() {
    let sandbox = sandbox("print: it failed");
    let running = start(&sandbox);
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    let left = process::remaining(sandbox.root(), LONGEST);
    assert!(left.is_empty(), "{left:?}");
    // Its directories are left, and the next proof removes them.
    let directories = || fs::read_dir(sandbox.root().join("tmp")).unwrap().count();
    assert!(directories() > 0);
    chaos(&sandbox, &["--sample", "1"]).exited(0);
    sandbox.nothing_left();
}

/// Answers the creation of a role with the reply that is to be the last.
struct LastReply;

impl Middleware for LastReply {
    fn before<'a>(&'a self, _: &'a dyn Service, _: &'a Request) -> BoxFuture<'a, Before> {
        Box::pin(std::future::ready(Before::Proceed))
    }

    fn after<'a>(
        &'a self,
        _: &'a dyn Service,
        request: &'a Request,
        response: &'a Response,
    ) -> BoxFuture<'a, After> {
        let creates = String::from_utf8_lossy(&request.body).contains("Action=CreateRole");
        let last = || After::Replace(response.clone().with_header(LAST_REPLY, "1"));
        Box::pin(std::future::ready(if creates { last() } else { After::Deliver }))
    }
}

#[test]
fn a_reply_can_be_the_last_that_a_run_gets_before_its_journal() {
    let account = Account::disturbed_by(Arc::new(LastReply));
    let sandbox = sandbox("print: it failed");
    // Only a run that was started for it may be ended so.
    finish(&mut account.run_command(&sandbox, &[]), "").exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
    for journal in sandbox.journals() {
        fs::remove_file(journal).unwrap();
    }
    let mut command = account.run_command(&sandbox, &[]);
    finish(command.env(MORTAL, "1"), "").exited(137);
    let made = account.resources();
    assert!(made.len() == 1 && made[0].starts_with("iam roles demo-"), "{made:?}");
    let journal = fs::read_to_string(&sandbox.journals()[0]).unwrap();
    assert!(journal.contains("\"intent\""), "it was to be made:\n{journal}");
    assert!(!journal.contains("\"done\""), "nobody has written that it was:\n{journal}");
    assert_eq!(journal.lines().count(), 2, "{journal}");
    finish(account.tell(&mut sandbox.playbook(["cleanup"])), "").exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
}

const POOL_AND_TABLE: &str = "\
name: guests
inputs: {harm: {default: nobody}}
steps:
  - id: pool
    create-user-pool: {pool_name: \"demo-{{ run.id }}\"}
  - id: table
    create-table: {table_name: \"demo-{{ run.id }}\", key: {mail: string}}
  - admin-create-user: {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: ann, message_action: suppress}
  - put-item: {table_name: \"demo-{{ run.id }}\", item: {mail: ann}}
  - when: inputs.harm == \"user\"
    admin-delete-user: {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: somebody}
    allow_error: UserNotFoundException
  - when: inputs.harm == \"namesake\"
    admin-delete-user: {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: ann0}
    allow_error: UserNotFoundException
  - when: inputs.harm == \"item\"
    delete-item: {table_name: \"demo-{{ run.id }}\", key: {mail: somebody}}
  - list-functions: {}
";

#[test]
fn guests_are_in_every_pool_and_table_and_are_not_to_be_harmed() {
    let sandbox = Sandbox::with_file("playbook.yaml", POOL_AND_TABLE);
    let harmless = chaos(&sandbox, &["--sample", "25"]).exited(0);
    assert!(harmless.stdout.contains(": 0 left, 0 touched\n"), "{}", harmless.stdout);
    for (harm, words) in [
        ("user", " somebody is gone"),
        ("namesake", " ann0 is gone"),
        ("item", " {\"mail\":{\"S\":\"somebody\"}} is gone"),
    ] {
        let harmful = chaos(&sandbox, &["--input", &format!("harm={harm}")]).exited(1);
        let said = &harmful.stderr;
        assert!(said.contains("touched: ") && said.contains(words), "{harm}:\n{said}");
    }
    sandbox.nothing_left();
}

const WITH_STACK: &str = "\
name: adopting
inputs: {stack: {}, mail: {default: ann}}
steps:
  - id: stack
    stack-outputs: {stack_name: \"{{ inputs.stack }}\"}
  - put-item:
      table_name: \"{{ steps.stack.outputs.People }}\"
      item: {mail: \"{{ inputs.mail }}\", made: \"by {{ run.id }}\"}
";

const TEMPLATE: &str = "\
Resources:
  People:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: mail, AttributeType: S}]
      KeySchema: [{AttributeName: mail, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
Outputs:
  People: {Value: !Ref People}
";

#[test]
fn somebody_elses_stack_is_used_and_left_as_it_was() {
    let sandbox = Sandbox::with_file("playbook.yaml", WITH_STACK);
    sandbox.write("stack.yaml", TEMPLATE);
    let theirs = ["--stack", "theirs=stack.yaml", "--input", "stack=theirs"];
    let outcome = chaos(&sandbox, &theirs).exited(0);
    // Somebody may put the same item just before: it is not replaced.
    assert!(outcome.stdout.contains("name taken just before"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(": 0 left, 0 touched\n"), "{}", outcome.stdout);
    // The item of somebody is replaced, and put back.
    let replacing = [&theirs[..], &["--input", "mail=somebody", "--sample", "25"]].concat();
    chaos(&sandbox, &replacing).exited(0);
    sandbox.nothing_left();
}

#[test]
fn a_stack_that_cannot_be_there_is_named() {
    let sandbox = Sandbox::with_file("playbook.yaml", WITH_STACK);
    let nameless = chaos(&sandbox, &["--stack", "theirs"]).exited(2);
    assert_eq!(
        nameless.stderr,
        "error: `theirs` names no template\n  help: write `--stack NAME=TEMPLATE`, such as `--stack theirs=stack.yaml`\n"
    );
    let absent = chaos(&sandbox, &["--stack", "theirs=absent.yaml"]).exited(2);
    assert_eq!(
        absent.stderr,
        "error: absent.yaml: there is no such file\n  help: name the template of the stack that the playbook is to use\n"
    );
    sandbox.write("asks.yaml", &format!("Parameters:\n  Prefix: {{Type: String}}\n{TEMPLATE}"));
    let asks = chaos(&sandbox, &["--stack", "theirs=asks.yaml"]).exited(2);
    for part in [
        "error: the stack `theirs` of --stack cannot be made: ",
        "Prefix",
        "each parameter needs a `Default`",
    ] {
        assert!(asks.stderr.contains(part), "{}", asks.stderr);
    }
    sandbox.nothing_left();
}
