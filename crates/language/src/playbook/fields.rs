//! Reading one value of a playbook: what it must be, and what to say where it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use super::expected::wrong_type;
use super::files::locate;
use super::load::{Reader, read};
use super::path_checks::PathChecks;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::{Entry, Node, NodeKind};
use crate::template::{Expression, FileUse, Reference, Template};
use crate::types::Types;

/// The type of a value as it is written.
pub(super) fn type_of(node: &Node) -> Types {
    match &node.kind {
        NodeKind::Null => Types::NULL,
        NodeKind::Bool(_) => Types::BOOLEAN,
        NodeKind::Integer(_) => Types::INTEGER,
        NodeKind::Float(_) => Types::NUMBER,
        NodeKind::String(_) => Types::STRING,
        NodeKind::Sequence(_) => Types::ARRAY,
        NodeKind::Mapping(_) => Types::OBJECT,
    }
}

/// Whether text is rendered, or means itself.
pub(super) fn is_templated(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// `a`, `b` and `c`, in backquotes.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// How to write what was meant as a duration.
pub(super) fn duration_to_write(text: &str) -> String {
    let number = text.trim();
    if number.parse::<f64>().is_ok_and(|number| number > 0.0) {
        return format!("write `{number}s` for seconds, or `{number}ms`");
    }
    "write it as `500ms`, `1s`, `2m` or `1m 30s`".to_owned()
}

/// A number where a duration is needed.
pub(super) fn without_unit(name: &str, number: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::InvalidDuration, format!("`{name}` has no unit"))
        .at(span)
        .label("no usable duration")
        .help(duration_to_write(number))
}

/// Why text is no duration of time, if it is none.
pub(super) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    if text.trim().parse::<f64>().is_ok() {
        return Err("has no unit");
    }
    let duration: SignedDuration = text.parse().map_err(|_| "is no duration")?;
    if !duration.is_positive() {
        return Err("must be longer than nothing");
    }
    Duration::try_from(duration).map_err(|_| "is no duration")
}

impl Reader<'_, '_> {
    pub(super) fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// The entries of a map; `example` shows how one is written.
    pub(super) fn map<'n>(
        &mut self,
        name: &str,
        node: &'n Node,
        example: &str,
    ) -> Option<&'n [Entry]> {
        let entries = node.as_mapping();
        if entries.is_none() {
            let dashes = matches!(name, "vars" | "inputs" | "include.inputs")
                && node.as_sequence().is_some_and(|items| {
                    !items.is_empty() && items.iter().all(|item| item.as_mapping().is_some())
                });
            let without = if dashes { "leave the dashes out, or " } else { "" };
            self.fault(wrong_type(name, "a map", node).help(format!("{without}write `{example}`")));
            self.note_names(node);
        }
        entries
    }

    /// Text that means itself.
    pub(super) fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        let Some(text) = node.written() else {
            self.fault(wrong_type(name, "a string", node));
            return None;
        };
        if text.trim().is_empty() {
            self.fault(
                Diagnostic::new(Code::EmptyValue, format!("`{name}` is empty"))
                    .at(node.span)
                    .label("nothing is written here")
                    .help("write some text"),
            );
            return None;
        }
        if is_templated(text) {
            self.misplaced_template(name, node, "write plain text");
            return None;
        }
        Some(text.to_owned())
    }

    fn misplaced_template(&mut self, name: &str, node: &Node, help: &str) {
        self.fault(
            Diagnostic::new(Code::MisplacedTemplate, format!("`{name}` cannot hold a template"))
                .at(node.span)
                .label("this is read as it stands")
                .help(help),
        );
        self.note_names(node);
    }

    /// Takes note of what is read where nothing should be, so that nobody says it is not read at all.
    pub(super) fn note_names(&mut self, node: &Node) {
        match Template::compile(node) {
            Ok(template) => {
                for reference in template.references() {
                    self.scope.use_names(&reference);
                }
            }
            Err(_) => self.unread = true,
        }
    }

    /// A list of texts, or one.
    pub(super) fn texts(&mut self, name: &str, node: &Node) -> Option<Vec<String>> {
        match &node.kind {
            _ if node.written().is_some() => self.text(name, node).map(|text| vec![text]),
            NodeKind::Sequence(items) if !items.is_empty() => {
                let before = self.faults.len();
                let texts = (0..)
                    .zip(items)
                    .filter_map(|(index, item): (usize, _)| {
                        self.text(&format!("{name}[{index}]"), item)
                    })
                    .collect();
                (self.faults.len() == before).then_some(texts)
            }
            NodeKind::Sequence(_) => {
                self.fault(
                    Diagnostic::new(Code::EmptyValue, format!("`{name}` is empty"))
                        .at(node.span)
                        .label("nothing is written here")
                        .help("write at least one"),
                );
                None
            }
            _ => {
                self.fault(wrong_type(name, "a string or a list of strings", node));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str, node: &Node) -> Option<bool> {
        let flag = node.as_bool();
        if flag.is_none() {
            self.fault(wrong_type(name, "true or false", node));
        }
        flag
    }

    /// A whole number from `least` on.
    pub(super) fn whole(&mut self, name: &str, node: &Node, least: u32) -> Option<u32> {
        let Some(number) = node.as_integer() else {
            self.fault(wrong_type(name, "a whole number", node));
            return None;
        };
        match u32::try_from(number) {
            Ok(number) if number >= least => Some(number),
            _ => {
                let (must, label) = if number < i128::from(least) {
                    (format!("must be at least {least}"), "too small")
                } else {
                    (format!("must be at most {}", u32::MAX), "too large")
                };
                self.fault(
                    Diagnostic::new(Code::OutOfRange, format!("`{name}` {must}"))
                        .at(node.span)
                        .label(label)
                        .help("write another number"),
                );
                None
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, node: &Node) -> Option<f64> {
        match node.kind {
            NodeKind::Float(number) => Some(number),
            // Bounds beyond 2^53 lose their last digits, which no answer can have either.
            #[allow(clippy::cast_precision_loss)]
            NodeKind::Integer(number) => Some(number as f64),
            _ => {
                self.fault(wrong_type(name, "a number", node));
                None
            }
        }
    }

    pub(super) fn duration(&mut self, name: &str, node: &Node) -> Option<Duration> {
        let (why, help) = match &node.kind {
            NodeKind::Integer(number) => {
                self.fault(without_unit(name, &number.to_string(), node.span));
                return None;
            }
            NodeKind::Float(number) => {
                self.fault(without_unit(name, &number.to_string(), node.span));
                return None;
            }
            NodeKind::String(text) if is_templated(&text.value) => {
                self.misplaced_template(name, node, "write the duration out, such as `30s`");
                return None;
            }
            NodeKind::String(text) => match parse_duration(&text.value) {
                Ok(duration) => return Some(duration),
                Err(why) => (why, duration_to_write(&text.value)),
            },
            _ => {
                self.fault(
                    wrong_type(name, "a duration", node)
                        .help("write it as `500ms`, `1s`, `2m` or `1m 30s`"),
                );
                return None;
            }
        };
        self.fault(
            Diagnostic::new(Code::InvalidDuration, format!("`{name}` {why}"))
                .at(node.span)
                .label("no usable duration")
                .help(help),
        );
        None
    }

    /// A condition, its references and types checked.
    pub(super) fn condition(&mut self, name: &str, node: &Node) -> Option<Expression> {
        let expression = self.parse_condition(name, node)?;
        self.check_expression(&expression);
        Some(expression)
    }

    /// A condition, of which nothing is checked yet.
    pub(super) fn parse_condition(&mut self, name: &str, node: &Node) -> Option<Expression> {
        self.bare(name, node, Expression::condition)
    }

    /// A bare expression, its references and types checked.
    pub(super) fn expression(&mut self, name: &str, node: &Node) -> Option<Expression> {
        let expression = self.bare(name, node, Expression::parse)?;
        self.check_expression(&expression);
        Some(expression)
    }

    /// Checks what an expression reads.
    pub(super) fn check_expression(&mut self, expression: &Expression) {
        if self.check_references(expression.references()) {
            self.check_types(expression);
        }
        if !expression.files().is_empty() {
            expression.provide(&self.contents(expression.files()));
        }
    }

    fn bare(
        &mut self,
        name: &str,
        node: &Node,
        parse: fn(&Node) -> Result<Expression, Vec<Diagnostic>>,
    ) -> Option<Expression> {
        if !matches!(node.kind, NodeKind::String(_) | NodeKind::Bool(_)) {
            let parts = node.as_sequence().unwrap_or_default();
            let parts: Option<Vec<&str>> = parts.iter().map(Node::as_str).collect();
            let help = match parts {
                Some(parts) if parts.len() == 1 => {
                    format!("write one expression: {}", parts.concat())
                }
                Some(parts) if !parts.is_empty() => {
                    format!("join them with `and` or `or`: {}", parts.join(" and "))
                }
                _ if node.as_mapping().is_some() => self.as_quoted(node),
                _ => "write it as text, such as `result.count > 0`".to_owned(),
            };
            self.fault(wrong_type(name, "an expression", node).help(help));
            self.unread = true;
            return None;
        }
        match parse(node) {
            Ok(expression) => Some(expression),
            Err(faults) => {
                self.unread = true;
                self.faults.extend(faults);
                None
            }
        }
    }

    /// A value that may hold templates, their references checked.
    pub(super) fn template(&mut self, node: &Node) -> Option<Template> {
        match Template::compile(node) {
            Ok(template) => {
                if self.check_references(&template.references()) {
                    for expression in template.expressions() {
                        self.check_types(expression);
                    }
                }
                let files = template.files();
                if !files.is_empty() {
                    template.provide(&self.contents(&files));
                }
                Some(template)
            }
            Err(faults) => {
                self.unread = true;
                self.faults.extend(faults);
                self.check_leaves(node);
                None
            }
        }
    }

    /// Checks the references of what compiles where the whole does not.
    fn check_leaves(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Sequence(items) => {
                for item in items {
                    self.check_leaves(item);
                }
            }
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    self.check_leaves(&entry.value);
                }
            }
            _ => {
                if let Ok(template) = Template::compile(node) {
                    self.check_references(&template.references());
                }
            }
        }
    }

    /// Text that may hold templates.
    pub(super) fn text_template(&mut self, name: &str, node: &Node) -> Option<Template> {
        if node.written().is_none() {
            self.fault(wrong_type(name, "a string", node));
            return None;
        }
        self.template(node.as_text().as_ref().unwrap_or(node))
    }

    /// What is in the files that an expression reads.
    fn contents(&mut self, files: &[FileUse]) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for file in files {
            match self.content(file) {
                Ok(text) => {
                    contents.insert(file.path.clone(), text);
                }
                Err(fault) => self.fault(fault),
            }
        }
        contents
    }

    fn content(&mut self, file: &FileUse) -> Result<String, Diagnostic> {
        let loader = &self.loader;
        let (files, directory, top) = (loader.files, &*self.directory, &*self.root);
        let path = locate(files, directory, top, &file.path).map_err(|why| {
            let checks = PathChecks { files, directory, top, library: None };
            checks.fault(why, file.span, &file.path, &self.scope)
        })?;
        read(&path, files).map_err(|why| {
            let message = format!("`{}` cannot be read: {why}", file.path);
            Diagnostic::new(Code::UnreadableFile, message)
                .at(file.span)
                .label("cannot be read")
                .help("name a file of text")
        })
    }

    /// How to write a text in which YAML has found a key.
    fn as_quoted(&self, node: &Node) -> String {
        let written = self.loader.sources.slice(node.span).trim();
        let quote = if written.contains('\'') { '"' } else { '\'' };
        if written.starts_with('{') {
            return "write it as text, such as `result.count > 0`".to_owned();
        }
        if written.is_empty() || written.contains('\n') || written.contains(quote) {
            return "a `: ` makes a map of it: put the whole in quotes".to_owned();
        }
        format!("a `: ` makes a map of it: write {quote}{written}{quote}")
    }

    fn check_types(&mut self, expression: &Expression) {
        let found = expression.wrong_types(&|path| self.scope.shape_of(path).types());
        self.faults.extend(found);
    }

    /// Whether all names that something reads are there.
    fn check_references(&mut self, references: &[Reference]) -> bool {
        let before = self.faults.len();
        let mut wrong = None;
        for reference in references {
            self.scope.use_names(reference);
            let Some(fault) = self.scope.check(reference) else { continue };
            match &reference.word {
                Some((_, span)) if wrong == Some(*span) => {}
                Some((word, span)) if self.scope.is_no_difference(reference, &fault) => {
                    wrong = Some(*span);
                    self.fault(hyphenated(word, *span, fault.code));
                }
                _ => self.fault(fault),
            }
        }
        !self.faults.iter().skip(before).any(Diagnostic::is_error)
    }

    /// Whether a name may be given to an input, a variable, an output or a step.
    pub(super) fn check_name(&mut self, what: &str, name: &str, span: Span) -> bool {
        let Err(fault) = name_fault(what, name) else {
            return true;
        };
        self.fault(fault.at(span));
        false
    }
}

/// A word with hyphens, which an expression takes for a subtraction.
fn hyphenated(word: &str, span: Span, code: Code) -> Diagnostic {
    let help = if code == Code::UnknownName {
        format!("text stands in quotes: '{word}'")
    } else {
        "names have no hyphens: write `_` here and where it is declared".to_owned()
    };
    Diagnostic::new(code, format!("`{word}` is read as a subtraction"))
        .at(span)
        .label("`-` is a minus sign here")
        .help(help)
}

/// Names that mean something themselves.
const RESERVED: &[&str] =
    &["inputs", "vars", "steps", "run", "env", "item", "loop", "result", "error"];

fn name_fault(what: &str, name: &str) -> Result<(), Diagnostic> {
    if RESERVED.contains(&name) {
        return Err(Diagnostic::new(
            Code::ReservedName,
            format!("{what} cannot be named `{name}`"),
        )
        .label("this word means something itself")
        .help(format!("write another name, such as `{name}_1`")));
    }
    let mut letters = name.chars();
    let well_formed =
        letters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
            && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if well_formed {
        return Ok(());
    }
    let fault = Diagnostic::new(Code::InvalidName, format!("`{name}` is no name for {what}"))
        .label("names are made of a–z, 0–9 and _, and start with no digit");
    let suggestion = suggested_name(name);
    Err(if suggestion.is_empty() {
        fault.help("choose another name, such as `first`")
    } else {
        fault.help(format!("write `{suggestion}`"))
    })
}

fn suggested_name(name: &str) -> String {
    let folded: String = super::foreign_keywords::snake_case(name)
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '_' })
        .collect();
    let trimmed = folded.trim_matches('_');
    if trimmed.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    }
}
