//! The shipped Cognito scenarios at a terminal: followed to the end, stopped half-way, with passwords that are refused.

use std::process::Command;

use crate::harness::dialogue::{Dialogue, hold};
use crate::harness::sandbox::{Sandbox, finish, repository};
use crate::harness::server::Server;
use crate::harness::shipped::{self, PASSWORD};

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const ESCAPE: &str = "\u{1b}";
const DOWN: &str = "\u{1b}[B";
const RETURN: &str = "\r";

/// Long enough, but without a capital letter.
const REFUSED: &str = "incorrect-horse-7";
const REASON: &str = "Password must have uppercase characters";

/// A run at a terminal that asks for the password, too.
fn asking(mut command: Command) -> Command {
    shipped::prepare(&mut command).env_remove("PLAYBOOK_INPUT_PASSWORD");
    command
}

#[track_caller]
fn at_a_terminal(name: &str, lines: &[(&str, &str)]) {
    let sandbox = Sandbox::new();
    let command = sandbox.playbook(["run", &format!("playbooks/{name}.yaml"), "--local"]);
    let dialogue = hold(&asking(command), lines).exited(0);
    for secret in [PASSWORD, REFUSED] {
        assert!(!dialogue.raw.contains(secret), "{}", dialogue.shown);
    }
    assert!(!dialogue.shown.contains("remain"), "{}", dialogue.shown);
    sandbox.nothing_left();
}

#[test]
fn auto_confirm_is_followed_to_its_end() {
    let (refused, right) = ([REFUSED, RETURN].concat(), [PASSWORD, RETURN].concat());
    at_a_terminal(
        "auto-confirm",
        &[
            ("Enter a password", &refused),
            ("Which user do you want to sign up?", &[DOWN, RETURN].concat()),
            (REASON, ""),
            ("Enter a password", &right),
            ("User test_user_2 is signed up and confirmed.", ""),
            ("The latest log events of playbook-auto-confirm-", ""),
            ("test_user_2", ""),
            ("Press return to sign in", RETURN),
            ("Signed in as test_user_2", ""),
            ("Do you want to remove the user", "y\r"),
            ("7 resources made, 7 removed", ""),
        ],
    );
}

#[test]
fn migrate_user_is_followed_to_its_end() {
    let (refused, right) = ([REFUSED, RETURN].concat(), [PASSWORD, RETURN].concat());
    at_a_terminal(
        "migrate-user",
        &[
            ("Enter a new password", &refused),
            ("Enter a user name", "ann\r"),
            ("Enter an e-mail address", "no address\r"),
            ("must match", &["\u{7f}".repeat(10).as_str(), "ann@example.com\r"].concat()),
            ("ann was not in the user pool, but is a known user", ""),
            ("The latest log events of playbook-migrate-user-", ""),
            ("Do you want one sent to ann@example.com?", "y\r"),
            ("The code is on its way to a***@e***.", ""),
            ("Enter the code", RETURN),
            (REASON, ""),
            ("Enter a new password", &right),
            ("Signed in as ann", ""),
            ("Do you want to remove the user", "y\r"),
            ("7 resources made, 7 removed", ""),
        ],
    );
}

#[test]
fn activity_log_is_followed_to_its_end() {
    let (refused, right) = ([REFUSED, RETURN].concat(), [PASSWORD, RETURN].concat());
    at_a_terminal(
        "activity-log",
        &[
            ("Enter a password", &refused),
            (REASON, ""),
            ("Enter a password", &refused),
            (REASON, ""),
            ("Enter a password", &right),
            ("Press return to sign in as test_user_1", RETURN),
            ("The latest log events of playbook-activity-log-", ""),
            ("Press return to see what the function has written", RETURN),
            ("test_user_1 signed in last at ", ""),
            ("Do you want to remove the user", "y\r"),
            ("7 resources made, 7 removed", ""),
        ],
    );
}

/// A user pool and a table that outlive the runs against them.
struct People {
    server: Server,
    /// Of the run that has made them.
    owner: Sandbox,
}

impl People {
    fn start() -> Self {
        let owner = Sandbox::with_file(
            "people.yaml",
            "name: people\nsteps:\n  - deploy-stack: {stack_name: people, template: known-users.yaml, capabilities: [CAPABILITY_IAM]}\n",
        );
        let template = repository().join("playbooks/templates/known-users.yaml");
        owner.write("known-users.yaml", &std::fs::read_to_string(template).unwrap());
        let server = Server::start();
        server.run(&owner, "people.yaml", &["--no-input", "--cleanup", "never"]).exited(3);
        Self { server, owner }
    }

    /// migrate-user in that stack.
    fn migrate(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let file = "playbooks/migrate-user.yaml";
        let mut command = self.server.run_command(sandbox, file, arguments);
        command.args(["--input", "stack=people"]);
        command
    }

    /// Fails the test unless all is as it was: no user, no item, no trigger, no function.
    #[track_caller]
    fn are_untouched(&self) {
        let sandbox = Sandbox::with_file("look.yaml", LOOK);
        self.server.run(&sandbox, "look.yaml", &["--no-input"]).exited(0);
    }

    #[track_caller]
    fn end(self) {
        self.server.playbook(&self.owner, &["cleanup", "--all"]).exited(0);
        self.server.stop();
    }
}

const LOOK: &str = "\
name: look
steps:
  - id: stack
    stack-outputs: {stack_name: people}
  - admin-get-user: {user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\", username: ann}
    expect_error: UserNotFoundException
  - scan: {table_name: \"{{ steps.stack.outputs.TableName }}\"}
    assert: result.items | length == 0
  - update-triggers:
      user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
      triggers: {UserMigration: null}
    assert: result.previous | length == 0
  - list-functions: {}
    assert: result.count == 0
";

/// What migrate-user asks, in order, and what somebody answers who has a code sent.
const QUESTIONS: [(&str, &str); 5] = [
    ("Enter a new password", "Correct-horse-7\r"),
    ("Enter a user name", "ann\r"),
    ("Enter an e-mail address", "ann@example.com\r"),
    ("Do you want one sent to ann@example.com?", "y\r"),
    ("Enter the code", "123456\r"),
];
/// From this one on, the user is in the pool.
const MIGRATED: usize = 3;

/// Answers questions up to the one of that number, and types something else there.
#[track_caller]
fn stopped(people: &People, at: usize, typed: &str, more: &[(&str, &str)], exit: i64) -> Dialogue {
    let mut lines = QUESTIONS[..at].to_vec();
    lines.push((QUESTIONS[at].0, typed));
    lines.extend_from_slice(more);
    let sandbox = Sandbox::new();
    let dialogue = hold(&asking(people.migrate(&sandbox, &[])), &lines).exited(exit);
    let removed = dialogue.shown.contains("deleted       AWS::Cognito::UserPoolUser      ann of ");
    assert_eq!(removed, at >= MIGRATED, "{}", dialogue.shown);
    let listed = people.server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(!listed.contains("unfinished"), "{listed}");
    people.are_untouched();
    dialogue
}

#[test]
fn whoever_stops_at_a_question_leaves_no_user_behind() {
    let people = People::start();
    for at in 0..QUESTIONS.len() {
        stopped(&people, at, CTRL_C, &[], 130);
    }
    people.end();
}

#[test]
fn whoever_gives_no_answer_leaves_no_user_behind() {
    let people = People::start();
    for at in 0..QUESTIONS.len() {
        for typed in [ESCAPE, CTRL_D] {
            stopped(&people, at, typed, &[], 130);
        }
    }
    people.end();
}

#[test]
fn whoever_declines_or_mistypes_leaves_no_user_behind() {
    let people = People::start();
    let clean_up = [("Do you want to remove the user", "y\r")];
    let declined = stopped(&people, MIGRATED, "n\r", &clean_up, 0);
    assert!(declined.shown.contains("To see the whole migration"), "{}", declined.shown);
    let interrupted = [("Do you want to remove the user", CTRL_C)];
    stopped(&people, MIGRATED, "n\r", &interrupted, 130);
    let mistyped = stopped(&people, MIGRATED + 1, "000000\r", &[], 1);
    assert!(mistyped.shown.contains("CodeMismatchException"), "{}", mistyped.shown);
    people.end();
}

#[test]
fn whoever_declines_the_clean_up_can_have_it_later() {
    let people = People::start();
    let sandbox = Sandbox::new();
    let mut lines = QUESTIONS[..MIGRATED].to_vec();
    lines.extend([(QUESTIONS[MIGRATED].0, "n\r"), ("Do you want to remove the user", "n\r")]);
    let dialogue = hold(&asking(people.migrate(&sandbox, &[])), &lines).exited(3);
    assert!(dialogue.shown.contains("playbook cleanup"), "{}", dialogue.shown);
    people.server.playbook(&sandbox, &["cleanup", "--all"]).exited(0);
    people.are_untouched();
    people.end();
}

#[test]
fn without_a_terminal_the_code_is_missed_and_the_user_removed() {
    let people = People::start();
    let sandbox = Sandbox::new();
    let given = ["--input", "user_name=ann", "--input", "email=ann@example.com"];
    let mut command = people.migrate(&sandbox, &given);
    shipped::prepare(&mut command).args(["--input", "send_code=true"]);
    let outcome = finish(&mut command, "").exited(1);
    assert!(outcome.stderr.contains("nobody is there to answer `code`"), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("AWS::Cognito::UserPoolUser      ann of "),
        "{}",
        outcome.stderr
    );
    people.are_untouched();
    people.end();
}

#[test]
fn without_a_terminal_a_refused_password_fails_the_run() {
    for name in ["auto-confirm", "migrate-user", "activity-log"] {
        let sandbox = Sandbox::new();
        let mut command = sandbox.playbook(["run", &format!("playbooks/{name}.yaml"), "--local"]);
        shipped::prepare(&mut command).env("PLAYBOOK_INPUT_PASSWORD", REFUSED);
        let outcome = finish(&mut command, "").exited(1);
        let told = outcome.stderr.lines().find(|line| line.contains("error[step-failed]: "));
        let told = told.unwrap_or_default();
        assert!(told.contains(": InvalidPasswordException: Password d"), "{}", outcome.stderr);
        assert!(told.ends_with(REASON), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains(REFUSED), "{}", outcome.stderr);
        sandbox.nothing_left();
    }
}

#[test]
fn at_a_terminal_a_password_is_refused_as_often_as_was_said() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: refused\ninputs: {password: {type: secret, prompt: Choose a password}}\nsteps:\n  - id: pool\n    create-user-pool: {pool_name: \
         \"demo-{{ run.id }}\"}\n  - admin-create-user: {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: ann, message_action: suppress}\n  - \
         admin-set-user-password: {user_pool_id: \"{{ steps.pool.user_pool_id }}\", username: ann, password: \"{{ inputs.password }}\"}\n    retry: \
         {on: InvalidPasswordException, ask: password, attempts: 3}\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let refused = [REFUSED, RETURN].concat();
    let lines = [
        ("Choose a password", refused.as_str()),
        (REASON, ""),
        ("Choose a password", "short\r"),
        ("Password not long enough", ""),
        ("Choose a password", &refused),
        ("(tried 3 times)", ""),
        ("2 resources made, 2 removed", ""),
    ];
    hold(&command, &lines).exited(1);
    sandbox.nothing_left();
}
