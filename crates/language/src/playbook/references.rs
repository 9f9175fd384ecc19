//! Every name that a playbook reads.

use std::collections::HashSet;

use super::model::{Action, ForEach, Playbook, Step};
use crate::template::{Expression, Reference, Template};

impl Playbook {
    /// Every name that it and the playbooks it includes read, in no particular order.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut all = Vec::new();
        self.collect_references(&mut HashSet::new(), &mut all);
        all
    }

    /// A playbook that is included again and again is read once.
    fn collect_references<'p>(
        &'p self,
        seen: &mut HashSet<*const Playbook>,
        all: &mut Vec<Reference>,
    ) {
        of_playbook(self, all);
        let mut included: Vec<&'p Playbook> = Vec::new();
        collect_steps(&self.steps, all, &mut included);
        for playbook in included {
            if seen.insert(std::ptr::from_ref(playbook)) {
                playbook.collect_references(seen, all);
            }
        }
    }
}

/// Those of a playbook itself, not of its steps.
pub(super) fn of_playbook(playbook: &Playbook, all: &mut Vec<Reference>) {
    let defaults = playbook.inputs.iter().filter_map(|input| input.default.as_ref());
    for template in defaults.chain(playbook.vars.iter().map(|(_, template)| template)) {
        all.extend(template.references());
    }
    of_expressions(playbook.outputs.iter().map(|(_, expression)| expression), all);
}

fn collect_steps<'p>(
    steps: &'p [Step],
    all: &mut Vec<Reference>,
    included: &mut Vec<&'p Playbook>,
) {
    for step in steps {
        of_step(step, all);
        match &step.action {
            Action::Kind { .. } | Action::Cleanup { .. } => {}
            Action::Block { steps, rescue, always } => {
                for list in [steps, rescue, always] {
                    collect_steps(list, all, included);
                }
            }
            Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => {
                collect_steps(steps, all, included);
            }
            Action::Include { playbook, .. } => included.push(playbook),
        }
    }
}

/// Those of a step itself, not of the steps inside it.
pub(super) fn of_step(step: &Step, all: &mut Vec<Reference>) {
    let mut templates: Vec<&Template> = step.name.iter().collect();
    let mut expressions: Vec<&Expression> =
        step.when.iter().chain(&step.when_each).chain(&step.asserts).collect();
    expressions.extend(step.outputs.iter().map(|(_, expression)| expression));
    expressions.extend(step.poll.iter().map(|poll| &poll.until));
    templates.extend(step.retry.iter().filter_map(|retry| retry.attempts_from.as_ref()));
    match &step.for_each {
        Some(ForEach::Expression(expression)) => expressions.push(expression),
        Some(ForEach::List(list)) => templates.push(list),
        None => {}
    }
    match &step.action {
        Action::Kind { input, .. } | Action::Include { inputs: input, .. } => templates.push(input),
        Action::Repeat { until, .. } => expressions.push(until),
        Action::Cleanup { confirm } => templates.extend(confirm),
        Action::Block { .. } | Action::Parallel { .. } => {}
    }
    for template in templates {
        all.extend(template.references());
    }
    of_expressions(expressions, all);
}

fn of_expressions<'a>(
    expressions: impl IntoIterator<Item = &'a Expression>,
    all: &mut Vec<Reference>,
) {
    for expression in expressions {
        all.extend_from_slice(expression.references());
    }
}
