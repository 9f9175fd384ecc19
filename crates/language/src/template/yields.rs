//! The type of an expression's value, as far as its last operation tells.

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};
use minijinja::value::ValueKind;

/// The type of an expression's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// It depends.
    Anything,
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// A list.
    List,
    /// A map.
    Map,
}

impl Yields {
    pub(super) fn of(expression: &Expr<'_>) -> Self {
        match expression {
            Expr::Const(constant) => match constant.value.kind() {
                ValueKind::String => Self::Text,
                ValueKind::Bool => Self::Truth,
                ValueKind::Number if constant.value.as_i64().is_some() => Self::Integer,
                ValueKind::Number => Self::Number,
                _ => Self::Anything,
            },
            Expr::Compare(_) | Expr::Test(_) => Self::Truth,
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOpKind::Not => Self::Truth,
                UnaryOpKind::Neg => Self::of(&operation.expr),
            },
            Expr::BinOp(operation) => match operation.op {
                BinOpKind::Concat => Self::Text,
                BinOpKind::In | BinOpKind::Eq | BinOpKind::Ne => Self::Truth,
                BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => Self::Truth,
                _ => Self::Anything,
            },
            Expr::IfExpr(choice) => {
                let one = Self::of(&choice.true_expr);
                let other = choice.false_expr.as_ref().map(Self::of);
                if other == Some(one) { one } else { Self::Anything }
            }
            Expr::Filter(filter) => Self::of_filter(filter.name),
            Expr::List(_) | Expr::Tuple(_) => Self::List,
            Expr::Map(_) => Self::Map,
            _ => Self::Anything,
        }
    }

    fn of_filter(name: &str) -> Self {
        match name {
            "length" | "count" | "int" => Self::Integer,
            "float" => Self::Number,
            "bool" => Self::Truth,
            "string" | "upper" | "lower" | "title" | "capitalize" | "trim" | "replace" | "join"
            | "tojson" | "indent" => Self::Text,
            "list" | "split" | "lines" => Self::List,
            _ => Self::Anything,
        }
    }
}
