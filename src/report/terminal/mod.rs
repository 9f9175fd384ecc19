//! What a person sees of a run: progress and diagnostics on stderr, results on stdout.

mod cleanup;
mod live;
mod progress;
mod screen;
mod summary;
mod took;
mod width;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use self::cleanup::CleanupProgress;
use self::live::Live;
use self::progress::OpenStep;
use self::summary::Summary;
use self::took::Took;
use super::words::{self, counted, duration};
use super::{Reporter, Stream, body, safe};
use engine::event::{Counts, Event, Failure, Mode, Owner, ResourceRef, StepRef, What};

/// How much a [`TerminalReporter`] shows, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Stderr is a terminal: a line at the bottom says what is running now.
    pub live: bool,
    /// Only failures, what remains, and results.
    pub quiet: bool,
    /// How many columns the terminal has, where stderr is one.
    pub columns: Option<usize>,
    /// A person answers questions at the terminal, so that the answers stand there already.
    pub asks: bool,
}

/// Tells a person what happens.
pub struct TerminalReporter {
    out: Stream,
    err: Stream,
    manner: Manner,
    live: Live,
    open: Vec<OpenStep>,
    /// The number of the step whose contents the lines above are.
    context: Option<String>,
    /// The failure that was shown last: the steps around the one that failed fail with the same.
    shown: Option<Failure>,
    /// Another run has been shown before.
    another: bool,
    /// There are no steps: a run that is over is cleaned up.
    cleaning: bool,
    /// The clean-up of the run has begun.
    undoing: bool,
    progress: CleanupProgress,
    took: Took,
    /// Who asks something at this moment: what others say waits until the terminal is free again.
    asking: Vec<Owner>,
    /// That, in order.
    held: Vec<Held>,
    summary: Summary,
}

/// A line that waits for the terminal.
enum Held {
    Out(String),
    Err(String),
}

impl TerminalReporter {
    /// Writes results to `out` and everything else to `err`.
    #[must_use]
    pub fn new(out: Stream, err: Stream, manner: Manner) -> Self {
        let live = Live::new(manner.live && !manner.quiet, err.paint().colour);
        Self {
            out,
            err,
            manner,
            live,
            open: Vec::new(),
            context: None,
            shown: None,
            another: false,
            cleaning: false,
            undoing: false,
            progress: CleanupProgress::default(),
            took: Took::default(),
            asking: Vec::new(),
            held: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// The same for the clean-up of a run that is over.
    #[must_use]
    pub fn cleaning_up(self) -> Self {
        Self { cleaning: true, ..self }
    }

    /// Frees the terminal for a question, from whatever thread.
    #[must_use]
    pub fn clearing(&self) -> Arc<dyn Fn() + Send + Sync> {
        let live = self.live.clone();
        Arc::new(move || live.pause())
    }

    fn say(&mut self, line: &str) {
        if !self.asking.is_empty() {
            return self.held.push(Held::Err(line.to_owned()));
        }
        let stream = &mut self.err;
        self.live.above(|| stream.line(line));
    }

    /// The question of whoever this is from is over; what has waited for that is said.
    fn released(&mut self, owner: &Owner) {
        if self.asking.is_empty() {
            return;
        }
        self.asking.retain(|asking| asking != owner);
        self.flush();
    }

    fn flush(&mut self) {
        if !self.asking.is_empty() {
            return;
        }
        for held in std::mem::take(&mut self.held) {
            match held {
                Held::Out(line) => self.out.line(&line),
                Held::Err(line) => self.err.line(&line),
            }
        }
    }

    /// Says it unless the run is to be quiet.
    fn tell(&mut self, line: &str) {
        if !self.manner.quiet {
            self.say(line);
        }
    }

    /// Says a line that may be broken where the terminal is narrow.
    fn say_row(&mut self, line: &str) {
        for line in width::fitted(line, self.manner.columns) {
            self.say(&line);
        }
    }

    /// The same unless the run is to be quiet.
    fn tell_row(&mut self, line: &str) {
        if !self.manner.quiet {
            self.say_row(line);
        }
    }

    fn result(&mut self, text: &str) {
        if !self.asking.is_empty() {
            let lines = safe::lines(text).map(|line| Held::Out(line.into_owned()));
            return self.held.extend(lines);
        }
        let stream = &mut self.out;
        self.live.above(|| {
            for line in safe::lines(text) {
                stream.line(&line);
            }
        });
    }

    fn run_started(&mut self, event: &Event) {
        let run = &event.run;
        let What::RunStarted {
            playbook, cell, description, mode, region, account, endpoint, ..
        } = &event.what
        else {
            return;
        };
        self.live.resume();
        let playbook = words::run_name(playbook, cell.as_deref());
        self.summary.started(&playbook, event.at);
        self.open.clear();
        self.context = None;
        self.shown = None;
        self.undoing = false;
        self.took = Took::default();
        if std::mem::replace(&mut self.another, true) {
            self.tell("");
        }
        let whereabouts = match (mode, endpoint, account) {
            (Mode::Local, ..) => format!("local · {region}"),
            (Mode::DryRun, ..) => format!("dry run · {region}"),
            (Mode::Live, Some(endpoint), _) => format!("{endpoint} · {region}"),
            (Mode::Live, None, Some(account)) => format!("account {account} · {region}"),
            (Mode::Live, None, None) => region.clone(),
        };
        let paint = self.err.paint();
        let name = paint.bold(&safe::line(&playbook));
        self.tell(&format!(
            "{name}  {}",
            paint.dim(&safe::line(&format!("run {run} · {whereabouts}")))
        ));
        for line in description.iter().flat_map(|description| safe::lines(description)) {
            self.tell(&line);
        }
        // A clean-up begins with an empty line of its own.
        if !self.cleaning {
            self.tell("");
        }
    }

    /// What a step or an undo waits for: on the live line, or once as a line of its own.
    fn progress(&mut self, owner: &Owner, text: &str) {
        let text = safe::line(text).into_owned();
        let Some(step) = owner.step() else {
            return self.live.show(text, false);
        };
        self.live.show(format!("{}: {text}", safe::line(&step.title)), false);
        let open = self.open.iter_mut().rev().find(|open| open.step.number == step.number);
        let Some(open) = open else { return };
        if self.manner.live || open.progress.as_ref() == Some(&text) {
            return;
        }
        open.progress = Some(text.clone());
        let text = self.err.paint().dim(&format!("… {text}"));
        self.tell(&format!("{}  {text}", indent(step.depth)));
    }

    fn noted(&mut self, owner: &Owner, text: &str) {
        let paint = self.err.paint();
        for line in safe::lines(text) {
            self.tell_row(&format!("{}{}", inside(owner), paint.dim(&line)));
        }
    }

    fn warned(&mut self, owner: &Owner, text: &str) {
        let paint = self.err.paint();
        let indent = inside(owner);
        for (index, line) in safe::lines(text).enumerate() {
            let symbol = if index == 0 { paint.yellow("!") } else { " ".to_owned() };
            self.tell_row(&format!("{indent}{symbol} {line}"));
        }
    }

    fn answered(&mut self, owner: &Owner, prompt: &str, answer: &str) {
        self.live.resume();
        if !self.manner.asks {
            let (prompt, answer) = (safe::line(prompt), safe::line(answer));
            let paint = self.err.paint();
            let indent = inside(owner);
            self.tell(&format!("{indent}{} {prompt} {}", paint.dim("?"), paint.dim(&answer)));
        }
        if let Some(running) = owner.step().and_then(|_| self.running()) {
            self.live.show(running, false);
        }
    }

    fn run_finished(&mut self, event: &Event) {
        let What::RunFinished { passed, exit_code, millis, counts, remaining, command, outputs } =
            &event.what
        else {
            return;
        };
        self.live.resume();
        self.live.hide();
        self.summary.finished(*passed, remaining.len(), *millis, event.at);
        if outputs.as_object().is_some_and(|outputs| !outputs.is_empty()) {
            for line in body::lines(outputs, self.out.paint()) {
                self.out.line(&line);
            }
        }
        let paint = self.err.paint();
        self.tell("");
        let removals = removals_in_words(*counts);
        let steps = match &removals {
            Some(removals) if self.cleaning => removals.clone(),
            None if self.cleaning => "nothing removed".to_owned(),
            _ => steps_in_words(*counts, *passed),
        };
        let head = if matches!(exit_code, 129 | 130 | 143) {
            paint.yellow(&format!("! interrupted: {steps}"))
        } else if !passed {
            paint.red(&format!("✗ {steps}"))
        } else if remaining.is_empty() {
            paint.green(&format!("✓ {steps}"))
        } else {
            paint.yellow(&format!("! {steps}"))
        };
        let calls = counted(counts.calls, "call");
        let rest = if self.cleaning {
            String::new()
        } else {
            let removals = removals.unwrap_or_else(|| "0 removed".to_owned());
            format!(", {} made, {removals}", counted(counts.created, "resource"))
        };
        self.tell_row(&format!("{head} in {}: {calls}{rest}", duration(*millis)));
        if let Some(line) = self.took.line(*millis) {
            self.tell_row(&paint.dim(&line));
        }
        if !remaining.is_empty() {
            self.remains(remaining, command.as_deref());
        }
    }
}

impl Reporter for TerminalReporter {
    fn event(&mut self, event: &Event) {
        // Where there is no person, nothing is drawn by a question.
        match &event.what {
            What::Asking if self.manner.asks => self.asking.push(event.owner.clone()),
            What::RunStarted { .. } | What::RunFinished { .. } | What::CleanupStarted { .. } => {
                self.asking.clear();
                self.flush();
            }
            _ => self.released(&event.owner),
        }
        match &event.owner {
            Owner::Step(step) => self.of_step(step, event),
            Owner::Undo(resource) => self.of_undo(resource, event),
            Owner::Run => self.of_any(event),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.live.hide();
        self.asking.clear();
        self.flush();
        for line in self.summary.lines(self.err.paint()) {
            self.tell(&line);
        }
        self.out.finish().and(self.err.finish())
    }
}

impl TerminalReporter {
    fn of_step(&mut self, step: &StepRef, event: &Event) {
        match &event.what {
            What::StepStarted { .. } => self.step_started(step),
            What::Created { resource } => self.changed(step, |open| &mut open.created, resource),
            What::Removed { resource } => self.changed(step, |open| &mut open.removed, resource),
            What::StepFinished { status, millis, failure, outputs: _ } => {
                self.live.resume();
                self.step_finished(step, *status, *millis, failure.as_ref());
            }
            _ => self.of_any(event),
        }
    }

    fn of_undo(&mut self, resource: &ResourceRef, event: &Event) {
        match &event.what {
            What::UndoStarted => self.undo_started(resource),
            What::StillUnderWay { millis } => self.still_under_way(resource, *millis),
            What::UndoFinished { status, reason, millis } => {
                self.took.undone(event.at);
                self.undo_finished(resource, *status, reason.as_ref(), *millis);
            }
            _ => self.of_any(event),
        }
    }

    fn of_any(&mut self, event: &Event) {
        let owner = &event.owner;
        match &event.what {
            What::RunStarted { .. } => self.run_started(event),
            What::Noted { note } => self.noted(owner, &words::note(note)),
            What::Waiting { text } => self.progress(owner, text),
            What::Retrying { reason, after } => {
                self.progress(owner, &format!("again in {}: {reason}", duration(*after)));
            }
            What::Printed { text } => self.result(text),
            What::Warned { text } => self.warned(owner, text),
            What::LeftBehind { count } => self.warned(owner, &words::left_behind(*count, false)),
            What::Mailed { mail } => {
                let line = format!("✉ to {}: code {}", mail.to, mail.code);
                self.tell(&safe::line(&line));
            }
            What::Asking => self.live.pause(),
            What::Answered { prompt, answer, .. } => self.answered(owner, prompt, answer),
            What::Stopping { count, cleanup } => self.stopping(*count, *cleanup),
            What::CleanupStarted { count } => {
                self.took.cleanup_started(event.at);
                self.cleanup_started(*count);
            }
            What::RunFinished { .. } => self.run_finished(event),
            // What a dry run alone tells, and what belongs to a step or an undo.
            _ => {}
        }
    }
}

/// The indentation of what belongs to whoever owns it.
fn inside(owner: &Owner) -> String {
    owner.step().map_or_else(String::new, |step| indent(step.depth + 1))
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// Such as `1 failed, 4 passed, 2 skipped`.
fn steps_in_words(counts: Counts, passed: bool) -> String {
    // What failed in a run that passed was rescued.
    let failed = if passed { "rescued" } else { "failed" };
    let parts = [(counts.failed, failed), (counts.passed, "passed"), (counts.skipped, "skipped")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, how)| format!("{count} {how}"))
        .collect();
    if parts.is_empty() { "no steps".to_owned() } else { parts.join(", ") }
}

/// Such as `3 removed, 1 already gone`; nothing where there was nothing to remove.
fn removals_in_words(counts: Counts) -> Option<String> {
    let parts = [(counts.removed, "removed"), (counts.gone, "already gone")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, how)| format!("{count} {how}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
