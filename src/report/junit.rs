//! `JUnit` XML, for CI.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Reporter, file, safe};
use engine::event::{Event, Failure, Remaining, Status, StepRef, What};

/// Writes a `JUnit` report at the end: a suite per playbook, a case per step, and a case `clean-up` that fails when
/// something remains.
#[derive(Debug)]
pub struct JunitReporter {
    path: PathBuf,
    planning: bool,
    report: Report,
    suite: Option<TestSuite>,
    /// The steps of the suite so far.
    cases: Vec<TestCase>,
    cleanup_millis: u64,
    /// The steps around one that failed fail with the same; its details are told once.
    told: Option<Failure>,
}

impl JunitReporter {
    /// Will write to `path`.
    ///
    /// # Errors
    /// The directory does not exist, or the path is one.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        file::check(&path)?;
        Ok(Self {
            path,
            planning: false,
            report: Report::new("playbook"),
            suite: None,
            cases: Vec::new(),
            cleanup_millis: 0,
            told: None,
        })
    }

    /// The same for a dry run, if it is one: what is not known yet stands in guillemets.
    #[must_use]
    pub fn planning(self, planning: bool) -> Self {
        Self { planning, ..self }
    }

    fn close_suite(&mut self) {
        let cases = std::mem::take(&mut self.cases);
        if let Some(mut suite) = self.suite.take() {
            suite.add_test_cases(cases);
            self.report.add_test_suite(suite);
        }
    }

    fn step(&mut self, step: &StepRef, status: Status, millis: u64, failure: Option<&Failure>) {
        let Some(suite) = &self.suite else { return };
        let status = match status {
            Status::Passed
            | Status::DoneBefore
            | Status::ExpectedError
            | Status::AllowedError
            | Status::Planned => TestCaseStatus::success(),
            Status::Skipped => TestCaseStatus::skipped(),
            Status::Failed => failed(NonSuccessKind::Failure, failure, &mut self.told),
            Status::Interrupted => {
                let mut status = failed(NonSuccessKind::Error, failure, &mut self.told);
                if failure.is_none() {
                    status.set_message("interrupted");
                }
                status
            }
        };
        let name = clean(&format!("{} {}", step.number, step.title));
        let mut case = TestCase::new(name, status);
        case.set_classname(suite.name.as_str()).set_time(Duration::from_millis(millis));
        self.cases.push(case);
    }

    fn cleanup(&mut self, remaining: &[Remaining], command: Option<&str>) {
        let Some(suite) = &self.suite else { return };
        let status = if remaining.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let what = super::words::counted(remaining.len(), "resource");
            let verb = if remaining.len() == 1 { "remains" } else { "remain" };
            status.set_message(format!("{what} {verb}")).set_type("Remains");
            let listed = remaining
                .iter()
                .map(|Remaining { resource, reason, .. }| {
                    let reason = super::words::reason(reason);
                    format!("{} {}: {reason}", resource.kind, resource.name)
                })
                .chain(command.map(|command| format!("To finish the clean-up: {command}")));
            status.set_description(listed.map(|line| clean(&line)).collect::<Vec<_>>().join("\n"));
            status
        };
        let mut case = TestCase::new("clean-up", status);
        case.set_classname(suite.name.as_str())
            .set_time(Duration::from_millis(self.cleanup_millis));
        self.cases.push(case);
    }
}

impl Reporter for JunitReporter {
    fn event(&mut self, event: &Event) {
        match &event.what {
            What::RunStarted { playbook, cell, file, region, .. } => {
                self.close_suite();
                self.cleanup_millis = 0;
                self.told = None;
                let mut suite =
                    TestSuite::new(clean(&super::words::run_name(playbook, cell.as_deref())));
                suite.add_properties(
                    [("run", &event.run), ("file", file), ("region", region)]
                        .map(|(name, value)| Property::new(name, clean(value))),
                );
                self.suite = Some(suite);
            }
            What::Refused { failures } => {
                let mut suite = TestSuite::new("refused before anything was called");
                suite.add_test_cases(failures.iter().map(|failure| {
                    let status = failed(NonSuccessKind::Error, Some(failure), &mut None);
                    TestCase::new(clean(&failure.message), status)
                }));
                self.report.add_test_suite(suite);
            }
            What::StepFinished { status, millis, failure, outputs: _ } => {
                if let Some(step) = event.owner.step() {
                    self.step(step, *status, *millis, failure.as_ref());
                }
            }
            What::UndoFinished { millis, .. } => self.cleanup_millis += millis,
            What::RunFinished { passed, millis, remaining, command, .. } => {
                if *passed {
                    self.cases.iter_mut().for_each(forgive);
                }
                self.cleanup(remaining, command.as_deref());
                if let Some(suite) = &mut self.suite {
                    suite.set_time(Duration::from_millis(*millis));
                }
                self.close_suite();
            }
            _ => {}
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.close_suite();
        let text = self.report.to_string().map_err(io::Error::other)?;
        file::write(&self.path, safe::guillemets(&text, self.planning).as_bytes())
    }
}

/// In a run that passed, what failed was rescued: it is told, and fails nobody's build.
fn forgive(case: &mut TestCase) {
    if let TestCaseStatus::NonSuccess { message, .. } = &case.status {
        let told = message.as_ref().map_or("", |message| message.as_str());
        let told = format!("failed, and was rescued: {told}");
        case.status = TestCaseStatus::success();
        case.set_system_out(told);
    }
}

fn failed(
    kind: NonSuccessKind,
    failure: Option<&Failure>,
    told: &mut Option<Failure>,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    if let Some(failure) = failure {
        status.set_message(clean(&failure.message)).set_type(clean(&failure.code));
        if told.as_ref() != Some(failure) {
            let mut lines = vec![clean(&failure.excerpt)];
            lines.extend(failure.details.iter().map(|detail| clean(detail)));
            status.set_description(lines.join("\n"));
            *told = Some(failure.clone());
        }
    }
    status
}

/// XML has no place for control characters, however they are written; they appear escaped, as at a terminal.
fn clean(text: &str) -> String {
    let lines: Vec<_> = safe::lines(text).collect();
    lines.join("\n").replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn written(events: &[Event]) -> io::Result<String> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("junit.xml");
        let mut reporter = JunitReporter::new(&path)?;
        sample::feed(&mut reporter, events);
        reporter.finish()?;
        std::fs::read_to_string(path)
    }

    #[test]
    fn a_failing_run() -> io::Result<()> {
        assert_eq!(written(&sample::failing())?, include_str!("expected/failing.xml"));
        Ok(())
    }

    #[test]
    fn what_was_rescued_is_told_and_fails_nothing() -> io::Result<()> {
        let mut events = sample::failing();
        if let Some(What::RunFinished { passed, remaining, .. }) =
            events.last_mut().map(|event| &mut event.what)
        {
            *passed = true;
            remaining.clear();
        }
        let text = written(&events)?;
        assert!(text.contains("tests=\"3\" skipped=\"0\" failures=\"0\""), "{text}");
        let told = "failed, and was rescued: the function failed: division by zero</system-out>";
        assert!(text.contains(told), "{text}");
        Ok(())
    }

    #[test]
    fn hostile_text_is_no_markup() -> io::Result<()> {
        let text = written(&sample::hostile())?;
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{ffff}', '\u{9b}']), "{text}");
        assert!(text.contains("]]&gt;&lt;evil/&gt; \\u{1b}[2J"), "{text}");
        Ok(())
    }

    #[test]
    fn a_run_without_an_end_is_reported_as_far_as_it_went() -> io::Result<()> {
        let text = written(sample::passing().get(..6).unwrap_or_default())?;
        assert!(text.contains("tests=\"1\"") && !text.contains("clean-up"), "{text}");
        Ok(())
    }
}
