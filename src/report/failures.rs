//! The failures of a dry run that end it.

use super::safe;
use engine::event::{Failure, StepRef};

/// Failures, until a step around them turns out well all the same.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// The numbers of the steps, and why they failed.
    open: Vec<(String, Failure)>,
}

impl Failures {
    /// A step failed. Says whether that is news: the steps around the one that failed may say the same once more.
    pub(super) fn add(&mut self, step: &StepRef, failure: &Failure) -> bool {
        let inside = format!("{}.", step.number);
        if self.open.iter().any(|(number, known)| number.starts_with(&inside) && known == failure) {
            return false;
        }
        self.open.push((step.number.clone(), failure.clone()));
        true
    }

    /// A step did not fail, whatever has failed inside.
    pub(super) fn rescued_by(&mut self, step: &StepRef) {
        let inside = format!("{}.", step.number);
        self.open.retain(|(number, _)| !number.starts_with(&inside));
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether the failure of the step with that number ends the run.
    pub(super) fn holds(&self, number: &str) -> bool {
        self.open.iter().any(|(failed, _)| failed == number)
    }

    /// What to tell whoever has to put it right.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (_, failure) in &self.open {
            let text = if failure.excerpt.is_empty() { &failure.message } else { &failure.excerpt };
            let details = failure.details.iter().flat_map(|detail| safe::lines(detail));
            lines.extend(safe::lines(text).chain(details).map(std::borrow::Cow::into_owned));
        }
        lines
    }
}
