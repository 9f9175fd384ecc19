//! The program's own voice: what it says before there is a run, and where a run's events go.

use std::borrow::Cow;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use serde_json::Value;

use super::args::{CleanupArgs, ColorChoice, OutputFormat, ReportFile, ReportFormat, RunArgs};
use super::exit::Exit;
use crate::report::{
    DryRunReporter, GithubReporter, Grouped, HtmlReporter, JsonFileReporter, JsonReporter,
    JunitReporter, Manner, MarkdownReporter, OtlpReporter, Reporter, ShellReporter, Stream,
    TapReporter, TerminalReporter, github_message, safe, shell,
};
use ::steps::KINDS;
use engine::event::{Event, Failure, Mode, Owner, SourcePlace, What};
use engine::redactor::Redactor;
use engine::sink::Sink;
use language::diagnostic::{Diagnostic, Look, Sources, render, sorted};
use language::spec::FROM;

/// How to tell what happens in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RunFormat {
    /// For people.
    #[default]
    Human,
    /// Each event as a line of JSON.
    Json,
    /// Only results, failures and what remains.
    Quiet,
    /// A dry run as a script of AWS CLI commands.
    Shell,
}

/// What was said to be wrong with the command line or the configuration, for reports.
static REFUSALS: Mutex<Vec<Failure>> = Mutex::new(Vec::new());

/// The same, once.
pub(super) fn said() -> Vec<Failure> {
    std::mem::take(&mut *REFUSALS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// More findings than these are counted, not drawn.
const MOST_SHOWN: usize = 100;

/// Everybody who hears of a run, and how to get the terminal from them.
pub(super) struct Reporters {
    all: crate::report::Reporters,
    clear: Arc<dyn Fn() + Send + Sync>,
}

impl Reporters {
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        self.all.finish()
    }

    /// Frees the terminal for a question.
    pub(super) fn clearing(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.clear)
    }
}

/// Where the program writes to, and whether in colour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    colour_out: bool,
    colour_err: bool,
}

impl Output {
    pub(super) fn new(choice: ColorChoice) -> Self {
        // https://no-color.org: set to anything but nothing.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = |terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !refused && !dumb,
        };
        Self {
            colour_out: colour(stdout().is_terminal()),
            colour_err: colour(stderr().is_terminal()),
        }
    }

    /// Whether stderr takes colours.
    pub(super) fn colour_err(self) -> bool {
        self.colour_err
    }

    /// Whether there is a person to ask.
    pub(super) fn has_person() -> bool {
        stdin().is_terminal() && stderr().is_terminal()
    }

    /// Writes a command's result, and says how the command ends if that is all it has to do.
    #[must_use]
    pub(super) fn result(self, text: &str) -> Exit {
        let mut out = stdout().lock();
        self.told(out.write_all(told_safely(text).as_bytes()).and_then(|()| out.flush()))
    }

    /// Says why something could not be written. A reader that went away has seen what it wanted to.
    pub(super) fn told(self, written: std::io::Result<()>) -> Exit {
        match written {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.error(&format!("what was to be told cannot be written: {error}"), None);
                Exit::UNTOLD
            }
            _ => Exit::FINE,
        }
    }

    /// Says something that is no result.
    pub(super) fn note(self, text: &str) {
        let _ = writeln!(stderr().lock(), "{}", told_safely(text));
    }

    /// Shows what is wrong with playbooks that were to be run.
    pub(super) fn diagnostics(self, faults: &[Diagnostic], sources: &Sources) {
        self.findings(faults, sources, "");
    }

    /// Shows errors and warnings, the first of them where they are many.
    pub(super) fn findings(self, found: &[Diagnostic], sources: &Sources, verdict: &str) {
        let sorted = sorted(found);
        let shown: Vec<Diagnostic> = sorted.iter().take(MOST_SHOWN).copied().cloned().collect();
        let text = render(&shown, sources, self.look());
        let hidden = match sorted.len() - shown.len() {
            0 => String::new(),
            hidden => format!("\n\n… and {hidden} more; `--output json` shows all"),
        };
        let errors = sorted.iter().filter(|it| it.is_error()).count();
        let count = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            count => Some(format!("{count} {what}s")),
        };
        let counts = [count(errors, "error"), count(sorted.len() - errors, "warning")];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        let verdict = match (verdict, errors) {
            ("", 0) => String::new(),
            ("", _) => "; nothing was called".to_owned(),
            (verdict, _) => format!("; {verdict}"),
        };
        self.note(&format!("{text}{hidden}\n\n{}{verdict}", counts.join(", ")));
    }

    fn look(self) -> Look {
        let at_terminal = stderr().is_terminal();
        let columns = || crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
        let width = at_terminal.then(columns).flatten().filter(|columns| *columns > 0);
        Look { colour: self.colour_err, width }
    }

    /// Has GitHub's runner, where that reads along, mask a secret in whatever the job says.
    pub(super) fn mask(self, secret: &str) {
        if runs_on_github() {
            for line in secret.lines().filter(|line| !line.trim().is_empty()) {
                let _ = writeln!(stderr().lock(), "::add-mask::{}", github_message(line));
            }
        }
    }

    /// Says what is wrong, and what to do.
    pub(super) fn error(self, message: &str, help: Option<&str>) {
        let (red, plain) = if self.colour_err { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        self.note(&format!("{red}error{plain}: {}", escaped(message)));
        if let Some(help) = help {
            self.note(&format!("  help: {}", escaped(help)));
        }
    }

    /// Says what is wrong with the command line or the configuration, before anything was called.
    pub(super) fn fail(self, message: &str, help: Option<&str>) -> Exit {
        self.error(message, help);
        let failure = Failure {
            code: "Refused".to_owned(),
            message: message.to_owned(),
            help: help.map(str::to_owned),
            place: None,
            excerpt: String::new(),
            details: Vec::new(),
        };
        REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        Exit::WRONG
    }

    /// Everybody who is to hear of a run.
    pub(super) fn reporters(self, args: &RunArgs, mode: Mode) -> Result<Reporters, Exit> {
        let planning = mode == Mode::DryRun;
        let out = stream(stdout(), self.colour_out).planning(planning);
        let err = stream(stderr(), self.colour_err).planning(planning);
        // What folds stands before what is folded.
        let mut all = self.ci_reporters(args.output, planning);
        let mut clear: Arc<dyn Fn() + Send + Sync> = Arc::new(|| ());
        match (args.output, mode) {
            (RunFormat::Json, _) => all.add(JsonReporter::new(out)),
            (RunFormat::Shell, Mode::DryRun) => all.add(shell_reporter(out, err)),
            (RunFormat::Shell, _) => {
                return Err(self.fail(
                    "`--output shell` tells what a run would do",
                    Some("write `--dry-run --output shell`"),
                ));
            }
            (RunFormat::Human, Mode::DryRun) => all.add(DryRunReporter::new(out, err)),
            (format, _) => {
                let manner = Manner {
                    live: stderr().is_terminal() && args.jobs == 1,
                    quiet: format == RunFormat::Quiet,
                    columns: columns(),
                    asks: Self::has_person() && !args.no_input,
                };
                let terminal = TerminalReporter::new(out, err, manner);
                clear = terminal.clearing();
                all.add(terminal);
            }
        }
        self.add_files(&mut all, &args.report, planning)?;
        if args.jobs > 1 {
            // Each is told as a whole, once it is over.
            let grouped = Grouped::new(std::mem::take(&mut all));
            all.add(grouped);
        }
        Ok(Reporters { all, clear })
    }

    /// Those who write files.
    pub(super) fn add_files(
        self,
        all: &mut crate::report::Reporters,
        reports: &[ReportFile],
        planning: bool,
    ) -> Result<(), Exit> {
        for report in reports {
            add_file(all, report, planning).map_err(|error| {
                self.fail(
                    &format!("{}: {error}", report.path.display()),
                    Some("name another file with --report"),
                )
            })?;
        }
        Ok(())
    }

    /// Those who tell whoever runs jobs: GitHub's runner, and the page that it shows of the job.
    fn ci_reporters(self, format: RunFormat, planning: bool) -> crate::report::Reporters {
        let mut all = crate::report::Reporters::new();
        if !runs_on_github() {
            return all;
        }
        if matches!(format, RunFormat::Human | RunFormat::Quiet) {
            all.add(GithubReporter::new(Stream::new(stderr(), false).planning(planning)));
        }
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
            && let Ok(summary) = MarkdownReporter::new(path, planning)
        {
            all.add(summary.appending());
        }
        all
    }

    /// Tells the reports of a run that was refused before anything was called.
    pub(super) fn refused(self, args: &RunArgs, faults: &[Diagnostic], sources: &Sources) {
        let mut all = self.ci_reporters(args.output, args.dry_run);
        if self.add_files(&mut all, &args.report, args.dry_run).is_err() {
            return;
        }
        let failure = |fault: &&Diagnostic| Failure {
            code: fault.code.as_str().to_owned(),
            message: fault.message.clone(),
            help: fault.help.clone(),
            place: fault.span.map(|span| {
                let (line, column) = sources.line_column(span);
                SourcePlace { file: sources.name(span.source).to_owned(), line, column }
            }),
            excerpt: render(&[(*fault).clone()], sources, false),
            details: Vec::new(),
        };
        let errors = faults.iter().filter(|fault| fault.is_error());
        let failures = errors.take(MOST_SHOWN).map(|fault| failure(&fault)).collect();
        self.tell_refused(all, failures);
    }

    /// Tells the reports of a command line that was refused: why was said at the terminal.
    pub(super) fn refused_as_said(self, args: &RunArgs) {
        let failures = said();
        if failures.is_empty() {
            return;
        }
        let mut all = self.ci_reporters(args.output, args.dry_run);
        for report in &args.report {
            // That it cannot be written has been said, or is no news beside what has.
            let _ = add_file(&mut all, report, args.dry_run);
        }
        self.tell_refused(all, failures);
    }

    fn tell_refused(self, all: crate::report::Reporters, failures: Vec<Failure>) {
        let all = Arc::new(Mutex::new(Reporters { all, clear: Arc::new(|| ()) }));
        let sink = Sink::new("", self.listener(&all), Redactor::default());
        sink.emit(Owner::Run, What::Refused { failures });
        let finished = all.lock().unwrap_or_else(PoisonError::into_inner).finish();
        // The exit code is that of what is wrong.
        let _ = self.told(finished);
    }

    /// Everybody who is to hear of a clean-up.
    pub(super) fn cleanup_reporters(self, args: &CleanupArgs, mode: Mode) -> Reporters {
        let planning = mode == Mode::DryRun;
        let out = stream(stdout(), self.colour_out).planning(planning);
        let err = stream(stderr(), self.colour_err).planning(planning);
        let mut all = crate::report::Reporters::new();
        match (args.output, mode) {
            (OutputFormat::Json, _) => all.add(JsonReporter::new(out)),
            (OutputFormat::Human, Mode::DryRun) => {
                all.add(DryRunReporter::new(out, err).cleaning_up());
            }
            (format, _) => {
                let live = stderr().is_terminal();
                let quiet = format == OutputFormat::Quiet;
                let manner = Manner { live, quiet, columns: columns(), asks: false };
                all.add(TerminalReporter::new(out, err, manner).cleaning_up());
            }
        }
        Reporters { all, clear: Arc::new(|| ()) }
    }

    /// What hands events to them.
    pub(super) fn listener(self, reporters: &Arc<Mutex<Reporters>>) -> engine::sink::Listener {
        let reporters = Arc::clone(reporters);
        Box::new(move |event: &Event| {
            reporters.lock().unwrap_or_else(PoisonError::into_inner).all.event(event);
        })
    }
}

/// Adds who writes a file.
fn add_file(
    all: &mut crate::report::Reporters,
    report: &ReportFile,
    planning: bool,
) -> std::io::Result<()> {
    let path = &report.path;
    match report.format {
        ReportFormat::Junit => all.add(JunitReporter::new(path)?.planning(planning)),
        ReportFormat::Json => all.add(JsonFileReporter::new(path)?.planning(planning)),
        ReportFormat::Html => all.add(HtmlReporter::new(path, planning)?),
        ReportFormat::Markdown => all.add(MarkdownReporter::new(path, planning)?),
        ReportFormat::Tap => all.add(TapReporter::new(path, planning)?),
        ReportFormat::Otlp => all.add(OtlpReporter::new(path)?),
    }
    Ok(())
}

/// How many columns the terminal has that stderr is.
fn columns() -> Option<usize> {
    let (columns, _) = stderr().is_terminal().then(|| crossterm::terminal::size().ok())??;
    // One that does not know says 0.
    (columns > 0).then(|| usize::from(columns))
}

/// The script names files as seen from here, and takes from AWS's answers what the kinds say that they take from them.
fn shell_reporter(out: Stream, err: Stream) -> ShellReporter {
    let mut sources = shell::Sources::new();
    for kind in KINDS {
        let spec = (kind.spec)();
        let fields = spec.output.get("properties").and_then(Value::as_object).into_iter().flatten();
        for (field, schema) in fields {
            let from =
                schema.get(FROM).and_then(Value::as_str).and_then(|from| from.split_once(' '));
            if let Some((call, query)) = from {
                let source = shell::Source { call: call.to_owned(), query: query.to_owned() };
                sources.entry(kind.name.to_owned()).or_default().insert(field.clone(), source);
            }
        }
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    ShellReporter::new(out, err, sources, here)
}

/// Where a reporter writes to.
fn stream(writer: impl Write + Send + 'static, colour: bool) -> Stream {
    Stream::new(writer, colour).disarming(runs_on_github())
}

/// Whether GitHub's runner reads what is told.
fn runs_on_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Text that is no command to whoever reads it.
fn told_safely(text: &str) -> Cow<'_, str> {
    if runs_on_github() { safe::disarmed(text) } else { Cow::Borrowed(text) }
}

/// Text in which nothing moves the cursor, hides or reorders.
pub(super) fn escaped(text: &str) -> String {
    safe::lines(text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use language::diagnostic::{Code, Diagnostic};

    /// Diagnostics and reporters are drawn by crates that do not know each other.
    #[test]
    fn diagnostics_escape_what_reporters_escape() {
        for c in ('\0'..='\u{2100}')
            .chain('\u{fef0}'..='\u{ffff}')
            .chain('\u{dfff0}'..='\u{e0100}')
            .filter(|c| *c != '\n')
        {
            let found = Diagnostic::new(Code::WrongType, format!("<{c}>"));
            let drawn = render(&[found], &Sources::new(), false);
            let expected =
                if safe::is_hostile(c) { c.escape_default().to_string() } else { c.to_string() };
            assert!(drawn.contains(&format!("<{expected}>")), "{:x}: {drawn}", u32::from(c));
        }
    }
}
