//! Runs that overlap, one after the other: each is told as a whole once it is over.

use std::collections::BTreeMap;
use std::io;

use super::{Reporter, Reporters};
use engine::event::{Event, What};

/// Keeps the events of each run until it is over, for reporters that tell of one run at a time.
#[derive(Default)]
pub struct Grouped {
    inner: Reporters,
    /// The events of runs under way, by the run, and which run began first.
    open: BTreeMap<String, (usize, Vec<Event>)>,
    begun: usize,
}

impl Grouped {
    /// Tells these.
    #[must_use]
    pub fn new(inner: Reporters) -> Self {
        Self { inner, ..Self::default() }
    }
}

impl Reporter for Grouped {
    fn event(&mut self, event: &Event) {
        if event.run.is_empty() {
            return self.inner.event(event);
        }
        let begun = self.begun;
        let (_, events) = self.open.entry(event.run.clone()).or_insert((begun, Vec::new()));
        if events.is_empty() {
            self.begun += 1;
        }
        events.push(event.clone());
        if matches!(event.what, What::RunFinished { .. }) {
            let (_, events) = self.open.remove(&event.run).unwrap_or_default();
            for event in &events {
                self.inner.event(event);
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut left: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        left.sort_by_key(|(begun, _)| *begun);
        for (_, events) in left {
            for event in &events {
                self.inner.event(event);
            }
        }
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{self, Captured};
    use crate::report::{JsonReporter, Reporters};

    #[test]
    fn runs_that_overlap_are_told_one_after_the_other() -> io::Result<()> {
        let out = Captured::default();
        let mut inner = Reporters::new();
        inner.add(JsonReporter::new(out.stream()));
        let mut grouped = Grouped::new(inner);
        let of = |run: &str| {
            let mut events = sample::passing();
            for event in &mut events {
                run.clone_into(&mut event.run);
            }
            events
        };
        for (one, two) in of("one").iter().zip(&of("two")) {
            grouped.event(one);
            grouped.event(two);
        }
        grouped.event(&of("three")[0]);
        grouped.finish()?;
        let runs: Vec<String> = out
            .text()
            .lines()
            .filter_map(|line| serde_json::from_str::<Event>(line).ok())
            .map(|event| event.run)
            .collect();
        let length = sample::passing().len();
        assert_eq!(runs.len(), 2 * length + 1);
        assert!(runs[..length].iter().all(|run| run == "one"), "{runs:?}");
        assert_eq!(runs[2 * length], "three");
        Ok(())
    }
}
