//! What a step returns, as far as it is known before it runs.

use serde_json::Value;

use super::{fault, segment};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::playbook::fields::quoted;
use crate::playbook::types::{Types, resolve};
use crate::template::Reference;

/// What a step returns, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(in crate::playbook) struct Outputs {
    /// The schema of what a kind returns.
    pub(in crate::playbook) schema: Option<&'static Value>,
    /// The names under `outputs`.
    pub(in crate::playbook) named: Vec<String>,
    /// Whether there may be more, because the step has faults of its own or returns a map.
    pub(in crate::playbook) open: bool,
    /// Whether the step runs `for_each`.
    pub(in crate::playbook) each: bool,
}

impl Outputs {
    pub(in crate::playbook) fn unknown() -> Self {
        Self { open: true, ..Self::default() }
    }

    pub(in crate::playbook) fn named(names: Vec<String>) -> Self {
        Self { named: names, ..Self::default() }
    }

    /// What a kind with this schema of its output returns.
    pub(in crate::playbook) fn of_schema(schema: &'static Value) -> Self {
        let map = schema.get("additionalProperties").is_some_and(|it| it != &Value::Bool(false));
        let open = map || Types::of_schema(schema, schema) == Types::ANY;
        Self { schema: Some(schema), open, ..Self::default() }
    }

    /// The names there are.
    pub(in crate::playbook) fn fields(&self) -> Vec<&str> {
        let properties = self.schema.and_then(|schema| schema.get("properties")?.as_object());
        let declared = properties.into_iter().flat_map(|map| map.keys().map(String::as_str));
        declared.chain(self.named.iter().map(String::as_str)).collect()
    }

    /// The types that a path into what is returned may have; nothing where there is no such field.
    pub(super) fn types(&self, path: &[String]) -> Option<Types> {
        let Some((field, rest)) = path.split_first() else {
            return Some(Types::OBJECT);
        };
        if self.named.iter().any(|name| name == field) {
            return Some(Types::ANY);
        }
        let found = self.schema.and_then(|root| Some((root, root.get("properties")?.get(field)?)));
        match found {
            Some((root, schema)) => Some(types_within(root, schema, rest)),
            None => self.open.then_some(Types::ANY),
        }
    }
}

fn types_within(root: &Value, schema: &Value, path: &[String]) -> Types {
    let mut schema = schema;
    for field in path {
        while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            match resolve(root, target) {
                Some(next) if next != schema => schema = next,
                _ => return Types::ANY,
            }
        }
        match schema.get("properties").and_then(|properties| properties.get(field)) {
            Some(next) => schema = next,
            None => return Types::ANY,
        }
    }
    Types::of_schema(root, schema)
}

pub(super) fn step_types(outputs: &Outputs, path: &[String]) -> Option<Types> {
    match path.first().map(String::as_str) {
        None => Some(Types::OBJECT),
        Some("skipped") => Some(Types::BOOLEAN),
        Some("items") if outputs.each => {
            Some(if path.len() == 1 { Types::ARRAY } else { Types::ANY })
        }
        Some(_) if outputs.each => None,
        Some(_) => outputs.types(path),
    }
}

pub(super) fn check_output(
    reference: &Reference,
    id: &str,
    outputs: &Outputs,
    path: &[String],
) -> Option<Diagnostic> {
    let field = path.first()?;
    if step_types(outputs, path).is_some() {
        return None;
    }
    if outputs.each {
        return Some(fault(
            "unknown-reference",
            format!("step `{id}` runs for each item, so it has no single `{field}`"),
            segment(reference, 2),
            "not an output of the whole step",
            format!(
                "write `steps.{id}.items[0].{field}`, or `steps.{id}.items | map(attribute=\"{field}\")`"
            ),
        ));
    }
    Some(unknown_output(reference, 2, field, &format!("step `{id}`"), outputs))
}

pub(super) fn unknown_output(
    reference: &Reference,
    index: usize,
    field: &str,
    step: &str,
    outputs: &Outputs,
) -> Diagnostic {
    let known = outputs.fields();
    let help = match did_you_mean(field, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has no outputs but `skipped`".to_owned(),
        None => format!("its outputs are {}", quoted(known.iter().copied())),
    };
    let message = format!("{step} has no output `{field}`");
    fault("unknown-reference", message, segment(reference, index), "no such output", help)
}
