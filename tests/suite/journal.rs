//! Runs against an endpoint that outlives them: what is left after the worst, what recovery makes of it, and what is never
//! touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::calls;
use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Sandbox, eventually, start};
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
fn a_clean_up_of_the_wrong_account_is_refused() {
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
