//! What the engine costs, as ratios within one run: absolute times say more about the machine than about the program.
//!
//! `cargo bench` runs the same calls against the embedded AWS twice, in turn: as a playbook, and hand-written on the SDK.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use playbook::aws::{Aws, CallPatience, Connection, Credentials, Endpoint, connect};
use playbook::diagnostic::Sources;
use playbook::engine::{self, CleanupMode, Setup};
use playbook::event::Mode;
use playbook::journal::{Book, Opened, Record, Target};
use playbook::local::{LocalAws, LocalOptions, Pace};
use playbook::playbook::{FileKind, Files, Playbook, load};
use playbook::prompt::UnattendedPrompter;
use playbook::redactor::Redactor;
use playbook::sink::Sink;
use playbook::step::{Interrupt, RunFacts};
use playbook::steps::{self, Registry};

const CALLS: usize = 1000;
const ROUNDS: usize = 7;
const PLAYBOOK: &str = "\
name: calls
steps:
  - for_each: range(1000)
    list-functions: {max_items: 10}
";

/// One file, in memory.
struct OneFile;

impl Files for OneFile {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(PLAYBOOK.to_owned())
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

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let local = LocalAws::start(LocalOptions {
        port: 0,
        pace: Pace::None,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        launcher: Vec::new(),
    })
    .await
    .expect("the embedded AWS starts");
    let aws = door(local.endpoint_url()).await;
    let mut sources = Sources::new();
    let playbook = load(Path::new("calls.yaml"), &OneFile, &Registry, &mut sources);
    let playbook = Arc::new(playbook.expect("the playbook is fine"));
    let sources = Arc::new(sources);
    by_hand(&aws).await;
    let mut ratios = Vec::new();
    let (mut fastest_hand, mut fastest_engine) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let hand = by_hand(&aws).await;
        let engine = by_engine(&aws, &playbook, &sources).await;
        fastest_hand = fastest_hand.min(hand);
        fastest_engine = fastest_engine.min(engine);
        ratios.push(engine.as_secs_f64() / hand.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let show = |text: String| {
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), "{text}");
    };
    show(format!("{CALLS} calls, {ROUNDS} rounds in turn, engine / hand-written SDK"));
    let (least, median, most) = (ratios[0], ratios[ROUNDS / 2], ratios[ROUNDS - 1]);
    show(format!("  pair by pair   {least:.3} (least)  {median:.3} (median)  {most:.3} (most)"));
    let ratio = fastest_engine.as_secs_f64() / fastest_hand.as_secs_f64();
    show(format!("  fastest rounds {ratio:.3}  ({fastest_engine:.1?} / {fastest_hand:.1?})"));
    local.shutdown().await;
}

async fn door(endpoint: &str) -> Aws {
    let connection = Connection {
        endpoint: Endpoint::Url(endpoint.to_owned()),
        credentials: Credentials::Made,
        profile: None,
        region: Some("us-east-1".to_owned()),
        looks: false,
        patience: CallPatience::default(),
    };
    connect(&connection).await.expect("a door").aws
}

async fn by_hand(aws: &Aws) -> Duration {
    let started = Instant::now();
    for _ in 0..CALLS {
        let page = aws.lambda().list_functions().max_items(10).send().await.expect("a page");
        assert!(page.functions().is_empty());
    }
    started.elapsed()
}

async fn by_engine(aws: &Aws, playbook: &Arc<Playbook>, sources: &Arc<Sources>) -> Duration {
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
    });
    let (_wishes, receiver) = tokio::sync::watch::channel(0);
    let setup = Setup {
        playbook: Arc::clone(playbook),
        sources: Arc::clone(sources),
        inputs: BTreeMap::new(),
        overrides: BTreeMap::new(),
        environment: BTreeMap::new(),
        aws: aws.clone(),
        facts: Arc::new(RunFacts {
            id: "bench".to_owned(),
            started: "2026-11-23T00:00:00Z".to_owned(),
            region: "us-east-1".to_owned(),
            account: Some("000000000000".to_owned()),
            local: true,
            on_this_machine: true,
            allow_admin: false,
        }),
        region_known: true,
        mode: Mode::Local,
        endpoint: None,
        inbox: None,
        prompter: Arc::new(UnattendedPrompter),
        prologue: Vec::new(),
        sink: Sink::new(Box::new(|_| ()), redactor.clone()),
        book: Book::in_memory(&head, redactor),
        interrupt: Interrupt::new(receiver, 1),
        kind: steps::kind,
        maker_of: steps::maker_of,
        cleanup: CleanupMode::Always,
        yes: false,
        cleanup_timeout: Duration::from_secs(1),
        cleanup_command: String::new(),
    };
    let started = Instant::now();
    let outcome = engine::run(setup, || None).await;
    let elapsed = started.elapsed();
    assert!(outcome.passed);
    elapsed
}
