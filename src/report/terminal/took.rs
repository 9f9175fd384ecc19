//! Where the time went.

use jiff::Timestamp;

use crate::report::safe;
use crate::report::words::duration;

/// A shorter run needs no explanation.
const LONG: u64 = 5_000;
/// What took less than one part in so many of the run is not where the time went.
const PARTS: u64 = 20;
/// So many are named.
const NAMED: usize = 3;

/// How long what took, of one run.
#[derive(Debug, Default)]
pub(super) struct Took {
    steps: Vec<(String, u64)>,
    cleanup: Option<(Timestamp, Timestamp)>,
}

impl Took {
    /// A step with no others in it is over.
    pub(super) fn step(&mut self, title: &str, millis: u64) {
        self.steps.push((title.to_owned(), millis));
    }

    pub(super) fn cleanup_started(&mut self, at: Timestamp) {
        self.cleanup.get_or_insert((at, at));
    }

    /// Something was undone.
    pub(super) fn undone(&mut self, at: Timestamp) {
        if let Some((_, last)) = &mut self.cleanup {
            *last = at;
        }
    }

    /// What took longest in a run of that length, if that was long.
    pub(super) fn line(&self, millis: u64) -> Option<String> {
        if millis < LONG {
            return None;
        }
        let cleanup = self.cleanup.map(|(from, to)| {
            let millis = u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0);
            ("clean-up".to_owned(), millis)
        });
        let mut all: Vec<&(String, u64)> = self.steps.iter().chain(&cleanup).collect();
        all.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        let long = all.iter().take(NAMED).filter(|(_, took)| *took >= millis / PARTS);
        let named: Vec<String> = long
            .map(|(title, took)| format!("{} {}", safe::line(title), duration(*took)))
            .collect();
        (!named.is_empty()).then(|| format!("  took longest: {}", named.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_are_named_where_it_took_long() {
        let mut took = Took::default();
        for (title, millis) in [("a", 100), ("b", 3_000), ("c", 400), ("d", 900)] {
            took.step(title, millis);
        }
        let at = |second: i64| Timestamp::from_second(second).unwrap_or_default();
        took.cleanup_started(at(10));
        took.undone(at(12));
        assert_eq!(took.line(4_999), None);
        let line = took.line(7_000);
        assert_eq!(line.as_deref(), Some("  took longest: b 3.00s, clean-up 2.00s, d 0.90s"));
        assert_eq!(took.line(30_000).as_deref(), Some("  took longest: b 3.00s, clean-up 2.00s"));
        assert_eq!(took.line(600_000), None);
    }
}
