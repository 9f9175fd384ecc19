//! `retry`: what is worth another try, how often, and after what.

use std::time::Duration;

use super::declared::RETRY;
use super::expected::unknown_key;
use super::fields::is_templated;
use super::load::Reader;
use super::model::Retry;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::document::Node;
use crate::template::Template;
use crate::types::Types;

impl Reader<'_, '_> {
    pub(super) fn retry(&mut self, node: &Node) -> Option<Retry> {
        let usual = || Retry {
            on: Vec::new(),
            attempts: 5,
            attempts_from: None,
            every: Duration::from_secs(1),
            ask: None,
        };
        let mut retry = self.defaults.retry.clone().unwrap_or_else(usual);
        let example = "retry: {on: <error code>, attempts: 5, every: 1s}";
        for entry in self.map("retry", node, example)? {
            let value = &entry.value;
            match entry.key.name.as_str() {
                "on" => retry.on = self.texts("retry.on", value).unwrap_or_default(),
                "attempts" if value.as_str().is_some_and(is_templated) => {
                    retry.attempts_from = self.attempts(value);
                }
                "attempts" => {
                    retry.attempts_from = None;
                    retry.attempts = self.whole("retry.attempts", value, 1).unwrap_or(1);
                }
                "every" => retry.every = self.duration("retry.every", value).unwrap_or_default(),
                "ask" => retry.ask = self.ask(value),
                _ => self.fault(unknown_key(entry, "`retry`", &RETRY)),
            }
        }
        Some(retry)
    }

    /// A number of attempts that an expression gives.
    fn attempts(&mut self, node: &Node) -> Option<Template> {
        let template = self.template(node)?;
        let types = self.scope.shape_of_template(&template).types();
        if !types.may_be(Types::INTEGER) {
            let message =
                format!("`retry.attempts` must be a whole number, this is {}", types.words());
            self.fault(
                Diagnostic::new(Code::WrongType, message)
                    .at(node.span)
                    .label(format!("this is {}", types.words()))
                    .help("declare the input with `type: integer`, or write `… | int`"),
            );
        }
        Some(template)
    }

    fn ask(&mut self, node: &Node) -> Option<String> {
        let name = self.text("retry.ask", node)?;
        if let Some(facts) = self.scope.inputs.get_mut(&name) {
            facts.used = true;
            return Some(name);
        }
        let bare = name.strip_prefix("inputs.").unwrap_or(&name);
        let near = self.scope.inputs.has(bare).then_some(bare);
        let help = match near.or_else(|| did_you_mean(bare, self.scope.inputs.near())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it at the top: `inputs: {{{bare}: {{prompt: …}}}}`"),
        };
        self.fault(
            Diagnostic::new(Code::UnknownReference, format!("there is no input `{name}`"))
                .at(node.span)
                .label("not declared under `inputs`")
                .help(help),
        );
        None
    }
}
