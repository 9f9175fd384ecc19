//! What keeps a run from going where it should not: each says so exactly, and before anything was made.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use local_aws::http::{BoxFuture, Request, Response};
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};

use crate::harness::account::Account;
use crate::harness::sandbox::{Outcome, Sandbox, finish};
use crate::harness::server::Server;

const ROLE: &str = "\
name: role
steps:
  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
";

fn sandbox() -> Sandbox {
    Sandbox::with_file("playbook.yaml", ROLE)
}

/// A user's configuration.
fn configuration(sandbox: &Sandbox, text: &str) -> PathBuf {
    let path = sandbox.root().join("home/guards.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// What a run says that was given a configuration.
fn configured(server: &Server, sandbox: &Sandbox, text: &str) -> Outcome {
    let path = configuration(sandbox, text);
    let mut command = server.run_command(sandbox, "playbook.yaml", &[]);
    finish(command.env("PLAYBOOK_CONFIG", path), "")
}

/// As a run that must not have called anything: its endpoint is a listener that nobody may call.
fn uncalled(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.playbook(["run", "playbook.yaml"]);
    command
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", "us-east-1");
    command
}

fn said(sandbox: &Sandbox, outcome: &Outcome) -> String {
    assert_eq!(outcome.stdout, "", "nothing is reported of a run that was refused");
    outcome.stderr.replace(&sandbox.root().display().to_string(), "[SANDBOX]")
}

/// The server has nothing, and the run no journal.
#[track_caller]
fn nothing_made(server: Server, sandbox: &Sandbox) {
    let look = Sandbox::with_file(
        "look.yaml",
        "name: look\nsteps:\n  - list-functions: {}\n    assert: result.count == 0\n",
    );
    server.run(&look, "look.yaml", &[]).exited(0);
    server.stop();
    sandbox.nothing_left();
}

#[test]
fn the_account_must_be_the_expected_one() {
    let (server, sandbox) = (Server::start(), sandbox());
    let refused =
        server.run(&sandbox, "playbook.yaml", &["--expect-account", "123456789012"]).exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: these credentials are for account 000000000000, not 123456789012\n  help: choose other credentials with --profile\n"
    );
    nothing_made(server, &sandbox);
}

#[test]
fn the_expected_account_may_be_used() {
    let (server, sandbox) = (Server::start(), sandbox());
    server.run(&sandbox, "playbook.yaml", &["--expect-account", "000000000000"]).exited(0);
    server.stop();
}

#[test]
fn a_region_that_is_not_among_the_allowed_is_not_called() {
    let sandbox = sandbox();
    let path = configuration(&sandbox, "regions: [eu-central-1, eu-west-1]\n");
    let refused = finish(uncalled(&sandbox).env("PLAYBOOK_CONFIG", path), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: runs may not go to us-east-1, only to eu-central-1, eu-west-1\n  help: nothing was called; \
         [SANDBOX]/home/guards.yaml says so\n"
    );
    let path = configuration(&sandbox, "regions: []\n");
    let refused = finish(uncalled(&sandbox).env("PLAYBOOK_CONFIG", path), "").exited(2);
    assert!(
        refused
            .stderr
            .starts_with("error: runs may not go to us-east-1, nor to any other region\n"),
        "{}",
        refused.stderr
    );
    sandbox.nothing_left();
}

#[test]
fn a_blocked_account_is_not_changed() {
    let (server, sandbox) = (Server::start(), sandbox());
    let refused = configured(&server, &sandbox, "blocked_accounts: ['000000000000']\n").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: runs may not go to account 000000000000\n  help: nothing was changed; [SANDBOX]/home/guards.yaml says so\n"
    );
    nothing_made(server, &sandbox);
}

#[test]
fn what_the_configuration_allows_is_allowed() {
    let (server, sandbox) = (Server::start(), sandbox());
    let text = "regions: [us-east-1]\nblocked_accounts: ['123456789012']\n";
    configured(&server, &sandbox, text).exited(0);
    configured(&server, &sandbox, "").exited(0);
    server.stop();
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_taken_for_none() {
    let sandbox = sandbox();
    let path = configuration(&sandbox, "region: us-east-1\n");
    let refused = finish(uncalled(&sandbox).env("PLAYBOOK_CONFIG", &path), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: [SANDBOX]/home/guards.yaml: unknown field `region`, expected `regions` or `blocked_accounts`\n  help: write `regions: [eu-central-1]` and `blocked_accounts: [\"123456789012\"]`\n"
    );
    fs::remove_file(&path).unwrap();
    let refused = finish(uncalled(&sandbox).env("PLAYBOOK_CONFIG", &path), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: [SANDBOX]/home/guards.yaml: there is no such file\n  help: fix it, or unset PLAYBOOK_CONFIG\n"
    );
    sandbox.nothing_left();
}

#[test]
fn the_configuration_is_looked_for_at_home() {
    let sandbox = sandbox();
    let directory = sandbox.root().join("home/.config/playbook");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.yaml"), "regions: [eu-west-1]\n").unwrap();
    let refused = finish(&mut uncalled(&sandbox), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: runs may not go to us-east-1, only to eu-west-1\n  help: nothing was called; \
         [SANDBOX]/home/.config/playbook/config.yaml says so\n"
    );
    sandbox.nothing_left();
}

#[test]
fn a_managed_policy_that_allows_everything_takes_a_flag() {
    let text = "name: admin\nsteps:\n  - create-role:\n      role_name: \"demo-{{ run.id }}\"\n      trust_service: lambda.amazonaws.com\n      \
                managed_policies: [arn:aws:iam::aws:policy/AdministratorAccess]\n";
    let sandbox = Sandbox::with_file("playbook.yaml", text);
    let refused = finish(&mut uncalled(&sandbox), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "\
error[administrator-policy]: this policy allows everything
 --> playbook.yaml:6:26
  |
6 |       managed_policies: [arn:aws:iam::aws:policy/AdministratorAccess]
  |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a function with this role could do anything in the account
  |
  = help: name a policy that allows what is needed, or run with --allow-admin

1 error; nothing was called
"
    );
    sandbox.nothing_left();
    let server = Server::start();
    server.run(&sandbox, "playbook.yaml", &["--allow-admin"]).exited(0);
    server.stop();
}

#[test]
fn an_inline_policy_that_allows_everything_takes_a_flag() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "\
name: admin
steps:
  - id: role
    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}
  - put-role-policy:
      role_name: \"{{ steps.role.role_name }}\"
      policy_name: all
      policy_document:
        Version: \"2012-10-17\"
        Statement:
          - {Effect: Allow, Action: \"*:*\", Resource: \"*\"}
  - put-role-policy:
      role_name: \"{{ steps.role.role_name }}\"
      policy_name: text
      policy_document: '{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}}'
",
    );
    let refused = finish(&mut uncalled(&sandbox), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "\
error[administrator-policy]: this policy allows everything
  --> playbook.yaml:11:13
   |
11 |           - {Effect: Allow, Action: \"*:*\", Resource: \"*\"}
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a function with this role could do anything in the account
   |
   = help: name a policy that allows what is needed, or run with --allow-admin

error[administrator-policy]: this policy allows everything
  --> playbook.yaml:15:24
   |
15 |       policy_document: '{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}}'
   |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a function with this role could do anything in the account
   |
   = help: name a policy that allows what is needed, or run with --allow-admin

2 errors; nothing was called
"
    );
    sandbox.nothing_left();
    let server = Server::start();
    // IAM takes no text that does not say which version of the language it is in.
    let text = fs::read_to_string(sandbox.work().join("playbook.yaml")).unwrap();
    let versioned = text.replace("'{\"Statement\"", "'{\"Version\": \"2012-10-17\", \"Statement\"");
    sandbox.write("playbook.yaml", &versioned);
    server.run(&sandbox, "playbook.yaml", &["--allow-admin"]).exited(0);
    server.stop();
}

/// A policy that only the run's own values make allow everything: seen when the step is about to attach it.
#[test]
fn a_policy_that_turns_out_to_allow_everything_is_not_attached() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let role = "name: admin\nvars: {everything: \"*\", access: Administrator}\nsteps:\n  - id: role\n    create-role: {role_name: \
                \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}\n";
    let inline = "  - put-role-policy:\n      role_name: \"{{ steps.role.role_name }}\"\n      policy_name: all\n      policy_document:\n        \
                  Version: \"2012-10-17\"\n        Statement: [{Effect: Allow, Action: \"{{ vars.everything }}\", Resource: \"*\"}]\n";
    let managed = "  - attach-role-policy:\n      role_name: \"{{ steps.role.role_name }}\"\n      policy_arn: \
                   \"arn:aws:iam::aws:policy/{{ vars.access }}Access\"\n";
    for step in [inline, managed] {
        sandbox.write("playbook.yaml", &format!("{role}{step}"));
        let refused = server.run(&sandbox, "playbook.yaml", &[]).exited(1);
        for words in [
            "this policy allows everything, and was not attached",
            "name a policy that allows what is needed, or run with --allow-admin",
            "1 resource made, 1 removed",
        ] {
            assert!(refused.stderr.contains(words), "{words}:\n{}", refused.stderr);
        }
        server.run(&sandbox, "playbook.yaml", &["--allow-admin"]).exited(0);
    }
    server.stop();
}

/// Credentials that end in that many minutes, from a process that the profile names.
fn ending_in(sandbox: &Sandbox, minutes: i64) -> Command {
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    let given = format!(
        r#"{{"Version": 1, "AccessKeyId": "local", "SecretAccessKey": "local", "SessionToken": "t", "Expiration": "{end}"}}"#
    );
    fs::write(sandbox.root().join("home/credentials.json"), given).unwrap();
    let config = sandbox.root().join("home/config");
    let process = format!("cat {}", sandbox.root().join("home/credentials.json").display());
    fs::write(&config, format!("[default]\nregion = us-east-1\ncredential_process = {process}\n"))
        .unwrap();
    let mut command = sandbox.playbook(["run", "playbook.yaml"]);
    command.env("AWS_CONFIG_FILE", config);
    command
}

#[test]
fn credentials_that_end_before_the_run_is_likely_to_are_not_used() {
    let steps =
        "  - list-functions: {}\n    poll: {until: result.count == 0, every: 1s, timeout: 30m}\n";
    let sandbox = Sandbox::with_file("playbook.yaml", &format!("{ROLE}{steps}"));
    let refused = finish(&mut ending_in(&sandbox, 12), "").exited(2);
    // Two steps of a quarter of a minute, and what one of them may wait.
    let expected = |left: &str| {
        format!(
            "error: these credentials end in {left} min, and the run may take 31 min, clean-up included\n  help: sign in again, \
             so that the clean-up can still be done\n"
        )
    };
    assert_eq!(said(&sandbox, &refused), expected("11"));
    let refused = finish(&mut ending_in(&sandbox, -5), "").exited(2);
    assert!(refused.stderr.contains("error: "), "{}", refused.stderr);
    sandbox.nothing_left();
    let server = Server::start();
    let mut command = ending_in(&sandbox, 60);
    command.args(["--endpoint-url", &server.endpoint]);
    finish(&mut command, "").exited(0);
    server.stop();
}

/// Notes whose key every request was signed with.
#[derive(Default)]
struct Signers {
    keys: Mutex<BTreeSet<String>>,
}

impl Middleware for Signers {
    fn before<'a>(
        &'a self,
        _service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        let signed = request.header("authorization").unwrap_or_default();
        let key = signed.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
        self.keys.lock().unwrap().insert(key.unwrap_or_default().to_owned());
        Box::pin(std::future::ready(Before::Proceed))
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

const PROFILES: &str = "\
[default]
region = us-east-1
[profile sandbox]
region = us-east-1
aws_access_key_id = AKIASANDBOX
aws_secret_access_key = secret
";

/// The AWS CLI does so too: whoever names a profile means its account.
#[test]
fn a_profile_that_is_named_signs_whatever_keys_the_environment_holds() {
    let (sandbox, signers) = (sandbox(), Arc::new(Signers::default()));
    let account = Account::disturbed_by(Arc::clone(&signers) as Arc<dyn Middleware>);
    let config = sandbox.root().join("home/config");
    fs::write(&config, PROFILES).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = account.run_command(&sandbox, arguments);
        command.env("AWS_ACCESS_KEY_ID", "AKIAENV").env("AWS_CONFIG_FILE", &config);
        let outcome = finish(&mut command, "");
        let keys: Vec<_> = std::mem::take(&mut *signers.keys.lock().unwrap()).into_iter().collect();
        (outcome, keys)
    };
    let (outcome, keys) = run(&["--profile", "sandbox"]);
    outcome.exited(0);
    assert_eq!(keys, ["AKIASANDBOX"]);
    let (outcome, keys) = run(&[]);
    outcome.exited(0);
    assert_eq!(keys, ["AKIAENV"]);
    let (outcome, keys) = run(&["--profile", "nope"]);
    assert_eq!(
        said(&sandbox, &outcome.exited(2)),
        "error: there is no profile `nope`\n  help: configured are: `default`, `sandbox`\n"
    );
    assert_eq!(keys, [""; 0], "nothing is called");
    // A profile without credentials of its own does not fall back to somebody else's.
    let (outcome, keys) = run(&["--profile", "default"]);
    let outcome = outcome.exited(2);
    assert!(outcome.stderr.starts_with("error: no usable credentials: "), "{}", outcome.stderr);
    assert_eq!(keys, [""; 0], "nothing is called");
}

/// Whoever answers without naming an account.
struct Nameless;

impl Middleware for Nameless {
    fn before<'a>(
        &'a self,
        _service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        let asks = String::from_utf8_lossy(&request.body).contains("Action=GetCallerIdentity");
        let before = if asks {
            let text =
                "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
            Before::Respond(Response::new(200, "text/xml", text.as_bytes().to_vec()))
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
fn an_account_without_a_number_is_not_taken_for_the_expected_one() {
    let (sandbox, account) = (sandbox(), Account::disturbed_by(Arc::new(Nameless)));
    for arguments in [&["--expect-account", "123456789012"][..], &[]] {
        let refused = finish(&mut account.run_command(&sandbox, arguments), "").exited(2);
        assert_eq!(
            said(&sandbox, &refused),
            "error: the answer to GetCallerIdentity names no account\n  help: nothing was changed; look at what --endpoint-url or \
             AWS_ENDPOINT_URL leads to\n"
        );
    }
    assert_eq!(account.resources(), Vec::<String>::new());
    sandbox.nothing_left();
}

#[test]
fn an_endpoint_of_one_service_alone_is_refused() {
    let sandbox = sandbox();
    let mut command = uncalled(&sandbox);
    let refused = finish(command.env("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:1"), "").exited(2);
    assert_eq!(
        said(&sandbox, &refused),
        "error: AWS_ENDPOINT_URL_IAM sends the calls of IAM alone to http://127.0.0.1:1, and clean-up goes to one endpoint\n  help: \
         send all calls there with --endpoint-url or AWS_ENDPOINT_URL, or none: AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true\n"
    );
    sandbox.nothing_left();
}

#[test]
fn a_configuration_that_would_guard_nothing_is_refused() {
    let sandbox = sandbox();
    for (text, message, help) in [
        (
            "blocked_accounts: [12]",
            "`blocked_accounts`: `12` is no account",
            "write the account's 12 digits in quotes, such as \"123456789012\"",
        ),
        (
            "regions: [eu-centrl-1]",
            "`regions`: there is no AWS region `eu-centrl-1`",
            "did you mean `eu-central-1`?",
        ),
        (
            "- a",
            "there are no settings in it",
            "write `regions: [eu-central-1]` and `blocked_accounts: [\"123456789012\"]`",
        ),
    ] {
        let path = configuration(&sandbox, text);
        let refused = finish(uncalled(&sandbox).env("PLAYBOOK_CONFIG", &path), "").exited(2);
        assert_eq!(
            said(&sandbox, &refused),
            format!("error: [SANDBOX]/home/guards.yaml: {message}\n  help: {help}\n")
        );
    }
    sandbox.nothing_left();
}
