//! `poll` and `repeat` that wait for what cannot change.

use super::load::Reader;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Node, NodeKind};
use crate::template::{Expression, Reference};

impl Reader<'_, '_> {
    /// A poll that looks at what stays as it is.
    pub(super) fn unchanging_poll(&mut self, until: &Expression) {
        let changes = |reference: &Reference| match reference.path.as_slice() {
            [root, fact, ..] if root == "run" => fact == "inbox",
            [root, ..] => {
                !matches!(root.as_str(), "inputs" | "vars" | "env" | "steps" | "item" | "loop")
            }
            [] => true,
        };
        if until.references().iter().any(changes) {
            return;
        }
        self.fault(
            Diagnostic::new(Code::UnchangingPoll, "this `poll` waits for what cannot change")
                .at(until.span())
                .label("reads nothing of `result`")
                .help("write what is to hold of the step's own outputs: `until: result.… == …`"),
        );
    }

    /// A `repeat` that looks at what stays as it is.
    pub(super) fn unchanging_repeat(&mut self, until: &Expression, steps: &Node) {
        let changes = |reference: &Reference| match reference.path.as_slice() {
            [root, id, ..] if root == "steps" => has_id(steps, id),
            [root, ..] => !matches!(root.as_str(), "inputs" | "vars" | "env"),
            [] => true,
        };
        if until.references().is_empty() || until.references().iter().any(changes) {
            return;
        }
        self.fault(
            Diagnostic::new(Code::UnchangingPoll, "this `repeat` waits for what cannot change")
                .at(until.span())
                .label("reads none of the steps that are repeated")
                .help("read a step inside, `steps.<id>.…`, or `loop.index`"),
        );
    }
}

/// Whether a step of that id is among these or inside of them.
fn has_id(node: &Node, id: &str) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().any(|item| has_id(item, id)),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| {
            (entry.key.name == "id" && entry.value.as_str() == Some(id)) || has_id(&entry.value, id)
        }),
        _ => false,
    }
}
