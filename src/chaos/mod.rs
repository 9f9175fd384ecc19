//! Proves the clean-up of a playbook: it is run again and again against an embedded AWS, each time killed or disturbed at
//! another point; then it recovers, and the account is compared with what it was before.
//!
//! The embedded AWS lives in this process and the playbook runs in another, so that killing the one leaves the other as
//! it was, like AWS itself.
//!
//! | module | what it is |
//! |---|---|
//! | [`fault`] | what can happen to a request |
//! | `injector` | makes it happen, between the program and the embedded AWS |
//! | `request` | what a request asks for, and what others would ask for |
//! | `foreign_content` | users and items of somebody else where the run is at work |
//! | `foreign_stacks` | the stacks of somebody else |
//! | `account` | what is in an account, and what has changed |
//! | `child` | the program as a process that can be killed |
//! | `home` | the directory of a trial |
//! | [`trial`] | one fault at one point, from a fresh account to the result |
//! | `plan` | all trials, or a sample |
//! | [`statistics`] | what they add up to |

mod account;
mod child;
pub mod fault;
mod foreign_content;
mod foreign_stacks;
mod home;
mod injector;
mod plan;
mod request;
pub mod statistics;
pub mod trial;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

pub use account::Difference;
pub use fault::Fault;
pub use foreign_stacks::Stack;
pub use injector::Point;
pub use statistics::{Row, Statistics};
pub use trial::{Trial, TrialResult};

use child::End;
use engine::step::Interrupt;

/// No attempt of a call is given less.
const LEAST_ATTEMPT: Duration = Duration::from_secs(2);
/// How much longer than ever seen a reply may take on a busy machine before it counts as lost.
const SLACK: u32 = 5;

/// How many trials share a core: many only wait.
pub const AT_ONCE_PER_CORE: u32 = 2;

/// What is to be proven, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The playbook.
    pub file: PathBuf,
    /// What a run gets beside it: inputs, variables.
    pub arguments: Vec<OsString>,
    /// The stacks of somebody else that are there before each run.
    pub stacks: Vec<Stack>,
    /// This program.
    pub executable: PathBuf,
    /// The command, and its first arguments, that becomes another program and dies with this one.
    pub launcher: Vec<OsString>,
    /// Twelve digits.
    pub account: String,
    /// The region of the embedded AWS.
    pub region: String,
    /// How many of the trials to make; all where absent.
    pub sample: Option<usize>,
    /// What chance goes by.
    pub seed: u64,
    /// How many trials at a time.
    pub jobs: usize,
}

/// What happens while trials are made.
#[derive(Debug)]
pub enum ChaosEvent<'a> {
    /// The playbook passes; so many requests, so many trials.
    Planned {
        /// What it sends, undisturbed.
        requests: usize,
        /// How many trials are made.
        trials: usize,
    },
    /// A trial came to its end.
    Finished(&'a Trial, &'a TrialResult),
}

/// Why nothing can be proven.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// The playbook does not pass when nothing is in its way.
    #[error("the playbook does not pass undisturbed")]
    Fails {
        /// The exit code.
        code: Option<i32>,
        /// What the run said.
        said: String,
    },
    /// It passes, and leaves something or touches what is not its own.
    #[error("the playbook passes undisturbed, but the account is not what it was")]
    Leaves(Difference),
    /// The run takes longer than anybody waits.
    #[error("the playbook does not come to an end undisturbed")]
    Endless,
    /// It sends nothing that could fail.
    #[error("the playbook sends no requests, so there is nothing to prove")]
    Silent,
    /// A stack of somebody else's cannot be made.
    #[error("the stack `{name}` of --stack cannot be made: {reason}")]
    Stack {
        /// Its name.
        name: String,
        /// What `CloudFormation` says.
        reason: String,
    },
    /// The machine does not let us.
    #[error("the embedded AWS or the program cannot be started: {0}")]
    Io(#[from] io::Error),
}

impl ChaosError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Fails { .. } | Self::Endless => {
                "make `playbook run FILE --local --no-input` pass first; give inputs with --input or --inputs"
            }
            Self::Leaves(_) => {
                "a step with `keep` leaves something on purpose; anything else is a defect of playbook"
            }
            Self::Silent => "choose a playbook that calls AWS",
            Self::Stack { .. } => {
                "fix its template: each parameter needs a `Default`, and the embedded AWS must have its resource types"
            }
            Self::Io(_) => "free some memory, or name another directory in TMPDIR",
        }
    }
}

/// What was proven.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// What the playbook sends, undisturbed.
    pub requests: usize,
    /// What the trials add up to.
    pub statistics: Statistics,
    /// Whether the person stopped before the end.
    pub interrupted: bool,
}

/// Runs the playbook undisturbed, then once for each trial. `tell` hears of everything.
///
/// # Errors
/// [`ChaosError`] where there is nothing to go on from.
pub async fn prove(
    options: &Options,
    interrupt: &Interrupt,
    mut tell: impl FnMut(ChaosEvent<'_>),
) -> Result<Summary, ChaosError> {
    home::remove_abandoned();
    let first = trial::undisturbed(options, interrupt).await?;
    match first.end {
        End::Exited { code: Some(0), .. } if first.difference.is_none() => {}
        End::Exited { code: Some(0), .. } => return Err(ChaosError::Leaves(first.difference)),
        End::Exited { code, said } => return Err(ChaosError::Fails { code, said }),
        End::Stuck | End::Killed => return Err(ChaosError::Endless),
        End::Interrupted => return Ok(Summary { interrupted: true, ..Summary::default() }),
    }
    if first.points.iter().all(|point| point.service == "sts") {
        return Err(ChaosError::Silent);
    }
    let trials = plan::trials(&first.points, options.sample, options.seed);
    let requests = first.points.len();
    tell(ChaosEvent::Planned { requests, trials: trials.len() });
    // Packing, sending and reading a large package takes longer than answering does, and trials share the machine.
    let attempt_timeout =
        LEAST_ATTEMPT.max(first.longest * SLACK).max(first.took * AT_ONCE_PER_CORE);
    let mut summary = Summary { requests, ..Summary::default() };
    let options = Arc::new(options.clone());
    let mut waiting = trials.into_iter();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < options.jobs.max(1) && !interrupt.requested() {
            let Some(trial) = waiting.next() else { break };
            let (options, interrupt) = (Arc::clone(&options), interrupt.clone());
            under_way.spawn(async move {
                let result = trial::carry_out(&trial, &options, attempt_timeout, &interrupt).await;
                (trial, result)
            });
        }
        let Some(ended) = under_way.join_next().await else { break };
        let (trial, result) = ended.map_err(io::Error::other)?;
        if !result.interrupted {
            summary.statistics.count(&trial, &result);
            tell(ChaosEvent::Finished(&trial, &result));
        }
    }
    summary.interrupted = interrupt.requested();
    Ok(summary)
}
