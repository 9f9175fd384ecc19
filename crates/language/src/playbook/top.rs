//! The top level of a playbook.

use std::collections::{HashMap, HashSet};

use super::declared::TOP;
use super::expected::{unknown_key, wrong_type};
use super::fields::quoted;
use super::foreign_keywords;
use super::load::Reader;
use super::model::Playbook;
use super::scope::{Names, Section, VarFacts};
use super::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::{Entry, Node, NodeKind};
use crate::template::{Expression, Template};

/// The version of the language that is read here.
const VERSION: i128 = 1;

/// A playbook, and what is known of its outputs.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) playbook: Playbook,
    pub(super) outputs: Names<Shape>,
}

impl Reader<'_, '_> {
    /// Reads the whole document.
    pub(super) fn playbook(&mut self, node: &Node) -> Option<Read> {
        let Some(entries) = node.as_mapping() else {
            self.fault(not_a_playbook(node));
            return None;
        };
        if let Some(version) = node.get("version")
            && !self.version(version)
        {
            return None;
        }
        self.unknown_top_keys(entries);
        let start = entries.first().map_or(node.span, |entry| entry.key.span);
        let name = self.required(node, "name", start, "name: create-a-function");
        let name = name.and_then(|node| self.text("name", node));
        let description = node.get("description").and_then(|node| self.text("description", node));
        let tags = node.get("tags").and_then(|node| self.tags(node)).unwrap_or_default();
        let public_env = node.get("public_env");
        let public_env = public_env.and_then(|node| self.texts("public_env", node));
        let public_env = public_env.unwrap_or_default();
        self.scope.public_env.extend(public_env.iter().cloned());
        self.declare(node);
        let inputs = node.get("inputs").map(|node| self.inputs(node)).unwrap_or_default();
        let matrix = node.get("matrix").map(|node| self.matrix(node, &inputs)).unwrap_or_default();
        let vars = node.get("vars").map(|node| self.vars(node)).unwrap_or_default();
        self.scope.section = Section::Steps;
        if let Some(defaults) = node.get("defaults") {
            self.read_defaults(defaults);
        }
        let steps = self.required(node, "steps", start, "steps: [{print: Hello}]");
        let steps = steps.map(|node| self.steps("steps", node)).unwrap_or_default();
        let outputs = node.get("outputs");
        let outputs = outputs.map(|node| self.outputs("outputs", node, &[])).unwrap_or_default();
        if !self.included {
            for (name, expression) in &outputs {
                self.lint_shown_value(&format!("outputs.{name}"), expression);
            }
        }
        self.lint_unused();
        let mut shapes = Names::default();
        for (name, expression) in &outputs {
            shapes.push(name.clone(), self.scope.shape_of_expression(expression));
        }
        let playbook = Playbook {
            file: self.file.clone(),
            directory: self.directory.clone(),
            root: self.root.clone(),
            name: name?,
            description,
            tags,
            public_env,
            inputs,
            vars,
            steps,
            matrix,
            outputs,
        };
        Some(Read { playbook, outputs: shapes })
    }

    fn version(&mut self, node: &Node) -> bool {
        match node.kind {
            NodeKind::Integer(VERSION) => true,
            NodeKind::Integer(newer) if newer > VERSION => {
                self.fault(
                    Diagnostic::new(
                        Code::NewerVersion,
                        format!("this playbook is written in version {newer} of the language"),
                    )
                    .at(node.span)
                    .label(format!("this program reads version {VERSION}"))
                    .help("install a newer `playbook`"),
                );
                false
            }
            _ => {
                self.fault(
                    Diagnostic::new(Code::UnknownVersion, format!("`version` must be {VERSION}"))
                        .at(node.span)
                        .label("there is no such version")
                        .help(format!("write `version: {VERSION}`")),
                );
                true
            }
        }
    }

    fn unknown_top_keys(&mut self, entries: &[Entry]) {
        for entry in entries {
            let name = entry.key.name.as_str();
            if TOP.contains(&name) {
                continue;
            }
            let fault = if let Some(advice) = foreign_keywords::at_top(name) {
                foreign_keyword(entry, advice)
            } else if self.loader.kinds.spec(name).is_some() {
                unknown_key(entry, "a playbook", &TOP)
                    .help(format!("steps stand in a list: `steps: [{{{name}: …}}]`"))
            } else {
                unknown_key(entry, "a playbook", &TOP)
            };
            self.fault(fault);
        }
    }

    fn required<'n>(
        &mut self,
        node: &'n Node,
        key: &'static str,
        start: Span,
        example: &str,
    ) -> Option<&'n Node> {
        let value = node.get(key);
        let is_meant = |entry: &Entry| match foreign_keywords::at_top(&entry.key.name) {
            Some(advice) => advice.starts_with(&format!("write `{key}:")),
            None => did_you_mean(&entry.key.name, TOP.iter().copied()) == Some(key),
        };
        let others = node.as_mapping().into_iter().flatten();
        let mut others = others.filter(|entry| !TOP.contains(&entry.key.name.as_str()));
        if value.is_none() && !others.any(is_meant) {
            self.fault(
                Diagnostic::new(Code::MissingKey, format!("the playbook has no `{key}`"))
                    .at(start)
                    .label(format!("`{key}` is missing"))
                    .help(format!("add `{example}`")),
            );
        }
        value
    }

    fn tags(&mut self, node: &Node) -> Option<Vec<String>> {
        match node.as_sequence() {
            Some([]) => Some(Vec::new()),
            Some(_) => self.texts("tags", node),
            None => {
                let fault = wrong_type("tags", "a list", node);
                let example = node.as_str().unwrap_or("lambda");
                self.fault(fault.help(format!("write `tags: [{example}]`")));
                None
            }
        }
    }

    /// Takes note of all names, so that "comes later" can be told from "does not exist".
    fn declare(&mut self, node: &Node) {
        let names = |key| -> HashSet<String> {
            let entries = node.get(key).and_then(Node::as_mapping).unwrap_or_default();
            entries.iter().map(|entry| entry.key.name.clone()).collect()
        };
        self.scope.all_inputs = names("inputs");
        self.scope.all_vars = names("vars");
        if let Some(steps) = node.get("steps") {
            let mut seen = HashMap::new();
            self.declare_steps(steps, &mut seen);
            self.scope.all_steps = seen.into_keys().collect();
        }
    }

    fn vars(&mut self, node: &Node) -> Vec<(String, Template)> {
        self.scope.section = Section::Vars;
        let entries = self.map("vars", node, "vars: {name: value}");
        if entries.is_none() {
            self.scope.unread.insert("vars");
        }
        let mut vars = Vec::new();
        for entry in entries.unwrap_or_default() {
            let name = &entry.key.name;
            let named = self.check_name("a variable", name, entry.key.span);
            self.scope.defining = Some(name.clone());
            let template = self.template(&entry.value);
            let shape = template.as_ref().map(|it| self.scope.shape_of_template(it));
            vars.extend(template.map(|template| (name.clone(), template)));
            let facts = VarFacts {
                shape: shape.unwrap_or_default(),
                span: entry.key.span,
                // A value with an anchor is there to be repeated.
                used: !named || self.has_anchor(entry),
            };
            self.scope.vars.push(name.clone(), facts);
        }
        vars
    }

    fn has_anchor(&self, entry: &Entry) -> bool {
        let (key, value) = (entry.key.span, entry.value.span);
        let end = usize::try_from(value.start).unwrap_or_default();
        let start = usize::try_from(key.end).unwrap_or_default();
        let between = Span::new(key.source, start, end);
        self.loader.sources.slice(between).contains('&')
    }

    /// A map of names to bare expressions; `taken` are the names there are already.
    pub(super) fn outputs(
        &mut self,
        owner: &str,
        node: &Node,
        taken: &[&str],
    ) -> Vec<(String, Expression)> {
        let example = format!("{owner}: {{name: <expression>}}");
        let entries = self.map(owner, node, &example).unwrap_or_default();
        let mut outputs = Vec::new();
        for entry in entries {
            let name = entry.key.name.as_str();
            self.check_name("an output", name, entry.key.span);
            if taken.contains(&name) {
                self.fault(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("there is an output `{name}` already"),
                    )
                    .at(entry.key.span)
                    .label("the step has this output by itself")
                    .help(format!("choose a name other than {}", quoted(taken.iter().copied()))),
                );
            }
            if let Some(expression) = self.expression(&format!("{owner}.{name}"), &entry.value) {
                outputs.push((name.to_owned(), expression));
            }
        }
        outputs
    }
}

/// That a key is what another tool calls something.
pub(super) fn foreign_keyword(entry: &Entry, advice: &str) -> Diagnostic {
    Diagnostic::new(
        Code::ForeignKeyword,
        format!("`{}` is not a word of playbooks", entry.key.name),
    )
    .at(entry.key.span)
    .label("another tool's word")
    .help(advice)
}

fn not_a_playbook(node: &Node) -> Diagnostic {
    let fault = match node.kind {
        NodeKind::Null => Diagnostic::new(Code::WrongType, "the file is empty"),
        NodeKind::Sequence(_) => {
            Diagnostic::new(Code::WrongType, "a playbook is a map, this is a list")
                .label("steps go under `steps:`")
        }
        _ => Diagnostic::new(Code::WrongType, "a playbook is a map").label("not a map"),
    };
    fault.at(node.span).help("start with `name: …` and `steps: [{print: Hello}]`")
}
