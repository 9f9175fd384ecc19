//! A summary in Markdown: for a file, and for the page that GitHub shows of a job.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::trace::{Ended, How, Run, Span, Trace};
use super::words::{counted, duration, reason};
use super::{Reporter, file, safe};
use engine::event::{Event, Status};

/// Writes a summary at the end.
#[derive(Debug)]
pub struct MarkdownReporter {
    path: PathBuf,
    planning: bool,
    appends: bool,
    trace: Trace,
}

impl MarkdownReporter {
    /// Will write to `path`.
    ///
    /// # Errors
    /// The directory does not exist, or the path is one.
    pub fn new(path: impl Into<PathBuf>, planning: bool) -> io::Result<Self> {
        let path = path.into();
        file::check(&path)?;
        Ok(Self { path, planning, appends: false, trace: Trace::default() })
    }

    /// The same, behind what is there already.
    #[must_use]
    pub fn appending(self) -> Self {
        Self { appends: true, ..self }
    }
}

impl Reporter for MarkdownReporter {
    fn event(&mut self, event: &Event) {
        self.trace.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let text = summary(&std::mem::take(&mut self.trace));
        let text = safe::guillemets(&text, self.planning);
        if !self.appends {
            return file::write(&self.path, text.as_bytes());
        }
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&self.path)?;
        file.write_all(text.as_bytes())
    }
}

/// Text that is no markup, on one line.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in safe::line(text).chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                shown.extend(['\\', c]);
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Text as it is written; the fence is longer than any in it.
fn fenced(text: &str) -> String {
    let lines: Vec<_> = safe::lines(text).collect();
    let longest = lines.iter().map(|line| line.chars().filter(|c| *c == '`').count()).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}\n{}\n{fence}\n", lines.join("\n"))
}

fn symbol(span: &Span) -> &'static str {
    match span.how {
        None => "…",
        Some(Ended::Step(Status::Skipped)) => "–",
        Some(_) if span.is_fine() => "✓",
        Some(_) => "✗",
    }
}

fn summary(trace: &Trace) -> String {
    let mut text = String::new();
    for failure in &trace.refused {
        let drawn = if failure.excerpt.is_empty() { &failure.message } else { &failure.excerpt };
        let _ = write!(text, "## ✗ Refused before anything was called\n\n{}\n", fenced(drawn));
    }
    if trace.runs.len() > 1 {
        text.push_str("| playbook | run | end | took |\n|---|---|---|---|\n");
        for run in &trace.runs {
            let (name, id) = (plain(&run.playbook), plain(&run.id));
            let _ = writeln!(
                text,
                "| {name} | {id} | {} | {} |",
                run.verdict(),
                duration(run.millis())
            );
        }
        text.push('\n');
    }
    for run in &trace.runs {
        of_run(&mut text, run);
    }
    text
}

fn of_run(text: &mut String, run: &Run) {
    let symbol_of_run = if run.is_fine() { "✓" } else { "✗" };
    let _ = writeln!(text, "## {symbol_of_run} {}: {}\n", plain(&run.playbook), run.verdict());
    let calls = counted(run.count_calls(), "call");
    let mut facts = vec![format!("run {}", plain(&run.id)), duration(run.millis()), calls];
    if let Some(end) = &run.end {
        let counts = end.counts;
        facts.push(format!("{} made", counted(counts.created, "resource")));
        facts.push(format!("{} removed", counts.removed));
    }
    let _ = writeln!(text, "{}\n", facts.join(" · "));
    for said in run.said.iter().filter(|said| said.how == How::Warned) {
        let _ = writeln!(text, "{}\n", plain(&said.text));
    }
    for (step, failure) in run.failures() {
        let _ = writeln!(text, "### {} {}\n", plain(&step.number), plain(&step.title));
        let drawn = if failure.excerpt.is_empty() { &failure.message } else { &failure.excerpt };
        let _ = writeln!(text, "{}", fenced(drawn));
        if !failure.details.is_empty() {
            let _ = writeln!(text, "{}", fenced(&failure.details.join("\n")));
        }
    }
    if let Some(end) = run.end.as_ref().filter(|end| !end.remaining.is_empty()) {
        let _ = writeln!(text, "### What remains\n\n| type | name | why |\n|---|---|---|");
        for left in &end.remaining {
            let (kind, name) = (plain(&left.resource.kind), plain(&left.resource.name));
            let _ = writeln!(text, "| {kind} | {name} | {} |", plain(&reason(&left.reason)));
        }
        if let Some(command) = &end.command {
            let _ = write!(text, "\n{}", fenced(command));
        }
        text.push('\n');
    }
    tables(text, run);
}

/// Every step, and what the clean-up did.
fn tables(text: &mut String, run: &Run) {
    let _ = writeln!(text, "| | step | kind | end | took | calls |\n|---|---|---|---|---|---|");
    for (span, step) in run.steps() {
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} | {} |",
            symbol(span),
            plain(&step.number),
            plain(&step.title),
            plain(&step.kind),
            span.word(),
            duration(span.millis(run.last)),
            span.calls.len()
        );
    }
    if run.undos().next().is_some() {
        let _ = writeln!(
            text,
            "\n### Clean-up\n\n| | type | name | end | took |\n|---|---|---|---|---|"
        );
    }
    for (span, resource) in run.undos() {
        let why = span.reason.as_ref().map(|reason| format!(": {}", plain(reason)));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}{} | {} |",
            symbol(span),
            plain(&resource.kind),
            plain(&resource.name),
            span.word(),
            why.unwrap_or_default(),
            duration(span.millis(run.last))
        );
    }
    text.push('\n');
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
        summary(&trace)
    }

    #[test]
    fn a_failing_run_says_what_failed_and_what_remains() {
        let text = written(&sample::failing());
        for part in [
            "## ✗ get-started: something remains",
            "### 1.1 Invoke it",
            "| AWS::IAM::Role | playbook-k3x9 | AccessDenied |",
            "playbook cleanup k3x9",
            "| ✓ | AWS::Lambda::Function | playbook-k3x9 | deleted |",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(plain("a|b <i> `c` @x\n"), "a\\|b &lt;i&gt; \\`c\\` \\@x\\\\n");
        assert_eq!(fenced("``` end"), "````\n``` end\n````\n");
        assert!(!written(&sample::hostile()).contains('\u{1b}'));
    }
}
