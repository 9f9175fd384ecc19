//! Runs that go on: killed at any request, they come to the same end, and nothing is made twice; where that is not sure, they
//! do not go on, and say why.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws::{LAST_REPLY, MORTAL};
use local_aws::http::{BoxFuture, Request, Response};
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::account::Account;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Sandbox, eventually, finish, start};
use crate::harness::server::Server;

/// A little of everything: a role, a function that is called and changed, loops, lanes, a rescue, an item, a secret.
const PLAYBOOK: &str = "\
name: goes-on
inputs: {number: {type: integer, default: 41}, password: {type: secret, default: 'Correct-{{ run.id }}-1'}}
vars: {name: 'demo-{{ run.id }}'}
steps:
  - id: role
    create-role: {role_name: '{{ vars.name }}', trust_service: lambda.amazonaws.com}
  - id: function
    create-function: {function_name: '{{ vars.name }}', runtime: python3.13, handler: handler.handle, code: handler.py, role: '{{ steps.role.arn }}'}
  - id: increment
    invoke: {function_name: '{{ steps.function.function_name }}', payload: {number: '{{ inputs.number }}'}}
    assert: result.payload == inputs.number + 1
  - update-function-configuration: {function_name: '{{ vars.name }}', timeout: 7}
  - id: groups
    for_each: [a, b]
    create-log-group: {log_group_name: '/{{ vars.name }}/{{ item }}'}
  - parallel:
      steps:
        - id: table
          create-table: {table_name: '{{ vars.name }}', key: {mail: string}}
        - id: pool
          create-user-pool: {pool_name: '{{ vars.name }}'}
  - block:
      - put-item: {table_name: '{{ steps.table.table_name }}', item: {mail: ada, n: '{{ steps.increment.payload }}'}}
      - get-role: {role_name: 'nobody-{{ run.id }}'}
    rescue:
      - id: rescued
        set: {value: '{{ error.code }}'}
      - put-item: {table_name: '{{ steps.table.table_name }}', item: {mail: bob, n: 1}}
  - id: client
    create-user-pool-client: {user_pool_id: '{{ steps.pool.user_pool_id }}', client_name: demo}
  - admin-create-user: {user_pool_id: '{{ steps.pool.user_pool_id }}', username: ann, message_action: suppress, temporary_password: '{{ inputs.password }}'}
  - id: users
    cognito-idp:ListUsers: {UserPoolId: '{{ steps.pool.user_pool_id }}'}
    assert: result.Users | length == 1
outputs:
  end: \"(steps.rescued.value | default('none')) ~ ' ' ~ (steps.increment.payload | string) ~ ' ' ~ steps.groups.items[1].log_group_name\"
";

const HANDLER: &str = "def handle(event, context):\n    return event['number'] + 1\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_file("playbook.yaml", PLAYBOOK);
    sandbox.write("handler.py", HANDLER);
    sandbox
}

/// Ends the run at a request: before it has had its effect, or after that and before the run has written it down.
#[derive(Default)]
struct Ending {
    at: usize,
    before: bool,
    seen: AtomicUsize,
}

impl Ending {
    fn is_now(&self) -> bool {
        self.seen.load(Ordering::SeqCst) == self.at
    }
}

impl Middleware for Ending {
    fn before<'a>(&'a self, _: &'a dyn Service, _: &'a Request) -> BoxFuture<'a, Before> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        let last = self.is_now() && self.before;
        let reply =
            || Before::Respond(Response::new(500, "text/plain", "").with_header(LAST_REPLY, "1"));
        Box::pin(std::future::ready(if last { reply() } else { Before::Proceed }))
    }

    fn after<'a>(
        &'a self,
        _: &'a dyn Service,
        _: &'a Request,
        response: &'a Response,
    ) -> BoxFuture<'a, After> {
        let last = || After::Replace(response.clone().with_header(LAST_REPLY, "1"));
        let is_last = self.is_now() && !self.before;
        Box::pin(std::future::ready(if is_last { last() } else { After::Deliver }))
    }
}

fn run_of(sandbox: &Sandbox) -> String {
    let path = sandbox.journals().first().cloned().expect("there is a journal");
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Quick, and with time enough for a function on a busy machine.
const FIXED: [&str; 7] =
    ["--no-input", "--cleanup", "never", "--attempt-timeout", "1500ms", "--output", "json"];

fn resume(account: &Account, sandbox: &Sandbox, run: &str) -> Outcome {
    let mut command = sandbox.playbook(["run", "--resume", run, "--no-input", "--output", "json"]);
    command.args(["--cleanup", "never"]);
    finish(account.tell(&mut command), "")
}

/// What there is, with the run's id and the ids of pools left out.
fn resources(account: &Account, run: &str) -> Vec<String> {
    let pool = |name: String| match name.split_once(" us-east-1_") {
        Some((kind, _)) => kind.to_owned(),
        None => name,
    };
    account.resources().into_iter().map(|name| pool(name.replace(run, "RUN"))).collect()
}

fn outputs(outcome: &Outcome) -> Value {
    let last = outcome.stdout.lines().last().unwrap_or_default();
    let event: Value = serde_json::from_str(last).unwrap_or_default();
    let text = event["outputs"]["end"].as_str().unwrap_or_default().to_owned();
    text.rsplit_once('/').map_or(Value::Null, |(_, end)| format!("{}/{end}", &text[..20]).into())
}

struct Undisturbed {
    requests: usize,
    resources: Vec<String>,
    outputs: Value,
}

fn undisturbed() -> Undisturbed {
    let ending = Arc::new(Ending::default());
    let account = Account::disturbed_by(Arc::<Ending>::clone(&ending));
    let sandbox = sandbox();
    let outcome = finish(&mut account.run_command(&sandbox, &FIXED), "").exited(3);
    let resources = resources(&account, &run_of(&sandbox));
    let requests = ending.seen.load(Ordering::SeqCst);
    assert!(requests > 20 && resources.len() > 6, "{requests} {resources:?}");
    Undisturbed { requests, resources, outputs: outputs(&outcome) }
}

/// What of a trial is not as it should be.
fn trial(at: usize, before: bool, whole: &Undisturbed) -> Result<(), String> {
    let account = Account::disturbed_by(Arc::new(Ending { at, before, ..Ending::default() }));
    let sandbox = sandbox();
    let mut command = account.run_command(&sandbox, &FIXED);
    finish(command.env(MORTAL, "1"), "").exited(137);
    if sandbox.journals().is_empty() {
        // It had not begun yet.
        return Ok(());
    }
    let run = run_of(&sandbox);
    let outcome = resume(&account, &sandbox, &run);
    let said = |what: &str| {
        Err(format!(
            "request {at}, before {before}: {what}\n{}\n{}",
            outcome.stdout, outcome.stderr
        ))
    };
    if outcome.exit != 3 {
        return said("it does not come to its end");
    }
    if outcome.stdout.contains("the run does not go on") {
        // A client has neither a name of its own nor a tag: whose one is that nobody saw made, nobody knows.
        let is_client = outcome.stdout.contains("nobody knows whether the run made an app client");
        finish(account.tell(&mut sandbox.playbook(["cleanup", &run])), "").exited(0);
        let left = account.resources();
        return if is_client && left.is_empty() { Ok(()) } else { said(&format!("{left:?}")) };
    }
    let found = resources(&account, &run);
    if found != whole.resources {
        return said(&format!("{found:#?} instead of {:#?}", whole.resources));
    }
    if outputs(&outcome) != whole.outputs {
        return said("other outputs");
    }
    let cleaned = finish(account.tell(&mut sandbox.playbook(["cleanup", &run])), "");
    let left = account.resources();
    if cleaned.exit != 0 || !left.is_empty() {
        return said(&format!("{left:?} is left\n{}", cleaned.stderr));
    }
    Ok(())
}

/// Of a few requests on each run of the suite, of all where `PLAYBOOK_RESUME_AT_EVERY_REQUEST` is set.
#[test]
fn killed_at_any_request_it_comes_to_the_same_end() {
    let whole = undisturbed();
    let all: Vec<(usize, bool)> =
        (1..=whole.requests).flat_map(|at| [(at, true), (at, false)]).collect();
    let every = std::env::var_os("PLAYBOOK_RESUME_AT_EVERY_REQUEST").is_some();
    let step = if every { 1 } else { all.len() / 12 };
    let chosen: Vec<_> = all.into_iter().skip(fastrand::usize(..step)).step_by(step).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((at, before)) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(failure) = trial(*at, *before, &whole) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        chosen.len(),
        failures.join("\n")
    );
}

const THREE: &str = "\
name: three
inputs: {word: {default: hello}, secret: {type: secret, default: 'not-{{ run.id }}'}}
steps:
  - id: group
    create-log-group: {log_group_name: '/{{ run.id }}'}
  - id: said
    set: {value: '{{ inputs.word }}'}
  - id: wait
    pause: 30s
  - print: '{{ steps.said.value }} {{ steps.group.log_group_name }}'
";

/// Starts a run of it, kills it while it waits, and says which run it was.
fn killed(server: &Server, sandbox: &Sandbox, arguments: &[&str]) -> String {
    let running = start(&mut server.run_command(sandbox, "playbook.yaml", arguments));
    let waits = || {
        let history =
            sandbox.state().join("history").join(format!("{}.history", run_name(sandbox)?));
        fs::read_to_string(history).ok()?.contains("\"kind\":\"pause\"").then_some(())
    };
    let waiting = eventually(LONGEST, waits);
    process::signal(running.id(), Signal::KILL);
    let outcome = running.finish().exited(137);
    assert!(waiting.is_some(), "{}", outcome.stderr);
    run_of(sandbox)
}

fn run_name(sandbox: &Sandbox) -> Option<String> {
    let path = sandbox.journals().first()?.clone();
    Some(path.file_stem()?.to_string_lossy().into_owned())
}

fn resumed(server: &Server, sandbox: &Sandbox, run: &str, arguments: &[&str]) -> Outcome {
    let fixed = ["run", "--resume", run, "--no-input"];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
    server.playbook(sandbox, &arguments)
}

#[track_caller]
fn refused(outcome: Outcome, expected: &str) {
    let outcome = outcome.exited(2);
    assert_eq!(outcome.stderr.trim_end(), expected.trim_end());
}

#[test]
fn what_comes_after_may_change_and_what_came_before_may_not() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", THREE);
    let run = killed(&server, &sandbox, &["--input", "word=bye"]);
    let quick = THREE.replace("pause: 30s", "pause: 1ms");
    sandbox.write("playbook.yaml", &quick.replace("value: '{{ inputs.word }}'", "value: other"));
    let file = sandbox.work().canonicalize().unwrap().join("playbook.yaml");
    let file = file.display();
    refused(
        resumed(&server, &sandbox, &run, &[]),
        &format!(
            "error[changed-since]: this step is not the one that run {run} has passed here\n \
             --> {file}:6:5\n  |\n6 |   - id: said\n  |     ^^^^^^^^\n  |\n  = help: put it back as it was, or give the run up: `playbook cleanup {run}` removes \
             what it has made"
        ),
    );
    refused(
        resumed(&server, &sandbox, &run, &["--input", "word=hello"]),
        &format!(
            "error: the input `word` is \"hello\", and run {run} was begun with \"bye\"\n  help: leave it out, or begin \
             another run"
        ),
    );
    sandbox.write("playbook.yaml", &quick.replace("print: '", "print: 'now "));
    let outcome = resumed(&server, &sandbox, &run, &[]).exited(0);
    assert_eq!(outcome.stdout, format!("now bye /{run}\n"));
    assert!(outcome.stderr.contains("1 resource made, 1 removed"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("done before").count(), 2, "{}", outcome.stderr);
    refused(
        resumed(&server, &sandbox, &run, &[]),
        &format!(
            "error: run {run} is over, and nothing of it is left to go on with\n  help: begin another run"
        ),
    );
    server.stop();
}

#[test]
fn a_run_that_cannot_go_on_says_why() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", THREE);
    let run = killed(&server, &sandbox, &[]);
    let missing = server.playbook(&sandbox, &["run", "--resume", "nobody"]);
    let state = sandbox.state();
    refused(
        missing,
        &format!(
            "error: there is no journal of run nobody in {}\n  help: `playbook runs` lists the journalled runs",
            state.display()
        ),
    );
    refused(
        resumed(&server, &sandbox, &run, &["--local"]),
        &format!(
            "error: run {run} cannot go on with `--local`: that AWS is a new one\n  help: leave `--local` out: the journal \
             says where it was"
        ),
    );
    refused(
        resumed(&server, &sandbox, &run, &["--region", "eu-west-1"]),
        &format!(
            "error: run {run} was at us-east-1, and the command line says eu-west-1\n  help: leave it out: the journal says \
             where the run was"
        ),
    );
    // Going on with it, it is a run that goes on.
    let running =
        start(server.tell(&mut sandbox.playbook(["run", "--resume", &run, "--no-input"])));
    let waits = || {
        let history = fs::read_to_string(history_of(&sandbox, &run)).ok()?;
        (history.matches("\"kind\":\"pause\"").count() > 1).then_some(())
    };
    eventually(LONGEST, waits).expect("it goes on");
    let journal = state.join(format!("{run}.journal"));
    refused(
        resumed(&server, &sandbox, &run, &[]),
        &format!(
            "error: {}: the run is still going on\n  help: wait for it to end, or stop it",
            journal.display()
        ),
    );
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    server.stop();
}

#[test]
fn a_run_whose_clean_up_has_begun_or_that_has_no_history_does_not_go_on() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", THREE);
    let run = killed(&server, &sandbox, &[]);
    let state = sandbox.state();
    let journal = state.join(format!("{run}.journal"));
    // A clean-up that has begun, and has not come to its end.
    let text = fs::read_to_string(&journal).unwrap();
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    let finished = state.join("finished").join(format!("{run}.journal"));
    let begun: String = fs::read_to_string(&finished)
        .unwrap()
        .lines()
        .take(text.lines().count() + 1)
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::rename(&finished, &journal).unwrap();
    fs::write(&journal, begun).unwrap();
    refused(
        resumed(&server, &sandbox, &run, &[]),
        &format!(
            "error: the clean-up of run {run} has begun: what its steps made is not all there\n  help: finish it with \
             `playbook cleanup {run}`, and begin another run"
        ),
    );
    fs::remove_file(history_of(&sandbox, &run)).unwrap();
    let begins: String = text.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    fs::write(&journal, begins).unwrap();
    refused(
        resumed(&server, &sandbox, &run, &[]),
        &format!(
            "error: what run {run} has done is not known: it has no history\n  help: `playbook cleanup {run}` removes what it \
             has made"
        ),
    );
    server.stop();
}

fn history_of(sandbox: &Sandbox, run: &str) -> std::path::PathBuf {
    sandbox.state().join("history").join(format!("{run}.history"))
}

#[test]
fn a_local_run_is_gone_with_its_process_and_can_be_told_of() {
    let sandbox = Sandbox::with_file("playbook.yaml", THREE);
    let running = start(&mut sandbox.playbook(["run", "playbook.yaml", "--local", "--no-input"]));
    let run = eventually(LONGEST, || {
        let run = run_name(&sandbox)?;
        let history = fs::read_to_string(history_of(&sandbox, &run)).ok()?;
        history.contains("\"kind\":\"pause\"").then_some(run)
    })
    .expect("it gets as far as that");
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    refused(
        sandbox.run(["run", "--resume", &run]),
        &format!(
            "error: run {run} was in an AWS of its own process, which has gone with it\n  help: against `playbook serve` a run \
             can go on: --endpoint-url http://127.0.0.1:4566"
        ),
    );
    let reports = ["html", "markdown", "junit", "tap", "json", "otlp"];
    let mut command = sandbox.playbook(["runs", &run]);
    for format in reports {
        command.arg("--report").arg(format!("{format}=report.{format}"));
    }
    finish(&mut command, "").exited(0);
    for format in reports {
        let text = fs::read_to_string(sandbox.work().join(format!("report.{format}"))).unwrap();
        assert!(text.contains("said"), "{format}: {text}");
        if matches!(format, "html" | "markdown" | "json") {
            assert!(text.contains("keeps no requests, answers or outputs"), "{format}: {text}");
            assert!(text.contains("it was killed, or the machine went down"), "{format}: {text}");
        }
    }
}

#[test]
fn a_run_can_go_back_to_a_step() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", THREE);
    let run = killed(&server, &sandbox, &[]);
    refused(
        resumed(&server, &sandbox, &run, &["--start-at", "sad"]),
        &format!(
            "error: no step at the top of {} has the id `sad`\n  help: did you mean `said`?",
            sandbox.work().canonicalize().unwrap().join("playbook.yaml").display()
        ),
    );
    let changed = THREE.replace("pause: 30s", "pause: 1ms").replace("{{ inputs.word }}", "changed");
    sandbox.write("playbook.yaml", &changed);
    let outcome = resumed(&server, &sandbox, &run, &["--start-at", "said"]).exited(0);
    assert_eq!(outcome.stdout, format!("changed /{run}\n"));
    assert_eq!(outcome.stderr.matches("done before").count(), 1, "{}", outcome.stderr);
    server.stop();
    assert!(Path::new(&history_of(&sandbox, &run)).exists());
}

#[test]
fn what_start_at_leaves_out_cannot_be_read() {
    let sandbox = Sandbox::with_file("playbook.yaml", &THREE.replace("30s", "1ms"));
    let outcome = sandbox.run(["run", "playbook.yaml", "--local", "--start-at", "wait"]).exited(2);
    for text in [
        "error[skipped-step]: `steps.said.value` is read, and `--start-at wait` leaves `said` out",
        "this step is left out",
        "start at `said` or before it, or take what it returned from a run: `--resume RUN --start-at wait`",
    ] {
        assert!(outcome.stderr.contains(text), "{text}\n{}", outcome.stderr);
    }
    let unread = THREE
        .replace("30s", "1ms")
        .replace("{{ steps.said.value }} {{ steps.group.log_group_name }}", "end");
    sandbox.write("playbook.yaml", &unread);
    let outcome = sandbox.run(["run", "playbook.yaml", "--local", "--start-at", "wait"]).exited(0);
    assert_eq!(outcome.stdout, "end\n");
    assert!(outcome.stderr.contains("2 passed, 2 skipped"), "{}", outcome.stderr);
    sandbox.nothing_left();
}

/// A secret that a step returns is not kept: where it is read, the step is done again if that does no harm.
#[test]
fn a_secret_is_fetched_again_or_the_run_does_not_go_on() {
    const SECRETS: &str = "\
name: secrets
steps:
  - id: pool
    create-user-pool: {pool_name: 'demo-{{ run.id }}'}
  - id: client
    create-user-pool-client: {user_pool_id: '{{ steps.pool.user_pool_id }}', client_name: demo, generate_secret: true}
  - id: word
    set: {value: \"{{ env.SECRET_WORD }}\"}
  - pause: 30s
  - set: {same: \"{{ steps.word.value }}\"}
    assert: result.same == env.SECRET_WORD
  - print: \"{{ steps.client.client_id | length }}\"
";
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", SECRETS);
    let with_word = |mut command: std::process::Command| {
        command.env("SECRET_WORD", "canary-of-going-on");
        command
    };
    let running =
        start(&mut with_word(server.run_command(&sandbox, "playbook.yaml", &["--no-input"])));
    let run = eventually(LONGEST, || {
        let run = run_name(&sandbox)?;
        let history = fs::read_to_string(history_of(&sandbox, &run)).ok()?;
        history.contains("\"kind\":\"pause\"").then_some(run)
    })
    .expect("it gets as far as that");
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    let history = fs::read_to_string(history_of(&sandbox, &run)).unwrap();
    assert!(!history.contains("canary"), "{history}");
    assert!(history.contains("\"left_out\":[\"value\"]"), "{history}");
    let quick = SECRETS.replace("30s", "1ms");
    sandbox.write(
        "playbook.yaml",
        &quick.replace("steps.client.client_id", "steps.client.client_secret"),
    );
    let resume = || {
        let mut command = with_word(sandbox.playbook(["run", "--resume", &run, "--no-input"]));
        finish(server.tell(&mut command), "")
    };
    let outcome = resume().exited(2);
    let text = format!(
        "error[changed-since]: run {run} cannot go on: what this step returned as `client_secret` is a secret or too long to \
         be kept, is read, and the step cannot be repeated without doing twice what it does"
    );
    assert!(outcome.stderr.starts_with(&text), "{}", outcome.stderr);
    sandbox.write("playbook.yaml", &quick);
    let outcome = resume().exited(0);
    assert_eq!(outcome.stdout, "26\n");
    server.stop();
}
