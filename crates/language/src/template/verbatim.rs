//! Expressions that only put together what they read: a secret that goes in comes out as it is, or not at all.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};

/// Filters that take some or all of a list or map, or join it, and change nothing.
const KEEP: &[&str] =
    &["d", "default", "join", "list", "map", "rejectattr", "selectattr", "sort", "string", "trim"];

/// Whether an expression changes nothing of the texts that it reads. Whatever it computes, looks into or decides by is not
/// verbatim.
pub(super) fn is_verbatim(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(_) | Expr::Var(_) => true,
        Expr::GetAttr(get) => is_verbatim(&get.expr),
        Expr::GetItem(get) => {
            matches!(&get.subscript_expr, Expr::Const(key) if key.value.as_str().is_some())
                && is_verbatim(&get.expr)
        }
        Expr::BinOp(operation) => {
            matches!(operation.op, BinOpKind::Concat | BinOpKind::Add)
                && is_verbatim(&operation.left)
                && is_verbatim(&operation.right)
        }
        Expr::Filter(filter) => {
            let changes_items = || filter.args.iter().any(|it| matches!(it, CallArg::Pos(_)));
            KEEP.contains(&filter.name)
                && !(filter.name == "map" && changes_items())
                && filter.expr.as_ref().is_none_or(is_verbatim)
                && filter.args.iter().all(argument_is_verbatim)
        }
        Expr::List(list) => list.items.iter().all(is_verbatim),
        Expr::Map(map) => map.keys.iter().chain(&map.values).all(is_verbatim),
        _ => false,
    }
}

fn argument_is_verbatim(argument: &CallArg<'_>) -> bool {
    match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => is_verbatim(value),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => false,
    }
}
