use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use minijinja::machinery::{Token, tokenize};

use super::environment::syntax;
use super::mark::{self, Leaf, Mark};
use super::program::{FileUse, Place};
use super::statements::Statements;
use super::syntax::token_error;
use super::value::{from_json, to_json, to_text, unknown_text};
use super::{Evaluated, Expression, Reference, Scope, TemplateError, Value, trace};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::{self, Key, Node, NodeKind, Text};

/// A node tree whose strings may hold `{{ }}`. Clones share the compiled code.
#[derive(Debug, Clone)]
pub struct Template {
    span: Span,
    kind: TemplateKind,
    literal: Option<Value>,
    /// The literal once it was asked for.
    data: OnceLock<serde_json::Value>,
}

/// What a [`Template`] is made of.
#[derive(Debug, Clone)]
pub enum TemplateKind {
    /// A scalar without anything to evaluate.
    Literal,
    /// Exactly one `{{ expression }}`, whose value keeps its type.
    Expression(Expression),
    /// A text with expressions in it.
    Text(TextTemplate),
    /// A list.
    Sequence(Vec<Template>),
    /// A map.
    Mapping(Vec<TemplateEntry>),
}

/// One entry of a templated map.
#[derive(Debug, Clone)]
pub struct TemplateEntry {
    /// The key, which is never templated.
    pub key: Key,
    /// The value.
    pub value: Template,
}

/// A text with expressions in it. It always renders to a string.
#[derive(Debug, Clone)]
pub struct TextTemplate {
    parts: Arc<Parts>,
    references: Arc<[Reference]>,
}

impl TextTemplate {
    /// What the text reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}

#[derive(Debug)]
enum Parts {
    Segments(Vec<Segment>),
    Statements(Box<Statements>),
}

#[derive(Debug)]
enum Segment {
    Raw(String),
    Expression(Expression),
}

impl Template {
    /// Compiles a node and everything in it.
    ///
    /// # Errors
    ///
    /// Every fault in any of its strings.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let template = Self::build(node, &mut faults);
        if faults.is_empty() { Ok(template) } else { Err(faults) }
    }

    fn build(node: &Node, faults: &mut Vec<Diagnostic>) -> Self {
        let kind = match &node.kind {
            NodeKind::String(text) if node.is_inexact_number() => {
                faults.push(inexact(&text.value, node.span));
                TemplateKind::Literal
            }
            NodeKind::String(text) if may_hold_template(&text.value) => {
                compile_text(text, node.span).unwrap_or_else(|found| {
                    faults.extend(found);
                    TemplateKind::Literal
                })
            }
            NodeKind::Sequence(items) => {
                TemplateKind::Sequence(items.iter().map(|item| Self::build(item, faults)).collect())
            }
            NodeKind::Mapping(entries) => TemplateKind::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        faults.extend(refuse_key(&entry.key));
                        let value = Self::build(&entry.value, faults);
                        TemplateEntry { key: entry.key.clone(), value }
                    })
                    .collect(),
            ),
            _ => TemplateKind::Literal,
        };
        let is_literal = match &kind {
            TemplateKind::Literal => true,
            TemplateKind::Sequence(items) => items.iter().all(|item| item.literal.is_some()),
            TemplateKind::Mapping(entries) => {
                entries.iter().all(|entry| entry.value.literal.is_some())
            }
            TemplateKind::Expression(_) | TemplateKind::Text(_) => false,
        };
        let literal = is_literal.then(|| literal_value(node, &kind));
        Self { span: node.span, kind, literal, data: OnceLock::new() }
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it is made of.
    #[must_use]
    pub fn kind(&self) -> &TemplateKind {
        &self.kind
    }

    /// The data, where nothing in it is templated.
    #[must_use]
    pub fn literal(&self) -> Option<&serde_json::Value> {
        self.literal.as_ref().map(|literal| self.data.get_or_init(|| to_json(literal)))
    }

    /// What it reads, in the order of the file.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        self.collect_references(&mut references);
        references
    }

    fn collect_references(&self, references: &mut Vec<Reference>) {
        match &self.kind {
            TemplateKind::Literal => {}
            TemplateKind::Expression(expression) => {
                references.extend_from_slice(expression.references());
            }
            TemplateKind::Text(text) => references.extend_from_slice(text.references()),
            TemplateKind::Sequence(items) => {
                for item in items {
                    item.collect_references(references);
                }
            }
            TemplateKind::Mapping(entries) => {
                for entry in entries {
                    entry.value.collect_references(references);
                }
            }
        }
    }

    /// The files that expressions in it read.
    #[must_use]
    pub fn files(&self) -> Vec<FileUse> {
        let mut files: Vec<FileUse> =
            self.expressions().into_iter().flat_map(Expression::files).cloned().collect();
        self.each_text(&mut |statements| files.extend_from_slice(&statements.outline.files));
        files
    }

    /// Hands over what is in the files that it reads, by their paths as they are written.
    pub fn provide(&self, contents: &BTreeMap<String, String>) {
        for expression in self.expressions() {
            expression.provide(contents);
        }
        self.each_text(&mut |statements| statements.outline.provide(contents));
    }

    fn each_text(&self, visit: &mut dyn FnMut(&Statements)) {
        match &self.kind {
            TemplateKind::Text(text) => {
                if let Parts::Statements(statements) = &*text.parts {
                    visit(statements);
                }
            }
            TemplateKind::Sequence(items) => items.iter().for_each(|item| item.each_text(visit)),
            TemplateKind::Mapping(entries) => {
                for entry in entries {
                    entry.value.each_text(visit);
                }
            }
            TemplateKind::Literal | TemplateKind::Expression(_) => {}
        }
    }

    /// The expressions in it, but for those in texts with statements.
    #[must_use]
    pub(crate) fn expressions(&self) -> Vec<&Expression> {
        let mut expressions = Vec::new();
        self.collect_expressions(&mut expressions);
        expressions
    }

    fn collect_expressions<'t>(&'t self, expressions: &mut Vec<&'t Expression>) {
        match &self.kind {
            TemplateKind::Literal => {}
            TemplateKind::Expression(expression) => expressions.push(expression),
            TemplateKind::Text(text) => {
                if let Parts::Segments(segments) = &*text.parts {
                    expressions.extend(segments.iter().filter_map(|segment| match segment {
                        Segment::Expression(expression) => Some(expression),
                        Segment::Raw(_) => None,
                    }));
                }
            }
            TemplateKind::Sequence(items) => {
                for item in items {
                    item.collect_expressions(expressions);
                }
            }
            TemplateKind::Mapping(entries) => {
                for entry in entries {
                    entry.value.collect_expressions(expressions);
                }
            }
        }
    }

    /// The part under one key (or index, in digits).
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Template> {
        match &self.kind {
            TemplateKind::Sequence(items) => items.get(key.parse::<usize>().ok()?),
            TemplateKind::Mapping(entries) => {
                entries.iter().find(|entry| entry.key.name == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// Where the value at a path of keys and indices stands.
    #[must_use]
    pub fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<Span> {
        let mut template = self;
        for key in path {
            template = template.get(key.as_ref())?;
        }
        Some(template.span)
    }

    /// The values, with everything evaluated.
    ///
    /// # Errors
    ///
    /// The first expression that cannot be evaluated.
    pub fn render(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        if let Some(value) = &self.literal {
            return Ok(Evaluated::literal(value.clone()));
        }
        match &self.kind {
            TemplateKind::Literal => Ok(Evaluated::literal(Value::from(()))),
            TemplateKind::Expression(expression) => expression.evaluate(scope),
            TemplateKind::Text(text) => text.render(scope),
            TemplateKind::Sequence(items) => {
                let mut gathered = Gathered::default();
                let values: Vec<Leaf> = items
                    .iter()
                    .map(|item| Ok(gathered.add(item.render(scope)?)))
                    .collect::<Result<_, TemplateError>>()?;
                Ok(gathered.finish((mark::list(values), Mark::Open)))
            }
            TemplateKind::Mapping(entries) => {
                let mut gathered = Gathered::default();
                let pairs = entries
                    .iter()
                    .map(|entry| {
                        let leaf = gathered.add(entry.value.render(scope)?);
                        Ok((Value::from(entry.key.name.as_str()), leaf))
                    })
                    .collect::<Result<Vec<_>, TemplateError>>()?;
                Ok(gathered.finish((mark::map(pairs), Mark::Open)))
            }
        }
    }
}

#[derive(Default)]
struct Gathered {
    unknown: bool,
    secret: bool,
    secrets: Vec<Value>,
}

impl Gathered {
    fn add(&mut self, evaluated: Evaluated) -> Leaf {
        self.unknown |= evaluated.unknown;
        self.secret |= evaluated.secret;
        self.secrets.extend(evaluated.secrets);
        (evaluated.value, evaluated.mark)
    }

    fn finish(self, (value, mark): Leaf) -> Evaluated {
        let Self { unknown, secret, secrets } = self;
        Evaluated { value, unknown, secret, mark, secrets }
    }
}

impl TextTemplate {
    fn render(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        let segments = match &*self.parts {
            Parts::Statements(statements) => return statements.render(scope),
            Parts::Segments(segments) => segments,
        };
        let (mut text, mut shown) = (String::new(), String::new());
        let mut gathered = Gathered::default();
        for segment in segments {
            match segment {
                Segment::Raw(raw) => {
                    text.push_str(raw);
                    shown.push_str(raw);
                }
                Segment::Expression(expression) => {
                    let leaf = gathered.add(expression.evaluate(scope)?);
                    // Printing an unknown marks it; it is marked in `gathered` already.
                    let ((), _) = trace::observe(|| {
                        text.push_str(&to_text(&leaf.0));
                        shown.push_str(&mark::shown_text(&leaf));
                    });
                }
            }
        }
        let value = if gathered.unknown { unknown_text(text) } else { Value::from(text) };
        let mark = if gathered.secret { Mark::Shown(shown.into()) } else { Mark::Open };
        Ok(gathered.finish((value, mark)))
    }
}

fn may_hold_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

fn inexact(number: &str, span: Span) -> Diagnostic {
    let whole = !number.contains(['.', 'e', 'E']);
    let (message, label) = if whole {
        ("this is a whole number of more than 64 bits", "would lose digits")
    } else {
        ("this number has more digits than can be kept", "would be rounded")
    };
    Diagnostic::new(Code::InexactNumber, message)
        .at(span)
        .label(label)
        .help(format!("write it in quotes, as text: \"{number}\""))
}

fn literal_value(node: &Node, kind: &TemplateKind) -> Value {
    match kind {
        TemplateKind::Sequence(items) => {
            items.iter().filter_map(|item| item.literal.clone()).collect()
        }
        TemplateKind::Mapping(entries) => Value::from_pairs(
            entries
                .iter()
                .filter_map(|entry| Some((entry.key.name.as_str(), entry.value.literal.clone()?))),
        ),
        _ => from_json(&document::to_json(node)),
    }
}

fn refuse_key(key: &Key) -> Option<Diagnostic> {
    (key.name.contains("{{") || key.name.contains("{%")).then(|| {
        Diagnostic::new(Code::TemplatedKey, "a key cannot be templated")
            .at(key.span)
            .help("write the key itself; only values can hold `{{ … }}`")
    })
}

fn compile_text(text: &Text, span: Span) -> Result<TemplateKind, Vec<Diagnostic>> {
    let text = Arc::new(text.clone());
    let whole = Place::new(text.clone(), 0);
    let Some(found) = split(&text.value, &whole)? else {
        let statements = Statements::compile(&text.value, whole)?;
        let references = statements.outline.references.clone().into();
        let parts = Arc::new(Parts::Statements(Box::new(statements)));
        return Ok(TemplateKind::Text(TextTemplate { parts, references }));
    };
    let mut faults = Vec::new();
    let mut segments = Vec::with_capacity(found.len());
    for piece in found {
        match piece {
            Piece::Raw(raw) => segments.push(Segment::Raw(raw.to_owned())),
            Piece::Expression(range) => {
                let source = text.value.get(range.clone()).unwrap_or_default();
                let place = Place::new(text.clone(), range.start);
                let inner = place.span(&(0..source.len()));
                match Expression::at(source, place, inner) {
                    Ok(expression) => segments.push(Segment::Expression(expression)),
                    Err(found) => faults.extend(found),
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if let [Segment::Expression(expression)] = segments.as_slice() {
        return Ok(TemplateKind::Expression(expression.clone().spanning(span)));
    }
    let references = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Expression(expression) => Some(expression.references().to_vec()),
            Segment::Raw(_) => None,
        })
        .flatten()
        .collect();
    let parts = Arc::new(Parts::Segments(segments));
    Ok(TemplateKind::Text(TextTemplate { parts, references }))
}

enum Piece<'a> {
    Raw(&'a str),
    Expression(std::ops::Range<usize>),
}

/// Text and expressions in turn; `None` where the text has statements.
fn split<'a>(source: &'a str, place: &Place) -> Result<Option<Vec<Piece<'a>>>, Vec<Diagnostic>> {
    let mut pieces = Vec::new();
    let mut opened = None;
    for token in tokenize(source, false, syntax()) {
        let (token, span) = token.map_err(|error| vec![token_error(&error, source, place)])?;
        let start = usize::try_from(span.start_offset).unwrap_or(usize::MAX);
        let end = usize::try_from(span.end_offset).unwrap_or(usize::MAX);
        match token {
            Token::TemplateData(raw) => pieces.push(Piece::Raw(raw)),
            Token::BlockStart => return Ok(None),
            Token::VariableStart => opened = Some((start, end)),
            Token::VariableEnd => {
                if let Some((_, inner)) = opened.take() {
                    pieces.push(Piece::Expression(trimmed(source, inner..start)));
                }
            }
            _ => {}
        }
    }
    if let Some((start, end)) = opened {
        return Err(vec![
            Diagnostic::new(Code::TemplateSyntax, "this `{{` is never closed")
                .at(place.span(&(start..end)))
                .help("close it with `}}`"),
        ]);
    }
    Ok(Some(pieces))
}

fn trimmed(source: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let text = source.get(range.clone()).unwrap_or_default();
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}
