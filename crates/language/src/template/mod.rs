//! Expressions and templates: compiled once, with their references known before anything runs.
//!
//! A file is parsed first and its leaves are rendered afterwards, once, so that a value which
//! happens to hold `{{` is data. What is not known yet (in a dry run) stays unknown: nothing is
//! ever computed from it. What is secret of a result is known of each scalar in it: what was read, and where it went.

mod analysis;
mod checks;
mod compiled;
mod environment;
mod error;
mod expression;
mod mark;
mod namespace;
mod program;
pub(crate) mod runtime;
mod statements;
mod syntax;
mod trace;
mod tree;
mod typing;
mod value;
mod verbatim;
mod vocabulary;

use crate::diagnostic::Span;

pub use error::TemplateError;
pub use expression::Expression;
pub use mark::{MASK, Mark, is_distinctive};
pub use namespace::{Namespace, Scope};
pub use program::FileUse;
pub use runtime::number::{inexact_in_json, is_exact, is_exact_decimal};
pub use tree::{Template, TemplateEntry, TemplateKind, TextTemplate};
pub use value::{from_json, is_unknown, marker, to_json, to_text, unknown};
pub use vocabulary::{FILTER_WORDS, FUNCTION_WORDS, TEST_WORDS, Word};

/// A value of the template language.
pub type Value = minijinja::Value;

/// A name that an expression reads, such as `steps.role.arn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The names of the path, as far as they are fixed: `steps.x[inputs.key]` is `steps`, `x`.
    pub path: Vec<String>,
    /// Where the path stands.
    pub span: Span,
    /// Where each name of the path stands.
    pub parts: Vec<Span>,
    /// The hyphenated word that it is a part of, such as `eu-central-1`, and where that stands.
    pub word: Option<(String, Span)>,
    /// Whether it may be undefined: the expression asks `is defined` or gives a `default(…)`.
    pub optional: bool,
    /// Whether another part of the expression decides that it is read at all, as in `a if b else c`.
    pub conditional: bool,
}

/// The result of an expression or a template.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The value.
    pub value: Value,
    /// Whether the value is unknown, or has something unknown in it.
    pub unknown: bool,
    /// Whether a secret was read on the way, or is in it.
    pub secret: bool,
    /// What may be shown of the value, where it is a scalar. What is in a list or map has marks of its own.
    pub mark: Mark,
    /// The secrets that were read, and what was made from them.
    pub secrets: Vec<Value>,
}

impl Evaluated {
    /// Whether the value is known and counts as true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        !self.unknown && self.value.is_true()
    }
}

#[cfg(test)]
mod tests;
