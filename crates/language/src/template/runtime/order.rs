//! Which of two values comes first. Values of different kinds have no order.

use std::cmp::Ordering;

use minijinja::value::{DynObject, Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, State, filters};

use super::{kind, refusal};
use crate::template::value::{DEEPEST, holds_unknown};
use crate::template::{Value, trace};

/// How two values are ordered.
pub(in crate::template) fn compare(left: &Value, right: &Value) -> Result<Ordering, Error> {
    compare_level(left, right, DEEPEST)
}

fn compare_level(left: &Value, right: &Value, levels: usize) -> Result<Ordering, Error> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(refusal("the value is nested too deeply", "compare parts of it"));
    };
    let list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    match (left.kind(), right.kind()) {
        (ValueKind::Undefined, _) | (_, ValueKind::Undefined) => {
            Err(Error::from(ErrorKind::UndefinedError))
        }
        (ValueKind::Number, ValueKind::Number)
        | (ValueKind::String, ValueKind::String)
        | (ValueKind::Bool, ValueKind::Bool) => Ok(left.cmp(right)),
        _ if list(left) && list(right) => {
            let mut others = right.try_iter()?;
            for one in left.try_iter()? {
                let Some(other) = others.next() else { return Ok(Ordering::Greater) };
                let order = compare_level(&one, &other, levels)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ok(if others.next().is_some() { Ordering::Less } else { Ordering::Equal })
        }
        _ => Err(unordered(kind(left), kind(right))),
    }
}

/// That two kinds of values have no order.
fn unordered(left: &'static str, right: &'static str) -> Error {
    let (message, help) = no_order(left, right);
    refusal(message, help)
}

/// What is wrong with ordering values of these kinds, and what to write.
pub(in crate::template) fn no_order(left: &str, right: &str) -> (String, String) {
    let message = if left == right {
        match left {
            "none" => "none has no order".to_owned(),
            _ => format!("{left} has no order"),
        }
    } else {
        format!("{left} and {right} have no order")
    };
    let is = |kind: &str| left == kind || right == kind;
    let number = is("a number") || is("a whole number");
    let help = if is("none") || is("empty") {
        "ask `… is not none` first"
    } else if is("a string") && number {
        "turn the text into a number: `… | int` or `… | float`"
    } else if (is("a list") || is("a map")) && number {
        "compare the length: `… | length`"
    } else {
        "compare values of one kind"
    };
    (message, help.to_owned())
}

/// Whether two values are the same. Those of different kinds never are, where the engine takes `true` for 1.
pub(in crate::template) fn equal(left: &Value, right: &Value) -> bool {
    equal_level(left, right, DEEPEST)
}

fn equal_level(left: &Value, right: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return left == right };
    match (left.kind(), right.kind()) {
        (ValueKind::Bool, ValueKind::Number) | (ValueKind::Number, ValueKind::Bool) => false,
        (ValueKind::Seq, ValueKind::Seq) => {
            let (Ok(ones), Ok(others)) = (left.try_iter(), right.try_iter()) else {
                return left == right;
            };
            left.len() == right.len()
                && ones.zip(others).all(|(one, other)| equal_level(&one, &other, levels))
        }
        (ValueKind::Map, ValueKind::Map) => {
            let Some(entries) = left.as_object().and_then(DynObject::try_iter_pairs) else {
                return left == right;
            };
            left.len() == right.len()
                && entries.into_iter().all(|(key, one)| {
                    let other = right.get_item(&key).unwrap_or_default();
                    !other.is_undefined() && equal_level(&one, &other, levels)
                })
        }
        _ => left == right,
    }
}

/// The tests `eq` and `ne`.
pub(in crate::template) fn equality(
    equal_is: bool,
) -> impl Fn(&Value, &Value) -> bool + Send + Sync + 'static {
    move |left, right| {
        if holds_unknown(left) || holds_unknown(right) {
            trace::mark_unknown();
            return false;
        }
        equal(left, right) == equal_is
    }
}

/// A chain of comparisons.
pub(in crate::template) fn ordered(
    state: &State<'_, '_>,
    first: Value,
    operands: Rest<Value>,
) -> Result<bool, Error> {
    if holds_unknown(&first) || operands.iter().any(holds_unknown) {
        trace::mark_unknown();
        return Ok(false);
    }
    let mut left = first;
    for pair in operands.chunks_exact(2) {
        let [operator, right] = pair else { continue };
        let holds = match operator.as_str().unwrap_or_default() {
            "==" => equal(&left, right),
            "!=" => !equal(&left, right),
            "in" => contains(state, &left, right)?,
            "not in" => !contains(state, &left, right)?,
            operator => {
                let order = compare(&left, right)?;
                match operator {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
        };
        if !holds {
            return Ok(false);
        }
        left = right.clone();
    }
    Ok(true)
}

fn contains(state: &State<'_, '_>, part: &Value, whole: &Value) -> Result<bool, Error> {
    if matches!(whole.kind(), ValueKind::Seq | ValueKind::Iterable)
        && matches!(part.kind(), ValueKind::Bool | ValueKind::Number)
    {
        return Ok(whole.try_iter()?.any(|item| equal(part, &item)));
    }
    match whole.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String => {
            minijinja::tests::is_in(state, part, whole)
        }
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Err(refusal(
            format!("nothing is in {}", kind(whole)),
            "`in` asks for a part of a list, a map or a string",
        )),
    }
}

/// The test `in`.
pub(in crate::template) fn is_in(
    state: &State<'_, '_>,
    part: &Value,
    whole: &Value,
) -> Result<bool, Error> {
    if holds_unknown(part) || holds_unknown(whole) {
        trace::mark_unknown();
        return Ok(false);
    }
    contains(state, part, whole)
}

/// The tests `lt`, `le`, `gt` and `ge`.
pub(in crate::template) fn test(
    holds: fn(Ordering) -> bool,
) -> impl Fn(&Value, &Value) -> Result<bool, Error> + Send + Sync + 'static {
    move |left, right| {
        if holds_unknown(left) || holds_unknown(right) {
            trace::mark_unknown();
            return Ok(false);
        }
        compare(left, right).map(holds)
    }
}

/// Refuses items that have no order among themselves.
fn check_items(items: &[Value], attribute: Option<&str>) -> Result<(), Error> {
    let keys: Vec<&str> =
        attribute.map(|it| it.split(',').map(str::trim).collect()).unwrap_or_default();
    let mut firsts: Vec<Option<Value>> = vec![None; keys.len().max(1)];
    for item in items {
        for (index, first) in firsts.iter_mut().enumerate() {
            let value = match keys.get(index) {
                Some(path) => at(item, path),
                None => item.clone(),
            };
            if value.is_undefined() {
                continue;
            }
            match first {
                Some(first) => {
                    compare(first, &value)?;
                }
                // One alone has no neighbour that it must be compared with.
                None => *first = Some(value),
            }
        }
    }
    Ok(())
}

fn at(item: &Value, path: &str) -> Value {
    path.split('.').fold(item.clone(), |value, key| {
        let key = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::from);
        value.get_item(&key).unwrap_or(Value::UNDEFINED)
    })
}

fn items_of(value: &Value) -> Result<Vec<Value>, Error> {
    let items = value.try_iter().map_err(|_| {
        Error::new(ErrorKind::InvalidOperation, format!("{} is not iterable", value.kind()))
    })?;
    Ok(items.collect())
}

/// `sort`, of items that have an order.
pub(in crate::template) fn sort(
    state: &State<'_, '_>,
    value: Value,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    check_items(&items_of(&value)?, kwargs.get::<Option<&str>>("attribute")?)?;
    filters::sort(state, value, kwargs)
}

/// `min`, of items that have an order.
pub(in crate::template) fn least(
    state: &State<'_, '_>,
    value: Value,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    check_items(&items_of(&value)?, kwargs.get::<Option<&str>>("attribute")?)?;
    filters::min(state, value, kwargs)
}

/// `max`, of items that have an order.
pub(in crate::template) fn greatest(
    state: &State<'_, '_>,
    value: Value,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    check_items(&items_of(&value)?, kwargs.get::<Option<&str>>("attribute")?)?;
    filters::max(state, value, kwargs)
}

/// `dictsort`, of keys or values that have an order.
pub(in crate::template) fn sort_entries(value: &Value, kwargs: Kwargs) -> Result<Value, Error> {
    let by_value = kwargs.get::<Option<&str>>("by")? == Some("value");
    if let Some(pairs) = value.as_object().and_then(DynObject::try_iter_pairs) {
        let compared: Vec<Value> =
            pairs.map(|(key, value)| if by_value { value } else { key }).collect();
        check_items(&compared, None)?;
    }
    filters::dictsort(value, kwargs)
}

/// `groupby`, of an attribute whose values have an order.
pub(in crate::template) fn group(
    value: Value,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let named = kwargs.get::<Option<&str>>("attribute")?;
    if let Ok(items) = items_of(&value) {
        check_items(&items, attribute.or(named))?;
    }
    filters::groupby(value, attribute, kwargs)
}
