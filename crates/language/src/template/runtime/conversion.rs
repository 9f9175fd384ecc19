//! Values as texts, and texts as numbers.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, State, filters};

use super::calculation::in_double;
use super::number::{is_exact_decimal, keep};
use super::refusal;
use crate::template::Value;
use crate::template::environment::{ENGINE_FORMAT, ENGINE_JOIN};
use crate::template::value::to_text;

/// `int`: an error says why it is none.
pub(in crate::template) fn to_int(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let is_given = default.is_some() || kwargs.has("default");
    let fallback = || match &default {
        Some(default) => Ok(Some(default.clone())),
        None => kwargs.get::<Option<Value>>("default"),
    };
    if value.is_none() && !is_given {
        return Err(refusal("none is no number", "write `… | int(0)` where it may be none"));
    }
    if let Some(text) = value.as_str()
        && base.is_none()
        && !kwargs.has("base")
    {
        let trimmed = text.trim();
        let whole = trimmed.parse::<i128>().ok().map(Value::from);
        let found = whole.or_else(|| whole_part(trimmed));
        let fallback = fallback()?;
        kwargs.assert_all_used()?;
        return found.or(fallback).ok_or_else(|| {
            refusal(
                "this text is no whole number",
                "a number has digits alone, such as 42; `… | int(0)` is 0 where it is none",
            )
        });
    }
    if value.kind() == ValueKind::Number && !value.is_integer() {
        keep(value)?;
    }
    filters::int(state, value, default, base, kwargs)
}

/// What stands before the point.
fn whole_part(text: &str) -> Option<Value> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let whole = text.split('.').next().unwrap_or_default();
    match whole.parse::<i128>() {
        Ok(whole) if !text.contains(['e', 'E']) => Some(Value::from(whole)),
        #[allow(clippy::cast_possible_truncation, reason = "below 2^53 nothing is cut")]
        _ if number.abs() < 9_007_199_254_740_992.0 => Some(Value::from(number.trunc() as i64)),
        _ => None,
    }
}

/// `float`: an error says why it is none.
pub(in crate::template) fn to_float(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let is_given = default.is_some() || kwargs.has("default");
    if value.is_none() && !is_given {
        return Err(refusal("none is no number", "write `… | float(0)` where it may be none"));
    }
    if let Some(text) = value.as_str()
        && !is_given
    {
        kwargs.assert_all_used()?;
        let trimmed = text.trim();
        let number = trimmed.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| {
            refusal(
                "this text is no number",
                "a number is written as 42 or 1.5; `… | float(0)` is 0 where it is none",
            )
        })?;
        if !is_exact_decimal(trimmed) {
            return Err(refusal(
                "this text has more digits than a number keeps",
                "keep it as text",
            ));
        }
        return Ok(Value::from(number));
    }
    in_double(value)?;
    let number = filters::float(state, value, default, kwargs)?;
    keep(&number)?;
    Ok(number)
}

/// `string`: as it stands in a text.
pub(in crate::template) fn to_string(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(Value::from(to_text(value)))
}

/// `join`: items as they stand in a text.
pub(in crate::template) fn join_items(
    state: &mut State<'_, '_>,
    value: &Value,
    rest: Rest<Value>,
) -> Result<Value, Error> {
    let looks_inside = rest.len() > 1 || rest.iter().any(Value::is_kwargs);
    let mut arguments = vec![if looks_inside { value.clone() } else { spelled(value) }];
    arguments.extend(rest.iter().cloned());
    state.apply_filter(ENGINE_JOIN, &arguments)
}

/// A list whose truth values and nothings are written as everywhere else.
fn spelled(value: &Value) -> Value {
    let odd = |item: &Value| {
        matches!(item.kind(), ValueKind::Bool | ValueKind::None | ValueKind::Seq | ValueKind::Map)
    };
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return value.clone();
    }
    let Ok(items) = value.try_iter() else { return value.clone() };
    items.map(|item| if odd(&item) { Value::from(to_text(&item)) } else { item }).collect()
}

/// `format`: values as they stand in a text.
pub(in crate::template) fn format_text(
    state: &mut State<'_, '_>,
    format: &Value,
    values: Rest<Value>,
) -> Result<Value, Error> {
    let spell = |value: &Value| match value.kind() {
        ValueKind::Bool | ValueKind::None | ValueKind::Seq | ValueKind::Map => {
            if value.is_kwargs() { value.clone() } else { Value::from(to_text(value)) }
        }
        _ => value.clone(),
    };
    let mut arguments = vec![format.clone()];
    arguments.extend(values.iter().map(spell));
    state.apply_filter(ENGINE_FORMAT, &arguments).map_err(|error| match error.kind() {
        ErrorKind::OutOfFuel | ErrorKind::UndefinedError => error,
        _ => refusal(
            "the format and its values do not fit",
            "`%s` takes any value, `%d` a whole number, `%f` a number, and each takes one",
        ),
    })
}
