//! Which steps run only sometimes, and whether a place that reads them runs only then, too.

use std::sync::Arc;

use super::{Scope, StepFacts, fault, segment};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::template::{Expression, Reference};

/// What has to be true for a step to run.
#[derive(Debug, Clone)]
pub(in crate::playbook) struct Condition {
    /// The parts that are joined by `and`.
    parts: Arc<[String]>,
    /// The steps that it asks about.
    steps: Arc<[String]>,
    span: Span,
}

impl Condition {
    pub(in crate::playbook) fn of(expression: &Expression) -> Self {
        let source = expression.source().split_whitespace().collect::<Vec<_>>().join(" ");
        // Where brackets, quotes or other operators are around, `and` may join something smaller.
        let plain = !source.contains(['(', '[', '"', '\'']) && !source.contains(" or ");
        let parts = if plain && !source.contains(" if ") {
            source.split(" and ").map(str::to_owned).collect()
        } else {
            [source].into()
        };
        let steps = expression.references().iter().filter(|it| it.path.len() > 1);
        let steps = steps.filter(|it| it.path.first().is_some_and(|root| root == "steps"));
        let steps = steps.filter_map(|it| it.path.get(1).cloned()).collect();
        Self { parts, steps, span: expression.span() }
    }
}

/// What kind of list of steps it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::playbook) enum List {
    /// Its steps run one after the other, or the whole fails.
    Plain,
    /// A `block` with `always`, which runs when the block has failed, too.
    Tried,
    /// A `block` with `rescue`: its failure does not end the run.
    Rescued,
    /// `rescue`
    Rescue,
    /// `always`
    Always,
}

/// A list of steps inside another.
#[derive(Debug)]
pub(in crate::playbook) struct Branch {
    parent: Option<Arc<Branch>>,
    depth: usize,
    list: List,
    /// The step that holds the list.
    holder: Span,
    /// The condition of the step that holds the list.
    condition: Option<Condition>,
}

/// Where a step stands.
#[derive(Debug, Clone, Default)]
pub(in crate::playbook) struct ControlFlow {
    pub(super) branch: Option<Arc<Branch>>,
    pub(super) condition: Option<Condition>,
}

impl ControlFlow {
    /// Inside a list of the step that stands here.
    pub(in crate::playbook) fn inside(&self, list: List, holder: Span) -> Self {
        let branch = Branch {
            depth: self.depth() + 1,
            parent: self.branch.clone(),
            list,
            holder,
            condition: self.condition.clone(),
        };
        Self { branch: Some(Arc::new(branch)), condition: None }
    }

    pub(in crate::playbook) fn with(&self, condition: Option<Condition>) -> Self {
        Self { branch: self.branch.clone(), condition }
    }

    fn depth(&self) -> usize {
        self.branch.as_ref().map_or(0, |branch| branch.depth)
    }

    /// The lists around this place, the innermost first.
    fn around(&self) -> impl Iterator<Item = &Branch> {
        std::iter::successors(self.branch.as_deref(), |it| it.parent.as_deref())
    }

    /// Every condition that holds here.
    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.condition.iter().chain(self.around().filter_map(|it| it.condition.as_ref()))
    }

    /// Whether a condition that holds here asks about a step.
    pub(super) fn asks_about(&self, id: &str) -> bool {
        self.conditions().any(|it| it.steps.iter().any(|step| step == id))
    }

    /// The lists around a step that are not around this place, the outermost last.
    fn lists_left<'s>(&self, of: &'s Self) -> Vec<&'s Branch> {
        let mut left = Vec::new();
        let mut theirs = of.branch.as_ref();
        let mut ours = self.branch.as_ref();
        while let Some(branch) = theirs {
            while ours.is_some_and(|own| own.depth > branch.depth) {
                ours = ours.and_then(|own| own.parent.as_ref());
            }
            if ours.is_some_and(|own| Arc::ptr_eq(own, branch)) {
                break;
            }
            left.push(&**branch);
            theirs = branch.parent.as_ref();
        }
        left
    }
}

impl Scope {
    /// What is wrong with reading a step that may not have run where this is read.
    pub(super) fn check_control_flow(
        &self,
        reference: &Reference,
        id: &str,
        facts: &StepFacts,
    ) -> Option<Diagnostic> {
        if reference.optional || reference.conditional {
            return None;
        }
        let field = reference.path.get(2)?;
        if self.flow.asks_about(id) {
            return None;
        }
        let here: Vec<&Condition> = self.flow.conditions().collect();
        let lists = self.flow.lists_left(&facts.flow);
        if lists.iter().any(|branch| branch.list == List::Rescue) {
            return Some(in_rescue(reference, id));
        }
        let beside = |branch: &Branch| self.flow.around().any(|own| own.holder == branch.holder);
        let cut_short = |branch: &&Branch| match branch.list {
            List::Rescued => true,
            List::Tried => beside(branch),
            _ => false,
        };
        if lists.iter().any(cut_short) {
            return Some(may_be_cut_short(reference, id));
        }
        if field == "skipped" && lists.is_empty() {
            return None;
        }
        let conditions: Vec<&Condition> = facts
            .flow
            .condition
            .iter()
            .chain(lists.iter().filter_map(|branch| branch.condition.as_ref()))
            .collect();
        let parts = || conditions.iter().flat_map(|it| it.parts.iter().map(|part| (*it, part)));
        let held = |part: &String| here.iter().any(|it| it.parts.contains(part));
        let denied =
            |part: &String| here.iter().any(|it| it.parts.iter().any(|own| denies(own, part)));
        if let Some((condition, _)) = parts().find(|(_, part)| denied(part)) {
            return Some(
                fault(
                    Code::OtherBranch,
                    format!("step `{id}` never runs where this does"),
                    segment(reference, 1),
                    "skipped whenever this is read",
                    "read a step that runs under the same condition".to_owned(),
                )
                .also(condition.span, format!("`{id}` runs only if this is true")),
            );
        }
        if let Some((condition, _)) = parts().find(|(_, part)| !held(part)) {
            let warning = may_be_skipped(reference, id);
            return Some(warning.also(condition.span, format!("`{id}` runs only if this is true")));
        }
        None
    }
}

fn in_rescue(reference: &Reference, id: &str) -> Diagnostic {
    let path = reference.path.join(".");
    fault(
        Code::OtherBranch,
        format!("step `{id}` stands under `rescue`, which runs only when its block fails"),
        segment(reference, 1),
        "not there when nothing has failed",
        format!("write `{path} | default(\"…\")`, or move this step into that `rescue`"),
    )
}

fn may_be_skipped(reference: &Reference, id: &str) -> Diagnostic {
    let path = reference.path.join(".");
    fault(
        Code::PossiblySkipped,
        format!("step `{id}` may not have run where this is read"),
        segment(reference, 1),
        "has no outputs when it is skipped",
        format!("write `{path} | default(\"…\")`, or `when: not steps.{id}.skipped` on this step"),
    )
}

fn may_be_cut_short(reference: &Reference, id: &str) -> Diagnostic {
    let path = reference.path.join(".");
    fault(
        Code::PossiblySkipped,
        format!("step `{id}` may not have run where this is read"),
        segment(reference, 1),
        "its block may have failed before it",
        format!("write `{path} | default(\"…\")`, or `when: steps.{id} is defined` on this step"),
    )
}

/// Whether one of two conditions is the other's opposite, as they are written.
fn denies(one: &str, other: &str) -> bool {
    let negated = |whole: &str, part: &str| {
        whole.strip_prefix("not ").is_some_and(|rest| {
            rest == part || rest.strip_prefix('(').and_then(|it| it.strip_suffix(')')) == Some(part)
        })
    };
    let swapped = |equal: &str, unequal: &str| {
        equal.matches("==").count() == 1 && equal.replacen("==", "!=", 1) == unequal
    };
    let defined = |is: &str, is_not: &str| {
        is.matches(" is ").count() == 1 && is.replacen(" is ", " is not ", 1) == is_not
    };
    let opposites: [fn(&str, &str) -> bool; 3] = [negated, swapped, defined];
    opposites.iter().any(|opposite| opposite(one, other) || opposite(other, one))
}
