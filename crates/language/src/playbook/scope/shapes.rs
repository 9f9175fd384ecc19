//! What is known of the values that names stand for.

use std::fmt::Write as _;

use super::outputs::step_shape;
use super::{Loop, Scope, fault, segment};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::fields::{is_templated, quoted};
use crate::playbook::shape::Shape;
use crate::template::{Expression, Reference, Template, TemplateKind};
use crate::types::Types;

/// What text that is rendered becomes.
pub(in crate::playbook) struct Rendered {
    pub(in crate::playbook) shape: Shape,
    /// What to call it.
    pub(in crate::playbook) subject: String,
    /// The path, where the text is one path and nothing else; empty otherwise.
    pub(in crate::playbook) path: Vec<String>,
    /// Whether there is text around the expression.
    pub(in crate::playbook) mixed: bool,
}

impl Scope {
    /// What text that is rendered becomes; nothing for all that means itself.
    pub(in crate::playbook) fn rendered(
        &self,
        template: &Template,
        node: &Node,
    ) -> Option<Rendered> {
        let text = node.as_str().filter(|text| is_templated(text))?;
        let shape = self.shape_of_template(template);
        Some(match template.kind() {
            TemplateKind::Expression(expression) => Rendered {
                shape,
                subject: format!("`{}`", expression.source()),
                path: expression.path().map(<[String]>::to_vec).unwrap_or_default(),
                mixed: false,
            },
            TemplateKind::Text(_) => Rendered {
                shape,
                subject: "text around a template".to_owned(),
                path: Vec::new(),
                mixed: true,
            },
            _ => Rendered { shape, subject: text.to_owned(), path: Vec::new(), mixed: false },
        })
    }

    /// Takes note of the inputs and variables that something reads.
    pub(in crate::playbook) fn use_names(&mut self, reference: &Reference) {
        let Some(root) = reference.path.first() else {
            return;
        };
        match (root.as_str(), reference.path.get(1)) {
            ("inputs", Some(name)) => self.use_input(name),
            ("vars", Some(name)) => self.use_var(name),
            ("inputs", None) => self.inputs.iter_mut().for_each(|(_, facts)| facts.used = true),
            ("vars", None) => self.vars.iter_mut().for_each(|(_, facts)| facts.used = true),
            ("steps" | "run" | "env" | "item" | "loop" | "result" | "error", _) => {}
            // It was probably meant.
            (name, _) if self.inputs.has(name) => self.use_input(name),
            (name, _) if self.vars.has(name) => self.use_var(name),
            (root, Some(name)) => match self.guess(root, ["inputs", "vars"].into_iter()) {
                Some("inputs") => self.use_input(&name.clone()),
                Some(_) => self.use_var(&name.clone()),
                None => {}
            },
            _ => {}
        }
    }

    fn use_input(&mut self, name: &str) {
        if let Some(facts) = self.inputs.get_mut(name) {
            facts.used = true;
        } else if self.all_inputs.contains(name) {
            self.ahead.insert(("inputs", name.to_owned()));
        } else if let Some(near) = self.guess(name, self.inputs.near()).map(str::to_owned)
            && let Some(facts) = self.inputs.get_mut(&near)
        {
            facts.used = true;
        }
    }

    fn use_var(&mut self, name: &str) {
        if let Some(facts) = self.vars.get_mut(name) {
            facts.used = true;
        } else if self.all_vars.contains(name) {
            self.ahead.insert(("vars", name.to_owned()));
        } else if let Some(near) = self.guess(name, self.vars.near()).map(str::to_owned)
            && let Some(facts) = self.vars.get_mut(&near)
        {
            facts.used = true;
        }
    }

    /// Whether a fault in a word with hyphens comes from the hyphens.
    pub(in crate::playbook) fn is_no_difference(
        &self,
        reference: &Reference,
        fault: &Diagnostic,
    ) -> bool {
        let guessed = fault.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
        let name = reference.path.get(1).map(|name| format!("{name}-"));
        let declared = name.is_some_and(|start| {
            let all = self.all_inputs.iter().chain(&self.all_vars);
            let mut all = all.map(String::as_str).chain(self.steps.iter().map(|(id, _)| id));
            all.any(|name| name.starts_with(&start))
        });
        let known =
            |word: &str| word.split_once('.').is_some_and(|(root, _)| super::ROOTS.contains(&root));
        let text = reference.word.as_ref().is_some_and(|(word, _)| !known(word));
        declared || (!guessed && text && fault.code == Code::UnknownName)
    }

    /// What the loop around has as its item.
    pub(super) fn item(&self) -> Option<&Shape> {
        self.loops.iter().rev().find_map(|it| match it {
            Loop::Items(item) => Some(item),
            Loop::Rounds => None,
        })
    }

    /// What is wrong with the segments of a path from the `from`th on, those before being known.
    pub(super) fn check_inside(&self, reference: &Reference, from: usize) -> Option<Diagnostic> {
        if reference.optional {
            return None;
        }
        let path = &reference.path;
        let mut shape = self.shape_of(path.get(..from)?);
        for (index, key) in path.iter().enumerate().skip(from) {
            let missing = match shape.inside(key) {
                Ok(inner) => {
                    shape = inner;
                    continue;
                }
                Err(missing) => missing,
            };
            let owner = as_written(path.get(..index).unwrap_or_default());
            let (message, help) = if missing.types == Types::OBJECT {
                let near = self.guess(key, missing.known.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if missing.known.is_empty() => "it is empty".to_owned(),
                    None if missing.known.len() == 1 => {
                        format!(
                            "its only field is {}",
                            quoted(missing.known.iter().map(String::as_str))
                        )
                    }
                    None => format!(
                        "its fields are {}",
                        quoted(missing.known.iter().map(String::as_str))
                    ),
                };
                (format!("`{owner}` has no field `{key}`"), help)
            } else {
                let words = missing.types.without(Types::NULL).words();
                let help = if matches!(key.as_str(), "length" | "size" | "len" | "count") {
                    format!("write `{owner} | length`")
                } else if missing.types.has(Types::ARRAY)
                    && (!shape.item().types().has(Types::OBJECT)
                        || shape.item().inside(key).is_err())
                {
                    format!("write `{owner}[0]` for the first")
                } else if missing.types.has(Types::ARRAY) {
                    format!(
                        "write `{owner}[0].{key}` for the first, or `{owner} | map(attribute=\"{key}\")` for all"
                    )
                } else {
                    format!("write `{owner}`")
                };
                (format!("`{owner}` is {words}, which has no field `{key}`"), help)
            };
            return Some(fault(
                Code::UnknownReference,
                message,
                segment(reference, index),
                "no such field",
                help,
            ));
        }
        None
    }

    /// What is known of the value at a path.
    pub(in crate::playbook) fn shape_of(&self, path: &[String]) -> Shape {
        let Some((root, rest)) = path.split_first() else {
            return Shape::default();
        };
        if root == "item" {
            return within(self.item().cloned().unwrap_or_default(), rest);
        }
        if root == "error" && self.has_error() {
            return within(self.may_fail.error(), rest);
        }
        let Some((name, rest)) = rest.split_first() else {
            return match root.as_str() {
                "inputs" | "vars" | "steps" | "run" | "env" | "loop" | "error" | "result" => {
                    Shape::types_only(Types::OBJECT)
                }
                _ => Shape::default(),
            };
        };
        let shape = match (root.as_str(), name.as_str()) {
            ("inputs", name) => self.inputs.get(name).map(|facts| facts.shape.clone()),
            ("vars", name) => self.vars.get(name).map(|facts| facts.shape.clone()),
            ("run", "local") => Some(Shape::types_only(Types::BOOLEAN).fixed()),
            ("run", "inbox") => Some(Shape::types_only(Types::ARRAY)),
            ("run", "id" | "started") => Some(Shape::types_only(Types::STRING)),
            ("env", name) => {
                let secret = !self.public_env.contains(name);
                Some(Shape::types_only(Types::STRING).secret(secret))
            }
            ("run", _) => Some(Shape::types_only(Types::STRING).fixed()),
            ("loop", "first" | "last") => Some(Shape::types_only(Types::BOOLEAN).fixed()),
            ("loop", _) => Some(Shape::types_only(Types::INTEGER).fixed()),
            ("steps", id) => {
                let Some(facts) = self.steps.get(id) else {
                    return Shape::default();
                };
                let Some((field, rest)) = rest.split_first() else {
                    return Shape::types_only(Types::OBJECT);
                };
                return within(step_shape(&facts.outputs, field).unwrap_or_default(), rest);
            }
            ("result", field) => self.result.as_ref().and_then(|outputs| outputs.lookup(field)),
            _ => None,
        };
        within(shape.unwrap_or_default(), rest)
    }

    /// What is known of an expression's value.
    pub(in crate::playbook) fn shape_of_expression(&self, expression: &Expression) -> Shape {
        if let Some(path) = expression.path() {
            return self.shape_of(path);
        }
        let types = expression.types(&|path| self.shape_of(path).types());
        self.made_of(types, expression.references())
    }

    fn made_of(&self, types: Types, references: &[Reference]) -> Shape {
        let mut shape = Shape::types_only(types).fixed();
        for reference in references {
            let read = self.shape_of(&reference.path);
            shape.fixed &= read.fixed;
            // Whether a secret is there is no secret.
            shape.secret |= read.secret && !reference.optional;
        }
        shape
    }

    /// What is known of what a template becomes.
    pub(in crate::playbook) fn shape_of_template(&self, template: &Template) -> Shape {
        match template.kind() {
            TemplateKind::Literal => {
                let value = template.literal().unwrap_or_default();
                Shape::types_only(Types::of_value(value)).fixed()
            }
            TemplateKind::Expression(expression) => self.shape_of_expression(expression),
            TemplateKind::Text(text) => self.made_of(Types::STRING, text.references()),
            TemplateKind::Sequence(items) => {
                Shape::of_items(items.iter().map(|item| self.shape_of_template(item)).collect())
            }
            TemplateKind::Mapping(entries) => Shape::of_entries(
                entries
                    .iter()
                    .map(|entry| (entry.key.name.clone(), self.shape_of_template(&entry.value)))
                    .collect(),
            ),
        }
    }
}

/// A path as one writes it: `items[0].name`.
pub(in crate::playbook) fn as_written(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if part.parse::<i64>().is_ok() {
            let _ = write!(text, "[{part}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(part);
        }
    }
    text
}

fn within(shape: Shape, path: &[String]) -> Shape {
    let mut shape = shape;
    for key in path {
        shape = match shape.inside(key) {
            Ok(inner) => inner,
            Err(_) => return Shape::default(),
        };
    }
    shape
}
