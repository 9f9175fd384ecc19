//! Our loaders of functions and AWS's own clients of the Runtime API, side by side: the same handlers, the same events, on
//! the same Runtime API; answer, error and log may not differ.
//!
//! `python.txt` and `node.txt` hold the handlers; `#### NAME` begins one, and lines that begin with `#! ` say what is
//! special about it:
//!
//! | line | what it says |
//! |---|---|
//! | `#! event: JSON` | what the function is called with, once each line; `{}` unless said |
//! | `#! handler: NAME` | the handler, unless it is `m.handler` |
//! | `#! file: NAME` | another file begins |
//! | `#! runtime: NAME` | another runtime than the newest that both clients know |
//! | `#! log: JSON`, `#! level: NAME` | how the log is written |
//! | `#! client: JSON` | the caller's client context |
//!
//! AWS's clients come from the Python of `PLAYBOOK_TEST_VENV` (`awslambdaric`) and from `PLAYBOOK_TEST_CLIENTS`
//! (`target/test-clients` unless named), into which `.ci/run` installs what `package-lock.json` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod handlers;
mod normal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use libtest_mimic::{Arguments, Failed, Trial};
use local_aws::lambda::runtime::{Call, Deployment, Host, LogFormat, ProcessPool};

use handlers::Handler;
use normal::Seen;

/// AWS's clients, where they are installed.
struct Clients {
    python: Option<PathBuf>,
    /// Such as `python3.11`.
    python_runtime: String,
    node: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "__handler") {
        let error = local_aws::lambda::become_handler(words);
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    let clients = Arc::new(Clients::find());
    let mut trials = Vec::new();
    if clients.python.is_some() {
        trials.extend(side_by_side("python", include_str!("python.txt"), &clients));
    } else {
        println!("skipped: no awslambdaric in PLAYBOOK_TEST_VENV (tests/requirements.txt has it)");
    }
    if clients.node.is_some() {
        trials.extend(side_by_side("node", include_str!("node.txt"), &clients));
    } else {
        println!("skipped: no aws-lambda-ric in PLAYBOOK_TEST_CLIENTS (.ci/run installs it)");
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn side_by_side(topic: &str, text: &str, clients: &Arc<Clients>) -> Vec<Trial> {
    let handlers = handlers::parse(text);
    assert!(handlers.len() >= 60, "only {} handlers for {topic}", handlers.len());
    let trial = |handler: Handler| {
        let clients = Arc::clone(clients);
        Trial::test(format!("{topic}/{}", handler.name.replace(' ', "_")), move || {
            compare(&handler, &clients)
        })
    };
    handlers.into_iter().map(trial).collect()
}

fn compare(handler: &Handler, clients: &Clients) -> Result<(), Failed> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (ours, theirs) = runtime
        .unwrap()
        .block_on(async { tokio::join!(run(clients.ours(handler)), run(clients.theirs(handler))) });
    let (ours, theirs) = (normal::shown(&ours), normal::shown(&theirs));
    if ours == theirs {
        return Ok(());
    }
    Err(Failed::from(format!("── ours\n{ours}\n── theirs\n{theirs}")))
}

/// What is to be run, and what of paths has to become the same.
struct Subject {
    deployment: Deployment,
    events: Vec<String>,
    client_context: Option<String>,
    client_folders: Vec<String>,
}

impl Clients {
    fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = |name: &str, default: &str| {
            std::env::var_os(name).map_or_else(|| root.join("target").join(default), PathBuf::from)
        };
        let python = folder("PLAYBOOK_TEST_VENV", "test-venv").join("bin/python3");
        let asked = Command::new(&python)
            .args(["-c", "import sys, awslambdaric; print('python%d.%d' % sys.version_info[:2])"])
            .output();
        let version = asked.ok().filter(|output| output.status.success());
        let version = version.map(|output| String::from_utf8(output.stdout).unwrap());
        let node = folder("PLAYBOOK_TEST_CLIENTS", "test-clients").join("node_modules");
        let is_there = node.join("ric-nodejs24/index.mjs").is_file();
        Self {
            python: version.is_some().then_some(python),
            python_runtime: version.unwrap_or_default().trim().to_owned(),
            node: is_there.then(|| node.canonicalize().unwrap()),
        }
    }

    fn runtime(&self, handler: &Handler) -> String {
        let newest = if handler.is_python { self.python_runtime.as_str() } else { "nodejs22.x" };
        handler.runtime.clone().unwrap_or_else(|| newest.to_owned())
    }

    fn ours(&self, handler: &Handler) -> Subject {
        self.subject(handler, &self.runtime(handler), &handler.files)
    }

    fn theirs(&self, handler: &Handler) -> Subject {
        let mut files = handler.files.clone();
        files.insert("bootstrap".to_owned(), self.bootstrap(&self.runtime(handler)));
        self.subject(handler, "provided.al2023", &files)
    }

    /// The program that Lambda would start for that runtime.
    fn bootstrap(&self, runtime: &str) -> String {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let start = match (&self.python, &self.node) {
            (Some(python), _) if runtime.starts_with("python") => {
                format!("exec '{}' -m awslambdaric \"$_HANDLER\"", python.display())
            }
            (_, Some(node)) => {
                let (own, node) = (own.display(), node.display());
                let native = format!("exec node --require '{own}/native.cjs'");
                if runtime == "nodejs24.x" {
                    format!("{native} '{node}/ric-nodejs24/index.mjs'")
                } else {
                    let client = format!("{node}/ric-nodejs22/dist/index.mjs");
                    format!("export CLIENT='{client}'\n{native} '{own}/run22.mjs'")
                }
            }
            _ => panic!("no client for {runtime}"),
        };
        format!("#!/bin/sh\nexport AWS_EXECUTION_ENV=AWS_Lambda_{runtime}\n{start}\n")
    }

    fn subject(
        &self,
        handler: &Handler,
        runtime: &str,
        files: &BTreeMap<String, String>,
    ) -> Subject {
        let deployment = Deployment {
            function_name: "f".to_owned(),
            version: "$LATEST".to_owned(),
            generation: 1,
            runtime: runtime.to_owned(),
            runtime_version_arn: "arn".to_owned(),
            handler: handler.handler.clone(),
            role_arn: "role".to_owned(),
            memory_mb: 512,
            timeout: Duration::from_secs(60),
            variables: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
            log_group: "/aws/lambda/f".to_owned(),
            log_format: if handler.json_log { LogFormat::Json } else { LogFormat::Text },
            log_level: handler.level.clone(),
            code: handlers::zip(files).into(),
            code_sha256: String::new(),
        };
        let mut client_folders = vec![
            format!("{}/tests/clients/", env!("CARGO_MANIFEST_DIR")),
            "/awslambdaric/".to_owned(),
        ];
        let node = self.node.iter().map(|node| node.display().to_string());
        client_folders.extend(node);
        Subject {
            deployment,
            events: handler.events.clone(),
            client_context: handler.client.clone(),
            client_folders,
        }
    }
}

#[derive(Default)]
struct Account {
    log: Mutex<Vec<String>>,
}

impl Host for Account {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn append_log(&self, _: &str, _: &str, events: Vec<(SystemTime, String)>) {
        self.log.lock().unwrap().extend(events.into_iter().map(|(_, text)| text));
    }

    fn aws_variables(&self, _: &str, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}

async fn run(subject: Subject) -> Seen {
    let account = Arc::new(Account::default());
    let launcher = vec![std::env::current_exe().unwrap().into_os_string(), "__handler".into()];
    let host: Arc<dyn Host> = Arc::<Account>::clone(&account);
    let pool = ProcessPool::new(launcher, host);
    let deployment = Arc::new(subject.deployment);
    let mut answers = Vec::new();
    for (number, event) in subject.events.iter().enumerate() {
        let call = Call {
            request_id: format!("00000000-0000-0000-0000-{number:012}"),
            payload: event.clone().into(),
            invoked_arn: "arn:aws:lambda:us-east-1:000000000000:function:f".to_owned(),
            client_context: subject.client_context.clone(),
        };
        let outcome = pool.execute(&deployment, call).await;
        let payload = String::from_utf8_lossy(&outcome.payload).into_owned();
        answers.push((outcome.failed, payload));
    }
    // What clients say when the Runtime API goes away is of no interest.
    let log = account.log.lock().unwrap().clone();
    pool.shutdown().await;
    Seen { answers, log, client_folders: subject.client_folders }
}
