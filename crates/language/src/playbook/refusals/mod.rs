//! What AWS would refuse, seen before anything is called.
//!
//! Which fields are looked at is said by the marks on a kind's input; see [`crate::spec`].

mod expressions;
mod foreign;
mod forms;
mod handlers;
mod stack_templates;
mod text;

use serde_json::Value;

use super::load::Reader;
use crate::document::Node;
use crate::spec::{EXPRESSION, FORM, HANDLER, Spec, TEMPLATE};
use crate::template::Template;

pub(super) use stack_templates::StackTemplate;

impl Reader<'_, '_> {
    /// What AWS would refuse of the input of a step. What the step's stack gives back, where it deploys one.
    pub(super) fn refusals(
        &mut self,
        spec: &Spec,
        node: &Node,
        input: &Template,
    ) -> Option<StackTemplate> {
        self.foreign_variables(node);
        let properties = spec.input.get("properties").and_then(Value::as_object)?;
        let mut stack = None;
        for entry in node.as_mapping().unwrap_or_default() {
            let Some(schema) = properties.get(&entry.key.name) else { continue };
            let (name, value) = (entry.key.name.as_str(), &entry.value);
            if let Some(form) = schema.get(FORM).and_then(Value::as_str) {
                self.form(form, name, value, input.get(name));
            }
            if let Some(code) = schema.get(HANDLER).and_then(Value::as_str) {
                self.handler(value, node.get("runtime"), node.get(code));
            }
            if schema.get(EXPRESSION).and_then(Value::as_bool) == Some(true) {
                self.reserved_words(name, value, node);
            }
            if schema.get(TEMPLATE).and_then(Value::as_bool) == Some(true) {
                stack = self.stack_template(value, node);
            }
        }
        stack
    }
}
