//! The Test Anything Protocol, version 14: a subtest a run, a point a step, and one for the clean-up.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::trace::{Ended, Run, Span, Trace};
use super::words::{counted, reason};
use super::{Reporter, file, safe};
use engine::event::{Event, Failure, Status};

/// Writes all points at the end.
#[derive(Debug)]
pub struct TapReporter {
    path: PathBuf,
    planning: bool,
    trace: Trace,
}

impl TapReporter {
    /// Will write to `path`.
    ///
    /// # Errors
    /// The directory does not exist, or the path is one.
    pub fn new(path: impl Into<PathBuf>, planning: bool) -> io::Result<Self> {
        let path = path.into();
        file::check(&path)?;
        Ok(Self { path, planning, trace: Trace::default() })
    }
}

impl Reporter for TapReporter {
    fn event(&mut self, event: &Event) {
        self.trace.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let text = points(&std::mem::take(&mut self.trace));
        file::write(&self.path, safe::guillemets(&text, self.planning).as_bytes())
    }
}

fn points(trace: &Trace) -> String {
    let mut text = "TAP version 14\n".to_owned();
    if let Some(failure) = trace.refused.first() {
        let _ = writeln!(text, "Bail out! {}", described(&failure.message));
        return text;
    }
    let _ = writeln!(text, "1..{}", trace.runs.len());
    for (index, run) in trace.runs.iter().enumerate() {
        let name = described(&run.playbook);
        let _ = writeln!(text, "# Subtest: {name}");
        for line in of_run(run).lines() {
            let _ = writeln!(text, "    {line}");
        }
        let ok = if run.is_fine() { "ok" } else { "not ok" };
        let _ = writeln!(text, "{ok} {} - {name}", index + 1);
    }
    text
}

/// Text behind a point, in which `#` begins no directive.
fn described(text: &str) -> String {
    safe::line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn of_run(run: &Run) -> String {
    let steps: Vec<_> = run.steps().collect();
    let mut text = format!("1..{}\n", steps.len() + 1);
    // In a run that passed, what failed was rescued.
    let passed = run.end.as_ref().is_some_and(|end| end.passed);
    for (index, (span, step)) in steps.iter().enumerate() {
        let ok = if passed || span.is_fine() { "ok" } else { "not ok" };
        let skipped = if span.how == Some(Ended::Step(Status::Skipped)) { " # SKIP" } else { "" };
        let (number, title) = (described(&step.number), described(&step.title));
        let _ = writeln!(text, "{ok} {} - {number} {title}{skipped}", index + 1);
        if ok == "not ok" {
            text.push_str(&diagnosis(span, run));
        }
    }
    let remaining = run.end.as_ref().map_or(&[][..], |end| &end.remaining);
    let ok = if remaining.is_empty() && run.end.is_some() { "ok" } else { "not ok" };
    let _ = writeln!(text, "{ok} {} - clean-up", steps.len() + 1);
    if !remaining.is_empty() {
        let _ = writeln!(
            text,
            "  ---\n  message: {}",
            quoted(&format!("{} left", counted(remaining.len(), "resource")))
        );
        let _ = writeln!(text, "  remaining:");
        for left in remaining {
            let what =
                format!("{} {}: {}", left.resource.kind, left.resource.name, reason(&left.reason));
            let _ = writeln!(text, "    - {}", quoted(&what));
        }
        text.push_str("  ...\n");
    }
    text
}

/// Why a point is not ok, as YAML.
fn diagnosis(span: &Span, run: &Run) -> String {
    let mut text = "  ---\n".to_owned();
    if let Some(Failure { code, message, place, details, .. }) = &span.failure {
        let _ = writeln!(text, "  message: {}\n  code: {}", quoted(message), quoted(code));
        if let Some(place) = place {
            let at = format!("{}:{}:{}", place.file, place.line, place.column);
            let _ = writeln!(text, "  at: {}", quoted(&at));
        }
        if !details.is_empty() {
            let _ = writeln!(text, "  details:");
            for detail in details.iter().flat_map(|detail| detail.lines()) {
                let _ = writeln!(text, "    - {}", quoted(detail));
            }
        }
    } else {
        let _ = writeln!(text, "  message: {}", quoted(span.word()));
    }
    let _ = writeln!(text, "  duration_ms: {}\n  ...", span.millis(run.last));
    text
}

/// A text as JSON writes it, which YAML reads as the same.
fn quoted(text: &str) -> String {
    safe::json(&serde_json::Value::from(text).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn written(events: &[Event]) -> String {
        let mut trace = Trace::default();
        for event in events {
            trace.event(event);
        }
        points(&trace)
    }

    #[test]
    fn every_step_is_a_point_and_so_is_the_clean_up() {
        let text = written(&sample::failing());
        assert!(
            text.starts_with("TAP version 14\n1..1\n# Subtest: get-started\n    1..3\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "    not ok 2 - 1.1 Invoke it\n      ---\n      message: \"the function failed"
            ),
            "{text}"
        );
        assert!(text.contains("      at: \"a.yaml:7:5\"\n"), "{text}");
        assert!(text.ends_with("not ok 1 - get-started\n"), "{text}");
        let text = written(&sample::passing());
        assert!(text.contains("    ok 5 - clean-up\nok 1 - get-started\n"), "{text}");
        assert!(text.contains("Send a code # SKIP"), "{text}");
    }

    #[test]
    fn text_begins_no_directive() {
        assert_eq!(described("a # SKIP \\ b"), "a \\# SKIP \\\\ b");
    }
}
