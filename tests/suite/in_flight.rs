//! Calls that are under way when their process dies, and have their effect after somebody has looked.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::process;
use crate::harness::sandbox::{LONGEST, Sandbox, eventually, start};
use crate::harness::server::Server;

/// Much later than a server on this machine takes, and sooner than a call that nobody waits for is given up.
const LATE: Duration = Duration::from_millis(1_500);

/// What becomes of requests that create a role.
#[derive(Clone, Copy)]
enum Creation {
    /// They arrive late, whatever has become of whoever made them.
    Late,
    /// They never arrive.
    Lost,
    /// The connection of the first breaks, and it arrives late; those after it arrive.
    FirstOvertaken,
}

/// Hands requests on to `target`; those that create a role as it is told. Returns its own endpoint.
fn proxy(target: &str, creation: Creation) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let target = target.trim_start_matches("http://").to_owned();
    let created = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (target, created) = (target.clone(), Arc::clone(&created));
            std::thread::spawn(move || pass(client, &target, creation, &created));
        }
    });
    endpoint
}

/// Passes on one request after the other of a connection, each on a connection of its own.
fn pass(
    mut client: TcpStream,
    target: &str,
    creation: Creation,
    created: &AtomicUsize,
) -> Option<()> {
    loop {
        let request = message(&mut client)?;
        if String::from_utf8_lossy(&request).contains("Action=CreateRole") {
            let is_first = created.fetch_add(1, Ordering::SeqCst) == 0;
            match creation {
                Creation::Late => std::thread::sleep(LATE),
                Creation::FirstOvertaken if is_first => {
                    drop(client);
                    std::thread::sleep(LATE);
                    TcpStream::connect(target).ok()?.write_all(&request).ok()?;
                    return None;
                }
                Creation::FirstOvertaken => {}
                Creation::Lost => return None,
            }
        }
        let mut server = TcpStream::connect(target).ok()?;
        server.write_all(&request).ok()?;
        let reply = message(&mut server)?;
        // Nobody may be there to read it.
        client.write_all(&reply).ok()?;
    }
}

/// One message of HTTP with its body, whose length it says.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = text.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if text.len() >= end + 4 + length {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            count => text.extend_from_slice(&buffer[..count]),
        }
    }
}

fn role() -> Sandbox {
    Sandbox::with_file(
        "playbook.yaml",
        "name: late\nsteps:\n  - create-role: {role_name: \"demo-{{ run.id }}\", trust_service: lambda.amazonaws.com}\n",
    )
}

/// Kills a run while its role is being made; its id.
fn killed_with_a_call_under_way(sandbox: &Sandbox, server: &Server, endpoint: &str) -> String {
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--no-input"]);
    server.tell(&mut command).args(["--endpoint-url", endpoint]);
    let running = start(&mut command);
    let intended = eventually(LONGEST, || {
        let text = fs::read_to_string(sandbox.journals().first()?).ok()?;
        text.contains("\"intent\"").then_some(())
    });
    assert!(intended.is_some(), "the intent is on the disk");
    // Long enough for the request to be sent.
    std::thread::sleep(Duration::from_millis(300));
    process::signal(running.id(), Signal::KILL);
    running.finish().exited(137);
    sandbox.journals()[0].file_stem().unwrap().to_string_lossy().into_owned()
}

/// Cleans up; what it says.
fn clean(sandbox: &Sandbox, server: &Server, endpoint: &str, run: &str) -> String {
    let mut command = sandbox.playbook(["cleanup", run, "--attempt-timeout", "2s"]);
    server.tell(&mut command).env("AWS_ENDPOINT_URL", endpoint);
    start(&mut command).finish().exited(0).stderr
}

#[test]
fn what_lands_after_the_first_look_is_waited_for_and_removed() {
    let (server, sandbox) = (Server::start(), role());
    let endpoint = proxy(&server.endpoint, Creation::Late);
    let run = killed_with_a_call_under_way(&sandbox, &server, &endpoint);
    let told = clean(&sandbox, &server, &endpoint, &run);
    assert!(told.contains("may still be under way"), "it is told what is waited for\n{told}");
    assert!(told.contains("deleted"), "{told}");
    // It would have landed by now.
    std::thread::sleep(LATE);
    assert!(!server.has_role(&format!("demo-{run}")), "nothing is left");
    server.stop();
}

#[test]
fn what_never_lands_is_believed_gone_after_a_while() {
    let (server, sandbox) = (Server::start(), role());
    let endpoint = proxy(&server.endpoint, Creation::Lost);
    let run = killed_with_a_call_under_way(&sandbox, &server, &endpoint);
    let started = Instant::now();
    let told = clean(&sandbox, &server, &endpoint, &run);
    assert!(told.contains("already gone"), "{told}");
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(4), "twice the time of an attempt: {took:?}");
    server.stop();
}

#[test]
fn an_attempt_without_an_answer_is_outlasted_though_the_next_one_has_one() {
    let (server, sandbox) = (Server::start(), role());
    let endpoint = proxy(&server.endpoint, Creation::FirstOvertaken);
    let mut command =
        sandbox.playbook(["run", "playbook.yaml", "--no-input", "--attempt-timeout", "2s"]);
    server.tell(&mut command).args(["--endpoint-url", &endpoint]);
    let outcome = start(&mut command).finish().exited(0);
    assert!(outcome.stderr.contains("may still be under way"), "{}", outcome.stderr);
    let (_, told) =
        outcome.stderr.split_once("demo-").unwrap_or_else(|| panic!("{}", outcome.stderr));
    let run: String = told.chars().take_while(char::is_ascii_alphanumeric).collect();
    // It would have landed by now.
    std::thread::sleep(LATE);
    assert!(!server.has_role(&format!("demo-{run}")), "nothing is left");
    server.stop();
}
