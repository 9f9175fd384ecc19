//! `--start-at`: the steps before it are left out, and so is what they return.

use std::collections::BTreeMap;

use language::diagnostic::{Code, Diagnostic, Span};
use language::playbook::{Playbook, Step};
use language::template::Reference;

/// What reads the outputs of steps that are left out: so many of those at the top.
pub(super) fn unmet(playbook: &Playbook, left_out: usize, start: &str) -> Vec<Diagnostic> {
    let mut ids = BTreeMap::new();
    for step in playbook.steps.iter().take(left_out) {
        ids_in(step, &mut ids);
    }
    let mut read = Vec::new();
    for step in playbook.steps.iter().skip(left_out) {
        references_in(step, &mut read);
    }
    for (_, output) in &playbook.outputs {
        read.extend_from_slice(output.references());
    }
    let fault = |reference: Reference| {
        let [root, id, rest @ ..] = reference.path.as_slice() else { return None };
        let is_told = rest.first().is_some_and(|field| field == "skipped") || reference.optional;
        let left_out = ids.get(id).filter(|_| root == "steps" && !is_told)?;
        let path = reference.path.join(".");
        let message = format!("`{path}` is read, and `--start-at {start}` leaves `{id}` out");
        let help = format!(
            "start at `{id}` or before it, or take what it returned from a run: `--resume RUN --start-at {start}`"
        );
        let fault = Diagnostic::new(Code::SkippedStep, message).at(reference.span);
        Some(fault.label("not there").also(*left_out, "this step is left out").help(help))
    };
    read.into_iter().filter_map(fault).collect()
}

fn ids_in(step: &Step, ids: &mut BTreeMap<String, Span>) {
    if let Some(id) = &step.id {
        ids.insert(id.clone(), step.kind_span);
    }
    for inner in step.inner() {
        ids_in(inner, ids);
    }
}

fn references_in(step: &Step, read: &mut Vec<Reference>) {
    read.extend(step.references());
    for inner in step.inner() {
        references_in(inner, read);
    }
}
