//! A disk that is full: what cannot be written down is not made, and what was made is removed all the same.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::harness::account::Account;
use crate::harness::sandbox::{LONGEST, Outcome, Sandbox, eventually, finish, start};

fn group(name: &str) -> String {
    format!("  - create-log-group: {{log_group_name: \"/demo/{name}\"}}\n")
}

fn sandbox(steps: &str) -> Sandbox {
    Sandbox::with_file("playbook.yaml", &format!("name: full\nsteps:\n{steps}"))
}

/// The same command by way of a shell script that ends in `"$@"`.
fn by_way_of(sandbox: &Sandbox, account: &Account, run: &Command, script: &str) -> Command {
    let words = std::iter::once(run.get_program()).chain(run.get_args());
    let mut command = sandbox.command("sh", ["-c", script, "sh"]);
    command.args(words);
    account.tell(&mut command);
    command
}

/// What it said, with its own names for what differs from run to run.
fn said(sandbox: &Sandbox, text: &str) -> String {
    let mut text = text.replace(&sandbox.root().display().to_string(), "[SANDBOX]");
    if let Some(start) = text.find("/state/").map(|at| at + "/state/".len())
        && let Some(run) = text.get(start..start + 8).map(str::to_owned)
    {
        text = text.replace(&run, "[RUN]");
    }
    text
}

/// Runs on a file system of its own with so many kibibytes, which a script fills before; nothing where this machine lets
/// nobody mount one.
fn on_small_disk(
    sandbox: &Sandbox,
    account: &Account,
    kibibytes: u32,
    fill: &str,
) -> Option<Outcome> {
    let may = Command::new("unshare").args(["-rm", "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        println!("nobody may mount a file system here; the limit of a file's size stands for it");
        return None;
    }
    fs::create_dir_all(sandbox.state()).unwrap();
    let run = account.run_command(sandbox, &[]);
    let script = format!(
        "mount -t tmpfs -o size={kibibytes}k,mode=700 none \"$PLAYBOOK_STATE_DIR\" && {fill}; exec \"$@\""
    );
    let words = ["-rm", "sh", "-c", &script, "sh"];
    let mut command = sandbox.command("unshare", words);
    command.args(std::iter::once(run.get_program()).chain(run.get_args()));
    Some(finish(account.tell(&mut command), ""))
}

#[test]
fn a_run_whose_journal_cannot_be_begun_calls_nothing_that_makes_anything() {
    let (account, sandbox) = (Account::open(), sandbox(&group("never")));
    let fill = "cat /dev/zero > \"$PLAYBOOK_STATE_DIR/filler\" 2>/dev/null";
    if let Some(refused) = on_small_disk(&sandbox, &account, 64, fill) {
        let refused = refused.exited(2);
        assert_eq!(refused.stdout, "");
        assert_eq!(
            said(&sandbox, &refused.stderr),
            "error: the journal cannot be written: [SANDBOX]/state/[RUN].journal: No space left on device (os error 28)\n  help: \
             nothing was changed; free some space, or name another directory in PLAYBOOK_STATE_DIR\n"
        );
        assert_eq!(account.resources(), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_may_not_grow_is_as_good_as_a_full_disk() {
    let (account, sandbox) = (Account::open(), sandbox(&group("never")));
    let run = account.run_command(&sandbox, &[]);
    for trap in ["trap '' XFSZ; ", ""] {
        let script = format!("{trap}ulimit -f 0; exec \"$@\"");
        let refused = finish(&mut by_way_of(&sandbox, &account, &run, &script), "").exited(2);
        assert_eq!(
            said(&sandbox, &refused.stderr),
            "error: the journal cannot be written: [SANDBOX]/state/[RUN].journal: File too large (os error 27)\n  help: nothing \
             was changed; free some space, or name another directory in PLAYBOOK_STATE_DIR\n"
        );
        assert_eq!(account.resources(), Vec::<String>::new());
        assert_eq!(sandbox.journals(), Vec::<std::path::PathBuf>::new());
    }
}

/// What a run says whose disk became full once it had made one thing and was about to make another.
#[track_caller]
fn full_in_the_middle(outcome: &Outcome, sandbox: &Sandbox, words: &str) {
    let stderr = said(sandbox, &outcome.stderr);
    assert!(
        stderr.contains(&format!(
            "the journal [SANDBOX]/state/[RUN].journal cannot be written: {words}"
        )),
        "{stderr}"
    );
    let help = "nothing was made; free some space, or name another directory in PLAYBOOK_STATE_DIR";
    assert!(stderr.contains(help), "{stderr}");
    assert!(stderr.contains("1 resource made, 1 removed"), "{stderr}");
}

#[test]
fn what_cannot_be_written_down_is_not_made_and_what_was_made_is_removed() {
    let (account, sandbox) = (Account::open(), Sandbox::new());
    // A name of four kibibytes fits no more, where that of the first group did.
    let long = "x".repeat(480);
    let many: String = (0..20).map(|at| group(&format!("{at}/{long}"))).collect();
    sandbox.write("playbook.yaml", &format!("name: full\nsteps:\n{}{many}", group("first")));
    let Some(outcome) = on_small_disk(&sandbox, &account, 8, "true") else { return };
    let outcome = outcome.exited(1);
    let stderr = said(&sandbox, &outcome.stderr);
    assert!(
        stderr.contains("cannot be written: No space left on device (os error 28)"),
        "{stderr}"
    );
    let made = outcome.stderr.matches("  + AWS::Logs::LogGroup").count();
    assert!((1..20).contains(&made), "the disk is full in the middle: {made}\n{stderr}");
    let resources = if made == 1 { "1 resource".to_owned() } else { format!("{made} resources") };
    assert!(stderr.contains(&format!("{resources} made, {made} removed")), "{stderr}");
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn a_disk_that_gets_full_during_a_run_leaves_nothing_behind() {
    let steps = format!("{}  - pause: 2s\n{}", group("first"), group("second"));
    let (account, sandbox) = (Account::open(), sandbox(&steps));
    let running = start(&mut account.run_command(&sandbox, &[]));
    let made = eventually(LONGEST, || {
        let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
        text.contains("\"done\"").then_some(text.len() as u64)
    });
    assert_eq!(account.resources(), ["logs /demo/first"]);
    let process = Pid::from_raw(running.id().try_into().unwrap());
    // From now on its files may not grow.
    let full = Rlimit { current: made, maximum: made };
    prlimit(process, Resource::Fsize, full).unwrap();
    let outcome = running.finish().exited(1);
    assert!(made.is_some(), "{}", outcome.stderr);
    full_in_the_middle(&outcome, &sandbox, "File too large (os error 27)");
    assert_eq!(account.resources(), Vec::<String>::new());
    // There is nothing to tell of any more, and no way to tell it.
    assert_eq!(sandbox.journals(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_remains_on_a_full_disk_is_found_by_the_next_clean_up() {
    let steps = format!("{}  - pause: 2s\n  - print: done\n", group("first"));
    let (account, sandbox) = (Account::open(), sandbox(&steps));
    let running = start(&mut account.run_command(&sandbox, &["--cleanup", "never"]));
    let made = eventually(LONGEST, || {
        let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
        text.contains("\"done\"").then_some(text.len() as u64)
    });
    let process = Pid::from_raw(running.id().try_into().unwrap());
    prlimit(process, Resource::Fsize, Rlimit { current: made, maximum: made }).unwrap();
    let outcome = running.finish().exited(3);
    assert!(outcome.stderr.contains("1 resource remains:"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("File too large (os error 27)"), "{}", outcome.stderr);
    let mut cleanup = sandbox.playbook(["cleanup"]);
    finish(account.tell(&mut cleanup), "").exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
}

/// A command whose results go to a device that is full.
fn to_full_device(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = sandbox.playbook(arguments);
    let child = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let exit = output.status.code().unwrap_or_default();
    Outcome { stdout: String::new(), stderr, exit }
}

#[test]
fn a_result_that_cannot_be_written_is_not_passed_over() {
    let sandbox = sandbox("  - print: hello\n");
    let said =
        "error: what was to be told cannot be written: No space left on device (os error 28)\n";
    for arguments in [
        &["schema"][..],
        &["steps"],
        &["steps", "print"],
        &["explain"],
        &["check", "playbook.yaml"],
        &["check", "playbook.yaml", "--output", "sarif"],
        &["runs"],
        &["completions", "bash"],
        &["new", "other"],
        &["--help"],
    ] {
        let outcome = to_full_device(&sandbox, arguments).exited(4);
        assert_eq!(outcome.stderr, said, "{arguments:?}");
    }
    let outcome = to_full_device(&sandbox, &["run", "playbook.yaml", "--local"]).exited(4);
    assert!(outcome.stderr.ends_with(said), "{}", outcome.stderr);
    sandbox.write("wrong.yaml", "name: wrong\n");
    to_full_device(&sandbox, &["check", "wrong.yaml"]).exited(2);
    sandbox.write("failing.yaml", "name: failing\nsteps:\n  - print: a\n  - fail: b\n");
    to_full_device(&sandbox, &["run", "failing.yaml", "--local"]).exited(1);
}

#[test]
fn a_reader_that_goes_away_has_seen_what_it_wanted_to() {
    let sandbox = sandbox("  - print: hello\n");
    for arguments in [&["schema"][..], &["run", "playbook.yaml", "--local", "--output", "json"]] {
        let mut command = sandbox.playbook(arguments);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{arguments:?}");
    }
}
