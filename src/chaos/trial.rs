//! One trial: a fresh account, a run that something happens to, the recovery, a look at what is there.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::account::Difference;
use super::child::{End, Program, state_of};
use super::fault::Fault;
use super::foreign_stacks;
use super::home::Home;
use super::injector::{Injector, PlannedFault, Point};
use super::{ChaosError, Options};
use engine::step::Interrupt;
use local_aws::{LatencyProfile, LocalAws, LocalOptions};

/// How far AWS's clock is before that of the program, for [`Fault::ClockOff`].
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(3 * 60 * 60);

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

    fn planned(&self, attempt_timeout: Duration) -> PlannedFault {
        let mut chance = fastrand::Rng::with_seed(self.seed);
        PlannedFault {
            at: self.point.clone(),
            fault: self.fault,
            again_at: chance.usize(2..8),
            hangs: attempt_timeout + Duration::from_millis(500),
            delay: attempt_timeout.mul_f64(0.1 + 0.8 * chance.f64()),
        }
    }
}

/// What came of a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrialResult {
    /// Whether the run came as far as the fault.
    pub reached: bool,
    /// Whether a recovery was needed.
    pub recovered: bool,
    /// Whether something was left and listed, as nothing tells whose it is.
    pub listed: bool,
    /// What differs from what should be there, and is not listed.
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

impl TrialResult {
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
struct Fixture<'a> {
    injector: Arc<Injector>,
    home: Home,
    program: Program,
    options: &'a Options,
    interrupt: &'a Interrupt,
}

impl Fixture<'_> {
    async fn run(&self) -> io::Result<End> {
        let arguments = run_arguments(self.options, &self.program);
        self.program.run(arguments, self.home.path(), &self.injector, self.interrupt).await
    }

    /// Has a second run of the playbook ready.
    fn accompany(&self) {
        let (program, injector) = (self.program.clone(), Arc::downgrade(&self.injector));
        let arguments = run_arguments(self.options, &self.program);
        let (home, interrupt) = (self.home.path().to_owned(), self.interrupt.clone());
        self.injector.accompany(Box::new(move || {
            let (program, injector, arguments) =
                (program.clone(), injector.upgrade(), arguments.clone());
            let (home, interrupt) = (home.clone(), interrupt.clone());
            Box::pin(async move {
                let Some(injector) = injector else { return };
                // However it ends, its journal says what there is to do.
                let _ = program.run(arguments, &home, &injector, &interrupt).await;
            })
        }));
    }

    async fn recovery(&self) -> io::Result<End> {
        self.injector.recover();
        let arguments = ["cleanup", "--all", "--output", "quiet"].map(OsString::from);
        self.program.run(arguments, self.home.path(), &self.injector, self.interrupt).await
    }
}

fn run_arguments(options: &Options, program: &Program) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["run".into(), options.file.clone().into()];
    arguments.extend(["--no-input", "--yes", "--output", "quiet"].map(OsString::from));
    arguments.extend(["--endpoint-url".into(), program.endpoint.clone().into()]);
    arguments.push("--embedded".into());
    arguments.extend(options.arguments.iter().cloned());
    arguments
}

async fn with_fixture<T>(
    options: &Options,
    planned: Option<PlannedFault>,
    attempt_timeout: Duration,
    interrupt: &Interrupt,
    act: impl AsyncFnOnce(&Fixture<'_>) -> io::Result<T>,
) -> Result<T, ChaosError> {
    let home = Home::make()?;
    let is_clock_off = planned.as_ref().is_some_and(|planned| planned.fault == Fault::ClockOff);
    let injector = Injector::new(planned, state_of(home.path()));
    let local = LocalOptions {
        port: 0,
        latency: LatencyProfile::None,
        region: options.region.clone(),
        account_id: options.account.clone(),
        launcher: options.launcher.clone(),
        required: None,
    };
    let aws = LocalAws::start_with(local, Arc::<Injector>::clone(&injector)).await?;
    foreign_stacks::deploy(&options.stacks, aws.endpoint_url(), &options.region).await?;
    injector.watch(aws.account());
    if is_clock_off {
        aws.account().clock().advance(CLOCK_DIFFERENCE);
    }
    let program = Program {
        launcher: options.launcher.clone(),
        executable: options.executable.clone(),
        endpoint: aws.endpoint_url().to_owned(),
        region: options.region.clone(),
        attempt_timeout,
    };
    let fixture = Fixture { injector, home, program, options, interrupt };
    fixture.accompany();
    let result = act(&fixture).await;
    drop(fixture);
    aws.shutdown().await;
    Ok(result?)
}

/// Runs the playbook with nothing in its way.
pub(super) async fn undisturbed(
    options: &Options,
    interrupt: &Interrupt,
) -> Result<Undisturbed, ChaosError> {
    with_fixture(options, None, Duration::from_secs(60), interrupt, async |fixture| {
        let started = Instant::now();
        let end = fixture.run().await?;
        Ok(Undisturbed {
            took: started.elapsed(),
            points: fixture.injector.points(),
            longest: fixture.injector.longest(),
            difference: fixture.injector.difference(""),
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
) -> TrialResult {
    let started = Instant::now();
    let planned = Some(trial.planned(attempt_timeout));
    let result = with_fixture(options, planned, attempt_timeout, interrupt, async |fixture| {
        let mut result = TrialResult::default();
        let listed = run_and_recover(fixture, &mut result).await?;
        fixture.injector.nothing_late().await;
        result.reached = fixture.injector.fired();
        result.difference = fixture.injector.difference(&listed);
        result.listed = !listed.is_empty();
        if result.listed && !trial.fault.leaves_doubt() {
            result.problem = Some(format!("the recovery left something: {listed}"));
        }
        if !result.holds() {
            result.calls = fixture.injector.calls();
        }
        Ok(result)
    })
    .await;
    let failed = |error: ChaosError| TrialResult {
        problem: Some(format!("the trial could not be made: {error}")),
        ..TrialResult::default()
    };
    TrialResult { took: started.elapsed(), ..result.unwrap_or_else(failed) }
}

/// Runs the playbook, and recovers where that is needed. Returns what a clean-up said that had to leave something.
async fn run_and_recover(fixture: &Fixture<'_>, result: &mut TrialResult) -> io::Result<String> {
    match fixture.run().await? {
        End::Interrupted => result.interrupted = true,
        End::Stuck => result.problem = Some("the run never ends".to_owned()),
        // Failed, or refused before anything was made: either way it says that nothing is left.
        End::Exited { code: Some(0..=2), .. } => {}
        End::Exited { code: Some(3), .. } | End::Killed => return recover(fixture, result).await,
        End::Exited { code, said } => {
            result.problem = Some(format!("the run ended with {}{said}", code_words(code)));
        }
    }
    Ok(String::new())
}

async fn recover(fixture: &Fixture<'_>, result: &mut TrialResult) -> io::Result<String> {
    result.recovered = true;
    let mut end = fixture.recovery().await?;
    if end == End::Killed {
        end = fixture.recovery().await?;
    }
    match end {
        End::Exited { code: Some(0), .. } => {}
        End::Exited { code: Some(3), said } => return Ok(said),
        End::Interrupted => result.interrupted = true,
        End::Stuck | End::Killed => {
            result.problem = Some("the recovery never ends".to_owned());
        }
        End::Exited { code, said } => {
            result.problem = Some(format!("the recovery ended with {}{said}", code_words(code)));
        }
    }
    Ok(String::new())
}

fn code_words(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal: ".to_owned(), |code| format!("code {code}: "))
}
