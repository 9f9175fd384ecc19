//! One summary over all runs of a command line, where there are several.

use super::super::words::{counted, duration, padded};
use super::super::{Paint, safe};
use jiff::Timestamp;

/// Names end here, and durations begin.
const NAME: usize = 44;

/// What has become of the runs so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    playbook: String,
    /// Nothing until it is over.
    end: Option<End>,
    began: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct End {
    passed: bool,
    remaining: usize,
    millis: u64,
    at: Timestamp,
}

impl Summary {
    pub(super) fn started(&mut self, playbook: &str, began: Timestamp) {
        self.runs.push(Run { playbook: playbook.to_owned(), end: None, began });
    }

    pub(super) fn finished(&mut self, passed: bool, remaining: usize, millis: u64, at: Timestamp) {
        if let Some(run) = self.runs.last_mut() {
            run.end = Some(End { passed, remaining, millis, at });
        }
    }

    /// How long all of them took: of those that overlap, from the first to the last.
    fn millis(&self) -> u64 {
        let ends = || self.runs.iter().filter_map(|run| run.end);
        let sum = ends().map(|end| end.millis).sum();
        let first = self.runs.iter().map(|run| run.began).min();
        let last = ends().map(|end| end.at).max();
        let overlap = self.runs.windows(2).any(|pair| match pair {
            [one, next] => one.end.is_some_and(|end| next.began < end.at),
            _ => false,
        });
        match (first, last) {
            (Some(first), Some(last)) if overlap => {
                u64::try_from(last.as_millisecond() - first.as_millisecond()).unwrap_or(sum)
            }
            _ => sum,
        }
    }

    /// The lines to show: none where one run has told it all.
    pub(super) fn lines(&self, paint: Paint) -> Vec<String> {
        if self.runs.len() < 2 {
            return Vec::new();
        }
        let mut lines = vec![String::new()];
        lines.extend(self.runs.iter().map(|run| line(run, paint)));
        let passed = self.runs.iter().filter(|run| run.is_fine()).count();
        let others = self.runs.len() - passed;
        let millis = self.millis();
        let what = counted(self.runs.len(), "playbook");
        let head = if others == 0 {
            paint.green(&format!("✓ {what} passed"))
        } else {
            paint.red(&format!("✗ {what}: {passed} passed, {others} did not"))
        };
        lines.extend([String::new(), format!("{head} in {}", duration(millis))]);
        lines
    }
}

impl Run {
    fn is_fine(&self) -> bool {
        self.end.is_some_and(|end| end.passed && end.remaining == 0)
    }
}

fn line(run: &Run, paint: Paint) -> String {
    let name = padded(&safe::line(&run.playbook), NAME);
    let symbol = if run.is_fine() { paint.green("✓") } else { paint.red("✗") };
    let after = match run.end {
        None => "not over".to_owned(),
        Some(End { remaining: 0, millis, .. }) => duration(millis),
        Some(End { remaining, millis, .. }) => {
            let verb = if remaining == 1 { "remains" } else { "remain" };
            format!("{}  {} {verb}", duration(millis), counted(remaining, "resource"))
        }
    };
    format!("{symbol} {name}  {after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_has_told_it_all() {
        let mut summary = Summary::default();
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(summary.lines(Paint::default()), [""; 0]);
        summary.started("one", at);
        summary.finished(true, 0, 10, at);
        assert_eq!(summary.lines(Paint::default()), [""; 0]);
    }

    #[test]
    fn several_are_counted() {
        let mut summary = Summary::default();
        let at = Timestamp::UNIX_EPOCH;
        for (name, passed, remaining) in [("one", true, 0), ("two", false, 0), ("three", true, 1)] {
            summary.started(name, at);
            summary.finished(passed, remaining, 1500, at);
        }
        summary.started("four", at);
        let column = " ".repeat(43);
        assert_eq!(
            summary.lines(Paint::default()),
            [
                String::new(),
                format!("✓ one{}1.50s", &column[..43]),
                format!("✗ two{}1.50s", &column[..43]),
                format!("✗ three{}1.50s  1 resource remains", &column[..41]),
                format!("✗ four{}not over", &column[..42]),
                String::new(),
                "✗ 4 playbooks: 1 passed, 3 did not in 4.50s".to_owned(),
            ]
        );
        let mut fine = Summary::default();
        fine.started("one", at);
        fine.finished(true, 0, 1000, at);
        fine.started("two", at);
        fine.finished(true, 0, 1000, at);
        assert_eq!(
            fine.lines(Paint::default()).pop().as_deref(),
            Some("✓ 2 playbooks passed in 2.00s")
        );
    }
}
