//! What handlers may find out of whoever runs them, and what they leave running.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, test_kill_process};

use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Sandbox, eventually, finish, start};
use crate::harness::server::Server;

const CANARY: &str = "canary-7f3a91c2";

/// A playbook whose function is invoked once; `step` follows.
fn playbook(step: &str) -> String {
    format!(
        "name: escape\nvars: {{name: \"demo-{{{{ run.id }}}}\"}}\nsteps:\n  - id: role\n    create-role: {{role_name: \"{{{{ vars.name \
         }}}}\", trust_service: lambda.amazonaws.com}}\n  - create-function:\n      function_name: \"{{{{ vars.name }}}}\"\n      \
         runtime: python3.13\n      handler: escape.handler\n      code: escape.py\n      timeout: 60\n      memory_size: 256\n      \
         role: \"{{{{ steps.role.arn }}}}\"\n  - id: called\n    invoke: {{function_name: \"{{{{ vars.name }}}}\"}}\n{step}"
    )
}

/// Looks at the environments and the memory of the process's ancestors, and of every other process of the same user but
/// those of the test itself.
const LOOKING: &str = r#"import os


def parent(process):
    with open(f"/proc/{process}/stat") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


def read(process):
    found = []
    for name in ["environ", "maps", "fd", "mem"]:
        path = f"/proc/{process}/{name}"
        try:
            if name == "fd":
                found.append(" ".join(os.listdir(path)))
            else:
                with open(path, "rb") as file:
                    file.read(1)
                    found.append(name)
                with open(f"/proc/{process}/environ", "rb") as file:
                    found.append(file.read().decode(errors="replace"))
        except OSError:
            pass
    return found


def handler(event, context):
    process, seen = os.getppid(), {}
    programs = []
    while process > 1:
        try:
            with open(f"/proc/{process}/cmdline") as file:
                line = file.read().replace("\0", " ")
        except OSError:
            break
        if line.split(" ")[0].rsplit("/", 1)[-1] == "playbook":
            programs.append(line)
            seen[line] = read(process)
        process = parent(process)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline") as file:
                    line = file.read().replace("\0", " ")
            except OSError:
                continue
            if " __handler " in line:
                seen[line + entry] = read(entry)
    return {"ancestors": len(programs), "seen": str(seen)}
"#;

fn look(command: &mut Command) -> String {
    command.env("CANARY", CANARY).env("AWS_SESSION_TOKEN", CANARY);
    let outcome = finish(command, "").exited(0);
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    // The run and the supervisor are among its ancestors: it did look.
    assert!(said.contains("ancestors=2"), "{said}");
    said
}

#[test]
fn a_handler_finds_no_environment_of_those_who_run_it() {
    let sandbox = Sandbox::new();
    let said = "  - print: \"ancestors={{ steps.called.payload.ancestors }} {{ steps.called.payload.seen }}\"\n";
    sandbox.write("playbook.yaml", &playbook(said));
    sandbox.write("escape.py", LOOKING);
    let said = look(&mut sandbox.playbook(["run", "playbook.yaml", "--local"]));
    assert!(!said.contains(CANARY), "{said}");
    sandbox.nothing_left();
}

/// Starts a process that leaves the handler's group and session, twice over and without its environment, and says which.
fn leaving(pidfile: &str) -> String {
    format!(
        r#"import os
import subprocess
import time


def handler(event, context):
    subprocess.Popen(
        ["setsid", "sh", "-c", "env -i setsid sh -c 'echo $$ > {pidfile}; exec sleep 300' & exit 0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
    )
    while not os.path.exists("{pidfile}") or not open("{pidfile}").read().strip():
        time.sleep(0.01)
    return "started"
"#
    )
}

/// A sandbox whose function leaves something running, and where its process id is written.
fn leaver(step: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let pidfile = sandbox.root().join("escaped");
    sandbox.write("playbook.yaml", &playbook(step));
    sandbox.write("escape.py", &leaving(pidfile.to_str().unwrap()));
    (sandbox, pidfile)
}

fn escaped(pidfile: &PathBuf) -> Option<Pid> {
    Pid::from_raw(fs::read_to_string(pidfile).ok()?.trim().parse().ok()?)
}

#[track_caller]
fn is_ended(pidfile: &PathBuf) {
    let process = escaped(pidfile).expect("it was started");
    let gone = eventually(std::time::Duration::from_secs(10), || {
        test_kill_process(process).is_err().then_some(())
    });
    if gone.is_none() {
        process::signal(process.as_raw_nonzero().get(), Signal::KILL);
    }
    assert!(gone.is_some(), "it lives on");
}

#[test]
fn what_leaves_its_session_ends_with_the_run() {
    let (sandbox, pidfile) = leaver("");
    sandbox.run(["run", "playbook.yaml", "--local"]).exited(0);
    is_ended(&pidfile);
    sandbox.nothing_left();
}

#[test]
fn what_leaves_its_session_ends_when_the_run_is_killed() {
    let (sandbox, pidfile) = leaver("  - pause: 60s\n");
    let running = start(&mut sandbox.playbook(["run", "playbook.yaml", "--local"]));
    let started = eventually(LONGEST, || escaped(&pidfile));
    assert!(started.is_some(), "the handler never starts");
    process::signal(running.id(), Signal::KILL);
    running.finish();
    is_ended(&pidfile);
}

#[test]
fn what_leaves_its_session_ends_with_serve_and_when_it_is_killed() {
    for kill in [false, true] {
        let server = Server::start();
        let (sandbox, pidfile) = leaver("");
        server.run(&sandbox, "playbook.yaml", &["--cleanup", "never"]).exited(3);
        let started = escaped(&pidfile).expect("it was started");
        assert!(test_kill_process(started).is_ok(), "its function is still there");
        if kill {
            server.kill_and_look();
        } else {
            server.stop();
        }
        is_ended(&pidfile);
    }
}
