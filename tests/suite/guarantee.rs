//! The guarantee as a property: whatever a playbook does and whatever happens to it, afterwards what it made is gone and
//! what it did not make is as it was; cleaning up twice is the same as once.
//!
//! The engine, the journal and the clean-up are the real ones; AWS is an account in memory that refuses, loses replies,
//! shows new things late and watches the program die, as the seed says.

mod account;
mod kinds;
mod playbooks;
mod truncated;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::Aws;
use aws_types::SdkConfig;
use engine::cleanup::{Cleaner, Windows};
use engine::event::{Mode, Remaining};
use engine::journal::{Journal, Opened, Record, Target};
use engine::redactor::Redactor;
use engine::run::{CleanupMode, Setup};
use engine::sink::Sink;
use engine::step::{Context, Interrupt, RunFacts};
use language::diagnostic::{Sources, render};
use language::playbook::{FileKind, Files, Playbook};
use playbook::prompt::UnattendedPrompter;
use tokio::sync::{Semaphore, watch};

use account::{Account, Items, Schedule};

/// How many random playbooks, each with a random schedule of faults; `.ci/run` makes ten times as many.
const CASES: u64 = 1_000;
/// Most of a case is waiting, so many wait at once.
const AT_ONCE: usize = 400;
const CLEANUP_TIMEOUT: Duration = Duration::from_millis(400);
/// How often the program dies during the clean-up before it is left in peace.
const MOST_DEATHS: usize = 3;

/// One playbook, as the disk would hold it.
struct OneFile(String);

impl Files for OneFile {
    fn read(&self, path: &Path) -> Result<String, String> {
        match self.kind(path) {
            Some(_) => Ok(self.0.clone()),
            None => Err("there is no such file".to_owned()),
        }
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        path.extension().is_some_and(|it| it == "yaml").then_some(FileKind::File)
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_owned())
    }
}

/// What a case needs again and again.
struct Case {
    run: String,
    text: String,
    account: Arc<Account>,
    before: Items,
}

impl Case {
    fn random(seed: u64) -> (Self, fastrand::Rng) {
        let mut chance = fastrand::Rng::with_seed(seed);
        let text = playbooks::random(&mut chance);
        let schedule = Schedule::random(&mut chance);
        (Self::new(&format!("r{seed}"), text, schedule, chance.fork()), chance)
    }

    fn new(run: &str, text: String, schedule: Schedule, chance: fastrand::Rng) -> Self {
        let account = Account::open(run, schedule, chance);
        let before = account.items();
        Self { run: run.to_owned(), text, account, before }
    }

    fn facts(&self) -> RunFacts {
        RunFacts {
            id: self.run.clone(),
            started: "2026-11-23T10:00:00Z".to_owned(),
            region: "us-east-1".to_owned(),
            account: Some("000000000000".to_owned()),
            local: false,
            on_this_machine: true,
            allow_admin: false,
        }
    }

    fn journal(&self) -> Journal {
        Journal::in_memory(&Record::Opened(self.head()), Redactor::default())
    }

    fn head(&self) -> Opened {
        Opened {
            run: self.run.clone(),
            version: "0.1.0".to_owned(),
            playbook: "random".to_owned(),
            file: "random.yaml".to_owned(),
            started: "2026-11-23T10:00:00Z".to_owned(),
            target: Target {
                account: "000000000000".to_owned(),
                region: "us-east-1".to_owned(),
                endpoint: None,
                local: false,
            },
            profile: None,
            attempt_millis: 100,
        }
    }

    fn playbook(&self) -> Result<(Playbook, Sources), String> {
        let mut sources = Sources::new();
        let files = OneFile(self.text.clone());
        let loaded =
            language::playbook::load(Path::new("random.yaml"), &files, &kinds::Fakes, &mut sources);
        match loaded {
            Ok(playbook) => Ok((playbook, sources)),
            Err(faults) => Err(render(&faults, &sources, false)),
        }
    }

    /// Runs the playbook until it ends or dies; what it says remains, if it lived to say so.
    async fn run(&self, journal: &Journal) -> Result<Option<Vec<Remaining>>, String> {
        let (playbook, sources) = self.playbook()?;
        let wishes = watch::Sender::new(0);
        let setup = Setup {
            cell: None,
            playbook: Arc::new(playbook),
            sources: Arc::new(sources),
            inputs: BTreeMap::new(),
            overrides: BTreeMap::new(),
            environment: BTreeMap::new(),
            aws: client(),
            facts: Arc::new(self.facts()),
            region_known: true,
            mode: Mode::Live,
            endpoint: None,
            prompter: Arc::new(UnattendedPrompter),
            prologue: Vec::new(),
            sink: Sink::new(&self.run, Box::new(|_| ()), Redactor::default()),
            journal: journal.clone(),
            interrupt: Interrupt::new(wishes.subscribe(), 1),
            kind: kinds::kind,
            maker_of: kinds::maker_of,
            past: Arc::default(),
            left_out: 0,
            cleanup: CleanupMode::Always,
            stepping: false,
            pause_on_failure: false,
            yes: true,
            cleanup_timeout: CLEANUP_TIMEOUT,
            cleanup_command: String::new(),
            inbox: None,
        };
        self.account.interrupts(wishes);
        tokio::select! {
            outcome = engine::run::run(setup, || None) => Ok(Some(outcome.remaining)),
            () = self.account.death() => Ok(None),
        }
    }

    /// Cleans up by what the journal says, until that ends or dies.
    async fn clean(&self, journal: &Journal) -> Option<Vec<Remaining>> {
        let never = watch::Sender::new(0);
        let context = Context {
            aws: client(),
            run: Arc::new(self.facts()),
            directory: Arc::from(Path::new(".")),
            root: Arc::from(Path::new(".")),
            ledger: Arc::new(journal.for_step("cleanup", Vec::new(), false, Arc::new(|_| ()))),
            prompter: Arc::new(UnattendedPrompter),
            progress: Arc::new(|_| ()),
            interrupt: Interrupt::new(never.subscribe(), 1),
            kind: Arc::from("cleanup"),
            keys: None,
            step: Arc::from("cleanup"),
            slug: Arc::from("cleanup"),
            unread: false,
            longest_wait: None,
        };
        let cleaner = Cleaner {
            journal,
            context,
            maker_of: kinds::maker_of,
            sink: &Sink::new(&self.run, Box::new(|_| ()), Redactor::default()),
            timeout: CLEANUP_TIMEOUT,
            max: engine::cleanup::USUAL_MAX,
            // What this account has not done when the client is gone, it never does.
            windows: Windows::of_dead_calls(true, Duration::from_millis(100)),
        };
        tokio::select! {
            remaining = cleaner.clean() => Some(remaining),
            () = self.account.death() => None,
        }
    }

    /// Fails unless the account is what it was before.
    fn look(&self, when: &str) -> Result<(), String> {
        let found = self.account.items();
        let left: Vec<_> = found.keys().filter(|name| !self.before.contains_key(*name)).collect();
        let touched: Vec<_> = self
            .before
            .iter()
            .filter(|(name, item)| found.get(*name) != Some(item))
            .map(|(name, _)| name)
            .collect();
        if left.is_empty() && touched.is_empty() {
            return Ok(());
        }
        Err(format!("{when}: left {left:?}, touched {touched:?}"))
    }
}

fn client() -> Aws {
    Aws::new(SdkConfig::builder().build(), false, false)
}

async fn check(seed: u64) -> Result<(), String> {
    let (case, mut chance) = Case::random(seed);
    let told = |problem: String, journal: &Journal| {
        let entries = journal.state().entries;
        format!(
            "{problem}\n{}\n{:?}\n{entries:#?}\n{}",
            case.text,
            case.account.schedule(),
            case.account.told()
        )
    };
    let mut journal = case.journal();
    if let Some(remaining) = case.run(&journal).await.map_err(|problem| told(problem, &journal))?
        && remaining.is_empty()
    {
        case.look("after a run that says that nothing remains")
            .map_err(|problem| told(problem, &journal))?;
    }
    // Each recovery has nothing but what the journal says.
    for death in 0..=MOST_DEATHS {
        journal = Journal::copy_of(&journal.state(), Redactor::default());
        case.account.live_on(death < MOST_DEATHS, &mut chance);
        if let Some(remaining) = case.clean(&journal).await
            && remaining.is_empty()
        {
            break;
        }
    }
    case.account.calm_down();
    let before_last = journal.state();
    let remaining = case.clean(&journal).await.unwrap_or_default();
    if !remaining.is_empty() {
        return Err(told(format!("something cannot be removed: {remaining:?}"), &journal));
    }
    case.look("after the last clean-up").map_err(|problem| told(problem, &journal))?;
    let calls = case.account.calls();
    case.clean(&journal).await;
    if case.account.calls() != calls {
        return Err(told("a second clean-up still finds something to do".to_owned(), &journal));
    }
    // As if the program had died with everything done and nothing of it in the journal.
    let again = Journal::copy_of(&before_last, Redactor::default());
    case.clean(&again).await;
    let look =
        case.look("after the same clean-up once more").map_err(|problem| told(problem, &journal));
    Account::close(&case.run);
    look
}

/// The later of two changes cannot be undone at first. Undoing the earlier one meanwhile would find what the later one has
/// made of it, and give up; the later one would then put back what was never there.
#[test]
fn a_change_waits_for_the_one_upon_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let text = "name: twice\nsteps:\n  - make-thing: {name: foreign-0, if_exists: adopt}\n  \
                    - set-thing: {name: foreign-0, value: 11}\n  - set-thing: {name: foreign-0, value: 12}\n";
        // Two calls to adopt it, two for each change, one to look before the first is undone.
        let schedule = Schedule::denying(8..9);
        let seed = (0..1000).find(|seed| fastrand::Rng::with_seed(*seed).bool()).unwrap_or_default();
        let chance = fastrand::Rng::with_seed(seed);
        let case = Case::new("twice", text.to_owned(), schedule, chance);
        assert!(case.before.contains_key("foreign-0"), "somebody has made it before");
        let journal = case.journal();
        let remaining = case.run(&journal).await.unwrap().unwrap();
        assert_eq!(remaining.len(), 2, "{}", case.account.told());
        case.account.calm_down();
        assert_eq!(case.clean(&journal).await, Some(Vec::new()));
        assert_eq!(case.look("after the clean-up"), Ok(()), "{}", case.account.told());
    });
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `PLAYBOOK_GUARANTEE_SEED=N` repeats the case that failed; `PLAYBOOK_GUARANTEE_CASES=N` makes more of them.
#[test]
fn nothing_is_left_and_nothing_foreign_is_touched() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(seed) = number("PLAYBOOK_GUARANTEE_SEED") {
        let checked = runtime.block_on(check(seed));
        assert_eq!(checked, Ok(()), "seed {seed}");
        return;
    }
    let cases = number("PLAYBOOK_GUARANTEE_CASES").unwrap_or(CASES);
    let first = fastrand::u64(..1 << 40);
    let failed = runtime.block_on(async {
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = tokio::task::JoinSet::new();
        for seed in first..first + cases {
            let ticket = Arc::clone(&gate).acquire_owned().await.unwrap();
            running.spawn(async move {
                let _ticket = ticket;
                (seed, check(seed).await)
            });
        }
        let mut failed = Vec::new();
        while let Some(checked) = running.join_next().await {
            if let (seed, Err(problem)) = checked.unwrap() {
                failed.push((seed, problem));
            }
        }
        failed
    });
    println!("{cases} cases from seed {first}");
    let Some((seed, problem)) = failed.iter().min_by_key(|(_, problem)| problem.len()) else {
        return;
    };
    panic!(
        "{} of {cases} cases from seed {first} fail; PLAYBOOK_GUARANTEE_SEED={seed}:\n{problem}",
        failed.len()
    );
}
