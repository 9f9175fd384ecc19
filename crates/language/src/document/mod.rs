//! YAML text to a tree in which every key and every scalar knows its place.
//!
//! The language is YAML 1.2 without what makes files surprising: no tags, no second document, no
//! duplicate keys; merge keys (`<<`) are read. A plain scalar is a number only where no digit could be lost:
//! `012`, `+15551234567`, `1_000` and `.inf` are strings. A number that has more digits than can be kept is text that knows
//! so, and a number, `true` and `false` know how they are written, for where text is expected.

mod fault;
mod keys;
mod parse;
mod place;
mod recover;
mod scalar;
mod weight;

use crate::diagnostic::Span;

pub use parse::parse;
pub use place::Text;
pub use recover::parse_around;

/// A value in a document, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value stands; for an alias, where the alias stands.
    pub span: Span,
    /// The value.
    pub kind: NodeKind,
    /// How a number, `true` or `false` is written; also a number that has more digits than can be kept, which is text here.
    spelling: Option<Box<str>>,
}

/// The value of a [`Node`].
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number between the smallest `i64` and the largest `u64`.
    Integer(i128),
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// Any other scalar.
    String(Text),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, its entries in the order of the file.
    Mapping(Vec<Entry>),
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key, which is always text here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub name: String,
    /// Where the key stands.
    pub span: Span,
}

impl Node {
    /// A node of this kind at this place.
    #[must_use]
    pub fn new(span: Span, kind: NodeKind) -> Self {
        Self { span, kind, spelling: None }
    }

    /// The text of a scalar as it is written, quotes or no quotes; nothing for lists, maps and what is empty.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        self.as_str().or(self.spelling.as_deref())
    }

    /// How a number, `true` or `false` is written without quotes.
    #[must_use]
    pub fn spelling(&self) -> Option<&str> {
        self.spelling.as_deref()
    }

    /// Whether this is a number without quotes that has more digits than can be kept.
    #[must_use]
    pub fn is_inexact_number(&self) -> bool {
        self.spelling.is_some() && matches!(self.kind, NodeKind::String(_))
    }

    /// A scalar as the text that it is written as.
    #[must_use]
    pub fn as_text(&self) -> Option<Node> {
        let spelling = self.spelling.as_deref()?;
        Some(Node::new(self.span, NodeKind::String(Text::plain(spelling, self.span))))
    }

    /// The value under a key, where this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, where this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_mapping()?.iter().find(|entry| entry.key.name == key)
    }

    /// The text, where this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(&text.value),
            _ => None,
        }
    }

    /// The truth value, where this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, where this is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i128> {
        match self.kind {
            NodeKind::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The items, where this is a list.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, where this is a map.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The kind of value, as a message names it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "true or false",
            NodeKind::Integer(_) | NodeKind::Float(_) => "a number",
            NodeKind::String(_) => "a string",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a map",
        }
    }

    /// Where a range of bytes of a string's value stands in the source.
    ///
    /// Falls back to the whole node where that cannot be said, and for anything but a string.
    #[must_use]
    pub fn locate(&self, range: std::ops::Range<usize>) -> Span {
        match &self.kind {
            NodeKind::String(text) => text.locate(range),
            _ => self.span,
        }
    }
}

/// The same data without the places.
#[must_use]
pub fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::Value;
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(*value),
        NodeKind::Integer(value) => integer_to_json(*value),
        NodeKind::Float(value) => {
            serde_json::Number::from_f64(*value).map_or(Value::Null, Value::Number)
        }
        NodeKind::String(text) => Value::String(text.value.clone()),
        NodeKind::Sequence(items) => items.iter().map(to_json).collect(),
        NodeKind::Mapping(entries) => Value::Object(
            entries.iter().map(|entry| (entry.key.name.clone(), to_json(&entry.value))).collect(),
        ),
    }
}

fn integer_to_json(value: i128) -> serde_json::Value {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        _ => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
