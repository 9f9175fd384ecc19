//! `matrix`: the lists of which the playbook is run with every combination.

use super::declared::MATRIX;
use super::expected::{unknown_key, wrong_type};
use super::fields::quoted;
use super::load::Reader;
use super::model::{Input, Matrix};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::document::{Entry, Node};
use crate::question::QuestionType;

const EXAMPLE: &str = "matrix: {inputs: {runtime: [python3.12, python3.13]}, regions: [eu-west-1]}";

impl Reader<'_, '_> {
    /// Reads the lists; `inputs` are those that the playbook has.
    pub(super) fn matrix(&mut self, node: &Node, inputs: &[Input]) -> Matrix {
        let mut matrix = Matrix::default();
        for entry in self.map("matrix", node, EXAMPLE).unwrap_or_default() {
            match entry.key.name.as_str() {
                "inputs" => {
                    let example = "inputs: {runtime: [python3.12, python3.13]}";
                    let lists = self.map("matrix.inputs", &entry.value, example);
                    for list in lists.unwrap_or_default() {
                        self.matrix_input(list, inputs, &mut matrix);
                    }
                }
                "regions" => {
                    matrix.regions = self.matrix_texts("matrix.regions", &entry.value);
                }
                "profiles" => {
                    matrix.profiles = self.matrix_texts("matrix.profiles", &entry.value);
                }
                _ => self.fault(unknown_key(entry, "`matrix`", &MATRIX)),
            }
        }
        matrix
    }

    /// A list of texts: one text alone is no direction of a matrix.
    fn matrix_texts(&mut self, owner: &str, node: &Node) -> Vec<String> {
        if node.as_sequence().is_none() {
            let written = node.as_str().unwrap_or("…");
            let key = owner.rsplit('.').next().unwrap_or(owner);
            let fault = wrong_type(owner, "a list", node);
            self.fault(fault.help(format!("write `{key}: [{written}]`")));
            return Vec::new();
        }
        self.texts(owner, node).unwrap_or_default()
    }

    fn matrix_input(&mut self, entry: &Entry, inputs: &[Input], matrix: &mut Matrix) {
        let name = entry.key.name.as_str();
        let Some(input) = inputs.iter().find(|input| input.question.name == name) else {
            // An input that could not be read has been reported.
            if !self.scope.all_inputs.contains(name) {
                self.fault(no_such_input(entry, inputs));
            }
            return;
        };
        if input.question.answer == QuestionType::Secret {
            self.fault(
                Diagnostic::new(Code::InvalidDefault, format!("`{name}` is a secret"))
                    .at(entry.key.span)
                    .label("a secret does not stand in a file")
                    .help(format!(
                        "leave it out, and give it in PLAYBOOK_INPUT_{}",
                        name.to_uppercase()
                    )),
            );
            return;
        }
        let owner = format!("matrix.inputs.{name}");
        let Some(items) = entry.value.as_sequence() else {
            let fault = wrong_type(&owner, "a list", &entry.value);
            self.fault(fault.help(format!("write the values of `{name}` as a list")));
            return;
        };
        if items.is_empty() {
            self.fault(
                Diagnostic::new(Code::EmptyValue, format!("`{owner}` is empty"))
                    .at(entry.value.span)
                    .label("nothing is written here")
                    .help("write at least one"),
            );
            return;
        }
        let mut values = Vec::new();
        for item in items {
            match input.question.read(item) {
                Ok(value) => values.push(value),
                Err(why) => self.fault(
                    Diagnostic::new(Code::InvalidDefault, format!("a value of `{name}` {why}"))
                        .at(item.span)
                        .label("not a value of this input")
                        .help(format!("look at `inputs.{name}`")),
                ),
            }
        }
        matrix.inputs.push((name.to_owned(), values));
    }
}

fn no_such_input(entry: &Entry, inputs: &[Input]) -> Diagnostic {
    let name = entry.key.name.as_str();
    let names = || inputs.iter().map(|input| input.question.name.as_str());
    let help = match did_you_mean(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if inputs.is_empty() => "declare it under `inputs`".to_owned(),
        None => format!("its inputs are {}", quoted(names())),
    };
    Diagnostic::new(Code::UnknownName, format!("the playbook has no input `{name}`"))
        .at(entry.key.span)
        .label("no such input")
        .help(help)
}
