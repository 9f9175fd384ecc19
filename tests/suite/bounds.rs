//! What would wait or read for ever is refused: pipes, devices, files without end, connections that say nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::sandbox::{Outcome, Sandbox, start};
use crate::harness::server::Server;

/// Longer than a refusal takes on a busy machine; what hangs never ends.
const SOON: Duration = Duration::from_secs(40);

fn pipe(sandbox: &Sandbox, name: &str) {
    let made = Command::new("mkfifo").arg(sandbox.work().join(name)).status().unwrap();
    assert!(made.success());
}

#[track_caller]
fn soon(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    start(&mut sandbox.playbook(arguments)).finish_within(SOON)
}

fn put_object(file: &str) -> String {
    format!(
        "name: put\nsteps:\n  - create-bucket: {{bucket: \"demo-{{{{ run.id }}}}\"}}\n  - put-object: {{bucket: \
         \"demo-{{{{ run.id }}}}\", key: k, file: {file}}}\n"
    )
}

#[test]
fn a_pipe_is_no_file() {
    let sandbox = Sandbox::new();
    for name in ["body", "template.yaml", "code.py", "inputs.yaml", "playbook.yaml"] {
        pipe(&sandbox, name);
    }
    sandbox.write("put.yaml", &put_object("body"));
    let refused = soon(&sandbox, &["run", "put.yaml", "--local"]).exited(1);
    assert!(refused.stderr.contains("no regular file"), "{}", refused.stderr);
    sandbox.write(
        "stack.yaml",
        "name: stack\nsteps:\n  - deploy-stack: {stack_name: demo, template: template.yaml}\n",
    );
    let refused = soon(&sandbox, &["run", "stack.yaml", "--local"]);
    assert!(refused.stderr.contains("no regular file"), "{}", refused.stderr);
    sandbox.write(
        "plain.yaml",
        "name: plain\ninputs: {a: {default: b}}\nsteps:\n  - print: \"{{ inputs.a }}\"\n",
    );
    for inputs in ["inputs.yaml", "/dev/zero"] {
        let refused =
            soon(&sandbox, &["run", "plain.yaml", "--local", "--inputs", inputs]).exited(2);
        assert!(refused.stderr.contains("no regular file"), "{}", refused.stderr);
    }
    for playbook in ["playbook.yaml", "/dev/zero"] {
        let refused = soon(&sandbox, &["check", playbook]).exited(2);
        assert!(refused.stderr.contains("no regular file"), "{}", refused.stderr);
    }
    sandbox.write(
        "function.yaml",
        "name: function\nsteps:\n  - id: role\n    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: \
         lambda.amazonaws.com}\n  - create-function: {function_name: \"demo-{{ run.id }}\", runtime: python3.13, handler: \
         code.handler, code: code.py, role: \"{{ steps.role.arn }}\"}\n",
    );
    let refused = soon(&sandbox, &["run", "function.yaml", "--local"]);
    assert_ne!(refused.exit, 0);
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let sandbox = Sandbox::new();
    sandbox.write("put.yaml", &put_object("huge"));
    sandbox.write(
        "plain.yaml",
        "name: plain\ninputs: {a: {default: b}}\nsteps:\n  - print: \"{{ inputs.a }}\"\n",
    );
    // Its length is all that there is of it.
    let huge = std::fs::File::create(sandbox.work().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let refused = soon(&sandbox, &["run", "put.yaml", "--local"]).exited(1);
    assert!(refused.stderr.contains("is longer than 1024 MiB"), "{}", refused.stderr);
    let refused = soon(&sandbox, &["run", "plain.yaml", "--local", "--inputs", "huge"]).exited(2);
    assert!(refused.stderr.contains("is longer than 4 MiB"), "{}", refused.stderr);
}

fn asks(endpoint: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
        .write_all(
            b"GET /_playbook/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let server = Server::with_descriptors(256);
    let address = server.endpoint.trim_start_matches("http://").to_owned();
    let mut idle = Vec::new();
    for round in 0..600 {
        let mut stream = TcpStream::connect(&address).unwrap();
        if round % 3 == 0 {
            // Some say a little.
            let _closed = stream.write_all(b"GET / HTTP/1.1\r\nHost:");
        }
        idle.push(stream);
    }
    let before = Instant::now();
    for _ in 0..20 {
        let answer = asks(&server.endpoint);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert!(before.elapsed() < SOON);
    // A function still has the descriptors that it needs.
    let sandbox = Sandbox::new();
    sandbox.write(
        "function.yaml",
        "name: function\nsteps:\n  - id: role\n    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: \
         lambda.amazonaws.com}\n  - create-function: {function_name: \"demo-{{ run.id }}\", runtime: python3.13, handler: \
         code.handler, code: code.py, role: \"{{ steps.role.arn }}\"}\n  - invoke: {function_name: \"demo-{{ run.id }}\"}\n",
    );
    sandbox.write("code.py", "def handler(event, context):\n    return 1\n");
    server.run(&sandbox, "function.yaml", &[]).exited(0);
    drop(idle);
    server.stop();
}
