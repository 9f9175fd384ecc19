//! What GitHub's runner obeys: groups that fold, annotations at a line of a file.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use super::trace::Trace;
use super::words::{counted, reason, run_name};
use super::{Reporter, Stream, safe};
use engine::event::{Event, Failure, What};

/// Tells GitHub's runner where the parts of a run begin and end, and what failed where.
#[derive(Debug)]
pub struct GithubReporter {
    out: Stream,
    trace: Trace,
    /// A group is open.
    open: bool,
}

impl GithubReporter {
    /// Writes to `out`, which the runner reads.
    #[must_use]
    pub fn new(out: Stream) -> Self {
        Self { out, trace: Trace::default(), open: false }
    }

    fn group(&mut self, title: &str) {
        self.end_group();
        self.out.line(&format!("::group::{}", message(title)));
        self.open = true;
    }

    fn end_group(&mut self) {
        if std::mem::take(&mut self.open) {
            self.out.line("::endgroup::");
        }
    }

    fn annotate(&mut self, failure: &Failure) {
        let mut text = failure.message.clone();
        if let Some(help) = &failure.help {
            let _ = write!(text, "\nhelp: {help}");
        }
        for detail in &failure.details {
            let _ = write!(text, "\n{detail}");
        }
        let place = failure.place.as_ref().map(|place| {
            format!("file={},line={},col={},", property(&place.file), place.line, place.column)
        });
        let title = property(&failure.code);
        let place = place.unwrap_or_default();
        self.out.line(&format!("::error {place}title={title}::{}", message(&text)));
    }

    fn finished(&mut self, id: &str) {
        self.end_group();
        let Some(run) = self.trace.runs.iter().find(|run| run.id == id) else { return };
        let failures: Vec<Failure> = match &run.end {
            // What failed in a run that passed was rescued.
            Some(end) if end.passed => Vec::new(),
            _ => run.failures().into_iter().map(|(_, failure)| failure.clone()).collect(),
        };
        let remaining: Vec<String> = run
            .end
            .iter()
            .flat_map(|end| &end.remaining)
            .map(|left| {
                format!("{} {}: {}", left.resource.kind, left.resource.name, reason(&left.reason))
            })
            .collect();
        let command = run.end.as_ref().and_then(|end| end.command.clone());
        for failure in &failures {
            self.annotate(failure);
        }
        if !remaining.is_empty() {
            let verb = if remaining.len() == 1 { "remains" } else { "remain" };
            let title = format!("{} {verb}", counted(remaining.len(), "resource"));
            let mut text = remaining.join("\n");
            if let Some(command) = command {
                let _ = write!(text, "\nTo finish the clean-up: {command}");
            }
            self.out.line(&format!("::error title={}::{}", property(&title), message(&text)));
        }
    }
}

impl Reporter for GithubReporter {
    fn event(&mut self, event: &Event) {
        self.trace.event(event);
        match &event.what {
            What::RunStarted { playbook, cell, .. } => {
                self.group(&run_name(playbook, cell.as_deref()));
            }
            What::CleanupStarted { count } if *count > 0 => self.group("Clean-up"),
            What::RunFinished { .. } => self.finished(&event.run),
            What::Refused { failures } => {
                for failure in failures {
                    self.annotate(failure);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end_group();
        self.out.finish()
    }
}

/// A text behind a command: its lines are one line to the runner.
#[must_use]
pub fn message(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = safe::lines(text).collect();
    let text = lines.join("\n").replace("##[", "#\\#[");
    text.replace('%', "%25").replace('\n', "%0A")
}

/// A text in a command.
fn property(text: &str) -> String {
    message(&safe::line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{self, Captured};

    fn told(events: &[Event]) -> String {
        let out = Captured::default();
        let mut reporter = GithubReporter::new(out.stream());
        sample::feed(&mut reporter, events);
        assert!(reporter.finish().is_ok());
        out.text()
    }

    #[test]
    fn a_failure_is_told_at_its_line() {
        let told = told(&sample::failing());
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines[..4],
            ["::group::get-started", "::endgroup::", "::group::Clean-up", "::endgroup::"]
        );
        assert!(
            lines[4].starts_with("::error file=a.yaml,line=7,col=5,title=FunctionError::the function failed: division by zero%0A"),
            "{told}"
        );
        assert!(
            lines[5].starts_with("::error title=1 resource remains::AWS::IAM::Role playbook-k3x9"),
            "{told}"
        );
    }

    #[test]
    fn text_is_no_command() {
        let told = told(&sample::hostile());
        assert!(told.lines().all(|line| line.starts_with("::")), "{told}");
        assert_eq!(property("a:b,c%\nd"), "a%3Ab%2Cc%25\\nd");
    }
}
