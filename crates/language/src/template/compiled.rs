//! A parsed text beside the source that it borrows from, and its code once that is needed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::{
    CodeGenerator, Instructions, eval, make_string_output, parse, parse_expr,
};
use minijinja::{AutoEscape, Error, ErrorKind, Output};
use self_cell::self_cell;

use super::Value;
use super::checks::{Role, checked, checked_text};
use super::environment::{environment, syntax};

const NAME: &str = "text";

/// What a source is, as a tree.
pub(super) enum Tree<'s> {
    /// One expression, and what its value is for.
    Expression(Expr<'s>, Role),
    /// A text with statements.
    Text(Stmt<'s>),
}

struct Unit<'s> {
    tree: Tree<'s>,
    /// Made when it is needed first: a check of thousands of steps evaluates none of them.
    code: OnceLock<Instructions<'s>>,
}

self_cell! {
    struct Cell {
        owner: Box<str>,
        #[not_covariant]
        dependent: Unit,
    }
}

/// A source that was parsed once: what is said of it and what evaluates it come from the same tree.
pub(super) struct Compiled(Cell);

impl Compiled {
    pub(super) fn expression(source: &str, role: Role) -> Result<Self, Error> {
        Cell::try_new(source.into(), |source| {
            Ok(Unit { tree: Tree::Expression(parse_expr(source)?, role), code: OnceLock::new() })
        })
        .map(Self)
    }

    pub(super) fn text(source: &str) -> Result<Self, Error> {
        Cell::try_new(source.into(), |source| {
            Ok(Unit { tree: Tree::Text(parse(source, NAME, syntax())?), code: OnceLock::new() })
        })
        .map(Self)
    }

    pub(super) fn source(&self) -> &str {
        self.0.borrow_owner()
    }

    /// Looks at the tree.
    pub(super) fn look<R>(&self, look: impl for<'s> FnOnce(&Tree<'s>) -> R) -> R {
        self.0.with_dependent(|_, unit| look(&unit.tree))
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, root: Value) -> Result<Value, Error> {
        // An expression writes nothing.
        let value = self.run(root, &mut make_string_output(&mut String::new()))?;
        value.ok_or_else(|| Error::from(ErrorKind::BadSerialization))
    }

    /// The text that statements make.
    pub(super) fn render(&self, root: Value) -> Result<String, Error> {
        let mut text = String::new();
        self.run(root, &mut make_string_output(&mut text))?;
        Ok(text)
    }

    fn run(&self, root: Value, output: &mut Output<'_>) -> Result<Option<Value>, Error> {
        self.0.with_dependent(|source, unit| {
            let code = unit.code.get_or_init(|| generate(source, &unit.tree));
            let (value, _) =
                eval(environment(), code, root, &BTreeMap::new(), output, AutoEscape::None)?;
            Ok(value)
        })
    }
}

fn generate<'s>(source: &'s str, tree: &Tree<'s>) -> Instructions<'s> {
    let mut generator = CodeGenerator::new(NAME, source);
    match tree {
        Tree::Expression(expression, role) => generator.compile_expr(&checked(expression, *role)),
        Tree::Text(text) => generator.compile_stmt(&checked_text(text)),
    }
    generator.finish().0
}

impl fmt::Debug for Compiled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Compiled").field(&self.source()).finish()
    }
}
