//! What somebody else made: steps do not delete it unasked, and no clean-up takes it for the run's.

use std::sync::Arc;

use aws::{LAST_REPLY, MORTAL};
use local_aws::http::{Request, Response};
use local_aws::server::Middleware;

use crate::harness::account::Account;
use crate::harness::sandbox::{Outcome, Sandbox, finish};
use crate::harness::script::{Act, Script, is_named};

/// Has somebody else run a playbook whose makings stay.
#[track_caller]
fn somebody_runs(account: &Account, playbook: &str) {
    let theirs = Sandbox::with_file("playbook.yaml", playbook);
    theirs.write("code.py", "def handler(event, context):\n    return event\n");
    finish(&mut account.run_command(&theirs, &["--cleanup", "never"]), "").exited(3);
}

fn run(account: &Account, playbook: &str) -> Outcome {
    let sandbox = Sandbox::with_file("playbook.yaml", playbook);
    finish(&mut account.run_command(&sandbox, &[]), "")
}

fn disturbed_by(script: &Arc<Script>) -> Account {
    Account::disturbed_by(Arc::clone(script) as Arc<dyn Middleware>)
}

const ROLE: &str = "\
name: theirs
steps:
  - create-role:
      role_name: theirs
      trust_service: lambda.amazonaws.com
      managed_policies: [arn:aws:iam::aws:policy/ReadOnlyAccess]
  - put-role-policy:
      role_name: theirs
      policy_name: read
      policy_document: {Version: \"2012-10-17\", Statement: {Effect: Allow, Action: s3:GetObject, Resource: \"*\"}}
";

#[test]
fn a_role_of_somebody_else_is_deleted_only_where_the_step_says_so() {
    let account = Account::open();
    somebody_runs(&account, ROLE);
    let before = account.snapshot()["iam"].clone();
    let refused =
        run(&account, "name: r\nsteps:\n  - delete-role: {role_name: theirs}\n").exited(1);
    for words in [
        "this run did not make the role theirs: it has no tag playbook:run=",
        "it could not be made again afterwards; write `if_foreign: delete` where it may be lost",
    ] {
        assert!(refused.stderr.contains(words), "{words}:\n{}", refused.stderr);
    }
    assert_eq!(account.snapshot()["iam"], before);
    run(&account, "name: r\nsteps:\n  - delete-role: {role_name: theirs, if_foreign: delete}\n")
        .exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
    let none = run(&account, "name: r\nsteps:\n  - delete-role: {role_name: theirs}\n").exited(1);
    assert!(none.stderr.contains("there is no role theirs to delete"), "{}", none.stderr);
}

#[test]
fn what_somebody_makes_in_its_place_is_reported_and_left() {
    let account = Account::open();
    let create = "create-role: {role_name: shared, trust_service: lambda.amazonaws.com}";
    let ours = Sandbox::with_file("playbook.yaml", &format!("name: ours\nsteps:\n  - {create}\n"));
    finish(&mut account.run_command(&ours, &["--cleanup", "never"]), "").exited(3);
    let delete = "delete-role: {role_name: shared, if_foreign: delete}";
    let anew = format!("name: theirs\nsteps:\n  - {delete}\n  - {create}\n");
    somebody_runs(&account, &anew);
    let before = account.snapshot()["iam"].clone();
    let cleaned = finish(account.tell(&mut ours.playbook(["cleanup"])), "").exited(0);
    let words = "shared: it was deleted and made again since";
    assert!(cleaned.stderr.contains(words), "{}", cleaned.stderr);
    assert_eq!(account.snapshot()["iam"], before);
}

#[test]
fn a_role_in_an_instance_profile_keeps_its_policies() {
    let profiles = "<ListInstanceProfilesForRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
        <ListInstanceProfilesForRoleResult><IsTruncated>false</IsTruncated><InstanceProfiles><member><Path>/</Path>\
        <InstanceProfileName>web</InstanceProfileName><InstanceProfileId>AIPA1</InstanceProfileId>\
        <Arn>arn:aws:iam::000000000000:instance-profile/web</Arn><CreateDate>2026-11-23T10:00:00Z</CreateDate><Roles/>\
        </member></InstanceProfiles></ListInstanceProfilesForRoleResult></ListInstanceProfilesForRoleResponse>";
    let script = Script::new(
        |it| is_named(it, "ListInstanceProfilesForRole"),
        [Act::Reply(Response::new(200, "text/xml", profiles))],
    );
    let account = disturbed_by(&script);
    somebody_runs(&account, ROLE);
    let before = account.snapshot()["iam"].clone();
    let playbook = "name: r\nsteps:\n  - delete-role: {role_name: theirs, if_foreign: delete}\n";
    let refused = run(&account, playbook).exited(1);
    assert!(script.is_over());
    for words in ["the role theirs is in the instance profile web", "nothing was taken off it"] {
        assert!(refused.stderr.contains(words), "{words}:\n{}", refused.stderr);
    }
    assert_eq!(account.snapshot()["iam"], before);
}

const FUNCTION: &str = "\
name: theirs
steps:
  - id: role
    create-role: {role_name: theirs, trust_service: lambda.amazonaws.com}
  - create-function:
      {function_name: theirs, runtime: python3.13, handler: code.handler, code: code.py, role: \"{{ steps.role.arn }}\"}
";

#[test]
fn a_function_of_somebody_else_is_deleted_only_where_the_step_says_so() {
    let account = Account::open();
    somebody_runs(&account, FUNCTION);
    let step = |more: &str| {
        format!("name: f\nsteps:\n  - delete-function: {{function_name: theirs{more}}}\n")
    };
    let refused = run(&account, &step("")).exited(1);
    let words = "this run did not make the function theirs: it has no tag playbook:run=";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert!(account.resources().contains(&"lambda theirs".to_owned()));
    run(&account, &step(", if_foreign: delete")).exited(0);
    assert!(!account.resources().contains(&"lambda theirs".to_owned()));
}

const POOL: &str = "\
name: theirs
steps:
  - id: pool
    create-user-pool: {pool_name: theirs}
  - admin-create-user:
      {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: ann, message_action: suppress}
";

/// The id of the only pool.
fn pool(account: &Account) -> String {
    let names = account.resources();
    let pool = names.iter().find_map(|name| name.strip_prefix("cognito-idp us-east-1_"));
    format!("us-east-1_{}", pool.unwrap_or_else(|| panic!("no pool in {names:?}")))
}

#[test]
fn a_user_of_somebody_else_is_deleted_only_where_the_step_says_so() {
    let account = Account::open();
    somebody_runs(&account, POOL);
    let pool = pool(&account);
    let step = |name: &str, more: &str| {
        format!("  - admin-delete-user: {{user_pool_id: {pool}, username: {name}{more}}}\n")
    };
    let refused = run(&account, &format!("name: u\nsteps:\n{}", step("ann", ""))).exited(1);
    let words =
        format!("this run did not make the user ann, nor the user pool {pool}: it has no tag");
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    let absent = run(&account, &format!("name: u\nsteps:\n{}", step("bob", ""))).exited(1);
    assert!(absent.stderr.contains("there is no user bob in the user pool"), "{}", absent.stderr);
    // A user of the run's own, in that pool.
    let own = format!(
        "name: u\nsteps:\n  - admin-create-user: {{user_pool_id: {pool}, username: eve, message_action: suppress}}\n{}",
        step("eve", "")
    );
    run(&account, &own).exited(0);
    assert!(account.snapshot()["cognito-idp"].to_string().contains("ann"));
    run(&account, &format!("name: u\nsteps:\n{}", step("ann", ", if_foreign: delete"))).exited(0);
    assert!(!account.snapshot()["cognito-idp"].to_string().contains("\"ann\""));
}

/// When a user came says nothing of who has made it, and a user bears no mark.
#[test]
fn a_user_who_may_be_somebody_elses_is_left_and_listed() {
    let script =
        Script::new(|it| is_named(it, "AdminCreateUser") || is_named(it, "AdminGetUser"), []);
    let account = disturbed_by(&script);
    somebody_runs(&account, "name: theirs\nsteps:\n  - create-user-pool: {pool_name: theirs}\n");
    let alice = format!(
        "name: u\nsteps:\n  - admin-create-user: {{user_pool_id: {}, username: alice, message_action: suppress}}\n",
        pool(&account)
    );
    // The run dies before it has made the user, and then somebody makes one.
    script.add(Act::Pass);
    script.add(Act::Reply(Response::empty(200).with_header(LAST_REPLY, "1")));
    let ours = Sandbox::with_file("playbook.yaml", &alice);
    finish(account.run_command(&ours, &[]).env(MORTAL, "1"), "").exited(137);
    somebody_runs(&account, &alice);
    let cleaned = finish(account.tell(&mut ours.playbook(["cleanup"])), "").exited(3);
    let words = "a user bears no mark of who has made it";
    assert!(cleaned.stderr.contains(words), "{}", cleaned.stderr);
    assert!(account.snapshot()["cognito-idp"].to_string().contains("alice"));
}

/// Somebody puts another item in the place of the one that is about to be deleted.
fn other_item(delete: &Request) -> Request {
    let mut put = delete.clone();
    put.headers.insert("x-amz-target", "DynamoDB_20120810.PutItem".parse().unwrap());
    let item = serde_json::json!({"mail": {"S": "ann"}, "by": {"S": "somebody"}});
    put.body = serde_json::json!({"TableName": "theirs", "Item": item}).to_string().into();
    put
}

#[test]
fn an_item_that_changes_before_it_is_deleted_is_left_as_it_is() {
    let script = Script::new(|it| is_named(it, "DeleteItem"), [Act::First(other_item)]);
    let account = disturbed_by(&script);
    somebody_runs(
        &account,
        "name: theirs\nsteps:\n  - create-table: {table_name: theirs, key: {mail: string}}\n  \
         - put-item: {table_name: theirs, item: {mail: ann, by: them}}\n",
    );
    let playbook = "name: i\nsteps:\n  - delete-item: {table_name: theirs, key: {mail: ann}}\n";
    let refused = run(&account, playbook).exited(1);
    let words =
        "somebody has changed the item mail=ann of theirs since it was read; it was left as it is";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert!(script.is_over());
    assert!(account.snapshot()["dynamodb"].to_string().contains("somebody"));
}

#[test]
fn an_item_whose_deletion_gets_no_answer_was_deleted_all_the_same() {
    let script = Script::new(|it| is_named(it, "DeleteItem"), [Act::Lose]);
    let account = disturbed_by(&script);
    somebody_runs(
        &account,
        "name: theirs\nsteps:\n  - create-table: {table_name: theirs, key: {mail: string}}\n  \
         - put-item: {table_name: theirs, item: {mail: ann, by: them}}\n",
    );
    let before = account.snapshot()["dynamodb"].clone();
    let playbook = "name: i\nsteps:\n  - delete-item: {table_name: theirs, key: {mail: ann}}\n    assert: result.deleted\n";
    run(&account, playbook).exited(0);
    assert!(script.is_over());
    assert_eq!(account.snapshot()["dynamodb"], before);
}

/// Somebody writes the object that is about to be deleted.
fn other_object(delete: &Request) -> Request {
    let mut put = delete.clone();
    put.method = "PUT".parse().unwrap();
    put.headers.remove("if-match");
    put.body = "somebody's".into();
    put
}

#[test]
fn an_object_that_is_written_anew_before_it_is_deleted_is_left_as_it_is() {
    let script =
        Script::new(|it| it.method == "DELETE" && it.path.len() == 2, [Act::First(other_object)]);
    let account = disturbed_by(&script);
    somebody_runs(&account, "name: theirs\nsteps:\n  - create-bucket: {bucket: theirs}\n");
    let playbook = "name: o\nsteps:\n  - put-object: {bucket: theirs, key: k, body: ours}\n";
    let changed = run(&account, playbook);
    assert!(changed.stderr.contains("it was written again since"), "{}", changed.stderr);
    assert!(script.is_over());
    assert!(
        account.snapshot()["s3"].to_string().contains("\"size\":10"),
        "{}",
        account.snapshot()["s3"]
    );
}
