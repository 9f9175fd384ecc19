//! What the engine costs, as ratios within one run: absolute times say more about the machine than about the program.
//!
//! `cargo bench` runs the same calls against the embedded AWS twice, in turn: as a playbook, and hand-written on the SDK. Half
//! of them invoke a function that answers at once, half list functions, which is as little as a call can do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::steps::{self, Registry};
use aws::{Aws, CallTimeouts, Connection, Credentials, Endpoint, connect};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, LogType};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::event::Mode;
use engine::journal::{Journal, Opened, Record, Target};
use engine::redactor::Redactor;
use engine::run::{self, CleanupMode, Setup};
use engine::sink::Sink;
use engine::step::{Interrupt, RunFacts};
use language::diagnostic::Sources;
use language::playbook::{FileKind, Files, Playbook, load};
use local_aws::{LatencyProfile, LocalAws, LocalOptions};
use playbook::prompt::UnattendedPrompter;

/// Of each kind of call.
const CALLS: usize = 500;
const ROUNDS: usize = 21;
const FUNCTION: &str = "answers-at-once";
const HANDLER: &str = "def handler(event, context):\n    return event\n";
const LIST: &str = "  - for_each: range(500)\n    list-functions: {max_items: 10}\n";
const INVOKE: &str = "  - for_each: range(500)\n    invoke: {function_name: answers-at-once, payload: {number: 41}}\n";

/// One file, in memory.
struct OneFile(String);

impl Files for OneFile {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn kind(&self, _: &Path) -> Option<FileKind> {
        Some(FileKind::File)
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_owned())
    }
}

/// What is run, as the engine takes it.
struct Loaded {
    playbook: Arc<Playbook>,
    sources: Arc<Sources>,
}

fn loaded(steps: &str) -> Loaded {
    let mut sources = Sources::new();
    let file = OneFile(format!("name: calls\nsteps:\n{steps}"));
    let playbook = load(Path::new("calls.yaml"), &file, &Registry, &mut sources);
    Loaded {
        playbook: Arc::new(playbook.expect("the playbook is fine")),
        sources: Arc::new(sources),
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let local = LocalAws::start(LocalOptions {
        port: 0,
        latency: LatencyProfile::None,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        launcher: Vec::new(),
        required: None,
    })
    .await
    .expect("the embedded AWS starts");
    let aws = client(local.endpoint_url()).await;
    Box::pin(make_function(&aws)).await;
    let measured = [
        ("list-functions", loaded(LIST), true, false),
        ("invoke", loaded(INVOKE), false, true),
        ("both", loaded(&format!("{LIST}{INVOKE}")), true, true),
    ];
    by_hand(&aws, true, true).await;
    show("engine / hand-written SDK, pair by pair, in turn");
    for (name, playbook, lists, invokes) in measured {
        let mut ratios = Vec::new();
        let (mut hands, mut engines) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let hand = by_hand(&aws, lists, invokes).await;
            let engine = by_engine(&aws, &playbook).await;
            ratios.push(engine.as_secs_f64() / hand.as_secs_f64());
            hands.push(hand);
            engines.push(engine);
        }
        ratios.sort_by(f64::total_cmp);
        hands.sort();
        engines.sort();
        let calls = CALLS * (usize::from(lists) + usize::from(invokes));
        show(&format!(
            "  {name:<14} {calls:>4} calls  {:.3} (least)  {:.3} (median)  {:.3} (most)  medians {:.1?} / {:.1?}",
            ratios[0],
            ratios[ROUNDS / 2],
            ratios[ROUNDS - 1],
            engines[ROUNDS / 2],
            hands[ROUNDS / 2],
        ));
    }
    local.shutdown().await;
}

fn show(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A role and a function, which stay for as long as the embedded AWS does.
async fn make_function(aws: &Aws) {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = aws.iam().create_role().role_name("bench").assume_role_policy_document(trust);
    let role = role.send().await.expect("a role").role.expect("a role");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bench.py", zip::write::SimpleFileOptions::default()).expect("a file");
    std::io::Write::write_all(&mut archive, HANDLER.as_bytes()).expect("a file");
    let package = archive.finish().expect("a package").into_inner();
    let function = aws
        .lambda()
        .create_function()
        .function_name(FUNCTION)
        .runtime("python3.13".into())
        .handler("bench.handler")
        .role(role.arn)
        .code(FunctionCode::builder().zip_file(Blob::new(package)).build());
    function.send().await.expect("a function");
    let invoke = aws.lambda().invoke().function_name(FUNCTION).payload(Blob::new("{}"));
    invoke.send().await.expect("an answer");
}

async fn client(endpoint: &str) -> Aws {
    let connection = Connection {
        endpoint: Endpoint::Url(endpoint.to_owned()),
        credentials: Credentials::Made,
        profile: None,
        region: Some("us-east-1".to_owned()),
        capture_bodies: false,
        backoff: CallTimeouts::default(),
    };
    connect(&connection).await.expect("a client").aws
}

async fn by_hand(aws: &Aws, lists: bool, invokes: bool) -> Duration {
    let started = Instant::now();
    for _ in 0..if lists { CALLS } else { 0 } {
        let page = aws.lambda().list_functions().max_items(10).send().await.expect("a page");
        assert_eq!(page.functions().len(), 1);
    }
    for _ in 0..if invokes { CALLS } else { 0 } {
        let payload = Blob::new(r#"{"number":41}"#);
        let invoke = aws.lambda().invoke().function_name(FUNCTION).payload(payload);
        let answer = invoke.log_type(LogType::Tail).send().await.expect("an answer");
        let log = answer.log_result.expect("the end of the log");
        let log = BASE64_STANDARD.decode(log).expect("base64");
        assert!(String::from_utf8_lossy(&log).contains("REPORT "));
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(payload["number"], 41);
    }
    started.elapsed()
}

fn facts() -> RunFacts {
    RunFacts {
        id: "bench".to_owned(),
        started: "2026-11-23T00:00:00Z".to_owned(),
        region: "us-east-1".to_owned(),
        account: Some("000000000000".to_owned()),
        local: true,
        on_this_machine: true,
        allow_admin: false,
    }
}

async fn by_engine(aws: &Aws, loaded: &Loaded) -> Duration {
    let redactor = Redactor::default();
    let head = Record::Opened(Opened {
        run: "bench".to_owned(),
        version: "0".to_owned(),
        playbook: "calls".to_owned(),
        file: "calls.yaml".to_owned(),
        started: "2026-11-23T00:00:00Z".to_owned(),
        target: Target {
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: None,
            local: true,
        },
        profile: None,
        attempt_millis: 60_000,
    });
    let (_wishes, receiver) = tokio::sync::watch::channel(0);
    let setup = Setup {
        playbook: Arc::clone(&loaded.playbook),
        sources: Arc::clone(&loaded.sources),
        inputs: BTreeMap::new(),
        overrides: BTreeMap::new(),
        environment: BTreeMap::new(),
        aws: aws.clone(),
        facts: Arc::new(facts()),
        region_known: true,
        mode: Mode::Local,
        endpoint: None,
        inbox: None,
        prompter: Arc::new(UnattendedPrompter),
        prologue: Vec::new(),
        sink: Sink::new("bench", Box::new(|_| ()), redactor.clone()),
        journal: Journal::in_memory(&head, redactor),
        interrupt: Interrupt::new(receiver, 1),
        kind: steps::kind,
        maker_of: steps::maker_of,
        past: Arc::default(),
        left_out: 0,
        cleanup: CleanupMode::Always,
        yes: false,
        cell: None,
        stepping: false,
        pause_on_failure: false,
        cleanup_timeout: Duration::from_secs(1),
        cleanup_command: String::new(),
    };
    let started = Instant::now();
    let outcome = run::run(setup, || None).await;
    let elapsed = started.elapsed();
    assert!(outcome.passed);
    elapsed
}
