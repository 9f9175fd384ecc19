//! What a run can be seen to fail at before it calls anything.

use std::collections::HashSet;

use super::model::{Action, Playbook, Step};
use super::references::{of_playbook, of_step};
use crate::spec::ASKS;
use crate::template::{Expression, Reference, TemplateKind};

impl Playbook {
    /// Where `run.inbox` is read whether or not the run is `--local`.
    #[must_use]
    pub fn inbox_readers(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        inbox_readers(self, &mut HashSet::new(), &mut found);
        found.sort_by_key(|it| (it.span.source, it.span.start));
        found
    }

    /// The steps that put a question without a default, and that the run comes to unless a step before them fails.
    #[must_use]
    pub fn certain_questions(&self) -> Vec<&Step> {
        let mut found = Vec::new();
        certain_questions(&self.steps, &mut HashSet::new(), &mut found);
        found
    }
}

fn inbox_readers(
    playbook: &Playbook,
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<Reference>,
) {
    if !seen.insert(std::ptr::from_ref(playbook)) {
        return;
    }
    let mut all = Vec::new();
    of_playbook(playbook, &mut all);
    found.extend(all.into_iter().filter(is_inbox));
    inbox_readers_in(&playbook.steps, seen, found);
}

fn inbox_readers_in(
    steps: &[Step],
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<Reference>,
) {
    for step in steps.iter().filter(|step| !asks_whether_local(step)) {
        let mut own = Vec::new();
        of_step(step, &mut own);
        found.extend(own.into_iter().filter(is_inbox));
        match &step.action {
            Action::Kind { .. } | Action::Cleanup { .. } => {}
            Action::Block { steps, rescue, always } => {
                for list in [steps, rescue, always] {
                    inbox_readers_in(list, seen, found);
                }
            }
            Action::Repeat { steps, .. } => inbox_readers_in(steps, seen, found),
            Action::Include { playbook, .. } => inbox_readers(playbook, seen, found),
        }
    }
}

fn is_inbox(reference: &Reference) -> bool {
    let guarded = reference.optional || reference.conditional;
    !guarded && reads(reference, "inbox")
}

fn reads(reference: &Reference, name: &str) -> bool {
    matches!(reference.path.as_slice(), [root, member, ..] if root == "run" && member == name)
}

fn asks_whether_local(step: &Step) -> bool {
    let mut read = step.when.iter().chain(&step.when_each).flat_map(Expression::references);
    read.any(|it| reads(it, "local") || (it.optional && reads(it, "inbox")))
}

fn certain_questions<'p>(
    steps: &'p [Step],
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<&'p Step>,
) {
    for step in steps.iter().filter(|step| step.when.is_none() && step.for_each.is_none()) {
        match &step.action {
            Action::Kind { .. } => found.extend(is_open_question(step).then_some(step)),
            Action::Block { steps, rescue, always } => {
                if rescue.is_empty() {
                    certain_questions(steps, seen, found);
                }
                certain_questions(always, seen, found);
            }
            Action::Repeat { steps, .. } => certain_questions(steps, seen, found),
            Action::Include { playbook, .. } => {
                if seen.insert(std::ptr::from_ref(&**playbook)) {
                    certain_questions(&playbook.steps, seen, found);
                }
            }
            Action::Cleanup { .. } => {}
        }
    }
}

/// Whether a step asks something to which only a person knows the answer.
fn is_open_question(step: &Step) -> bool {
    let Action::Kind { spec, input } = &step.action else { return false };
    let asks = spec.input.get(ASKS).and_then(serde_json::Value::as_bool) == Some(true);
    let answered = match input.kind() {
        TemplateKind::Mapping(_) => {
            input.get("default").is_some_and(|it| it.literal() != Some(&serde_json::Value::Null))
        }
        // A whole map that a template makes.
        TemplateKind::Expression(_) => spec.shorthand.is_none(),
        _ => false,
    };
    asks && !answered && !step.may_fail()
}
