//! A clean-up that AWS does not let happen: it gives up in time and says what remains, where, and how to finish it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use local_aws::http::{BoxFuture, Request, Response};
use local_aws::protocol::{AwsError, Protocol};
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};
use regex_lite::Regex;

use crate::harness::account::Account;
use crate::harness::calls;
use crate::harness::sandbox::{Sandbox, finish, program};

/// Why nothing may be deleted.
#[derive(Clone, Copy)]
enum Obstacle {
    Throttled,
    Expired,
}

impl Obstacle {
    fn error(self, protocol: Protocol) -> AwsError {
        let is_query = matches!(protocol, Protocol::Query { .. });
        match (self, is_query) {
            (Self::Throttled, true) => AwsError::new(400, "Throttling", "Rate exceeded"),
            (Self::Throttled, false) => AwsError::new(400, "ThrottlingException", "Rate exceeded"),
            (Self::Expired, true) => AwsError::new(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            (Self::Expired, false) => AwsError::new(
                400,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
        }
    }
}

/// Refuses what deletes, as long as it is told to.
struct Refusing {
    obstacle: Obstacle,
    refuses: AtomicBool,
}

impl Middleware for Refusing {
    fn before<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let target = request.header("x-amz-target").unwrap_or_default();
        let deletes = target.contains(".Delete") || body.contains("Action=Delete");
        let refused = deletes && self.refuses.load(Ordering::Relaxed);
        let before = if refused {
            Before::Refuse(self.obstacle.error(service.protocol()))
        } else {
            Before::Proceed
        };
        Box::pin(std::future::ready(before))
    }

    fn after<'a>(
        &'a self,
        _service: &'a dyn Service,
        _request: &'a Request,
        _response: &'a Response,
    ) -> BoxFuture<'a, After> {
        Box::pin(std::future::ready(After::Deliver))
    }
}

const PLAYBOOK: &str = "\
name: stubborn
steps:
  - id: group
    create-log-group: {log_group_name: \"/demo/{{ run.id }}\"}
  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
";

/// What it says remains, with its own name for the run, after a run and after a clean-up of its own; then the obstacle goes,
/// and the command that was named finishes the job.
fn remains_until_it_passes(obstacle: Obstacle, expected: &str) {
    let refusing = Arc::new(Refusing { obstacle, refuses: AtomicBool::new(true) });
    let account = Account::disturbed_by(Arc::clone(&refusing) as Arc<dyn Middleware>);
    let sandbox = Sandbox::with_file("playbook.yaml", PLAYBOOK);
    let mut command = account.run_command(&sandbox, &["--cleanup-timeout", "300ms"]);
    let outcome = finish(&mut command, "").exited(3);
    let run = sandbox.journals()[0].file_stem().unwrap().to_string_lossy().into_owned();
    let remaining = |stderr: &str| {
        let at = stderr.find("2 resources remain:").unwrap_or_else(|| panic!("{stderr}"));
        let elsewhere = Regex::new(r" --endpoint-url \S+").unwrap();
        let text = elsewhere.replace(&stderr[at..], "").replace(&run, "[RUN]");
        text.replace(&sandbox.state().display().to_string(), "[STATE]")
    };
    assert_eq!(remaining(&outcome.stderr), expected);
    let cleanup = |more: &[&str]| {
        let mut command = sandbox.playbook(["cleanup", &run].iter().chain(more));
        finish(account.tell(&mut command), "")
    };
    let again = cleanup(&["--cleanup-timeout", "300ms"]).exited(3);
    assert_eq!(remaining(&again.stderr), expected);
    let told = cleanup(&["--cleanup-timeout", "300ms", "--output", "json"]).exited(3);
    let events = calls::events_of_lines(&told.stdout);
    let finished = calls::of_kind(&events, "run-finished")[0];
    let state = sandbox.state().display().to_string();
    assert_eq!(finished["command"], format!("PLAYBOOK_STATE_DIR={state} playbook cleanup {run}"));
    assert_eq!(finished["remaining"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        finished["remaining"][0]["arn"],
        format!("arn:aws:iam::000000000000:role/demo-{run}")
    );
    assert_eq!(account.resources().len(), 2);
    refusing.refuses.store(false, Ordering::Relaxed);
    // As it was named: a person copies the line into another shell.
    let named = Regex::new(r"To finish the clean-up: (.+)\n").unwrap();
    let line = &named.captures(&outcome.stderr).expect("a command is named")[1];
    let programs = Path::new(program()).parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = sandbox.command("sh", ["-c", line]);
    account.tell(&mut command).env("PATH", path);
    command.env_remove("PLAYBOOK_STATE_DIR").env_remove("AWS_ENDPOINT_URL");
    finish(&mut command, "").exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn a_clean_up_that_is_throttled_gives_up_and_says_what_remains() {
    remains_until_it_passes(
        Obstacle::Throttled,
        "\
2 resources remain:
  AWS::IAM::Role                  demo-[RUN]: Throttling: Rate exceeded
    arn:aws:iam::000000000000:role/demo-[RUN]
  AWS::Logs::LogGroup             /demo/[RUN]: ThrottlingException: Rate exceeded
    arn:aws:logs:us-east-1:000000000000:log-group:/demo/[RUN]
To finish the clean-up: PLAYBOOK_STATE_DIR=[STATE] playbook cleanup [RUN]
",
    );
}

#[test]
fn a_clean_up_whose_credentials_have_expired_gives_up_and_says_what_remains() {
    remains_until_it_passes(
        Obstacle::Expired,
        "\
2 resources remain:
  AWS::IAM::Role                  demo-[RUN]: ExpiredToken: The security token included in the request is expired
    arn:aws:iam::000000000000:role/demo-[RUN]
  AWS::Logs::LogGroup             /demo/[RUN]: ExpiredTokenException: The security token included in the request is expired
    arn:aws:logs:us-east-1:000000000000:log-group:/demo/[RUN]
To finish the clean-up: PLAYBOOK_STATE_DIR=[STATE] playbook cleanup [RUN]
",
    );
}

/// Refuses the first call that deletes a role.
#[derive(Default)]
struct RefusingOnce {
    refused: AtomicBool,
}

impl Middleware for RefusingOnce {
    fn before<'a>(
        &'a self,
        _service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        let deletes = String::from_utf8_lossy(&request.body).contains("Action=DeleteRole");
        let before = if deletes && !self.refused.swap(true, Ordering::Relaxed) {
            Before::Refuse(AwsError::new(403, "AccessDenied", "not yet"))
        } else {
            Before::Proceed
        };
        Box::pin(std::future::ready(before))
    }

    fn after<'a>(
        &'a self,
        _service: &'a dyn Service,
        _request: &'a Request,
        _response: &'a Response,
    ) -> BoxFuture<'a, After> {
        Box::pin(std::future::ready(After::Deliver))
    }
}

#[test]
fn a_step_may_take_away_what_a_clean_up_could_not() {
    let account = Account::disturbed_by(Arc::new(RefusingOnce::default()));
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: again\nsteps:\n  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}\n  - cleanup: \
         {}\n  - delete-role: {role_name: \"demo-{{ run.id }}\"}\n",
    );
    let outcome = finish(&mut account.run_command(&sandbox, &[]), "").exited(0);
    assert!(outcome.stderr.contains("failed"), "the clean-up fails\n{}", outcome.stderr);
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn throttling_that_passes_keeps_nothing() {
    let refusing =
        Arc::new(Refusing { obstacle: Obstacle::Throttled, refuses: AtomicBool::new(true) });
    let account = Account::disturbed_by(Arc::clone(&refusing) as Arc<dyn Middleware>);
    let sandbox = Sandbox::with_file("playbook.yaml", PLAYBOOK);
    let passes = std::thread::spawn({
        let refusing = Arc::clone(&refusing);
        move || {
            std::thread::sleep(std::time::Duration::from_secs(2));
            refusing.refuses.store(false, Ordering::Relaxed);
        }
    });
    finish(&mut account.run_command(&sandbox, &[]), "").exited(0);
    passes.join().unwrap();
    assert_eq!(account.resources(), Vec::<String>::new());
}
