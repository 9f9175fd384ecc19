//! One trial: a fresh account, a run that something happens to, the recovery, a look at what is there.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::account::Difference;
use super::child::{End, Program, state_of};
use super::fault::Fault;
use super::home::Home;
use super::seam::{Point, Seam, Strike};
use super::somebody;
use super::{ChaosError, Options};
use engine::step::Interrupt;
use local_aws::{LatencyProfile, LocalAws, LocalOptions};

/// A fault at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Counts from 1, the same for the same playbook and seed.
    pub number: usize,
    /// The request.
    pub point: Point,
    /// What happens to it.
    pub fault: Fault,
    /// Where chance plays a part.
    pub(super) seed: u64,
}

impl Trial {
    /// In words, such as `7 lambda CreateFunction: killed before its effect`.
    #[must_use]
    pub fn title(&self) -> String {
        let Point { index, service, operation, .. } = &self.point;
        format!("{index} {service} {operation}: {}", self.fault.words())
    }

    fn strike(&self, attempt_timeout: Duration) -> Strike {
        let mut chance = fastrand::Rng::with_seed(self.seed);
        Strike {
            at: self.point.clone(),
            fault: self.fault,
            again_at: chance.usize(2..8),
            hangs: attempt_timeout + Duration::from_millis(500),
        }
    }
}

/// What came of a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the run came as far as the fault.
    pub reached: bool,
    /// Whether a recovery was needed.
    pub recovered: bool,
    /// What differs from what should be there.
    pub difference: Difference,
    /// What went wrong beside that.
    pub problem: Option<String>,
    /// What was called since the fault, and how that ended.
    pub calls: Vec<String>,
    /// Whether the person stopped it.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}

impl Verdict {
    /// Whether the guarantee held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.problem.is_none()
    }
}

/// What a run does when nothing happens to it.
#[derive(Debug)]
pub(super) struct Undisturbed {
    pub(super) points: Vec<Point>,
    pub(super) longest: Duration,
    pub(super) took: Duration,
    pub(super) end: End,
    pub(super) difference: Difference,
}

/// A trial under way.
struct Stage<'a> {
    seam: Arc<Seam>,
    home: Home,
    program: Program,
    options: &'a Options,
    interrupt: &'a Interrupt,
}

impl Stage<'_> {
    async fn run(&self) -> io::Result<End> {
        let mut arguments: Vec<OsString> = vec!["run".into(), self.options.file.clone().into()];
        arguments.extend(["--no-input", "--yes", "--output", "quiet"].map(OsString::from));
        arguments.extend(["--endpoint-url".into(), self.program.endpoint.clone().into()]);
        arguments.push("--embedded".into());
        arguments.extend(self.options.arguments.iter().cloned());
        self.program.run(arguments, self.home.path(), &self.seam, self.interrupt).await
    }

    async fn recovery(&self) -> io::Result<End> {
        self.seam.recover();
        let arguments = ["cleanup", "--all", "--output", "quiet"].map(OsString::from);
        self.program.run(arguments, self.home.path(), &self.seam, self.interrupt).await
    }
}

async fn on_stage<T>(
    options: &Options,
    strike: Option<Strike>,
    attempt_timeout: Duration,
    interrupt: &Interrupt,
    act: impl AsyncFnOnce(&Stage<'_>) -> io::Result<T>,
) -> Result<T, ChaosError> {
    let home = Home::make()?;
    let seam = Seam::new(strike, state_of(home.path()));
    let local = LocalOptions {
        port: 0,
        latency: LatencyProfile::None,
        region: options.region.clone(),
        account_id: options.account.clone(),
        launcher: options.launcher.clone(),
        required: None,
    };
    let aws = LocalAws::start_with(local, Arc::<Seam>::clone(&seam)).await?;
    somebody::deploy(&options.stacks, aws.endpoint_url(), &options.region).await?;
    seam.watch(aws.account());
    let program = Program {
        launcher: options.launcher.clone(),
        executable: options.executable.clone(),
        endpoint: aws.endpoint_url().to_owned(),
        region: options.region.clone(),
        attempt_timeout,
    };
    let stage = Stage { seam, home, program, options, interrupt };
    let result = act(&stage).await;
    drop(stage);
    aws.shutdown().await;
    Ok(result?)
}

/// Runs the playbook with nothing in its way.
pub(super) async fn undisturbed(
    options: &Options,
    interrupt: &Interrupt,
) -> Result<Undisturbed, ChaosError> {
    on_stage(options, None, Duration::from_secs(60), interrupt, async |stage| {
        let started = Instant::now();
        let end = stage.run().await?;
        Ok(Undisturbed {
            took: started.elapsed(),
            points: stage.seam.points(),
            longest: stage.seam.longest(),
            difference: stage.seam.difference(),
            end,
        })
    })
    .await
}

/// Carries out a trial.
pub(super) async fn carry_out(
    trial: &Trial,
    options: &Options,
    attempt_timeout: Duration,
    interrupt: &Interrupt,
) -> Verdict {
    let started = Instant::now();
    let strike = Some(trial.strike(attempt_timeout));
    let verdict = on_stage(options, strike, attempt_timeout, interrupt, async |stage| {
        let mut verdict = Verdict::default();
        judge_run(stage, &mut verdict).await?;
        verdict.reached = stage.seam.fired();
        verdict.difference = stage.seam.difference();
        if !verdict.holds() {
            verdict.calls = stage.seam.calls();
        }
        Ok(verdict)
    })
    .await;
    let failed = |error: ChaosError| Verdict {
        problem: Some(format!("the trial could not be made: {error}")),
        ..Verdict::default()
    };
    Verdict { took: started.elapsed(), ..verdict.unwrap_or_else(failed) }
}

async fn judge_run(stage: &Stage<'_>, verdict: &mut Verdict) -> io::Result<()> {
    match stage.run().await? {
        End::Interrupted => verdict.interrupted = true,
        End::Stuck => verdict.problem = Some("the run never ends".to_owned()),
        // Failed, or refused before anything was made: either way it says that nothing is left.
        End::Exited { code: Some(0..=2), .. } => {}
        End::Exited { code: Some(3), .. } | End::Killed => recover(stage, verdict).await?,
        End::Exited { code, said } => {
            verdict.problem = Some(format!("the run ended with {}{said}", code_words(code)));
        }
    }
    Ok(())
}

async fn recover(stage: &Stage<'_>, verdict: &mut Verdict) -> io::Result<()> {
    verdict.recovered = true;
    let mut end = stage.recovery().await?;
    if end == End::Killed {
        end = stage.recovery().await?;
    }
    match end {
        End::Exited { code: Some(0), .. } => {}
        End::Interrupted => verdict.interrupted = true,
        End::Stuck | End::Killed => {
            verdict.problem = Some("the recovery never ends".to_owned());
        }
        End::Exited { code, said } => {
            verdict.problem = Some(format!("the recovery ended with {}{said}", code_words(code)));
        }
    }
    Ok(())
}

fn code_words(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal: ".to_owned(), |code| format!("code {code}: "))
}
