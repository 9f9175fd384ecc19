//! `include`: another playbook with inputs and outputs of its own.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::declared::INCLUDE;
use super::expected::{meant, unknown_key, wrong_type};
use super::fields::quoted;
use super::files::locate;
use super::inputs::near_choice;
use super::load::{Reader, read};
use super::model::{Action, Input, Playbook};
use super::path_checks::PathChecks;
use super::project::{PROJECT_FILE, in_library};
use super::scope::{Names, Outputs, answer_types};
use super::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::{Entry, Node, NodeKind, to_json};
use crate::question::QuestionType;
use crate::template::Template;
use crate::types::Types;

/// Playbooks that include each other deeper than this are taken for a mistake.
const DEPTH: usize = 16;

/// A playbook that is included, and what is known of its outputs.
#[derive(Debug, Clone)]
pub(super) struct Included {
    playbook: Arc<Playbook>,
    outputs: Arc<Names<Shape>>,
}

/// Guesses look at no more names than these.
const MOST_GUESSED: usize = 50;

const EXAMPLE: &str = "include: {file: other.yaml, inputs: {…}}";

impl Reader<'_, '_> {
    /// What an `include` step does, and what it returns.
    pub(super) fn include(&mut self, entry: &Entry, step: &Node) -> (Option<Action>, Outputs) {
        let node = &entry.value;
        if let Some(file) = node.as_str() {
            self.fault(
                wrong_type("include", "a map", node)
                    .help(format!("write `include: {{file: {file}}}`")),
            );
            return (None, Outputs::unknown());
        }
        let Some(entries) = self.map("include", node, EXAMPLE) else {
            return (None, Outputs::unknown());
        };
        for entry in entries {
            if !INCLUDE.contains(&entry.key.name.as_str()) {
                self.fault(unknown_key(entry, "`include`", &INCLUDE));
                self.note_names(&entry.value);
            }
        }
        let misnamed = step.get("inputs").is_some()
            || entries.iter().any(|entry| meant(&entry.key.name, &["inputs"]).is_some());
        let given = node.get("inputs");
        let nothing = Node::new(node.span, NodeKind::Mapping(Vec::new()));
        let included = node.get("file").and_then(|file| self.included_playbook(file));
        let spelled = given.and_then(|given| as_declared(given, included.as_ref()?));
        let given = spelled.as_ref().or(given);
        let inputs = match given {
            Some(given) => {
                self.map("include.inputs", given, EXAMPLE).and_then(|_| self.template(given))
            }
            None => Template::compile(&nothing).ok(),
        };
        let Some(file) = node.get("file") else {
            if step.get("file").is_some() {
                return (None, Outputs::unknown());
            }
            self.fault(
                Diagnostic::new(Code::MissingKey, "`include` has no `file`")
                    .at(entry.key.span)
                    .label("`file` is missing")
                    .help(format!("write `{EXAMPLE}`")),
            );
            return (None, Outputs::unknown());
        };
        let Some(Included { playbook, outputs }) = included else {
            return (None, Outputs::unknown());
        };
        let templates = inputs.as_ref();
        let given = given.and_then(Node::as_mapping).unwrap_or_default();
        let written = file.as_str().unwrap_or_default();
        self.given_inputs(&playbook, given, templates, written);
        if !misnamed || !given.is_empty() {
            self.missing_inputs(&playbook, given, file);
        }
        (inputs.map(|inputs| Action::Include { playbook, inputs }), Outputs::named(outputs))
    }

    fn included_playbook(&mut self, node: &Node) -> Option<Included> {
        let written = self.text("include.file", node)?;
        let (library, directory, root, below) = match in_library(&written) {
            Some((name, below)) => match self.loader.libraries.get(name) {
                Some(directory) => (Some(name), directory.clone(), directory.clone(), below),
                None => {
                    let fault = self.unknown_library(name, node.span);
                    self.fault(fault);
                    return None;
                }
            },
            None => (None, self.directory.clone(), self.root.clone(), written.as_str()),
        };
        let path = match locate(self.loader.files, &directory, &root, below) {
            Ok(path) => path,
            Err(why) => {
                let places = PathChecks {
                    files: self.loader.files,
                    directory: &directory,
                    top: &root,
                    library,
                };
                let fault = places.fault(why, node.span, below, &self.scope);
                self.fault(fault);
                return None;
            }
        };
        let real = self.loader.files.canonical(&path).unwrap_or_else(|| path.clone());
        if self.loader.chain.contains(&real) {
            let fault = self.cycle(&real, node.span);
            self.fault(fault);
            return None;
        }
        let read_as = (real.clone(), root.clone());
        if let Some(known) = self.loader.loaded.get(&read_as) {
            return known.clone();
        }
        if self.loader.chain.len() >= DEPTH {
            self.fault(
                Diagnostic::new(
                    Code::IncludeDepth,
                    format!("more than {DEPTH} playbooks include one another"),
                )
                .at(node.span)
                .label("not read any more")
                .help("include fewer from one another"),
            );
            return None;
        }
        let playbook = self.load_included(&path, &real, &root, node.span, &written);
        self.loader.loaded.insert(read_as, playbook.clone());
        playbook
    }

    fn unknown_library(&self, name: &str, span: Span) -> Diagnostic {
        let known = || self.loader.libraries.keys().map(String::as_str);
        let help = match did_you_mean(name, known()) {
            Some(near) => format!("did you mean `{near}:…`?"),
            None => format!(
                "run with `--library {name}=DIR`, or write `{name} = \"DIR\"` below `[libraries]` in `{PROJECT_FILE}` at the project's root"
            ),
        };
        Diagnostic::new(Code::UnknownLibrary, format!("there is no library `{name}`"))
            .at(span)
            .label("nothing says where it is")
            .help(help)
    }

    fn load_included(
        &mut self,
        path: &Path,
        real: &Path,
        root: &Path,
        span: Span,
        written: &str,
    ) -> Option<Included> {
        let text = match read(path, self.loader.files) {
            Ok(text) => text,
            Err(why) => {
                self.fault(
                    Diagnostic::new(
                        Code::UnreadableFile,
                        format!("`{written}` cannot be read: {why}"),
                    )
                    .at(span)
                    .label("cannot be read")
                    .help("name a playbook file that can be read"),
                );
                return None;
            }
        };
        self.loader.chain.push(real.to_path_buf());
        let (read, faults) = self.loader.file(path, &text, root);
        self.loader.chain.pop();
        let sound = !faults.iter().any(Diagnostic::is_error);
        self.faults.extend(faults);
        read.filter(|_| sound).map(|read| Included {
            playbook: Arc::new(read.playbook),
            outputs: Arc::new(read.outputs),
        })
    }

    fn cycle(&self, real: &PathBuf, span: Span) -> Diagnostic {
        let from = self.loader.chain.iter().position(|file| file == real).unwrap_or_default();
        let chain = self.loader.chain.iter().skip(from).chain([real]);
        let base = self.loader.files.canonical(&self.root).unwrap_or_else(|| self.root.clone());
        let names: Vec<String> = chain
            .map(|file| file.strip_prefix(&base).unwrap_or(file).display().to_string())
            .collect();
        Diagnostic::new(Code::IncludeCycle, "this playbook includes itself")
            .at(span)
            .label("is being read already")
            .help(format!("leave one of these out: {}", names.join(" → ")))
    }

    fn given_inputs(
        &mut self,
        playbook: &Playbook,
        given: &[Entry],
        templates: Option<&Template>,
        file: &str,
    ) {
        let known = || playbook.inputs.iter().map(|input| input.question.name.as_str());
        let declared: HashMap<&str, &Input> =
            playbook.inputs.iter().map(|it| (it.question.name.as_str(), it)).collect();
        for entry in given {
            let name = entry.key.name.as_str();
            let Some(input) = declared.get(name) else {
                let fault =
                    Diagnostic::new(Code::UnknownKey, format!("`{file}` has no input `{name}`"))
                        .at(entry.key.span)
                        .label("not declared there");
                self.fault(match did_you_mean(name, known()) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None if playbook.inputs.is_empty() => {
                        fault.help("leave it out: it has no inputs")
                    }
                    None => fault.help(format!("its inputs are {}", quoted(known()))),
                });
                continue;
            };
            if let Some(template) = templates.and_then(|templates| templates.get(name)) {
                let fault = self.given_input(&input.question, &entry.value, template);
                self.faults.extend(
                    fault.map(|fault| fault.also(input.span, format!("`{name}` is declared here"))),
                );
            }
        }
    }

    fn given_input(
        &self,
        question: &crate::question::Question,
        node: &Node,
        template: &Template,
    ) -> Option<Diagnostic> {
        let name = format!("inputs.{}", question.name);
        if let Some(rendered) = self.scope.rendered(template, node) {
            let (given, expected) = (rendered.shape.types(), answer_types(question.answer));
            return (!given.may_be(expected)).then(|| {
                Diagnostic::new(
                    Code::WrongType,
                    format!(
                        "`{name}` must be {}, {} is {}",
                        expected.words(),
                        rendered.subject,
                        given.words()
                    ),
                )
                .at(node.span)
                .label(format!("this is {}", given.words()))
                .help(format!("hand on something that is {}", expected.words()))
            });
        }
        template.literal()?;
        if question.answer == QuestionType::Secret {
            return Some(
                Diagnostic::new(Code::SecretInPlaybook, "a secret cannot be written in a playbook")
                    .at(node.span)
                    .label("everyone who reads the file sees this")
                    .help(format!(
                        "declare a secret input here, and hand it on: \"{{{{ inputs.{} }}}}\"",
                        question.name
                    )),
            );
        }
        let why = question.check(&to_json(node)).err()?;
        let label = format!("the input is of type `{}`", question.answer.as_str());
        Some(
            Diagnostic::new(Code::InvalidInput, format!("`{name}` {why}"))
                .at(node.span)
                .label(label)
                .help(match near_choice(question, node) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write another value".to_owned(),
                }),
        )
    }

    fn missing_inputs(&mut self, playbook: &Playbook, given: &[Entry], file: &Node) {
        let named: HashSet<&str> = given.iter().map(|entry| entry.key.name.as_str()).collect();
        let declared: HashSet<&str> =
            playbook.inputs.iter().map(|it| it.question.name.as_str()).collect();
        // What is misspelt has been said already.
        let unknown = || named.difference(&declared).copied().take(MOST_GUESSED);
        let missing: Vec<&str> = playbook
            .inputs
            .iter()
            .filter(|input| input.default.is_none())
            .map(|input| input.question.name.as_str())
            .filter(|name| !named.contains(name) && did_you_mean(name, unknown()).is_none())
            .collect();
        if missing.is_empty() {
            return;
        }
        let example: Vec<String> = missing.iter().map(|name| format!("{name}: …")).collect();
        self.fault(
            Diagnostic::new(
                Code::MissingInput,
                format!(
                    "`{}` needs {}",
                    file.as_str().unwrap_or_default(),
                    quoted(missing.iter().copied())
                ),
            )
            .at(file.span)
            .label("not all its inputs are given")
            .help(format!("add `inputs: {{{}}}`", example.join(", "))),
        );
    }
}

/// What is given, with scalars as they are written where the playbook asks for text.
fn as_declared(given: &Node, included: &Included) -> Option<Node> {
    let text = |name: &str| {
        let mut inputs = included.playbook.inputs.iter();
        let input = inputs.find(|input| input.question.name == name);
        input.is_some_and(|input| answer_types(input.question.answer) == Types::STRING)
    };
    let entries = given.as_mapping()?.iter().map(|entry| {
        let spelled = entry.value.as_text().filter(|_| text(&entry.key.name));
        Entry { key: entry.key.clone(), value: spelled.unwrap_or_else(|| entry.value.clone()) }
    });
    Some(Node::new(given.span, NodeKind::Mapping(entries.collect())))
}
