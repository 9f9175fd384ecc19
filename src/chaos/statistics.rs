//! What the trials add up to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fault::Fault;
use super::trial::{Trial, TrialResult};

/// The trials of one fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// How many there were.
    pub trials: usize,
    /// How many never came as far as the fault.
    pub missed: usize,
    /// After how many a recovery was needed.
    pub recovered: usize,
    /// After how many something was left and listed, since nothing tells whose it is.
    pub listed: usize,
    /// How many resources were left.
    pub left: usize,
    /// How many resources of others were touched.
    pub touched: usize,
    /// How many went wrong in another way.
    pub problems: usize,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.missed += other.missed;
        self.recovered += other.recovered;
        self.listed += other.listed;
        self.left += other.left;
        self.touched += other.touched;
        self.problems += other.problems;
    }

    /// Whether the guarantee held each time.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left == 0 && self.touched == 0 && self.problems == 0
    }
}

/// All trials so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    rows: BTreeMap<Fault, Row>,
}

impl Statistics {
    /// Counts a trial that came to its end.
    pub fn count(&mut self, trial: &Trial, result: &TrialResult) {
        self.rows.entry(trial.fault).or_default().add(&Row {
            trials: 1,
            missed: usize::from(!result.reached),
            recovered: usize::from(result.recovered),
            listed: usize::from(result.listed),
            left: result.difference.left.len(),
            touched: result.difference.touched.len(),
            problems: usize::from(result.problem.is_some()),
        });
    }

    /// A row for each fault that happened.
    pub fn rows(&self) -> impl Iterator<Item = (Fault, Row)> {
        self.rows.iter().map(|(fault, row)| (*fault, *row))
    }

    /// All rows as one.
    #[must_use]
    pub fn total(&self) -> Row {
        let mut total = Row::default();
        for row in self.rows.values() {
            total.add(row);
        }
        total
    }
}
