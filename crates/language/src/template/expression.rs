use std::collections::BTreeMap;
use std::sync::Arc;

use super::checks::Role;
use super::program::{FileUse, Place, Program};
use super::syntax::nothing;
use super::{Evaluated, Reference, Scope, TemplateError};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::{Node, NodeKind, Text};
use crate::types::Types;

/// A bare expression, as in `when` or `until`. Clones share the compiled code.
#[derive(Debug, Clone)]
pub struct Expression {
    program: Arc<Program>,
    span: Span,
}

impl Expression {
    /// Compiles the expression that a node holds.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at least one diagnostic.
    pub fn parse(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        Self::compile(node, Role::Value)
    }

    /// Compiles the condition that a node holds: its value must be true or false.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at least one diagnostic.
    pub fn condition(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        Self::compile(node, Role::Condition)
    }

    fn compile(node: &Node, role: Role) -> Result<Self, Vec<Diagnostic>> {
        let constant = |source: String| Arc::new(Text::new(source, node.span));
        let text = match &node.kind {
            NodeKind::Bool(value) => constant(value.to_string()),
            NodeKind::Integer(value) => constant(value.to_string()),
            NodeKind::Float(value) => constant(format!("{value:?}")),
            NodeKind::String(text) => Arc::new(text.clone()),
            NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                let message = format!("an expression is expected here, not {}", node.type_name());
                return Err(vec![
                    Diagnostic::new(Code::WrongType, message)
                        .at(node.span)
                        .help("write an expression, such as `steps.role.arn == inputs.arn`"),
                ]);
            }
        };
        if text.value.trim().is_empty() {
            return Err(vec![nothing(node.span)]);
        }
        refuse_braces(node, &text)?;
        let offset = text.value.len() - text.value.trim_start().len();
        let source = text.value.trim().to_owned();
        Self::build(&source, Place::new(text, offset), node.span, role)
    }

    pub(super) fn at(source: &str, place: Place, span: Span) -> Result<Self, Vec<Diagnostic>> {
        Self::build(source, place, span, Role::Value)
    }

    fn build(source: &str, place: Place, span: Span, role: Role) -> Result<Self, Vec<Diagnostic>> {
        let program = Arc::new(Program::compile(source, place, role)?);
        Ok(Self { program, span })
    }

    pub(super) fn spanning(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// The expression as it is written.
    #[must_use]
    pub fn source(&self) -> &str {
        self.program.source()
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The types that its value may have, where `of` says which a path may have.
    #[must_use]
    pub(crate) fn types(&self, of: &dyn Fn(&[String]) -> Types) -> Types {
        self.program.types(of)
    }

    /// What can be seen to be wrong with the types of its parts: conditions that are none, values without an order.
    #[must_use]
    pub(crate) fn wrong_types(&self, of: &dyn Fn(&[String]) -> Types) -> Vec<Diagnostic> {
        self.program.wrong_types(of)
    }

    /// The path that it is, where it is one path and nothing else.
    #[must_use]
    pub fn path(&self) -> Option<&[String]> {
        self.program.path()
    }

    /// The files that it reads.
    #[must_use]
    pub fn files(&self) -> &[FileUse] {
        &self.program.outline.files
    }

    /// Hands over what is in the files that it reads, by their paths as they are written.
    pub fn provide(&self, contents: &BTreeMap<String, String>) {
        self.program.outline.provide(contents);
    }

    /// What it reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.program.outline.references
    }

    /// The value of the expression.
    ///
    /// # Errors
    ///
    /// Where something is undefined, or an operation does not fit its operands.
    pub fn evaluate(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        self.program.evaluate(scope)
    }
}

/// `'{{ inputs.name }}' == 'a'`, which would compare the braces.
fn holds_name_in_braces(source: &str) -> bool {
    source.match_indices("{{").any(|(at, _)| {
        let inside = source.get(at + 2..).unwrap_or_default().trim_start();
        ["inputs.", "vars.", "steps.", "run.", "env.", "result.", "item", "error."]
            .iter()
            .any(|root| inside.starts_with(root))
    })
}

fn refuse_braces(node: &Node, text: &Text) -> Result<(), Vec<Diagnostic>> {
    let source = text.value.trim();
    if !source.starts_with("{{") && !source.contains("{%") && !holds_name_in_braces(source) {
        return Ok(());
    }
    let inner = source.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    let diagnostic =
        Diagnostic::new(Code::UnneededBraces, "an expression stands here without braces")
            .at(node.span);
    let help = match inner {
        Some(inner) if !inner.contains("{{") => format!("write `{}`", inner.trim()),
        _ => "write one expression without `{{`, `}}`, `{%`; join texts with `~`".to_owned(),
    };
    Err(vec![diagnostic.help(help)])
}
