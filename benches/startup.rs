//! What a person waits for before anything happens: `check` of each shipped playbook, and the time from the start of a run
//! to its first call. Beside each stands how many times as long that is as `playbook --version`, which does nothing:
//! absolute times say as much about the machine as about the program.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
const PROGRAM: &str = env!("CARGO_BIN_EXE_playbook");

fn main() -> io::Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let state = tempfile::tempdir()?;
    let nothing = median(|| whole(&mut program(state.path(), &["--version"])))?;
    tell("--version", nothing, nothing);
    for playbook in shipped(repository)? {
        let name = playbook.strip_prefix(repository).unwrap_or(&playbook).display().to_string();
        let file = playbook.to_string_lossy();
        let took = median(|| whole(&mut program(state.path(), &["check", file.as_ref()])))?;
        tell(&format!("check {name}"), took, nothing);
    }
    let hello = repository.join("playbooks/hello.yaml");
    let took = median(|| first_call(state.path(), &hello))?;
    tell("start to first call", took, nothing);
    Ok(())
}

/// The program with nobody's settings and no output.
fn program(state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("HOME", state).env("PLAYBOOK_STATE_DIR", state);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// How long a command takes that must succeed.
fn whole(command: &mut Command) -> io::Result<Duration> {
    let start = Instant::now();
    let status = command.status()?;
    let took = start.elapsed();
    if status.success() { Ok(took) } else { Err(io::Error::other(format!("{status}"))) }
}

/// How long it takes a run to connect to AWS.
fn first_call(state: &Path, playbook: &Path) -> io::Result<Duration> {
    let aws = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", aws.local_addr()?);
    let mut command = program(state, &["run", "--no-input", "--endpoint-url", &endpoint]);
    command.arg(playbook).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench");
    let start = Instant::now();
    let mut child = command.spawn()?;
    let connection = aws.accept();
    let took = start.elapsed();
    child.kill()?;
    child.wait()?;
    connection.map(|_| took)
}

fn median(mut measure: impl FnMut() -> io::Result<Duration>) -> io::Result<Duration> {
    let mut times = (0..ROUNDS).map(|_| measure()).collect::<io::Result<Vec<_>>>()?;
    times.sort();
    Ok(times[ROUNDS / 2])
}

fn shipped(repository: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["playbooks", "playbooks/events", "playbooks/examples"] {
        for entry in repository.join(folder).read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[allow(clippy::print_stdout, reason = "a benchmark tells what it has measured")]
fn tell(what: &str, took: Duration, nothing: Duration) {
    let times = took.as_secs_f64() / nothing.as_secs_f64();
    println!("{what:<48} {:6.1} ms  {times:5.1} ×", took.as_secs_f64() * 1_000.0);
}
