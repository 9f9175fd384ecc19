//! The operations of a service of AWS: what each does to what is there, and whether it is known how to take that back.

use std::fmt::Write as _;

use engine::step::Spec;
use language::spec::{OperationEffect, OperationSpec};

/// What an operation says that neither makes nor changes anything.
const NOTHING: &str = "";

/// Every operation of a service with what it does and what takes it back.
#[must_use]
pub fn list_of_service(service: &str, operations: &[&Spec]) -> String {
    let rows: Vec<(&str, &OperationSpec)> = operations
        .iter()
        .filter_map(|spec| Some((spec.name.split_once(':')?.1, spec.operation.as_ref()?)))
        .collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("Operations of {service}, each a step `{service}:OPERATION`:\n");
    for (name, facts) in &rows {
        let line = format!("  {name:width$}  {:7}  {}", effect(facts), taken_back(facts));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let creating = rows.iter().filter(|(_, facts)| facts.effect == OperationEffect::Creates);
    let known = creating.clone().filter(|(_, facts)| facts.undo.is_some()).count();
    let first = operations.first().map_or("", |spec| spec.name);
    let _ = write!(
        text,
        "\n{} in all; of {} that create something, the clean-up takes back {known} by itself.\n`playbook steps {first}` shows what an operation takes and \
         returns.\n",
        match rows.len() {
            1 => "1 operation".to_owned(),
            several => format!("{several} operations"),
        },
        creating.count(),
    );
    text
}

fn effect(facts: &OperationSpec) -> &'static str {
    match facts.effect {
        OperationEffect::Creates => "creates",
        OperationEffect::Changes => "changes",
        OperationEffect::Nothing => NOTHING,
    }
}

fn taken_back(facts: &OperationSpec) -> String {
    if let Some(reason) = facts.unsupported {
        return format!("cannot be a step: it {reason}");
    }
    match (&facts.undo, facts.effect) {
        (Some(undo), _) => {
            let opposite = undo.split_once(':').map_or(undo.as_str(), |(_, operation)| operation);
            format!("undone by {opposite}")
        }
        (None, OperationEffect::Creates | OperationEffect::Changes) => {
            "says `undo` or `keep`".to_owned()
        }
        (None, OperationEffect::Nothing) => String::new(),
    }
}
