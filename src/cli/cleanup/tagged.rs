//! `playbook cleanup --tagged`: what runs have left, found by its tags, where there is no journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Told, clean, finish, told};
use crate::cli::args::{CleanupArgs, OutputFormat};
use crate::cli::connect_help::connect_help;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::signals::Wishes;
use crate::cli::state;
use crate::cli::target::{backoff, identify};
use crate::prompt::{Hooks, TerminalPrompter};
use crate::report::{ago, safe};
use ::steps::tagged::{self, Search, Tagged};
use aws::{
    CallTimeouts, Connected, Connection, Credentials, Endpoint, configured_endpoint, connect,
};
use engine::event::{Mode, Reason, Remaining, ResourceRef};
use engine::journal::{Journal, JournalFile, JournalState, Lock, Opened, Target};
use engine::redactor::Redactor;
use engine::sink::Sink;
use engine::step::{Answer, Question, QuestionType};

/// How old what a run has made last must be unless somebody says otherwise: a run that is going on elsewhere looks the same as
/// one that has died.
const USUAL_AGE: Duration = Duration::from_hours(2);

/// What is to become of what a run has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is removed.
    Removed,
    /// A run that may be going on somewhere.
    TooYoung,
    /// A run that is going on here.
    Running,
    /// Its journal is here, which knows more.
    Journalled,
    /// Its journal is here, and says that all else has stayed on purpose.
    Finished,
    /// Nothing tells how old it is.
    OfNoKnownAge,
    /// The playbook wants all of it to stay.
    Kept,
}

/// What one run has left.
struct Left {
    run: String,
    fate: Fate,
    /// When the last of it was made or changed.
    at: Option<Timestamp>,
    found: Vec<Tagged>,
}

/// Looks for what runs have left, lists it, and removes it when told to.
pub(super) async fn tagged(args: &CleanupArgs, wishes: &Wishes, output: Output) -> Exit {
    match looked(args, wishes, output).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn looked(args: &CleanupArgs, wishes: &Wishes, output: Output) -> Result<Exit, Exit> {
    let directory = state::directory().map_err(|error| output.fail(&error, None))?;
    let (connected, target) = here(args, output).await?;
    let Search { found, unseen } = tagged::find(&connected.aws).await.map_err(|error| {
        let help = error.help().or_else(|| {
            error.is("AccessDeniedException").then_some("it takes the permission tag:GetResources")
        });
        output.fail(&error.to_string(), help)
    })?;
    let now = Timestamp::now();
    let left = by_run(found, |run, at| fate(args, &directory, run, at, now));
    let to_remove = left.iter().filter(|left| left.fate == Fate::Removed);
    let count = to_remove.flat_map(|left| &left.found).filter(|one| !one.kept).count();
    let removes = told_to(args, count, &left, now, wishes, output).await?;
    let mut worst = Exit::FINE;
    for error in &unseen {
        output.error(&error.to_string(), Some("what a run has left there is not listed"));
        worst = Exit::REMAINS;
    }
    for one in &left {
        if wishes.signal().is_some() {
            return Ok(worst.max(Exit::REMAINS));
        }
        let exit = match one.fate {
            Fate::Removed if removes => {
                remove(args, (&connected, &target), one, wishes, output).await
            }
            Fate::Journalled if removes => {
                match finish(args, &directory, &one.run, wishes, output).await {
                    Ok(exit) | Err(exit) => exit,
                }
            }
            Fate::Removed | Fate::Journalled | Fate::OfNoKnownAge => Exit::REMAINS,
            Fate::TooYoung | Fate::Running | Fate::Finished | Fate::Kept => Exit::FINE,
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}

/// The way to where the command line, the environment or the profile leads, and its name.
async fn here(args: &CleanupArgs, output: Output) -> Result<(Connected, Target), Exit> {
    let endpoint = match &args.endpoint_url {
        Some(url) => Endpoint::Url(url.clone()),
        None => {
            let found = configured_endpoint(args.profile.as_deref()).await;
            let found = found.map_err(|error| {
                output.fail(&error.to_string(), Some(&connect_help(&error, false)))
            })?;
            found.map_or(Endpoint::Aws, |found| Endpoint::Url(found.url))
        }
    };
    let connection = Connection {
        credentials: Credentials::Configured,
        profile: args.profile.clone(),
        region: args.region.clone(),
        capture_bodies: args.output == OutputFormat::Json,
        backoff: backoff(args.attempt_timeout, &endpoint),
        endpoint: endpoint.clone(),
    };
    let connected = connect(&connection)
        .await
        .map_err(|error| output.fail(&error.to_string(), Some(&connect_help(&error, false))))?;
    let account = identify(&connected.aws)
        .await
        .map_err(|error| output.fail(&error.to_string(), error.help()))?;
    let Some(account) = account else {
        return Err(output.fail("the answer to GetCallerIdentity names no account", None));
    };
    let endpoint = match endpoint {
        Endpoint::Url(url) => Some(url),
        _ => None,
    };
    let target = Target {
        account,
        region: connected.region.clone().unwrap_or_default(),
        endpoint,
        local: false,
    };
    Ok((connected, target))
}

fn by_run(found: Vec<Tagged>, fate: impl Fn(&str, Option<Timestamp>) -> Fate) -> Vec<Left> {
    let mut runs: BTreeMap<String, Vec<Tagged>> = BTreeMap::new();
    for one in found {
        runs.entry(one.run.clone()).or_default().push(one);
    }
    let mut left: Vec<Left> = runs
        .into_iter()
        .map(|(run, found)| {
            let at = found.iter().filter_map(|one| one.at).max();
            let all_kept = found.iter().all(|one| one.kept);
            let fate = if all_kept { Fate::Kept } else { fate(&run, at) };
            Left { run, fate, at, found }
        })
        .collect();
    left.sort_by(|one, other| (one.at, &one.run).cmp(&(other.at, &other.run)));
    left
}

fn fate(
    args: &CleanupArgs,
    directory: &Path,
    run: &str,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Fate {
    match JournalFile::peek(directory, run) {
        Ok((_, Lock::Held)) => return Fate::Running,
        Ok((state, Lock::Free)) if state::is_over(&state) || state::is_wanted(&state) => {
            return Fate::Finished;
        }
        Ok((_, Lock::Free)) => return Fate::Journalled,
        Err(_) => {}
    }
    let least = args.older_than.unwrap_or(USUAL_AGE);
    match at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default()) {
        Some(age) if age >= least => Fate::Removed,
        Some(_) => Fate::TooYoung,
        None => Fate::OfNoKnownAge,
    }
}

/// Lists what was found, and says whether it is to be removed: by option, or by a person who has seen the list.
async fn told_to(
    args: &CleanupArgs,
    count: usize,
    left: &[Left],
    now: Timestamp,
    wishes: &Wishes,
    output: Output,
) -> Result<bool, Exit> {
    let removes_at_once = args.yes && !args.dry_run;
    let listed = match args.output {
        OutputFormat::Json if removes_at_once => String::new(),
        OutputFormat::Json => format!("{:#}\n", as_json(left, now)),
        OutputFormat::Human | OutputFormat::Quiet => as_text(args, left, now),
    };
    let written = output.result(&listed);
    if written != Exit::FINE {
        return Err(written);
    }
    let journalled = left.iter().any(|left| left.fate == Fate::Journalled);
    if count == 0 && !journalled || args.dry_run {
        return Ok(false);
    }
    if args.yes {
        return Ok(true);
    }
    if !Output::has_person() {
        output.note(&format!("To remove it: {}", command(args)));
        return Ok(false);
    }
    ask(count, wishes, output).await
}

async fn ask(count: usize, wishes: &Wishes, output: Output) -> Result<bool, Exit> {
    let express = |signal: u8| {
        let wishes = wishes.clone();
        Arc::new(move || wishes.express(signal))
    };
    let stop = wishes.interrupt();
    let hooks = Hooks {
        before: Arc::new(|| ()),
        interrupted: express(2),
        hung_up: express(1),
        stopped: Arc::new(move || stop.requested()),
    };
    let prompter = Arc::new(TerminalPrompter::new(hooks, output.colour_err()));
    let what = if count == 1 { "resource" } else { "resources" };
    let question = Question {
        name: "remove".to_owned(),
        prompt: format!("Remove {count} {what}, which nobody can bring back?"),
        answer: QuestionType::Boolean,
        default: Some(Value::Bool(false)),
        ..Question::default()
    };
    match engine::step::ask(prompter, question, &wishes.interrupt()).await {
        Ok(Answer::Given(answer) | Answer::Default(answer)) => Ok(answer == Value::Bool(true)),
        Ok(Answer::NotAsked) => Ok(false),
        Err(_) => {
            output.note("Interrupted; nothing was removed.");
            Err(Exit::from_code(128 + wishes.signal().unwrap_or(2)))
        }
    }
}

/// Removes what one run has left, with the proofs that a clean-up from a journal asks for.
async fn remove(
    args: &CleanupArgs,
    (connected, target): (&Connected, &Target),
    left: &Left,
    wishes: &Wishes,
    output: Output,
) -> Exit {
    let started = Instant::now();
    let attempt = args.attempt_timeout.unwrap_or(CallTimeouts::default().attempt);
    let opened = Opened {
        run: left.run.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        playbook: "tagged".to_owned(),
        file: String::new(),
        started: Timestamp::now().to_string(),
        target: target.clone(),
        profile: args.profile.clone(),
        attempt_millis: u64::try_from(attempt.as_millis()).unwrap_or(u64::MAX),
    };
    let going: Vec<Tagged> = left.found.iter().filter(|one| !one.kept).cloned().collect();
    let entries = match tagged::entries(&connected.aws, &going).await {
        Ok(entries) => entries,
        Err(error) => {
            output.error(&error.to_string(), error.help());
            return Exit::REMAINS;
        }
    };
    let redactor = Redactor::default();
    let reporters = Arc::new(Mutex::new(output.cleanup_reporters(args, Mode::Live)));
    let sink = Sink::new(&left.run, output.listener(&reporters), redactor.clone());
    let state = JournalState { opened: Some(opened.clone()), entries, ..JournalState::default() };
    let journal = Journal::copy_of(&state, redactor);
    sink.emit(engine::event::Owner::Run, super::run_started(&opened, Mode::Live));
    let mut remaining = clean(args, &opened, &connected.aws, &journal, &sink, wishes).await;
    let unknown = going.iter().filter(|one| !one.is_known());
    remaining.extend(unknown.map(|one| Remaining {
        resource: ResourceRef { seq: 0, kind: one.kind.clone(), name: one.name.clone() },
        arn: Some(one.arn.clone()),
        reason: Reason::Found {
            text:
                "this version of playbook knows no way to remove it; delete it by hand".to_owned(),
        },
    }));
    let command = command(args);
    let exit = told(&sink, Told { started, remaining, command });
    let written = reporters.lock().unwrap_or_else(PoisonError::into_inner).finish();
    exit.max(output.told(written))
}

/// The command that removes what is listed.
fn command(args: &CleanupArgs) -> String {
    let mut command = "playbook cleanup --tagged --yes".to_owned();
    if let Some(age) = args.older_than {
        let _ = write!(command, " --older-than {}s", age.as_secs().max(1));
    }
    for (option, value) in [
        ("--profile", &args.profile),
        ("--region", &args.region),
        ("--endpoint-url", &args.endpoint_url),
    ] {
        if let Some(value) = value {
            let _ = write!(command, " {option} {}", crate::report::shell::quoted(value));
        }
    }
    command
}

fn age(left: &Left, now: Timestamp) -> Option<u64> {
    u64::try_from(now.duration_since(left.at?).as_secs()).ok()
}

fn as_text(args: &CleanupArgs, left: &[Left], now: Timestamp) -> String {
    if left.is_empty() {
        return "Nothing bears the tag of a run.\n".to_owned();
    }
    let least = args.older_than.unwrap_or(USUAL_AGE).as_secs();
    let mut text = String::new();
    for one in left {
        let count = match one.found.len() {
            1 => "1 resource".to_owned(),
            count => format!("{count} resources"),
        };
        let made = match age(one, now) {
            Some(seconds) => format!(", the last made {}", ago(seconds)),
            None => ", nothing tells when".to_owned(),
        };
        let remark = match one.fate {
            Fate::Removed => String::new(),
            Fate::TooYoung => {
                format!("; it may be going on elsewhere, being younger than {}", length(least))
            }
            Fate::Running => "; it is going on".to_owned(),
            Fate::Journalled => "; its journal is here".to_owned(),
            Fate::Finished => "; its journal is here, and says that this stays".to_owned(),
            Fate::OfNoKnownAge => "; left alone, as it may be going on".to_owned(),
            Fate::Kept => "; its playbook wants it to stay".to_owned(),
        };
        let _ =
            writeln!(text, "{}", safe::line(&format!("Run {}: {count}{made}{remark}", one.run)));
        for found in &one.found {
            let remark = match (found.kept, found.is_known()) {
                (true, _) => "  (is to stay)",
                (false, true) => "",
                (false, false) => "  (of a type that is not known)",
            };
            let line = format!("    {:<30} {}{remark}", found.kind, found.name);
            let _ = writeln!(text, "{}", safe::line(&line));
        }
    }
    text
}

/// Such as `2h` or `90s`.
fn length(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

fn as_json(left: &[Left], now: Timestamp) -> Value {
    let runs = left.iter().map(|one| {
        let found = one.found.iter().map(|found| {
            json!({
                "type": found.kind,
                "name": found.name,
                "arn": found.arn,
                "made": found.at.map(|at| at.to_string()),
                "kept": found.kept,
                "known": found.is_known(),
            })
        });
        json!({
            "run": one.run,
            "state": one.fate.word(),
            "age_seconds": age(one, now),
            "resources": found.collect::<Vec<_>>(),
        })
    });
    runs.collect()
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Removed => "left",
            Self::TooYoung => "too-young",
            Self::Running => "running",
            Self::Journalled => "journalled",
            Self::Finished => "finished",
            Self::OfNoKnownAge => "of-no-known-age",
            Self::Kept => "kept",
        }
    }
}
