//! A program as Lambda runs it, with every log switched on.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Server;

/// What a program answered to each event, and all that it wrote.
pub struct Outcome {
    pub answers: Vec<(String, Value)>,
    pub output: String,
}

/// Runs a program against a Runtime API that hands out these events.
pub fn run(program: &str, environment: Vec<(&'static str, String)>, events: Vec<Value>) -> Outcome {
    let count = events.len();
    let mut events = events.into_iter();
    let api = Server::start(move |request| match request.method.as_str() {
        "GET" => events.next().map(|event| (200, event)),
        _ => Some((202, json!({"status": "OK"}))),
    });
    let mut child = Command::new(program)
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let answers = || {
        let requests = api.requests().into_iter();
        let answers = requests.filter(|request| request.method == "POST");
        answers.map(|request| (request.path, request.body)).collect::<Vec<_>>()
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while answers().len() < count
        && Instant::now() < deadline
        && child.try_wait().unwrap().is_none()
    {
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut output).unwrap();
    Outcome { answers: answers(), output }
}
