//! Runs against an endpoint that outlives them: what is left after the worst, what recovery makes of it, and what is never
//! touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use engine::journal::{Journal, JournalFile, Opened, Record, Target};
use engine::redactor::Redactor;
use engine::step::Ledger as _;
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::calls;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Sandbox, eventually, finish, start};
use crate::harness::server::Server;

const ROLE: &str = "\
name: role
inputs: {name: {default: \"demo-{{ run.id }}\"}, note: {type: secret, default: \"{{ run.id }}-secret\"}}
steps:
  - id: role
    create-role: {role_name: \"{{ inputs.name }}\", trust_service: lambda.amazonaws.com, if_exists: adopt}
";

fn role_and(steps: &str) -> Sandbox {
    Sandbox::with_file("playbook.yaml", &format!("{ROLE}{steps}"))
}

/// The only journal, read as lines.
#[track_caller]
fn journal(sandbox: &Sandbox) -> Vec<Value> {
    let paths = sandbox.journals();
    assert_eq!(paths.len(), 1, "{paths:?}");
    records(&paths[0])
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.collect()
}

/// The kinds of the records, wherever they stand in a line beside its checksum.
fn kinds(records: &[Value]) -> Vec<String> {
    fn find(value: &Value) -> Option<&str> {
        match value {
            Value::Object(fields) => fields
                .get("record")
                .and_then(Value::as_str)
                .or_else(|| fields.values().find_map(find)),
            Value::Array(items) => items.iter().find_map(find),
            _ => None,
        }
    }
    records.iter().filter_map(|record| find(record).map(str::to_owned)).collect()
}

/// Starts a run, kills it once its journal has a record of that kind, and says which run it was.
#[track_caller]
fn killed_after(server: &Server, sandbox: &Sandbox, record: &str) -> String {
    let running = start(&mut server.run_command(sandbox, "playbook.yaml", &["--no-input"]));
    let wanted = format!("\"{record}\"");
    let written = eventually(LONGEST, || {
        let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
        text.contains(&wanted).then_some(())
    });
    process::signal(running.id(), Signal::KILL);
    let outcome = running.finish().exited(137);
    assert!(written.is_some(), "the journal never says {record}\n{}", outcome.stderr);
    let path = sandbox.journals().remove(0);
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_run_that_is_killed_leaves_a_journal_that_is_enough_to_recover() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let run = killed_after(&server, &sandbox, "done");
    assert!(server.has_role(&format!("demo-{run}")), "the role is there");
    assert_eq!(kinds(&journal(&sandbox)), ["opened", "intent", "done"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&sandbox.state()), mode(&sandbox.journals()[0])), (0o700, 0o600));
    // Recovery needs the journal alone.
    fs::remove_file(sandbox.work().join("playbook.yaml")).unwrap();
    let listed = server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(listed.contains(&run) && listed.contains("unfinished"), "{listed}");
    assert!(listed.contains(&format!("AWS::IAM::Role demo-{run}")), "{listed}");
    let plan = server.playbook(&sandbox, &["cleanup", &run, "--dry-run"]).exited(0);
    assert!(plan.stdout.contains("DeleteRole"), "{}", plan.stdout);
    assert!(server.has_role(&format!("demo-{run}")), "a dry run removes nothing");
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    assert!(!server.has_role(&format!("demo-{run}")), "the role is gone");
    let listed = server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(!listed.contains("unfinished"), "{listed}");
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    server.stop();
}

#[test]
fn a_reply_that_nobody_lived_to_see_is_looked_up() {
    let server = Server::start();
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: lost\nsteps:\n  - pause: 2s\n  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}\n",
    );
    let running = start(&mut server.run_command(&sandbox, "playbook.yaml", &[]));
    assert!(
        eventually(LONGEST, || sandbox.journals().first().cloned()).is_some(),
        "the journal is there"
    );
    server.hold();
    let intended = eventually(LONGEST, || {
        fs::read_to_string(sandbox.journals().first()?).ok()?.contains("\"intent\"").then_some(())
    });
    assert!(intended.is_some(), "the intent is on the disk before the call is answered");
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    let open = kinds(&journal(&sandbox));
    assert_eq!(open, ["opened", "intent"], "nobody knows whether there is a role");
    server.go_on();
    let run = sandbox.journals()[0].file_stem().unwrap().to_string_lossy().into_owned();
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    assert!(!server.has_role(&format!("demo-{run}")), "there is none now");
    server.stop();
}

#[test]
fn a_run_that_is_alive_is_not_cleaned_up_by_another() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let running = start(&mut server.run_command(&sandbox, "playbook.yaml", &["--no-input"]));
    let run = eventually(LONGEST, || {
        let path = sandbox.journals().first()?.clone();
        let run = path.file_stem()?.to_string_lossy().into_owned();
        fs::read_to_string(&path).ok()?.contains("\"done\"").then_some(run)
    })
    .expect("the role is made");
    let listed = server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(listed.contains("running"), "{listed}");
    let refused = server.playbook(&sandbox, &["cleanup", &run]).exited(2);
    assert!(refused.stderr.contains("the run is still going on"), "{}", refused.stderr);
    assert!(server.has_role(&format!("demo-{run}")));
    process::signal(running.id(), Signal::TERM);
    running.finish().exited(143);
    server.stop();
}

#[test]
fn a_damaged_journal_deletes_nothing() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let run = killed_after(&server, &sandbox, "done");
    let path = sandbox.journals().remove(0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(&format!("demo-{run}"), &format!("demo-{}", "x".repeat(run.len()))),
    )
    .unwrap();
    let refused = server.playbook(&sandbox, &["cleanup", &run]).exited(2);
    assert!(refused.stderr.contains("nothing was deleted"), "{}", refused.stderr);
    assert!(server.has_role(&format!("demo-{run}")));
    fs::write(&path, text).unwrap();
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    server.stop();
}

/// What somebody else could have put into the state directory is neither obeyed nor changed, and hangs nobody.
#[test]
fn what_is_no_journal_of_ones_own_is_left_alone() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let (state, diary) = (sandbox.state(), sandbox.root().join("diary"));
    fs::create_dir(&state).unwrap();
    fs::write(&diary, "dear diary").unwrap();
    std::os::unix::fs::symlink(&diary, state.join("link.journal")).unwrap();
    fs::write(state.join("line.journal"), "one line\n").unwrap();
    let made = std::process::Command::new("mkfifo").arg(state.join("pipe.journal")).status();
    assert!(made.unwrap().success());
    for (run, why) in [
        ("link", "it is not a file of its own"),
        ("pipe", "it is not a file of its own"),
        ("line", "it is no journal"),
    ] {
        let refused = server.playbook(&sandbox, &["cleanup", run]).exited(2);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(&diary).unwrap(), "dear diary");
    assert_eq!(fs::read_to_string(state.join("line.journal")).unwrap(), "one line\n");
    let listed = sandbox.run(["runs"]).exited(0).stdout;
    assert_eq!(listed.matches("unreadable").count(), 3, "{listed}");
    for name in ["link", "pipe", "line"] {
        fs::remove_file(state.join(format!("{name}.journal"))).unwrap();
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    for command in [&["runs"][..], &["cleanup", "--all"]] {
        let refused = server.playbook(&sandbox, command).exited(2);
        assert!(refused.stderr.contains("others may write to it"), "{}", refused.stderr);
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    server.stop();
}

#[test]
fn finished_runs_are_kept_apart_and_pruned() {
    let server = Server::start();
    let sandbox = role_and("  - print: done\n");
    start(&mut server.run_command(&sandbox, "playbook.yaml", &["--no-input"])).finish().exited(0);
    let kept = sandbox.journals();
    assert!(kept[0].parent().unwrap().ends_with("state/finished"), "{kept:?}");
    let listed = sandbox.run(["runs"]).exited(0).stdout;
    assert!(listed.contains("finished"), "{listed}");
    sandbox.run(["runs", "--older-than", "1h"]).exited(2);
    let pruned = sandbox.run(["runs", "--prune", "--older-than", "1h"]).exited(0).stdout;
    assert_eq!(pruned, "Removed the journals of 0 finished runs.\n");
    let pruned = sandbox.run(["runs", "--prune"]).exited(0).stdout;
    assert_eq!(pruned, "Removed the journal of 1 finished run.\n");
    assert_eq!(sandbox.run(["runs"]).exited(0).stdout, "No runs are journalled.\n");
    server.stop();
}

/// Two runs that overlap and change the same: whichever cleans up last puts back what was there before both.
#[test]
fn what_another_unfinished_run_wrote_is_not_put_back() {
    let sandbox = Sandbox::new();
    let run = |name: &str| {
        let opened = Opened {
            run: name.to_owned(),
            version: "0.1.0".to_owned(),
            playbook: "change".to_owned(),
            file: "playbook.yaml".to_owned(),
            started: "2026-11-23T10:00:00Z".to_owned(),
            target: Target { account: "123456789012".to_owned(), ..Target::default() },
            profile: None,
            attempt_millis: 500,
        };
        let file = JournalFile::create(&sandbox.state(), opened).unwrap();
        Journal::on_disk(file, Redactor::default())
    };
    let intend = |journal: &Journal, kind: &'static str, undo: Value| {
        let step = journal.for_step("change", Vec::new(), false, Arc::new(|_| ()));
        step.intend(kind, "theirs", undo).unwrap()
    };
    let item = |previous: i32, ours: i32| {
        let item = |n: i32| serde_json::json!({"n": n});
        serde_json::json!({"key": "7", "previous": item(previous), "ours": item(ours)})
    };
    let settings = |previous: i32, digest: &str| {
        let previous = serde_json::json!({"timeout": previous});
        serde_json::json!({"function": "f", "previous": previous, "changed_to": digest})
    };
    let (first, second) = (run("a1"), run("b2"));
    intend(&first, "AWS::DynamoDB::Item", item(0, 1));
    intend(&first, "AWS::Lambda::Function.Configuration", settings(3, "5"));
    let seq = intend(&second, "AWS::DynamoDB::Item", item(1, 2));
    assert_eq!(second.undo_of(seq).unwrap()["previous"]["n"], 0);
    let seq = intend(&second, "AWS::Lambda::Function.Configuration", settings(5, "9"));
    let entry = second.state().entry(seq).cloned().unwrap();
    assert_eq!(entry.beside.as_deref(), Some("a1"), "nobody knows what was there before either");
}

#[test]
fn a_torn_last_line_does_not_matter() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let run = killed_after(&server, &sandbox, "done");
    let path = sandbox.journals().remove(0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 7]).unwrap();
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    assert!(!server.has_role(&format!("demo-{run}")));
    server.stop();
}

#[test]
fn what_the_run_did_not_make_survives_it() {
    let server = Server::start();
    let theirs = role_and("");
    let kept = server
        .run(&theirs, "playbook.yaml", &["--cleanup", "never", "--input", "name=shared"])
        .exited(3);
    assert!(kept.stderr.contains("AWS::IAM::Role"), "{}", kept.stderr);
    let ours = role_and("    assert: result.adopted\n");
    server.run(&ours, "playbook.yaml", &["--input", "name=shared"]).exited(0);
    assert!(server.has_role("shared"), "an adopted role is never deleted");
    server.playbook(&theirs, &["cleanup", "--all"]).exited(0);
    assert!(!server.has_role("shared"), "its own run removes it");
    server.stop();
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let server = Server::start();
    let yaml = "name: twin\nvars: {name: \"demo-{{ run.id }}\"}\nsteps:\n  - id: role\n    create-role: {role_name: \"{{ vars.name }}\", \
                trust_service: lambda.amazonaws.com}\n  - create-function:\n      function_name: \"{{ vars.name }}\"\n      runtime: python3.13\n      \
                handler: who.handler\n      code: who.py\n      role: \"{{ steps.role.arn }}\"\n      environment: {WHO: \"{{ run.id }}\"}\n  - \
                for_each: range(5)\n    invoke: {function_name: \"{{ vars.name }}\"}\n    assert: result.payload == run.id\n";
    let handler = "import os\n\n\ndef handler(event, context):\n    return os.environ[\"WHO\"]\n";
    let sandboxes: Vec<Sandbox> =
        (0..3).map(|_| Sandbox::with_file("playbook.yaml", yaml)).collect();
    for sandbox in &sandboxes {
        sandbox.write("who.py", handler);
    }
    let runs: Vec<_> = sandboxes
        .iter()
        .map(|sandbox| start(&mut server.run_command(sandbox, "playbook.yaml", &[])))
        .collect();
    for run in runs {
        run.finish().exited(0);
    }
    let sandbox = Sandbox::with_file(
        "look.yaml",
        "name: look\nsteps:\n  - list-functions: {}\n    assert: result.count == 0\n",
    );
    server.run(&sandbox, "look.yaml", &[]).exited(0);
    server.stop();
}

#[test]
fn two_runs_of_one_home_have_a_journal_each() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 300ms\n");
    let both: Vec<_> = (0..2)
        .map(|_| start(&mut server.run_command(&sandbox, "playbook.yaml", &["--no-input"])))
        .collect();
    for run in both {
        run.finish().exited(0);
    }
    let listed = server.playbook(&sandbox, &["runs"]).exited(0).stdout;
    assert!(!listed.contains("unfinished"), "{listed}");
    server.stop();
}

#[test]
fn no_secret_reaches_the_disk() {
    let server = Server::start();
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: secret\ninputs: {password: {type: secret}}\nsteps:\n  - create-log-group: {log_group_name: \"/demo/{{ run.id }}\"}\n  - id: hidden\n    \
         set: {word: \"{{ inputs.password }}\"}\n  - create-log-group: {log_group_name: \"/demo/{{ run.id }}/{{ steps.hidden.word }}\"}\n    \
         allow_error: JournalUnwritable\n  - fail: \"{{ inputs.password }}\"\n",
    );
    let mut command =
        server.run_command(&sandbox, "playbook.yaml", &["--output", "json", "--cleanup", "never"]);
    let report = sandbox.root().join("report.xml");
    command
        .arg("--report")
        .arg(format!("junit={}", report.display()))
        .env("PLAYBOOK_INPUT_PASSWORD", "hunter22-correct");
    let outcome = start(&mut command).finish().exited(3);
    let on_disk =
        fs::read_to_string(&sandbox.journals()[0]).unwrap() + &fs::read_to_string(report).unwrap();
    for text in [&on_disk, &outcome.stdout, &outcome.stderr] {
        assert!(!text.contains("hunter22"), "{text}");
    }
    assert!(on_disk.contains("/demo/"), "{on_disk}");
    server.playbook(&sandbox, &["cleanup", "--all"]).exited(0);
    server.stop();
}

#[test]
fn a_run_of_another_account_than_expected_is_refused() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let run = killed_after(&server, &sandbox, "done");
    let mut wrong = server.run_command(
        &sandbox,
        "playbook.yaml",
        &["--expect-account", "123456789012", "--no-input"],
    );
    let refused = start(&mut wrong).finish().exited(2);
    assert!(refused.stderr.contains("not 123456789012"), "{}", refused.stderr);
    assert_eq!(sandbox.journals().len(), 1, "the refused run has no journal");
    server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    server.stop();
}

/// A journal as a run writes it that made a role and then died.
fn journal_of(sandbox: &Sandbox, run: &str, target: Target) {
    let opened = Opened {
        run: run.to_owned(),
        version: "0.1.0".to_owned(),
        playbook: "role".to_owned(),
        file: "playbook.yaml".to_owned(),
        started: (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(2)).to_string(),
        target,
        profile: None,
        attempt_millis: 500,
    };
    let mut journal = JournalFile::create(&sandbox.state(), opened).unwrap();
    let intent = Record::Intent {
        seq: 1,
        kind: "AWS::IAM::Role".to_owned(),
        name: "theirs".to_owned(),
        step: "role".to_owned(),
        number: String::new(),
        undo: serde_json::json!({"role_name": "theirs"}),
        depends: Vec::new(),
        keep: false,
        at: None,
        beside: None,
    };
    journal.append(&intent).unwrap();
}

fn target(server: &Server) -> Target {
    Target {
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(server.endpoint.clone()),
        local: false,
    }
}

#[test]
fn a_clean_up_of_another_account_is_refused() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let account = "111122223333".to_owned();
    journal_of(&sandbox, "k3x9", Target { account, ..target(&server) });
    let refused = server.playbook(&sandbox, &["cleanup", "k3x9"]).exited(3);
    assert_eq!(
        refused.stderr,
        "\
error: run k3x9 was in account 111122223333, these credentials are for 000000000000
  help: nothing was deleted; choose the right credentials with --profile
1 resource remains of run k3x9: `playbook runs` lists what
"
    );
    assert_eq!(kinds(&journal(&sandbox)), ["opened", "intent"]);
    server.stop();
}

#[test]
fn a_clean_up_in_another_region_is_refused() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    journal_of(&sandbox, "k3x9", Target { region: "eu-west-1".to_owned(), ..target(&server) });
    let refused = |setting: &str, region: &str| {
        format!(
            "\
error: run k3x9 was in eu-west-1, {setting} says {region}
  help: nothing was deleted; to clean up where the run was, add --region eu-west-1
1 resource remains of run k3x9: `playbook runs` lists what
"
        )
    };
    let outcome = server.playbook(&sandbox, &["cleanup", "k3x9"]).exited(3);
    assert_eq!(outcome.stderr, refused("AWS_REGION", "us-east-1"));
    let outcome =
        server.playbook(&sandbox, &["cleanup", "k3x9", "--region", "eu-north-1"]).exited(3);
    assert_eq!(outcome.stderr, refused("--region", "eu-north-1"));
    assert_eq!(kinds(&journal(&sandbox)), ["opened", "intent"]);
    // Where the settings say nothing, or the option says what the journal says, that is the region.
    let mut silent = sandbox.playbook(["cleanup", "k3x9"]);
    server.tell(&mut silent).env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    finish(&mut silent, "").exited(0);
    journal_of(&sandbox, "k3x8", Target { region: "eu-west-1".to_owned(), ..target(&server) });
    server.playbook(&sandbox, &["cleanup", "k3x8", "--region", "eu-west-1"]).exited(0);
    server.stop();
}

#[test]
fn a_clean_up_at_another_endpoint_is_refused() {
    let (server, other, sandbox) = (Server::start(), Server::start(), Sandbox::new());
    journal_of(&sandbox, "k3x9", target(&server));
    let refused = other.playbook(&sandbox, &["cleanup", "k3x9"]).exited(3);
    let (own, wrong) = (&server.endpoint, &other.endpoint);
    assert_eq!(
        refused.stderr,
        format!(
            "\
error: run k3x9 was at {own}, AWS_ENDPOINT_URL says {wrong}
  help: nothing was deleted; to clean up where the run was, add --endpoint-url {own}
1 resource remains of run k3x9: `playbook runs` lists what
"
        )
    );
    other.playbook(&sandbox, &["cleanup", "k3x9", "--endpoint-url", own]).exited(0);
    journal_of(&sandbox, "k3x8", Target { endpoint: None, ..target(&server) });
    let refused = server.playbook(&sandbox, &["cleanup", "k3x8"]).exited(3);
    assert_eq!(
        refused.stderr,
        format!(
            "\
error: run k3x8 was at AWS itself, AWS_ENDPOINT_URL says {own}
  help: nothing was deleted; to clean up at AWS, leave out --endpoint-url and set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
1 resource remains of run k3x8: `playbook runs` lists what
"
        )
    );
    server.stop();
    other.stop();
}

/// As `playbook serve` says to export it: another shell does not know of it.
#[test]
fn an_endpoint_of_the_environment_is_where_recovery_goes() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--no-input"]);
    let running = start(server.tell(&mut command));
    let made = eventually(LONGEST, || {
        let path = sandbox.journals().first()?.clone();
        fs::read_to_string(path).ok()?.contains("\"done\"").then_some(())
    });
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    assert!(made.is_some());
    let head = &journal(&sandbox)[0];
    assert_eq!(head["entry"]["target"]["endpoint"], server.endpoint.as_str(), "{head}");
    let run = sandbox.journals()[0].file_stem().unwrap().to_string_lossy().into_owned();
    let mut another_shell = sandbox.playbook(["cleanup", &run]);
    server.tell(&mut another_shell).env_remove("AWS_ENDPOINT_URL");
    finish(&mut another_shell, "").exited(0);
    assert!(!server.has_role(&format!("demo-{run}")));
    server.stop();
}

#[test]
fn a_clean_up_that_cannot_begin_says_of_which_run_and_what_can_be_done() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    for run in ["k3x8", "k3x9"] {
        journal_of(&sandbox, run, target(&server));
    }
    let mut nobody = sandbox.playbook(["cleanup", "k3x8"]);
    server.tell(&mut nobody).env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let refused = finish(&mut nobody, "").exited(3);
    assert_eq!(
        refused.stderr,
        "\
error: run k3x8 cannot be cleaned up: no usable credentials: there are none in the environment, in the configuration files or on \
this machine
  help: run `aws configure` or `aws sso login`, or choose others with --profile
1 resource remains of run k3x8: `playbook runs` lists what
"
    );
    let mut all = sandbox.playbook(["cleanup", "--all"]);
    server.tell(&mut all);
    server.stop();
    let refused = finish(&mut all, "").exited(3);
    for run in ["k3x8", "k3x9"] {
        let said =
            format!("error: run {run} cannot be cleaned up: no answer to sts GetCallerIdentity");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    }
    assert!(!refused.stderr.contains("--local"), "{}", refused.stderr);
}

#[test]
fn a_dry_run_of_a_clean_up_touches_no_journal() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    journal_of(&sandbox, "k3x8", Target { local: true, ..target(&server) });
    journal_of(&sandbox, "k3x9", target(&server));
    let before = sandbox.journals();
    for arguments in [&["cleanup", "--all", "--dry-run"][..], &["cleanup", "k3x8", "--dry-run"]] {
        server.playbook(&sandbox, arguments).exited(0);
        assert_eq!(sandbox.journals(), before, "{arguments:?}");
    }
    let plan = server.playbook(&sandbox, &["cleanup", "--dry-run"]).exited(0);
    let head = format!("role  dry run · run k3x9 · {} · us-east-1\n", server.endpoint);
    assert!(plan.stdout.starts_with(&head), "{}", plan.stdout);
    server.playbook(&sandbox, &["cleanup", "--all"]).exited(0);
    assert_eq!(sandbox.journals().len(), 1, "the journal of the local run is gone");
    server.stop();
}

#[test]
fn a_clean_up_says_what_it_removed_and_what_was_gone_already() {
    let server = Server::start();
    let sandbox = role_and("  - pause: 30s\n");
    let run = killed_after(&server, &sandbox, "done");
    let outcome = server.playbook(&sandbox, &["cleanup", &run]).exited(0);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("✓ 1 removed in "), "{last}");
    assert!(last.ends_with(" calls"), "{last}");
    journal_of(&sandbox, "k3x9", target(&server));
    let outcome = server.playbook(&sandbox, &["cleanup", "k3x9"]).exited(0);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("✓ 1 already gone in "), "{last}");
    server.stop();
}

#[test]
fn runs_are_listed_with_their_age_as_text_and_as_data() {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    journal_of(&sandbox, "k3x9", target(&server));
    let text = sandbox.run(["runs"]).exited(0).stdout;
    let state = format!("PLAYBOOK_STATE_DIR={}", sandbox.state().display());
    assert!(text.contains(" 2 h ago      unfinished "), "{text}");
    assert!(text.contains(&format!("    {state} playbook cleanup k3x9\n")), "{text}");
    let listed = sandbox.run(["runs", "--output", "json"]).exited(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "unfinished");
    let age = listed[0]["age_seconds"].as_u64().unwrap_or_default();
    assert!((7_200..7_500).contains(&age), "{listed}");
    assert_eq!(listed[0]["left"][0]["name"], "theirs");
    sandbox.run(["runs", "--output", "quiet"]).exited(2);
    server.stop();
}

#[test]
fn a_finished_run_is_closed() {
    let server = Server::start();
    let sandbox = role_and("  - print: done\n");
    let mut command =
        server.run_command(&sandbox, "playbook.yaml", &["--no-input", "--output", "json"]);
    let outcome = start(&mut command).finish().exited(0);
    let events = calls::events_of_lines(&outcome.stdout);
    let left = sandbox.journals();
    if let Some(path) = left.first() {
        assert_eq!(kinds(&records(path)).last().map(String::as_str), Some("closed"));
    }
    let role = format!("demo-{}", calls::runs(&events)[0]);
    assert!(!server.has_role(&role));
    server.stop();
}

/// The environment of somebody else's function holds a secret for as long as the run; the journal does not even hold
/// something to guess it from.
#[test]
fn a_secret_variable_of_a_foreign_function_is_put_back_and_cannot_be_guessed() {
    let server = Server::start();
    let theirs = Sandbox::with_file(
        "playbook.yaml",
        "name: theirs\nsteps:\n  - id: role\n    create-role: {role_name: theirs, trust_service: lambda.amazonaws.com}\n  - \
         create-function: {function_name: theirs, runtime: python3.13, handler: f.h, code: f.py, role: \"{{ steps.role.arn }}\"}\n",
    );
    theirs.write("f.py", "def h(event, context):\n    return 1\n");
    server.run(&theirs, "playbook.yaml", &["--cleanup", "never"]).exited(3);
    let ours = Sandbox::with_file(
        "playbook.yaml",
        "name: ours\ninputs: {pin: {type: secret}}\nsteps:\n  - update-function-configuration: {function_name: theirs, environment: \
         {PIN: \"{{ inputs.pin }}\", LEVEL: DEBUG}}\n",
    );
    let mut digests = Vec::new();
    for pin in ["123456", "654321"] {
        let mut command = server.run_command(&ours, "playbook.yaml", &["--cleanup", "never"]);
        finish(command.env("PLAYBOOK_INPUT_PIN", pin), "").exited(3);
        let records = records(ours.journals().last().unwrap());
        let made = &records[1]["entry"]["undo"];
        assert_eq!(made["secret"], serde_json::json!(["PIN"]), "{made}");
        digests.push(made["changed_to"].clone());
        let outcome = server.playbook(&ours, &["cleanup", "--all"]).exited(0);
        assert!(outcome.stderr.contains("restored"), "{}", outcome.stderr);
        fs::remove_file(ours.journals().last().unwrap()).unwrap();
    }
    assert_eq!(digests[0], digests[1]);
    server.playbook(&theirs, &["cleanup", "--all"]).exited(0);
    server.stop();
}
