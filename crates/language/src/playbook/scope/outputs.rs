//! What a step returns, as far as it is known before it runs.

use std::sync::Arc;

use serde_json::Value;

use super::{MayFail, Names, fault, segment};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::playbook::fields::quoted;
use crate::playbook::shape::Shape;
use crate::template::Reference;
use crate::types::Types;

/// More names than these are not listed.
const MOST_NAMED: usize = 40;

/// What a step returns, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(in crate::playbook) struct Outputs {
    /// The schema of what a kind returns.
    pub(in crate::playbook) schema: Option<&'static Value>,
    /// The names under `outputs`, and what a `set` sets.
    pub(in crate::playbook) named: Arc<Names<Shape>>,
    /// Whether there may be more, because the step has faults of its own or returns a map.
    pub(in crate::playbook) open: bool,
    /// Whether the step runs `for_each`.
    pub(in crate::playbook) each: bool,
    /// Whether the step may have failed all the same.
    pub(in crate::playbook) may_fail: MayFail,
}

impl Outputs {
    pub(in crate::playbook) fn unknown() -> Self {
        Self { open: true, ..Self::default() }
    }

    pub(in crate::playbook) fn named(names: Arc<Names<Shape>>) -> Self {
        Self { named: names, ..Self::default() }
    }

    /// What a kind with this schema of its output returns.
    pub(in crate::playbook) fn of_schema(schema: &'static Value) -> Self {
        let map = schema.get("additionalProperties").is_some_and(|it| it != &Value::Bool(false));
        let open = map || Types::of_schema(schema, schema) == Types::ANY;
        Self { schema: Some(schema), open, ..Self::default() }
    }

    /// What later steps can read of a step that may have failed.
    pub(in crate::playbook) fn may_fail(mut self, may_fail: MayFail) -> Self {
        if may_fail == MayFail::Expected && !self.open {
            self = Self { each: self.each, ..Self::default() };
        }
        if may_fail != MayFail::Never {
            Arc::make_mut(&mut self.named).push("error".to_owned(), may_fail.error());
        }
        Self { may_fail, ..self }
    }

    /// Whether the kind itself returns a field of this name.
    pub(super) fn is_declared(&self, field: &str) -> bool {
        self.schema.and_then(|schema| schema.get("properties")?.get(field)).is_some()
    }

    /// The names there are.
    pub(in crate::playbook) fn fields(&self) -> Vec<&str> {
        let properties = self.schema.and_then(|schema| schema.get("properties")?.as_object());
        let declared = properties.into_iter().flat_map(|map| map.keys().map(String::as_str));
        declared.chain(self.named.iter().map(|(name, _)| name)).collect()
    }

    /// What is known of a field; nothing where there is no such field.
    pub(in crate::playbook) fn lookup(&self, field: &str) -> Option<Shape> {
        if let Some(shape) = self.named.get(field) {
            return Some(shape.clone());
        }
        let found = self.schema.and_then(|root| Some((root, root.get("properties")?.get(field)?)));
        match found {
            Some((root, schema)) => Some(Shape::of_schema(root, schema)),
            None => self.open.then(Shape::default),
        }
    }

    /// All fields as one map.
    pub(super) fn whole(&self) -> Shape {
        if self.open {
            return Shape::types_only(Types::OBJECT);
        }
        let fields = self.fields().into_iter();
        let entries = fields.map(|name| (name.to_owned(), self.lookup(name).unwrap_or_default()));
        Shape::of_entries(entries.collect())
    }
}

pub(super) fn step_shape(outputs: &Outputs, field: &str) -> Option<Shape> {
    match field {
        "skipped" => Some(Shape::types_only(Types::BOOLEAN)),
        "items" if outputs.each => Some(outputs.whole().list_of()),
        _ if outputs.each => None,
        _ => outputs.lookup(field),
    }
}

pub(super) fn check_output(
    reference: &Reference,
    id: &str,
    outputs: &Outputs,
    path: &[String],
) -> Option<Diagnostic> {
    let field = path.first()?;
    if step_shape(outputs, field).is_some() {
        return None;
    }
    if outputs.each {
        return Some(fault(
            Code::UnknownReference,
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
    let next = reference.path.get(index + 1).map(String::as_str);
    let next = next
        .filter(|next| known.contains(next) && matches!(field, "outputs" | "output" | "result"));
    let help = match did_you_mean(field, known.iter().copied()) {
        _ if outputs.may_fail == MayFail::Expected => {
            "a step that must fail returns nothing but its `error`".to_owned()
        }
        _ if next.is_some() => format!("leave `{field}` out: write `{}`", next.unwrap_or_default()),
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has no outputs but `skipped`".to_owned(),
        None => format!("its outputs are {}", quoted(known.iter().copied().take(MOST_NAMED))),
    };
    let message = format!("{step} has no output `{field}`");
    fault(Code::UnknownReference, message, segment(reference, index), "no such output", help)
}
