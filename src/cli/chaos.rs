//! `playbook chaos`: proves the clean-up of a playbook, and tells how the proof goes.

use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::args::{ChaosArgs, OutputFormat};
use super::disk::Disk;
use super::exit::Exit;
use super::output::Output;
use super::serve::launcher;
use super::signals::Wishes;
use super::target::LOCAL_ACCOUNT;
use crate::chaos::{
    self, ChaosError, ChaosEvent, Difference, Options, Row, Stack, Statistics, Summary, Trial,
    TrialResult,
};
use crate::report::{JsonReporter, Reporter, Reporters, Stream};
use engine::event::{
    Counts, Event, Failure, Mode, Owner, Reason, Remaining, ResourceRef, Status, StepRef, What,
};
use language::playbook::Files as _;

/// How many of the calls that led to a failure are shown, the latest.
const CALLS_SHOWN: usize = 60;

/// Proves it; says what was not proven.
pub(super) async fn chaos(args: &ChaosArgs, output: Output) -> Exit {
    let wishes = Wishes::none();
    if let Err(error) = wishes.listen() {
        return output.fail(&error.to_string(), None);
    }
    let mut reporter = match ChaosReporter::new(args, output) {
        Ok(reporter) => reporter,
        Err(exit) => return exit,
    };
    let stacks = match stacks(args, output) {
        Ok(stacks) => stacks,
        Err(exit) => return exit,
    };
    let options = options(args, stacks, reporter.seed);
    let interrupt = wishes.interrupt();
    let at_once = interrupt.at(2);
    let proof = tokio::select! {
        proof = chaos::prove(&options, &interrupt, |event| reporter.hear(&event)) => Some(proof),
        () = at_once.wait() => None,
    };
    let signal = 128 + wishes.signal().unwrap_or(2);
    match proof {
        None => Exit::from_code(signal),
        Some(Ok(summary)) if summary.interrupted => {
            reporter.finish(&summary, Exit::from_code(signal))
        }
        Some(Ok(summary)) => {
            let exit = if summary.statistics.total().holds() { Exit::FINE } else { Exit::FAILED };
            reporter.finish(&summary, exit)
        }
        Some(Err(error)) => reporter.give_up(&error),
    }
}

fn stacks(args: &ChaosArgs, output: Output) -> Result<Vec<Stack>, Exit> {
    let stack = |given: &String| {
        let Some((name, template)) = given.split_once('=') else {
            let help = "write `--stack NAME=TEMPLATE`, such as `--stack theirs=stack.yaml`";
            return Err(output.fail(&format!("`{given}` names no template"), Some(help)));
        };
        let text = Disk::default().read(Path::new(template)).map_err(|reason| {
            let help = "name the template of the stack that the playbook is to use";
            output.fail(&format!("{template}: {reason}"), Some(help))
        })?;
        Ok(Stack { name: name.to_owned(), template: text })
    };
    args.stack.iter().map(stack).collect()
}

fn options(args: &ChaosArgs, stacks: Vec<Stack>, seed: u64) -> Options {
    let mut arguments: Vec<OsString> = Vec::new();
    for (flag, values) in [("--input", &args.input), ("--set", &args.set)] {
        for value in values {
            arguments.extend([flag.into(), value.into()]);
        }
    }
    if let Some(inputs) = &args.inputs {
        arguments.extend(["--inputs".into(), inputs.into()]);
    }
    Options {
        file: args.file.clone(),
        arguments,
        stacks,
        executable: std::env::current_exe().unwrap_or_else(|_| "playbook".into()),
        launcher: launcher(),
        account: LOCAL_ACCOUNT.to_owned(),
        region: args.region.clone(),
        sample: args.sample,
        seed,
        jobs: std::thread::available_parallelism().map_or(1, usize::from)
            * chaos::AT_ONCE_PER_CORE as usize,
    }
}

/// Tells a person, a program and reports how the proof goes: a trial as a step of a run.
struct ChaosReporter<'a> {
    args: &'a ChaosArgs,
    output: Output,
    seed: u64,
    started: Instant,
    reporters: Reporters,
    bar: Option<ProgressBar>,
    counts: Counts,
    remaining: Vec<Remaining>,
    /// How many events were told.
    told: u64,
}

impl<'a> ChaosReporter<'a> {
    fn new(args: &'a ChaosArgs, output: Output) -> Result<Self, Exit> {
        let mut reporters = Reporters::new();
        if args.output == OutputFormat::Json {
            reporters.add(JsonReporter::new(Stream::new(stdout(), false)));
        }
        output.add_files(&mut reporters, &args.report, false)?;
        // Short enough to be typed again.
        let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
        let reporter = Self {
            args,
            output,
            seed,
            started: Instant::now(),
            reporters,
            bar: None,
            counts: Counts::default(),
            remaining: Vec::new(),
            told: 0,
        };
        Ok(reporter)
    }

    fn is_human(&self) -> bool {
        self.args.output == OutputFormat::Human
    }

    fn hear(&mut self, event: &ChaosEvent<'_>) {
        match event {
            ChaosEvent::Planned { requests, trials } => self.planned(*requests, *trials),
            ChaosEvent::Finished(trial, result) => self.finished(trial, result),
        }
    }

    fn tell(&mut self, owner: Owner, what: What) {
        self.told += 1;
        let run = format!("chaos-{}", self.seed);
        let at = jiff::Timestamp::now();
        self.reporters.event(&Event { seq: self.told, at, run, owner, what });
    }

    fn planned(&mut self, requests: usize, trials: usize) {
        let file = self.args.file.display().to_string();
        self.tell(
            Owner::Run,
            What::RunStarted {
                playbook: format!("chaos {file}"),
                cell: None,
                description: None,
                file: file.clone(),
                mode: Mode::Local,
                region: self.args.region.clone(),
                account: Some(LOCAL_ACCOUNT.to_owned()),
                endpoint: None,
                started: jiff::Timestamp::now().to_string(),
                steps: trials,
            },
        );
        if self.args.output != OutputFormat::Json {
            self.output.note(&format!(
                "{file} sends {requests} requests; {trials} trials, seed {}",
                self.seed
            ));
        }
        if self.is_human() && stderr().is_terminal() {
            self.bar = Some(progress(trials as u64));
        }
    }

    fn finished(&mut self, trial: &Trial, result: &TrialResult) {
        let step = StepRef {
            path: trial.number.to_string(),
            rounds: Vec::new(),
            number: trial.number.to_string(),
            depth: 0,
            id: None,
            title: trial.title(),
            kind: "trial".to_owned(),
        };
        let millis = u64::try_from(result.took.as_millis()).unwrap_or(u64::MAX);
        let failure = (!result.holds()).then(|| failure(result));
        if let Some(failure) = &failure {
            self.counts.failed += 1;
            self.complain(trial, failure);
        } else {
            self.counts.passed += 1;
        }
        let left = result.difference.left.iter();
        self.remaining.extend(left.map(|name| left_after(trial, name)));
        self.tell(Owner::Step(step.clone()), What::StepStarted { place: None, source: None });
        self.tell(
            Owner::Step(step),
            What::StepFinished {
                status: if result.holds() { Status::Passed } else { Status::Failed },
                millis,
                outputs: json!({
                    "fault": trial.fault,
                    "reached": result.reached,
                    "recovered": result.recovered,
                    "listed": result.listed,
                    "left": result.difference.left,
                    "touched": result.difference.touched,
                }),
                failure,
            },
        );
        if let Some(bar) = &self.bar {
            bar.set_message(trial.title());
            bar.inc(1);
        }
    }

    fn complain(&self, trial: &Trial, failure: &Failure) {
        if self.args.output == OutputFormat::Json {
            return;
        }
        let tell = || {
            self.output.note(&format!("✗ trial {}: {}", trial.number, trial.title()));
            for line in failure.message.lines().chain(failure.details.iter().map(String::as_str)) {
                self.output.note(&format!("    {}", crate::report::safe::line(line)));
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    fn finish(mut self, summary: &Summary, exit: Exit) -> Exit {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let passed = exit.code() == 0;
        let remaining = std::mem::take(&mut self.remaining);
        self.tell(
            Owner::Run,
            What::RunFinished {
                passed,
                exit_code: exit.code(),
                millis,
                counts: self.counts,
                remaining,
                command: None,
                outputs: as_json(summary, self.seed),
            },
        );
        let mut told = Exit::FINE;
        if self.args.output != OutputFormat::Json {
            let last = self.last_line(summary, Duration::from_millis(millis));
            told = self.output.result(&format!("{}{last}", table(&summary.statistics)));
        }
        exit.max(told).max(self.output.told(self.reporters.finish()))
    }

    fn last_line(&self, summary: &Summary, took: Duration) -> String {
        let total = summary.statistics.total();
        let end = if summary.interrupted { ", stopped before the end" } else { "" };
        format!(
            "{} trials in {:.1} s, seed {}{end}: {} left, {} touched{}\n",
            total.trials,
            took.as_secs_f64(),
            self.seed,
            total.left,
            total.touched,
            match total.problems {
                0 => String::new(),
                count => format!(", {count} went wrong otherwise"),
            }
        )
    }

    fn give_up(self, error: &ChaosError) -> Exit {
        let details = match error {
            ChaosError::Fails { said, .. } => said.clone(),
            ChaosError::Leaves(difference) => lines_of(difference).join("\n"),
            _ => String::new(),
        };
        self.output.error(&error.to_string(), Some(error.help()));
        for line in crate::report::safe::lines(&details) {
            self.output.note(&format!("  {line}"));
        }
        match error {
            ChaosError::Fails { code: Some(2), .. } | ChaosError::Stack { .. } => Exit::WRONG,
            _ => Exit::FAILED,
        }
    }
}

fn progress(trials: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta:>4} left  {wide_msg}");
    ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr_with_hz(15))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn lines_of(difference: &Difference) -> Vec<String> {
    let left = difference.left.iter().map(|name| format!("left: {name}"));
    let touched = difference.touched.iter().map(|what| format!("touched: {what}"));
    left.chain(touched).collect()
}

fn failure(result: &TrialResult) -> Failure {
    let Difference { left, touched } = &result.difference;
    let code = match (&result.problem, touched.is_empty(), left.is_empty()) {
        (_, false, _) => "Touched",
        (_, true, false) => "Left",
        _ => "WentWrong",
    };
    let mut details = lines_of(&result.difference);
    let first = result.calls.len().saturating_sub(CALLS_SHOWN);
    details.extend(result.calls.iter().skip(first).cloned());
    let message = result
        .problem
        .clone()
        .unwrap_or_else(|| format!("{} left, {} touched", left.len(), touched.len()));
    Failure {
        code: code.to_owned(),
        excerpt: message.clone(),
        message,
        help: None,
        place: None,
        details,
    }
}

fn left_after(trial: &Trial, name: &str) -> Remaining {
    let (service, name) = name.split_once(' ').unwrap_or(("", name));
    Remaining {
        resource: ResourceRef {
            seq: trial.number as u64,
            kind: service.to_owned(),
            name: name.to_owned(),
        },
        arn: None,
        reason: Reason::Found { text: format!("left by trial {}", trial.number) },
    }
}

fn as_json(summary: &Summary, seed: u64) -> Value {
    let rows: Vec<Value> = summary
        .statistics
        .rows()
        .map(|(fault, row)| {
            let mut value = json!(row);
            if let Value::Object(fields) = &mut value {
                fields.insert("fault".to_owned(), json!(fault));
            }
            value
        })
        .collect();
    json!({"seed": seed, "requests": summary.requests, "faults": rows, "total": summary.statistics.total()})
}

const HEAD: [&str; 7] = ["fault", "trials", "missed", "recovered", "listed", "left", "touched"];

fn table(statistics: &Statistics) -> String {
    let cells = |name: &str, row: &Row| {
        let counts = [row.trials, row.missed, row.recovered, row.listed, row.left, row.touched];
        let mut cells = vec![name.to_owned()];
        cells.extend(counts.map(|count| count.to_string()));
        cells
    };
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    lines.extend(statistics.rows().map(|(fault, row)| cells(fault.words(), &row)));
    lines.push(cells("total", &statistics.total()));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let cell =
                if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            text.push_str(&cell);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_by_what_matters_most() {
        let difference =
            Difference { left: vec!["lambda f".into()], touched: vec!["logs g is gone".into()] };
        let result = TrialResult { difference, ..TrialResult::default() };
        let failure = failure(&result);
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("Touched", "1 left, 1 touched")
        );
        assert_eq!(failure.details, ["left: lambda f", "touched: logs g is gone"]);
    }

    #[test]
    fn an_empty_table_has_a_head_and_a_total() {
        assert_eq!(
            table(&Statistics::default()),
            "fault  trials  missed  recovered  listed  left  touched\n\
             total       0       0          0       0     0        0\n"
        );
    }
}
