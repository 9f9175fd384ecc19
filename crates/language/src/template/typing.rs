//! The types that an expression's value may have, and what can be seen to be wrong with them before anything runs.

use std::ops::Range;

use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};
use minijinja::value::ValueKind;

use super::Value;
use super::analysis::fixed_path;
use super::checks::{Role, binary_ordering, is_truth, ordering};
use super::program::about;
use super::runtime::instead_of_condition;
use super::runtime::number::is_exact;
use super::runtime::order::no_order;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::types::Types;

const NUMBERS: Types = Types::INTEGER.or(Types::NUMBER);

/// Says which types a path may have.
type Of<'o> = &'o dyn Fn(&[String]) -> Types;

pub(super) fn types(expression: &Expr<'_>, of: Of<'_>) -> Types {
    if is_truth(expression) {
        return Types::BOOLEAN;
    }
    match expression {
        Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => {
            fixed_path(expression).map_or(Types::ANY, |path| of(&path))
        }
        Expr::Const(constant) => match constant.value.kind() {
            ValueKind::String => Types::STRING,
            ValueKind::Bool => Types::BOOLEAN,
            ValueKind::None => Types::NULL,
            ValueKind::Number if constant.value.is_integer() => Types::INTEGER,
            ValueKind::Number => Types::NUMBER,
            _ => Types::ANY,
        },
        Expr::Slice(slice) => types(&slice.expr, of),
        Expr::UnaryOp(operation) => match operation.op {
            UnaryOpKind::Not => Types::BOOLEAN,
            UnaryOpKind::Neg => types(&operation.expr, of),
        },
        Expr::BinOp(operation) => of_operation(operation, of),
        Expr::IfExpr(choice) => {
            let one = types(&choice.true_expr, of);
            choice.false_expr.as_ref().map_or(Types::ANY, |other| one.or(types(other, of)))
        }
        Expr::Filter(filter) => match filter.name {
            "default" | "d" => {
                let operand = filter.expr.as_ref().map_or(Types::ANY, |it| types(it, of));
                match filter.args.first() {
                    Some(CallArg::Pos(other)) => operand.or(types(other, of)),
                    _ => Types::ANY,
                }
            }
            name => of_filter(name),
        },
        Expr::Call(call) => match &call.expr {
            Expr::Var(name) => of_function(name.id),
            _ => Types::ANY,
        },
        Expr::List(_) | Expr::Tuple(_) => Types::ARRAY,
        Expr::Map(_) => Types::OBJECT,
        Expr::Compare(_) | Expr::Test(_) => Types::BOOLEAN,
    }
}

fn of_operation(operation: &BinOp<'_>, of: Of<'_>) -> Types {
    let both = || (types(&operation.left, of), types(&operation.right, of));
    match operation.op {
        BinOpKind::Concat => Types::STRING,
        BinOpKind::ScAnd | BinOpKind::ScOr => {
            let (left, right) = both();
            left.or(right)
        }
        BinOpKind::Div => Types::NUMBER,
        BinOpKind::Sub | BinOpKind::FloorDiv | BinOpKind::Rem | BinOpKind::Pow => NUMBERS,
        BinOpKind::Add => match both() {
            (Types::INTEGER, Types::INTEGER) => Types::INTEGER,
            (Types::STRING, _) | (_, Types::STRING) => Types::STRING,
            (Types::ARRAY, _) | (_, Types::ARRAY) => Types::ARRAY,
            (left, right) if !left.has(NUMBERS) || !right.has(NUMBERS) => Types::ANY,
            (left, right) => left.or(right).or(NUMBERS),
        },
        _ => Types::ANY,
    }
}

fn of_filter(name: &str) -> Types {
    match name {
        "length" | "count" | "int" => Types::INTEGER,
        "float" => Types::NUMBER,
        "bool" | "regex_match" => Types::BOOLEAN,
        "string" | "upper" | "lower" | "title" | "capitalize" | "trim" | "replace" | "join"
        | "tojson" | "indent" | "format" | "escape" | "pprint" | "b64encode" | "b64decode"
        | "sha256" | "regex_replace" => Types::STRING,
        "list" | "split" | "lines" | "sort" | "map" | "select" | "reject" | "selectattr"
        | "rejectattr" | "unique" | "batch" | "slice" | "zip" | "product" | "items"
        | "dictsort" | "chain" | "groupby" | "fromcsv" => Types::ARRAY,
        "jwt_payload" => Types::OBJECT,
        "abs" | "round" | "sum" => NUMBERS,
        _ => Types::ANY,
    }
}

fn of_function(name: &str) -> Types {
    match name {
        "range" => Types::ARRAY,
        "dict" | "namespace" => Types::OBJECT,
        "file" => Types::STRING,
        _ => Types::ANY,
    }
}

/// What is wrong with the types of the parts of an expression.
pub(super) fn faults(
    expression: &Expr<'_>,
    role: Role,
    source: &str,
    place: &dyn Fn(&Range<usize>) -> Span,
    of: Of<'_>,
) -> Vec<Diagnostic> {
    let mut checker = Checker { source, place, of, found: Vec::new() };
    checker.part(expression, role);
    checker.found
}

struct Checker<'c> {
    source: &'c str,
    place: &'c dyn Fn(&Range<usize>) -> Span,
    of: Of<'c>,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn part(&mut self, expression: &Expr<'_>, role: Role) {
        match expression {
            Expr::BinOp(it) if matches!(it.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.part(&it.left, role);
                self.part(&it.right, role);
                return;
            }
            Expr::IfExpr(it) => {
                self.part(&it.test_expr, Role::Condition);
                self.part(&it.true_expr, role);
                if let Some(other) = &it.false_expr {
                    self.part(other, role);
                }
                return;
            }
            other => self.inside(other),
        }
        if role == Role::Condition {
            self.condition(expression);
        }
    }

    fn value(&mut self, expression: &Expr<'_>) {
        self.part(expression, Role::Value);
    }

    fn inside(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Var(_) | Expr::IfExpr(_) => {}
            Expr::Const(constant) => self.number(&constant.value, expression),
            Expr::GetAttr(get) => self.value(&get.expr),
            Expr::GetItem(get) => {
                self.value(&get.expr);
                self.value(&get.subscript_expr);
            }
            Expr::Slice(slice) => self.value(&slice.expr),
            Expr::UnaryOp(it) => match it.op {
                UnaryOpKind::Not => self.part(&it.expr, Role::Condition),
                UnaryOpKind::Neg => self.value(&it.expr),
            },
            Expr::BinOp(it) => {
                self.value(&it.left);
                self.value(&it.right);
                if binary_ordering(it.op).is_some() {
                    self.order(&it.left, &it.right, expression);
                } else if matches!(it.op, BinOpKind::Eq | BinOpKind::Ne) {
                    let equal = matches!(it.op, BinOpKind::Eq);
                    self.equality(&it.left, &it.right, equal, expression);
                }
            }
            Expr::Compare(it) => {
                self.value(&it.expr);
                let mut left = &it.expr;
                for operand in &it.ops {
                    self.value(&operand.expr);
                    if ordering(operand.op).is_some() {
                        self.order(left, &operand.expr, expression);
                    } else if matches!(operand.op, CompareOpKind::Eq | CompareOpKind::Ne) {
                        let equal = matches!(operand.op, CompareOpKind::Eq);
                        self.equality(left, &operand.expr, equal, expression);
                    }
                    left = &operand.expr;
                }
            }
            Expr::Filter(it) => {
                it.expr.iter().for_each(|operand| self.value(operand));
                self.arguments(&it.args);
            }
            Expr::Test(it) => {
                self.value(&it.expr);
                self.arguments(&it.args);
            }
            Expr::Call(it) => self.arguments(&it.args),
            Expr::List(it) => it.items.iter().for_each(|item| self.value(item)),
            Expr::Tuple(it) => it.items.iter().for_each(|item| self.value(item)),
            Expr::Map(it) => it.keys.iter().chain(&it.values).for_each(|part| self.value(part)),
        }
    }

    /// A number that is written out, and cannot be kept.
    fn number(&mut self, value: &Value, expression: &Expr<'_>) {
        let written = self.written(expression);
        if !value.is_number() || is_exact(&written.replace('_', "")) {
            return;
        }
        self.found.push(
            Diagnostic::new(Code::InexactNumber, "this number has more digits than can be kept")
                .at((self.place)(&self.range(expression)))
                .label("would be rounded")
                .help(format!("write it as text: '{written}'")),
        );
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.value(value),
            }
        }
    }

    fn range(&self, expression: &Expr<'_>) -> Range<usize> {
        let span = match fixed_path(expression) {
            Some(_) => root_start(expression)..expression.span().end_offset,
            None => expression.span().start_offset..expression.span().end_offset,
        };
        let offset = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        offset(span.start)..offset(span.end).max(offset(span.start))
    }

    fn written(&self, expression: &Expr<'_>) -> &str {
        self.source.get(self.range(expression)).unwrap_or_default()
    }

    fn condition(&mut self, expression: &Expr<'_>) {
        let types = types(expression, self.of);
        if types.has(Types::BOOLEAN) || types == Types::NONE {
            return;
        }
        let words = types.words();
        let nullable = types.has(Types::NULL) && types != Types::NULL;
        let kind = if nullable { "none" } else { words.as_str() };
        let written = match expression {
            Expr::Const(_) => "",
            expression => self.written(expression),
        };
        let help = about(instead_of_condition(kind), written);
        self.found.push(
            Diagnostic::new(
                Code::NotACondition,
                format!("a condition must be true or false, this is {words}"),
            )
            .at((self.place)(&self.range(expression)))
            .label(format!("this is {words}"))
            .help(help),
        );
    }

    fn order(&mut self, left: &Expr<'_>, right: &Expr<'_>, whole: &Expr<'_>) {
        let (one, other) = (types(left, self.of), types(right, self.of));
        let ordered = [NUMBERS, Types::STRING, Types::ARRAY, Types::BOOLEAN];
        if ordered.iter().any(|kind| one.has(*kind) && other.has(*kind))
            || one == Types::NONE
            || other == Types::NONE
        {
            return;
        }
        let (one, other) = (order_words(one), order_words(other));
        let (message, help) = no_order(&one, &other);
        // Advice is about the operand that is not what the other is, unless it is written out.
        let operand =
            if one == "a number" || matches!(left, Expr::Const(_)) { right } else { left };
        let written = match operand {
            Expr::Const(_) => "",
            operand => self.written(operand),
        };
        let help = about(&help, written);
        self.found.push(
            Diagnostic::new(Code::NotOrdered, message)
                .at((self.place)(&self.range(whole)))
                .label("values of different kinds are not ordered")
                .help(help),
        );
    }

    fn equality(&mut self, left: &Expr<'_>, right: &Expr<'_>, equal: bool, whole: &Expr<'_>) {
        let (one, other) = (types(left, self.of), types(right, self.of));
        let is_null = |types: Types| types == Types::NULL;
        if one.may_be(other)
            || is_null(one)
            || is_null(other)
            || one == Types::NONE
            || other == Types::NONE
        {
            return;
        }
        let (one, other) = (one.without(Types::NULL).words(), other.without(Types::NULL).words());
        let help = if one == "a string" && !matches!(left, Expr::Const(_)) {
            instead_of_text(self.written(left), self.written(right), &other)
        } else if other == "a string" && !matches!(right, Expr::Const(_)) {
            instead_of_text(self.written(right), self.written(left), &one)
        } else {
            "compare values of one kind".to_owned()
        };
        self.found.push(
            Diagnostic::new(Code::NeverEqual, format!("{one} and {other} are never equal"))
                .at((self.place)(&self.range(whole)))
                .label(if equal { "always false" } else { "always true" })
                .help(help),
        );
    }
}

/// What to write instead of comparing a text with something else.
fn instead_of_text(text: &str, other: &str, kind: &str) -> String {
    match kind {
        "a whole number" | "a number" | "true or false" => {
            format!("it is text: compare it with \"{other}\"")
        }
        _ => format!("`{text}` is text"),
    }
}

/// The kinds that have an order of their own, in words.
fn order_words(types: Types) -> String {
    if types == Types::NULL {
        return "none".to_owned();
    }
    let types = types.without(Types::NULL);
    if types.without(NUMBERS) == Types::NONE { "a number".to_owned() } else { types.words() }
}

fn root_start(expression: &Expr<'_>) -> u32 {
    match expression {
        Expr::GetAttr(get) => root_start(&get.expr),
        Expr::GetItem(get) => root_start(&get.expr),
        other => other.span().start_offset,
    }
}
