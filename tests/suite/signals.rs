//! Interruptions: everything is cleaned up all the same, or what remains is said, and no handler's process is left.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::account::Account;
use crate::harness::calls;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Outcome, Running, Sandbox, eventually, repository, start};
use crate::harness::server::Server;

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// A role, and then something that takes long.
fn role_and(step: &str) -> String {
    format!(
        "name: interrupted\nsteps:\n  - id: role\n    create-role: {{role_name: \"demo-{{{{ run.id }}}}\", trust_service: \
         lambda.amazonaws.com}}\n  - print: ready\n  - {step}\n  - print: never reached\n"
    )
}

/// A function whose handler writes a file when it starts, and then sleeps.
fn sandbox_with_sleeper() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "playbook.yaml",
        "name: sleeper\nvars: {name: \"demo-{{ run.id }}\"}\nsteps:\n  - id: role\n    create-role: {role_name: \"{{ vars.name }}\", \
         trust_service: lambda.amazonaws.com}\n  - create-function:\n      function_name: \"{{ vars.name }}\"\n      runtime: \
         python3.13\n      handler: sleeper.handler\n      code: sleeper.py\n      timeout: 60\n      role: \"{{ steps.role.arn }}\"\n      \
         environment: {STARTED: \"[STARTED]\"}\n  - invoke: {function_name: \"{{ vars.name }}\"}\n"
            .replace("[STARTED]", &started(&sandbox).display().to_string())
            .as_str(),
    );
    sandbox.write(
        "sleeper.py",
        "import os\nimport subprocess\nimport time\n\n\ndef handler(event, context):\n    subprocess.Popen([\"sleep\", \"60\"])\n    \
         open(os.environ[\"STARTED\"], \"w\").close()\n    time.sleep(60)\n",
    );
    sandbox
}

/// The file that the sleeper writes.
fn started(sandbox: &Sandbox) -> PathBuf {
    sandbox.root().join("started")
}

#[track_caller]
fn await_handler(sandbox: &Sandbox) {
    let seen = eventually(LONGEST, || started(sandbox).exists().then_some(()));
    assert!(seen.is_some(), "the handler never starts");
}

/// Starts a run and waits until it has begun the step that takes long.
#[track_caller]
fn start_until(sandbox: &Sandbox, command: &mut std::process::Command, step: &str) -> Running {
    command.arg("--output").arg("json");
    let out = sandbox.root().join("events");
    let running = start_into(command, &out);
    await_event(&out, |event| event["event"] == "step-started" && event["owner"]["kind"] == step);
    running
}

/// Starts a run whose events go to a file, where they can be read meanwhile.
fn start_into(command: &mut std::process::Command, out: &std::path::Path) -> Running {
    Running::with_stdout_in(command, out)
}

#[track_caller]
fn await_event(out: &std::path::Path, wanted: impl Fn(&Value) -> bool) {
    let seen = eventually(LONGEST, || {
        let text = fs::read_to_string(out).ok()?;
        let whole = text.rsplit_once('\n')?.0;
        calls::events_of_lines(whole).iter().any(&wanted).then_some(())
    });
    assert!(seen.is_some(), "it never happens:\n{}", fs::read_to_string(out).unwrap_or_default());
}

/// What was undone, in order, and how.
fn undone(outcome: &Outcome) -> Vec<(String, String)> {
    let events = calls::events_of_lines(&outcome.stdout);
    let finished = calls::of_kind(&events, "undo-finished");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    finished.iter().map(|event| (text(&event["owner"]["type"]), text(&event["status"]))).collect()
}

fn deleted(kinds: &[&str]) -> Vec<(String, String)> {
    kinds.iter().map(|kind| ((*kind).to_owned(), "deleted".to_owned())).collect()
}

#[test]
fn during_a_wait() {
    for (signal, code) in SIGNALS {
        let sandbox = Sandbox::with_file("playbook.yaml", &role_and("pause: 30s"));
        let mut command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
        let running = start_until(&sandbox, &mut command, "pause");
        process::signal(running.id(), signal);
        let outcome = running.finish().exited(code);
        assert_eq!(undone(&outcome), deleted(&["AWS::IAM::Role"]));
        assert!(!outcome.stdout.contains("never reached"));
        sandbox.nothing_left();
    }
}

#[test]
fn while_something_is_being_made() {
    let sandbox = Sandbox::new();
    sandbox.write("handler.py", "def handler(event, context):\n    return None\n");
    sandbox.write(
        "playbook.yaml",
        "name: interrupted\nvars: {name: \"demo-{{ run.id }}\"}\nsteps:\n  - id: role\n    create-role: {role_name: \"{{ vars.name }}\", \
         trust_service: lambda.amazonaws.com}\n  - create-function:\n      function_name: \"{{ vars.name }}\"\n      runtime: python3.13\n      \
         handler: handler.handler\n      code: handler.py\n      role: \"{{ steps.role.arn }}\"\n",
    );
    // At AWS's pace the role is refused for seconds, so the step is surely under way.
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local", "--local-pace", "real"]);
    let running = start_until(&sandbox, &mut command, "create-function");
    await_event(&sandbox.root().join("events"), |event| {
        event["event"] == "retrying" || event["event"] == "waiting"
    });
    process::signal(running.id(), Signal::INT);
    let outcome = running.finish().exited(130);
    let undone = undone(&outcome);
    assert_eq!(undone.last(), deleted(&["AWS::IAM::Role"]).last(), "{undone:?}");
    sandbox.nothing_left();
}

#[test]
fn while_a_call_is_in_flight() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", &role_and("pause: 30s"));
    let mut command = server.run_command(&sandbox, "playbook.yaml", &["--output", "json"]);
    let out = sandbox.root().join("events");
    // The server stops answering once it has said which account it is.
    let running = start_into(&mut command, &out);
    await_event(&out, |event| event["event"] == "run-started");
    let outcome = {
        server.hold();
        // Either the role's creation is held now, or it was made before and the pause has begun: both must be undone.
        process::signal(running.id(), Signal::TERM);
        server.go_on();
        running.finish().exited(143)
    };
    let events = calls::events_of_lines(&outcome.stdout);
    assert_eq!(calls::of_kind(&events, "run-finished")[0]["remaining"], Value::Array(Vec::new()));
    let run = calls::runs(&events).remove(0);
    assert!(!server.has_role(&format!("demo-{run}")));
    server.stop();
}

#[test]
fn once_during_the_clean_up_changes_nothing() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", &role_and("print: done"));
    let mut command = server.run_command(&sandbox, "playbook.yaml", &["--output", "json"]);
    let out = sandbox.root().join("events");
    let running = start_into(&mut command, &out);
    await_event(&out, |event| event["event"] == "created");
    server.hold();
    // The clean-up's first call, or one before it, waits for the server; the interruption comes meanwhile.
    process::signal(running.id(), Signal::INT);
    server.go_on();
    let outcome = running.finish();
    assert!(
        [0, 130].contains(&outcome.exit),
        "exit {}\n{}\n{}",
        outcome.exit,
        outcome.stdout,
        outcome.stderr
    );
    assert_eq!(undone(&outcome), deleted(&["AWS::IAM::Role"]));
    let run = calls::runs(&calls::events_of_lines(&outcome.stdout)).remove(0);
    assert!(!server.has_role(&format!("demo-{run}")));
    server.stop();
}

#[test]
fn twice_stops_at_once_and_says_what_remains() {
    let server = Server::start();
    let sandbox = Sandbox::with_file("playbook.yaml", &role_and("pause: 30s"));
    let mut command = server.run_command(&sandbox, "playbook.yaml", &[]);
    let running = start_until(&sandbox, &mut command, "pause");
    server.hold();
    process::signal(running.id(), Signal::INT);
    await_event(&sandbox.root().join("events"), |event| event["event"] == "undo-started");
    process::signal(running.id(), Signal::INT);
    let outcome = running.finish().exited(3);
    server.go_on();
    let events = calls::events_of_lines(&outcome.stdout);
    let run = calls::runs(&events).remove(0);
    let finished = calls::of_kind(&events, "run-finished");
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["remaining"][0]["type"], "AWS::IAM::Role");
    assert_eq!(finished[0]["remaining"][0]["name"], format!("demo-{run}"));
    let (state, endpoint) = (sandbox.state(), &server.endpoint);
    assert_eq!(
        finished[0]["command"],
        format!(
            "PLAYBOOK_STATE_DIR={} playbook cleanup {run} --endpoint-url {endpoint}",
            state.display()
        )
    );
    // The command that it names does what it says.
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    assert!(!server.has_role(&format!("demo-{run}")));
    server.stop();
}

#[test]
fn before_anything_was_called() {
    let sandbox = Sandbox::with_file("playbook.yaml", &role_and("pause: 30s"));
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let running = start(&mut command);
    process::signal(running.id(), Signal::INT);
    assert_eq!(running.finish().exit, 130);
    sandbox.nothing_left();
}

#[test]
fn no_handler_outlives_a_run_that_is_killed() {
    let sandbox = sandbox_with_sleeper();
    let running = start(&mut sandbox.playbook(["run", "playbook.yaml", "--local"]));
    await_handler(&sandbox);
    let alive = process::of(sandbox.root());
    let handlers = alive.iter().filter(|process| {
        process.command.contains("sleep 60") || process.command.contains("bootstrap.py")
    });
    assert!(handlers.count() >= 2, "the handler and its own child are found: {alive:?}");
    process::signal(running.id(), Signal::KILL);
    assert_eq!(running.finish().exit, 137);
    assert_eq!(process::remaining(sandbox.root(), LONGEST), []);
    let leftovers: Vec<_> = fs::read_dir(sandbox.root().join("tmp")).unwrap().collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
    // Its journal is closed by whoever finds it, for its account is gone.
    assert_eq!(sandbox.journals().len(), 1);
    let listed = sandbox.run(["runs"]).exited(0).stdout;
    assert!(listed.contains("ended with its process"), "{listed}");
    sandbox.run(["cleanup", "--all"]).exited(0);
    let listed = sandbox.run(["runs"]).exited(0).stdout;
    assert_eq!(listed, "No runs are journalled.\n");
}

#[test]
fn no_handler_outlives_a_run_that_is_interrupted_twice() {
    let sandbox = sandbox_with_sleeper();
    let running = start(&mut sandbox.playbook(["run", "playbook.yaml", "--local"]));
    await_handler(&sandbox);
    process::signal(running.id(), Signal::INT);
    process::signal(running.id(), Signal::TERM);
    let outcome = running.finish();
    assert!([130, 143].contains(&outcome.exit), "exit {}\n{}", outcome.exit, outcome.stderr);
    sandbox.nothing_left();
}

#[test]
fn a_server_that_is_killed_leaves_no_handler() {
    let server = Server::start();
    let sandbox = sandbox_with_sleeper();
    let running = start(&mut server.run_command(&sandbox, "playbook.yaml", &[]));
    await_handler(&sandbox);
    server.kill_and_look();
    process::signal(running.id(), Signal::KILL);
    running.finish();
}

#[test]
fn a_pipe_that_nobody_reads_any_more_does_not_keep_the_clean_up_from_happening() {
    let server = Server::start();
    let sandbox = Sandbox::new();
    sandbox.write(
        "playbook.yaml",
        "name: piped\nsteps:\n  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}\n  - for_each: \
         range(2000)\n    print: a long line that fills the pipe, {{ item }}\n",
    );
    let mut command = server.run_command(&sandbox, "playbook.yaml", &[]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = eventually(LONGEST, || child.try_wait().unwrap()).expect("it ends");
    assert!(status.code().is_some(), "no signal ends it: {status}");
    let runs = server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(!runs.contains("unfinished"), "{runs}");
    server.stop();
}

#[test]
fn with_nobody_to_read_its_errors_either_the_clean_up_happens() {
    let account = Account::open();
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: piped\nsteps:\n  - create-log-group: {log_group_name: /demo}\n  - for_each: range(200)\n    print: a line\n  - fail: at \
         the end\n",
    );
    for format in ["human", "json", "quiet"] {
        let mut command = account.run_command(&sandbox, &["--output", format]);
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        let status = eventually(LONGEST, || child.try_wait().unwrap()).expect("it ends");
        assert_eq!(status.code(), Some(1), "{format}: {status}");
        assert_eq!(account.resources(), Vec::<String>::new());
    }
}

#[test]
fn the_harness_finds_processes() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.command("sleep", ["60"]).spawn().unwrap();
    let found = eventually(LONGEST, || {
        process::of(sandbox.root()).into_iter().find(|found| found.command == "sleep 60")
    });
    assert_eq!(found.map(|found| found.parent), i32::try_from(std::process::id()).ok());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(process::of(sandbox.root()), []);
    assert!(repository().join("Cargo.toml").exists());
}
