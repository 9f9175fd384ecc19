//! What expressions find.

use serde_json::Value;

use super::parse::{Comparison, Expression, Function};

/// What an expression finds in a value.
pub(super) fn evaluate(expression: &Expression, value: &Value) -> Value {
    match expression {
        Expression::Current => value.clone(),
        Expression::Literal(literal) => literal.clone(),
        Expression::Member(name) => value.get(name).cloned().unwrap_or_default(),
        Expression::Index(index) => at(value, *index),
        Expression::Then(first, second) => match evaluate(first, value) {
            Value::Null if !matches!(**second, Expression::Literal(_) | Expression::Call(..)) => {
                Value::Null
            }
            found => evaluate(second, &found),
        },
        Expression::Each(several, inner) => match evaluate(several, value) {
            Value::Array(items) => {
                let found = items.iter().map(|item| evaluate(inner, item));
                Value::Array(found.filter(|found| !found.is_null()).collect())
            }
            _ => Value::Null,
        },
        Expression::Flatten(inner) => match evaluate(inner, value) {
            Value::Array(items) => Value::Array(items.into_iter().flat_map(opened).collect()),
            _ => Value::Null,
        },
        Expression::Values(inner) => match evaluate(inner, value) {
            Value::Object(map) => Value::Array(map.into_iter().map(|(_, value)| value).collect()),
            _ => Value::Null,
        },
        Expression::Items(inner) => match evaluate(inner, value) {
            list @ Value::Array(_) => list,
            _ => Value::Null,
        },
        Expression::Filter(inner, condition) => match evaluate(inner, value) {
            Value::Array(items) => Value::Array(
                items.into_iter().filter(|item| holds(&evaluate(condition, item))).collect(),
            ),
            _ => Value::Null,
        },
        Expression::List(items) => {
            Value::Array(items.iter().map(|item| evaluate(item, value)).collect())
        }
        Expression::Not(inner) => Value::Bool(!holds(&evaluate(inner, value))),
        Expression::And(left, right) => match evaluate(left, value) {
            left if holds(&left) => evaluate(right, value),
            left => left,
        },
        Expression::Or(left, right) => match evaluate(left, value) {
            left if holds(&left) => left,
            _ => evaluate(right, value),
        },
        Expression::Compare(left, comparison, right) => {
            compare(&evaluate(left, value), *comparison, &evaluate(right, value))
        }
        Expression::Call(function, arguments) => {
            let arguments: Vec<Value> =
                arguments.iter().map(|argument| evaluate(argument, value)).collect();
            call(*function, &arguments)
        }
    }
}

fn opened(item: Value) -> Vec<Value> {
    match item {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn at(value: &Value, index: i64) -> Value {
    let Some(items) = value.as_array() else { return Value::Null };
    let place = if index < 0 {
        usize::try_from(index.unsigned_abs()).ok().and_then(|back| items.len().checked_sub(back))
    } else {
        usize::try_from(index).ok()
    };
    place.and_then(|place| items.get(place)).cloned().unwrap_or_default()
}

/// Whether a value counts as true.
pub(super) fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Number(_) => true,
    }
}

fn compare(left: &Value, comparison: Comparison, right: &Value) -> Value {
    let same = match (left.as_f64(), right.as_f64()) {
        (Some(_), Some(_)) if left.is_f64() || right.is_f64() => left.as_f64() == right.as_f64(),
        _ => left == right,
    };
    let ordered = |holds: fn(f64, f64) -> bool| match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => Value::Bool(holds(left, right)),
        _ => Value::Null,
    };
    match comparison {
        Comparison::Equal => Value::Bool(same),
        Comparison::NotEqual => Value::Bool(!same),
        Comparison::Less => ordered(|left, right| left < right),
        Comparison::LessOrEqual => ordered(|left, right| left <= right),
        Comparison::Greater => ordered(|left, right| left > right),
        Comparison::GreaterOrEqual => ordered(|left, right| left >= right),
    }
}

fn call(function: Function, arguments: &[Value]) -> Value {
    match (function, arguments) {
        (Function::Length, [Value::String(text)]) => text.chars().count().into(),
        (Function::Length, [Value::Array(items)]) => items.len().into(),
        (Function::Length, [Value::Object(map)]) => map.len().into(),
        (Function::Keys, [Value::Object(map)]) => map.keys().cloned().collect(),
        (Function::Contains, [Value::Array(items), item]) => Value::Bool(items.contains(item)),
        (Function::Contains, [Value::String(text), Value::String(part)]) => {
            Value::Bool(text.contains(part.as_str()))
        }
        _ => Value::Null,
    }
}
