//! The clean-up, and what it leaves.

use super::TerminalReporter;
use crate::report::safe;
use crate::report::words::{self, counted, duration, padded};
use engine::event::{Reason, Remaining, ResourceRef, UndoStatus};

/// As wide as the longest of the words that say how an undo ended.
const VERB: usize = 12;
/// Types end here, and names begin.
const TYPE: usize = 30;

/// How far the clean-up is.
#[derive(Debug, Default)]
pub(super) struct CleanupProgress {
    /// How many there are to undo.
    count: usize,
    done: usize,
    /// What is being undone, by the entry of the journal.
    open: Vec<(u64, String)>,
}

impl TerminalReporter {
    pub(super) fn cleanup_started(&mut self, count: usize) {
        self.live.resume();
        self.undoing = true;
        self.progress = CleanupProgress { count, ..CleanupProgress::default() };
        if count == 0 {
            return;
        }
        let heading = format!("Cleaning up {}", counted(count, "resource"));
        let heading = self.err.paint().bold(&heading);
        self.tell("");
        self.tell(&heading);
    }

    pub(super) fn undo_started(&mut self, resource: &ResourceRef) {
        let what = safe::line(&format!("{} {}", resource.kind, resource.name)).into_owned();
        self.progress.open.push((resource.seq, what));
        self.show_progress(true);
    }

    /// How many are done, and what is being undone.
    fn show_progress(&self, fresh: bool) {
        let CleanupProgress { count, done, open } = &self.progress;
        let Some((_, last)) = open.last() else { return self.live.hide() };
        let text = match count {
            0 | 1 => format!("removing {last}"),
            count => format!("{} of {count}: removing {last}", (done + 1).min(*count)),
        };
        self.live.show(text, fresh);
    }

    /// Says how long is waited for what may not come, and for what.
    pub(super) fn still_under_way(&mut self, resource: &ResourceRef, millis: u64) {
        let what = format!("{} {}", resource.kind, resource.name);
        let text = format!(
            "waits up to {} for {}: the call that was to make it may still be under way",
            duration(millis),
            safe::line(&what)
        );
        self.live.show(text.clone(), false);
        if !self.manner.live {
            let line = self.err.paint().dim(&format!("… {text}"));
            self.tell_row(&line);
        }
    }

    pub(super) fn undo_finished(
        &mut self,
        resource: &ResourceRef,
        status: UndoStatus,
        reason: Option<&Reason>,
        millis: u64,
    ) {
        let paint = self.err.paint();
        let (symbol, verb) = match status {
            UndoStatus::Deleted => (paint.green("-"), "deleted"),
            UndoStatus::Restored => (paint.green("-"), "restored"),
            UndoStatus::AlreadyGone => (paint.dim("-"), "already gone"),
            UndoStatus::Planned => (paint.dim("-"), "to delete"),
            UndoStatus::Kept => (paint.yellow("!"), "kept"),
            UndoStatus::NotOurs => (paint.yellow("!"), "not ours"),
            UndoStatus::Changed => (paint.yellow("!"), "changed"),
            UndoStatus::Failed => (paint.red("✗"), "failed"),
            UndoStatus::Skipped => (paint.yellow("–"), "skipped"),
        };
        let took = match status {
            UndoStatus::Deleted | UndoStatus::Restored => {
                paint.dim(&format!("  {}", duration(millis)))
            }
            _ => String::new(),
        };
        let kind = padded(&safe::line(&resource.kind), TYPE);
        let reason = reason.map(words::reason);
        let mut reason = reason.iter().flat_map(|reason| safe::lines(reason));
        let first = reason.next().map(|reason| format!(": {reason}")).unwrap_or_default();
        let line = format!(
            "{symbol} {}  {kind}  {}{first}{took}",
            padded(verb, VERB),
            safe::line(&resource.name)
        );
        let mut lines = vec![line];
        lines.extend(reason.map(|line| format!("  {}  {line}", " ".repeat(VERB))));
        for line in lines {
            if status == UndoStatus::Failed {
                self.say_row(&line);
            } else {
                self.tell_row(&line);
            }
        }
        self.progress.open.retain(|(seq, _)| *seq != resource.seq);
        self.progress.done += 1;
        self.show_progress(false);
    }

    /// What the wish to stop comes to: what is waited for, what is removed then, and what a second wish would leave.
    pub(super) fn stopping(&mut self, count: usize, cleanup: bool) {
        let paint = self.err.paint();
        let what = counted(count, "resource");
        let them = if count == 1 { "it" } else { "them" };
        let waits = match self.running() {
            _ if self.undoing => "the clean-up goes on".to_owned(),
            Some(running) => format!("{running} comes to its end"),
            None => "nothing new begins".to_owned(),
        };
        let (then, again) = match (count, cleanup || self.undoing) {
            (0, _) => ("nothing is left to remove".to_owned(), String::new()),
            (_, true) => (
                format!("{what} to remove"),
                format!("; once more stops at once and leaves {them}"),
            ),
            (_, false) => (format!("{what} stay as --cleanup says"), String::new()),
        };
        let line = format!("{} stopping: {waits}, {then}{again}", paint.yellow("!"));
        // Behind the `^C` that the terminal has written.
        self.say_row(&line);
    }

    /// What is still there, and the command that takes it away.
    pub(super) fn remains(&mut self, remaining: &[Remaining], command: Option<&str>) {
        let paint = self.err.paint();
        let verb = if remaining.len() == 1 { "remains" } else { "remain" };
        self.say("");
        self.say(&paint.yellow(&format!("{} {verb}:", counted(remaining.len(), "resource"))));
        for Remaining { resource, arn, reason } in remaining {
            let kind = padded(&safe::line(&resource.kind), TYPE);
            let line = format!(
                "  {kind}  {}: {}",
                safe::line(&resource.name),
                safe::line(&words::reason(reason))
            );
            self.say_row(&line);
            if let Some(arn) = arn {
                self.say(&paint.dim(&format!("    {}", safe::line(arn))));
            }
        }
        if let Some(command) = command {
            self.say(&format!("To finish the clean-up: {}", paint.bold(&safe::line(command))));
        }
    }
}
