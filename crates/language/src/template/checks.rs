//! The tree of an expression with the language's own rules in it: every path must be defined, conditions are true or
//! false, only values of one kind are ordered, and calculations are exact.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    AutoEscape, BinOp, BinOpKind, Call, CallArg, Compare, CompareOp, CompareOpKind, Const, Do,
    EmitExpr, EmitRaw, Expr, Filter, FilterBlock, ForLoop, GetAttr, GetItem, IfCond, IfExpr, List,
    Map, Set, SetBlock, Slice, Spanned, Stmt, Template, Test, Tuple, UnaryOp, UnaryOpKind, Var,
    WithBlock,
};

use super::Value;
use super::analysis::is_chain;
use super::environment::{CALCULATE, CONDITION, FILE, FILES, JOIN, NEGATE, ORDER, REQUIRE, TOUCH};

/// What the value of an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is a value.
    Value,
    /// It says whether something is so.
    Condition,
}

/// The word of an operator that orders its operands.
pub(super) fn ordering(operator: CompareOpKind) -> Option<&'static str> {
    match operator {
        CompareOpKind::Lt => Some("<"),
        CompareOpKind::Lte => Some("<="),
        CompareOpKind::Gt => Some(">"),
        CompareOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The same of a comparison of two.
pub(super) fn binary_ordering(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Lt => Some("<"),
        BinOpKind::Lte => Some("<="),
        BinOpKind::Gt => Some(">"),
        BinOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The word of an operator that calculates.
pub(super) fn calculation(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Add => Some("+"),
        BinOpKind::Sub => Some("-"),
        BinOpKind::Mul => Some("*"),
        BinOpKind::Div => Some("/"),
        BinOpKind::FloorDiv => Some("//"),
        BinOpKind::Rem => Some("%"),
        BinOpKind::Pow => Some("**"),
        _ => None,
    }
}

fn word(operator: CompareOpKind) -> &'static str {
    match operator {
        CompareOpKind::Eq => "==",
        CompareOpKind::Ne => "!=",
        CompareOpKind::In => "in",
        CompareOpKind::NotIn => "not in",
        other => ordering(other).unwrap_or("=="),
    }
}

/// The tree of an expression with all checks.
pub(super) fn checked<'s>(expression: &Expr<'s>, role: Role) -> Expr<'s> {
    let value = match expression {
        Expr::BinOp(it) if matches!(it.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            let (left, right) = (checked(&it.left, role), checked(&it.right, role));
            return Expr::BinOp(Spanned::new(BinOp { op: it.op, left, right }, it.span()));
        }
        Expr::IfExpr(it) => {
            let choice = IfExpr {
                test_expr: checked(&it.test_expr, Role::Condition),
                true_expr: checked(&it.true_expr, role),
                false_expr: it.false_expr.as_ref().map(|other| checked(other, role)),
            };
            return Expr::IfExpr(Spanned::new(choice, it.span()));
        }
        other => value(other),
    };
    if role == Role::Value || is_truth(expression) {
        return value;
    }
    let span = whole_span(expression);
    filter(CONDITION, value, Vec::new(), span)
}

/// Whether an operation always gives true or false.
pub(super) fn is_truth(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Compare(_) | Expr::Test(_) => true,
        Expr::UnaryOp(it) => matches!(it.op, UnaryOpKind::Not),
        Expr::BinOp(it) => {
            binary_ordering(it.op).is_some()
                || matches!(it.op, BinOpKind::Eq | BinOpKind::Ne | BinOpKind::In)
        }
        _ => false,
    }
}

fn value<'s>(expression: &Expr<'s>) -> Expr<'s> {
    match expression {
        Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => path(expression, false),
        Expr::Const(it) => constant(it.value.clone(), it.span()),
        Expr::Slice(it) => {
            let part = |part: &Option<Expr<'s>>| part.as_ref().map(value_of);
            let slice = Slice {
                expr: value_of(&it.expr),
                start: part(&it.start),
                stop: part(&it.stop),
                step: part(&it.step),
            };
            Expr::Slice(Spanned::new(slice, it.span()))
        }
        Expr::UnaryOp(it) => match it.op {
            UnaryOpKind::Not => {
                let expr = checked(&it.expr, Role::Condition);
                Expr::UnaryOp(Spanned::new(UnaryOp { op: UnaryOpKind::Not, expr }, it.span()))
            }
            UnaryOpKind::Neg => filter(NEGATE, value_of(&it.expr), Vec::new(), it.span()),
        },
        Expr::BinOp(it) => binary(it),
        Expr::Compare(it) => comparison(it),
        Expr::Filter(it) => {
            let optional = matches!(it.name, "default" | "d");
            let operand = it.expr.as_ref().map(|operand| operand_of(operand, optional));
            let args = arguments(&it.args);
            Expr::Filter(Spanned::new(Filter { name: it.name, expr: operand, args }, it.span()))
        }
        Expr::Test(it) => {
            let optional = matches!(it.name, "defined" | "undefined");
            let expr = operand_of(&it.expr, optional);
            let args = arguments(&it.args);
            Expr::Test(Spanned::new(Test { name: it.name, expr, args }, it.span()))
        }
        Expr::Call(it) => file(it).unwrap_or_else(|| Expr::Call(Spanned::new(call(it), it.span()))),
        Expr::List(it) => Expr::List(Spanned::new(List { items: all(&it.items) }, it.span())),
        Expr::Tuple(it) => Expr::Tuple(Spanned::new(Tuple { items: all(&it.items) }, it.span())),
        Expr::Map(it) => {
            let map = Map { keys: all(&it.keys), values: all(&it.values) };
            Expr::Map(Spanned::new(map, it.span()))
        }
        Expr::IfExpr(_) => checked(expression, Role::Value),
    }
}

fn value_of<'s>(expression: &Expr<'s>) -> Expr<'s> {
    checked(expression, Role::Value)
}

fn all<'s>(items: &[Expr<'s>]) -> Vec<Expr<'s>> {
    items.iter().map(value_of).collect()
}

fn operand_of<'s>(operand: &Expr<'s>, optional: bool) -> Expr<'s> {
    if optional && is_chain(operand) { path(operand, true) } else { value_of(operand) }
}

fn arguments<'s>(arguments: &[CallArg<'s>]) -> Vec<CallArg<'s>> {
    let argument = |argument: &CallArg<'s>| match argument {
        CallArg::Pos(value) => CallArg::Pos(value_of(value)),
        CallArg::Kwarg(name, value) => CallArg::Kwarg(name, value_of(value)),
        CallArg::PosSplat(value) => CallArg::PosSplat(value_of(value)),
        CallArg::KwargSplat(value) => CallArg::KwargSplat(value_of(value)),
    };
    arguments.iter().map(argument).collect()
}

/// `file('x')` is what was read before anything ran.
fn file<'s>(call: &Spanned<Call<'s>>) -> Option<Expr<'s>> {
    let (Expr::Var(name), [CallArg::Pos(Expr::Const(path))]) = (&call.expr, &*call.args) else {
        return None;
    };
    let span = call.span();
    (name.id == FILE).then(|| {
        let contents = GetItem {
            expr: Expr::Var(Spanned::new(Var { id: FILES }, span)),
            subscript_expr: constant(path.value.clone(), span),
        };
        Expr::GetItem(Spanned::new(contents, span))
    })
}

fn call<'s>(call: &Spanned<Call<'s>>) -> Call<'s> {
    let expr = match &call.expr {
        Expr::Var(name) => variable(name),
        Expr::GetAttr(method) => {
            let receiver = GetAttr { expr: value_of(&method.expr), name: method.name };
            Expr::GetAttr(Spanned::new(receiver, method.span()))
        }
        other => value_of(other),
    };
    Call { expr, args: arguments(&call.args) }
}

fn binary<'s>(it: &Spanned<BinOp<'s>>) -> Expr<'s> {
    let (left, right) = (value_of(&it.left), value_of(&it.right));
    let span = it.span();
    let with_word = |name, word: &'static str, left, right| {
        let word = CallArg::Pos(constant(Value::from(word), span));
        filter(name, left, vec![word, CallArg::Pos(right)], span)
    };
    if let Some(word) = calculation(it.op) {
        return with_word(CALCULATE, word, left, right);
    }
    let equality = match it.op {
        BinOpKind::Eq => Some("=="),
        BinOpKind::Ne => Some("!="),
        BinOpKind::In => Some("in"),
        _ => None,
    };
    if let Some(word) = binary_ordering(it.op).or(equality) {
        return with_word(ORDER, word, left, right);
    }
    if matches!(it.op, BinOpKind::Concat) {
        return filter(JOIN, left, vec![CallArg::Pos(right)], span);
    }
    Expr::BinOp(Spanned::new(BinOp { op: it.op, left, right }, span))
}

fn comparison<'s>(it: &Spanned<Compare<'s>>) -> Expr<'s> {
    let first = value_of(&it.expr);
    // Of several, what comes after one that does not hold is not evaluated.
    if it.ops.len() > 1 && it.ops.iter().all(|operand| ordering(operand.op).is_none()) {
        let ops = it.ops.iter();
        let ops = ops.map(|operand| CompareOp { op: operand.op, expr: value_of(&operand.expr) });
        let comparison = Compare { expr: first, ops: ops.collect() };
        return Expr::Compare(Spanned::new(comparison, it.span()));
    }
    let mut args = Vec::with_capacity(it.ops.len() * 2);
    for operand in &it.ops {
        args.push(CallArg::Pos(constant(Value::from(word(operand.op)), it.span())));
        args.push(CallArg::Pos(value_of(&operand.expr)));
    }
    filter(ORDER, first, args, it.span())
}

/// A path, which must be defined unless the expression asks whether it is.
fn path<'s>(outermost: &Expr<'s>, optional: bool) -> Expr<'s> {
    let inner = steps(outermost);
    if !is_chain(outermost) {
        return inner;
    }
    let span = whole_span(outermost);
    if optional {
        return filter(TOUCH, inner, Vec::new(), span);
    }
    let place = |offset: u32| CallArg::Pos(constant(Value::from(offset), span));
    filter(REQUIRE, inner, vec![place(span.start_offset), place(span.end_offset)], span)
}

fn steps<'s>(expression: &Expr<'s>) -> Expr<'s> {
    match expression {
        Expr::Var(name) => variable(name),
        Expr::GetAttr(get) => {
            let get_attr = GetAttr { expr: steps(&get.expr), name: get.name };
            Expr::GetAttr(Spanned::new(get_attr, get.span()))
        }
        Expr::GetItem(get) => {
            let get_item =
                GetItem { expr: steps(&get.expr), subscript_expr: value_of(&get.subscript_expr) };
            Expr::GetItem(Spanned::new(get_item, get.span()))
        }
        other => value_of(other),
    }
}

/// All of an expression: the engine's own spans of paths begin at their last name.
fn whole_span(expression: &Expr<'_>) -> Span {
    let (first, last) = (root(expression).span(), expression.span());
    Span { end_line: last.end_line, end_col: last.end_col, end_offset: last.end_offset, ..first }
}

fn root<'e, 's>(expression: &'e Expr<'s>) -> &'e Expr<'s> {
    match expression {
        Expr::GetAttr(get) => root(&get.expr),
        Expr::GetItem(get) => root(&get.expr),
        Expr::Filter(it) => it.expr.as_ref().map_or(expression, root),
        Expr::Test(it) => root(&it.expr),
        other => other,
    }
}

fn variable<'s>(name: &Spanned<Var<'s>>) -> Expr<'s> {
    Expr::Var(Spanned::new(Var { id: name.id }, name.span()))
}

fn constant<'s>(value: Value, span: Span) -> Expr<'s> {
    Expr::Const(Spanned::new(Const { value }, span))
}

fn filter<'s>(name: &'static str, expr: Expr<'s>, args: Vec<CallArg<'s>>, span: Span) -> Expr<'s> {
    Expr::Filter(Spanned::new(Filter { name, expr: Some(expr), args }, span))
}

/// The tree of a text with statements, with all checks.
pub(super) fn checked_text<'s>(statement: &Stmt<'s>) -> Stmt<'s> {
    match statement {
        Stmt::Template(it) => {
            Stmt::Template(Spanned::new(Template { children: body(&it.children) }, it.span()))
        }
        Stmt::EmitExpr(it) => {
            Stmt::EmitExpr(Spanned::new(EmitExpr { expr: value_of(&it.expr) }, it.span()))
        }
        Stmt::EmitRaw(it) => Stmt::EmitRaw(Spanned::new(EmitRaw { raw: it.raw }, it.span())),
        Stmt::ForLoop(it) => {
            let repeat = ForLoop {
                target: target(&it.target),
                iter: value_of(&it.iter),
                filter_expr: it.filter_expr.as_ref().map(|it| checked(it, Role::Condition)),
                recursive: it.recursive,
                body: body(&it.body),
                else_body: body(&it.else_body),
            };
            Stmt::ForLoop(Spanned::new(repeat, it.span()))
        }
        Stmt::IfCond(it) => {
            let choice = IfCond {
                expr: checked(&it.expr, Role::Condition),
                true_body: body(&it.true_body),
                false_body: body(&it.false_body),
            };
            Stmt::IfCond(Spanned::new(choice, it.span()))
        }
        Stmt::WithBlock(it) => {
            let assignments = it.assignments.iter();
            let assignments = assignments.map(|(name, value)| (target(name), value_of(value)));
            let with = WithBlock { assignments: assignments.collect(), body: body(&it.body) };
            Stmt::WithBlock(Spanned::new(with, it.span()))
        }
        Stmt::Set(it) => {
            let set = Set { target: target(&it.target), expr: value_of(&it.expr) };
            Stmt::Set(Spanned::new(set, it.span()))
        }
        Stmt::SetBlock(it) => {
            let filter = it.filter.as_ref().map(value_of);
            let set = SetBlock { target: target(&it.target), filter, body: body(&it.body) };
            Stmt::SetBlock(Spanned::new(set, it.span()))
        }
        Stmt::AutoEscape(it) => {
            let block = AutoEscape { enabled: value_of(&it.enabled), body: body(&it.body) };
            Stmt::AutoEscape(Spanned::new(block, it.span()))
        }
        Stmt::FilterBlock(it) => {
            let filter = value_of(&it.filter);
            let block = FilterBlock { filter, filter_span: it.filter_span, body: body(&it.body) };
            Stmt::FilterBlock(Spanned::new(block, it.span()))
        }
        Stmt::Do(it) => {
            let call = Spanned::new(call(&it.call), it.call.span());
            Stmt::Do(Spanned::new(Do { call }, it.span()))
        }
    }
}

fn body<'s>(statements: &[Stmt<'s>]) -> Vec<Stmt<'s>> {
    statements.iter().map(checked_text).collect()
}

/// A name that something is bound to is no path that is read.
fn target<'s>(expression: &Expr<'s>) -> Expr<'s> {
    let targets = |items: &[Expr<'s>]| items.iter().map(target).collect();
    match expression {
        Expr::List(it) => Expr::List(Spanned::new(List { items: targets(&it.items) }, it.span())),
        Expr::Tuple(it) => {
            Expr::Tuple(Spanned::new(Tuple { items: targets(&it.items) }, it.span()))
        }
        other => steps(other),
    }
}
