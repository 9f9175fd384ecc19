//! Steps that run at the same time, and rounds of a loop that do.

use std::collections::HashSet;

use super::declared::PARALLEL;
use super::expected::unknown_key;
use super::foreign_keywords::is_loop;
use super::load::Reader;
use super::model::{Action, Step};
use super::schema::PARALLEL_KIND;
use super::scope::List;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Entry, Node, NodeKind};

impl Reader<'_, '_> {
    pub(super) fn parallel(&mut self, entry: &Entry) -> Option<Action> {
        let node = &entry.value;
        let entries = self.map("parallel", node, "parallel: {max: 4, steps: […]}")?;
        let holder = entry.key.span;
        let inside = self.scope.flow.inside(List::Plain, holder);
        let outside = std::mem::replace(&mut self.scope.flow, inside);
        let steps = node.get("steps").map(|node| self.steps_beside_each_other(node));
        self.scope.flow = outside;
        let mut max = None;
        for entry in entries {
            match entry.key.name.as_str() {
                "steps" => {}
                "max" => max = self.whole("parallel.max", &entry.value, 1),
                _ => self.fault(unknown_key(entry, "`parallel`", &PARALLEL)),
            }
        }
        if steps.is_none() {
            self.fault(
                Diagnostic::new(Code::MissingKey, "`parallel` has no `steps`")
                    .at(entry.key.span)
                    .label("`steps` is missing")
                    .help("add `steps: [{print: Hello}]`"),
            );
        }
        Some(Action::Parallel { steps: steps?, max })
    }

    /// Reads steps that run at the same time: none of them sees another.
    fn steps_beside_each_other(&mut self, node: &Node) -> Vec<Step> {
        let Some(items) = node.as_sequence().filter(|items| !items.is_empty()) else {
            return self.steps("parallel.steps", node);
        };
        self.depth += 1;
        let outside = self.scope.beside.clone();
        let before = self.scope.steps.count();
        let mut done = Vec::new();
        let mut steps = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let others = items.iter().enumerate().filter(|(other, _)| *other != index);
            others.for_each(|(_, other)| ids_in(other, &mut self.scope.beside));
            steps.extend(self.step(item));
            self.scope.beside.clone_from(&outside);
            done.extend(self.scope.steps.split_off(before));
        }
        for (id, facts) in done {
            self.scope.steps.push(id, facts);
        }
        self.depth -= 1;
        steps
    }

    /// `parallel` beside `for_each`.
    pub(super) fn rounds_at_once(&mut self, node: &Node) -> Option<u32> {
        let entry = node.entry("parallel")?;
        if entry.value.as_mapping().is_some() || entry.value.as_sequence().is_some() {
            return None;
        }
        if node.get("for_each").is_none() && !is_loop(node) {
            self.fault(
                Diagnostic::new(
                    Code::MisplacedKey,
                    "`parallel` with a number stands only beside `for_each`",
                )
                .at(entry.key.span)
                .label("there is no `for_each` in this step")
                .help("to run steps at the same time, write `- parallel: {steps: […]}`"),
            );
            return None;
        }
        self.whole("parallel", &entry.value, 1)
    }
}

/// Whether an entry is the kind `parallel`, and not the key beside `for_each`, which is a number.
pub(super) fn is_parallel_kind(entry: &Entry) -> bool {
    entry.key.name == PARALLEL_KIND
        && !matches!(
            entry.value.kind,
            NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::String(_)
        )
}

/// The lists of steps that a step holds.
pub(super) fn lists_inside(step: &Node) -> impl Iterator<Item = &Node> {
    let beside = ["block", "rescue", "always"].into_iter().filter_map(|key| step.get(key));
    let within = ["repeat", "parallel"].into_iter().filter_map(|key| step.get(key)?.get("steps"));
    beside.chain(within)
}

/// The ids of a step and of those inside it.
fn ids_in(step: &Node, found: &mut HashSet<String>) {
    found.extend(step.get("id").and_then(Node::as_str).map(str::to_owned));
    for inside in lists_inside(step).filter_map(Node::as_sequence).flatten() {
        ids_in(inside, found);
    }
}
