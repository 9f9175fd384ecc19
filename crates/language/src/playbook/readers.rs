//! What a step reads, and what stands in it.

use super::model::{Action, Step};
use super::references::of_step;
use crate::template::Reference;

impl Step {
    /// All that its own keys read, not what the steps in it read.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        of_step(self, &mut found);
        let waits = self.wait.iter().chain(self.undo.iter().filter_map(|undo| undo.wait.as_ref()));
        let undo = self.undo.iter().map(|undo| &undo.input);
        for template in undo.chain(waits.filter_map(|wait| wait.input.as_ref())) {
            found.extend(template.references());
        }
        found
    }

    /// The steps in it that stand in the same file.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        let none: &[Self] = &[];
        let parts = match &self.action {
            Action::Block { steps, rescue, always } => [steps.as_slice(), rescue, always],
            Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => [steps, none, none],
            Action::Kind { .. } | Action::Include { .. } | Action::Cleanup { .. } => {
                [none, none, none]
            }
        };
        parts.into_iter().flatten()
    }
}
