//! Every name that a playbook reads.

use super::model::{Action, ForEach, Playbook, Step};
use crate::template::{Expression, Reference, Template};

impl Playbook {
    /// Every name that it and the playbooks it includes read, in no particular order.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut all = Vec::new();
        self.own_references(&mut all);
        self.walk(&mut |step| {
            of_step(step, &mut all);
            if let Action::Include { playbook, .. } = &step.action {
                playbook.own_references(&mut all);
            }
        });
        all
    }

    fn own_references(&self, all: &mut Vec<Reference>) {
        let defaults = self.inputs.iter().filter_map(|input| input.default.as_ref());
        for template in defaults.chain(self.vars.iter().map(|(_, template)| template)) {
            all.extend(template.references());
        }
        of_expressions(self.outputs.iter().map(|(_, expression)| expression), all);
    }
}

fn of_step(step: &Step, all: &mut Vec<Reference>) {
    let mut templates: Vec<&Template> = step.name.iter().collect();
    let mut expressions: Vec<&Expression> = step.when.iter().chain(&step.asserts).collect();
    expressions.extend(step.outputs.iter().map(|(_, expression)| expression));
    expressions.extend(step.poll.iter().map(|poll| &poll.until));
    match &step.for_each {
        Some(ForEach::Expression(expression)) => expressions.push(expression),
        Some(ForEach::List(list)) => templates.push(list),
        None => {}
    }
    match &step.action {
        Action::Kind { input, .. } | Action::Include { inputs: input, .. } => templates.push(input),
        Action::Repeat { until, .. } => expressions.push(until),
        Action::Cleanup { confirm } => templates.extend(confirm),
        Action::Block { .. } => {}
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
