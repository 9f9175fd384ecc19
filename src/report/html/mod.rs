//! One page that shows all of a run: a timeline, every step with what it was written as, called, said and made, the
//! clean-up. It needs no network and no script, and all text in it is text: nothing that AWS said is markup.

mod markup;
mod rows;

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::trace::{Run, Trace};
use super::words::{counted, duration, reason};
use super::{Reporter, file, safe};
use engine::event::{Event, Failure, Mode};
use markup::{Page, escaped};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes one page at the end.
#[derive(Debug)]
pub struct HtmlReporter {
    path: PathBuf,
    planning: bool,
    trace: Trace,
}

impl HtmlReporter {
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

impl Reporter for HtmlReporter {
    fn event(&mut self, event: &Event) {
        self.trace.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let text = page(&std::mem::take(&mut self.trace));
        file::write(&self.path, safe::guillemets(&text, self.planning).as_bytes())
    }
}

fn page(trace: &Trace) -> String {
    let mut page = Page::default();
    let title = match trace.runs.as_slice() {
        [run] => format!("{}: {}", run.playbook, run.verdict()),
        [] => "nothing was run".to_owned(),
        several => {
            let fine = several.iter().filter(|run| run.is_fine()).count();
            format!("{fine} of {} passed", counted(several.len(), "run"))
        }
    };
    let _ = write!(
        page.text,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src \
         'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n",
        escaped(&title)
    );
    page.text.push_str(
        "<div class=\"tools\"><input id=\"search\" type=\"search\" placeholder=\"Search steps, calls, answers\" \
         aria-label=\"Search\"><span id=\"found\" class=\"soft\"></span><button id=\"open\" type=\"button\">Open or close \
         all</button><button id=\"look\" type=\"button\">Dark or light</button></div>\n",
    );
    for failure in &trace.refused {
        page.text.push_str("<h2>Refused before anything was called</h2>\n");
        page.failure(failure);
    }
    if trace.runs.len() > 1 {
        summary(&mut page, &trace.runs);
    }
    for run in &trace.runs {
        of_run(&mut page, run);
    }
    let _ = write!(page.text, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page.text
}

/// All runs in a table.
fn summary(page: &mut Page, runs: &[Run]) {
    page.text.push_str(
        "<h1>Runs</h1>\n<table><tr><th>playbook</th><th>run</th><th>end</th><th>took</th></tr>\n",
    );
    for run in runs {
        let _ = writeln!(
            page.text,
            "<tr><td><a href=\"#run-{0}\">{1}</a></td><td class=\"mono\">{0}</td><td class=\"{2}\">{3}</td><td>{4}</td></tr>",
            escaped(&run.id),
            escaped(&run.playbook),
            class(run),
            run.verdict(),
            duration(run.millis())
        );
    }
    page.text.push_str("</table>\n");
}

fn class(run: &Run) -> &'static str {
    match (&run.end, run.is_fine()) {
        (_, true) => "good",
        (Some(end), false) if end.passed => "odd",
        _ => "bad",
    }
}

fn of_run(page: &mut Page, run: &Run) {
    let _ = writeln!(
        page.text,
        "<section id=\"run-{}\">\n<h1>{} <span class=\"verdict {}\">{}</span></h1>",
        escaped(&run.id),
        escaped(&run.playbook),
        class(run),
        run.verdict()
    );
    if let Some(description) = &run.description {
        page.paragraph(description);
    }
    facts(page, run);
    for (step, failure) in run.failures() {
        let _ = writeln!(
            page.text,
            "<h2 class=\"bad\">{} {}</h2>",
            escaped(&step.number),
            escaped(&step.title)
        );
        page.failure(failure);
    }
    remaining(page, run);
    rows::timeline(page, run);
    rows::resources(page, run);
    if let Some(end) =
        run.end.as_ref().filter(|end| end.outputs.as_object().is_some_and(|it| !it.is_empty()))
    {
        page.text.push_str("<h2>Outputs</h2>\n");
        page.data(&end.outputs);
    }
    page.text.push_str("</section>\n");
}

fn facts(page: &mut Page, run: &Run) {
    let place = match (run.mode, &run.endpoint, &run.account) {
        (Mode::Local, ..) => "the embedded AWS".to_owned(),
        (Mode::DryRun, ..) => "a dry run: nothing was called".to_owned(),
        (Mode::Live, Some(endpoint), _) => endpoint.clone(),
        (Mode::Live, None, Some(account)) => format!("account {account}"),
        (Mode::Live, None, None) => "AWS".to_owned(),
    };
    let mut facts = vec![
        ("run", run.id.clone()),
        ("file", run.file.clone()),
        ("where", format!("{place}, {}", run.region)),
        ("began", run.started.to_string()),
        ("took", duration(run.millis())),
        ("calls", run.count_calls().to_string()),
    ];
    if let Some(end) = &run.end {
        let counts = end.counts;
        let failed = if end.passed { "rescued" } else { "failed" };
        facts.push((
            "steps",
            format!(
                "{} passed, {} {failed}, {} skipped",
                counts.passed, counts.failed, counts.skipped
            ),
        ));
        facts.push((
            "resources",
            format!(
                "{} made, {} removed, {} remain",
                counts.created,
                counts.removed,
                end.remaining.len()
            ),
        ));
        facts.push(("exit code", end.exit_code.to_string()));
    }
    page.text.push_str("<table class=\"facts\">\n");
    for (name, value) in facts {
        let _ = writeln!(page.text, "<tr><th>{name}</th><td>{}</td></tr>", escaped(&value));
    }
    page.text.push_str("</table>\n");
}

fn remaining(page: &mut Page, run: &Run) {
    let Some(end) = run.end.as_ref().filter(|end| !end.remaining.is_empty()) else { return };
    page.text.push_str("<h2 class=\"odd\">What remains</h2>\n<table><tr><th>type</th><th>name</th><th>why</th></tr>\n");
    for left in &end.remaining {
        let arn = left
            .arn
            .as_ref()
            .map(|arn| format!("<br><span class=\"mono soft\">{}</span>", escaped(arn)));
        let _ = writeln!(
            page.text,
            "<tr><td>{}</td><td>{}{}</td><td>{}</td></tr>",
            escaped(&left.resource.kind),
            escaped(&left.resource.name),
            arn.unwrap_or_default(),
            escaped(&reason(&left.reason))
        );
    }
    page.text.push_str("</table>\n");
    if let Some(command) = &end.command {
        page.block(command);
    }
}

impl Page {
    /// An error as a compiler draws it, with what belongs to it.
    fn failure(&mut self, failure: &Failure) {
        if failure.excerpt.is_empty() {
            self.block(&format!("{}: {}", failure.code, failure.message));
            if let Some(help) = &failure.help {
                self.paragraph(help);
            }
        } else {
            self.block(&failure.excerpt);
        }
        if !failure.details.is_empty() {
            self.block(&failure.details.join("\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn drawn(events: &[Event]) -> String {
        let mut trace = Trace::default();
        for event in events {
            trace.event(event);
        }
        page(&trace)
    }

    #[test]
    fn everything_of_a_run_is_there() {
        let page = drawn(&sample::failing());
        for part in [
            "something remains",
            "Invoke it",
            "ZeroDivisionError",
            "the role cannot be assumed",
            "AWS::Logs::LogGroup",
            "playbook cleanup k3x9",
            "somebody set it since",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("http:") && !page.contains("https:"), "nothing is fetched");
    }

    #[test]
    fn text_is_never_markup() {
        let page = drawn(&sample::hostile());
        assert!(page.contains("]]&gt;&lt;evil/&gt;"), "{page}");
        assert!(!page.contains("<evil"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{page}");
    }

    #[test]
    fn a_long_run_makes_no_long_page() {
        let mut events = sample::passing();
        let called = events[2].clone();
        let body = serde_json::json!({"Text": "x".repeat(100_000)});
        for _ in 0..400 {
            let mut event = called.clone();
            if let engine::event::What::Called { call, .. } = &mut event.what {
                call.body = body.clone();
            }
            events.insert(3, event);
        }
        let length = drawn(&events).len();
        assert!(length < 1_500_000, "{length}");
    }
}
