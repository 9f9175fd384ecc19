//! Calculations: exact, or an error.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind};

use super::number::LARGEST_IN_DOUBLE;
use super::{kind, refusal};
use crate::template::value::{holds_unknown, to_text, unknown};
use crate::template::{Value, trace};

/// No text and no list that an operator makes is longer.
const LONGEST: usize = 200_000;

const NO_RESULT: &str = "this calculation has no result: a division by zero, or numbers too large";

/// A number, as it is calculated with.
enum Number {
    Whole(i128),
    Decimal(f64),
}

fn number(value: &Value) -> Option<Number> {
    if value.kind() != ValueKind::Number {
        return None;
    }
    if value.is_integer() {
        return i128::try_from(value.clone()).ok().map(Number::Whole);
    }
    f64::try_from(value.clone()).ok().map(Number::Decimal)
}

/// `left operator right`.
pub(in crate::template) fn calculate(
    left: &Value,
    operator: &str,
    right: &Value,
) -> Result<Value, Error> {
    if holds_unknown(left) || holds_unknown(right) {
        trace::mark_unknown();
        return Ok(unknown(operator));
    }
    if left.is_undefined() || right.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    match (number(left), number(right)) {
        (Some(Number::Whole(one)), Some(Number::Whole(other))) => whole(one, operator, other),
        (Some(one), Some(other)) => decimal(as_double(&one)?, operator, as_double(&other)?),
        _ => other_kinds(left, operator, right),
    }
}

/// `-value`.
pub(in crate::template) fn negate(value: &Value) -> Result<Value, Error> {
    if holds_unknown(value) {
        trace::mark_unknown();
        return Ok(unknown("-"));
    }
    match number(value) {
        Some(Number::Whole(number)) => number.checked_neg().map(Value::from).ok_or_else(no_result),
        Some(Number::Decimal(number)) => Ok(Value::from(-number)),
        None if value.is_undefined() => Err(Error::from(ErrorKind::UndefinedError)),
        None => Err(refusal(
            format!("{} has no negative", kind(value)),
            "turn it into a number first: `… | int`",
        )),
    }
}

fn no_result() -> Error {
    refusal(NO_RESULT, "keep the numbers smaller, or ask first whether the divisor is 0")
}

fn whole(left: i128, operator: &str, right: i128) -> Result<Value, Error> {
    let result = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => {
            let (left, right) =
                (as_double(&Number::Whole(left))?, as_double(&Number::Whole(right))?);
            return decimal(left, operator, right);
        }
        "//" => left.checked_div_euclid(right).map(|quotient| {
            // Rounded down, whatever the signs are.
            let rest = left.rem_euclid(right);
            if right < 0 && rest != 0 { quotient - 1 } else { quotient }
        }),
        "%" => left
            .checked_rem_euclid(right)
            .map(|rest| if right < 0 && rest != 0 { rest + right } else { rest }),
        _ => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
    };
    result.map(Value::from).ok_or_else(no_result)
}

/// Refuses a whole number that no double can hold.
pub(super) fn in_double(value: &Value) -> Result<(), Error> {
    number(value).as_ref().map_or(Ok(()), |number| as_double(number).map(drop))
}

/// A number as a double, where that is the same number.
fn as_double(number: &Number) -> Result<f64, Error> {
    match number {
        Number::Decimal(number) => Ok(*number),
        #[allow(clippy::cast_precision_loss, reason = "these few lose nothing")]
        Number::Whole(whole) if whole.unsigned_abs() <= LARGEST_IN_DOUBLE => Ok(*whole as f64),
        Number::Whole(_) => Err(refusal(
            "a whole number beyond 2^53 is not exact as a decimal",
            "stay among whole numbers: `//` divides them",
        )),
    }
}

fn decimal(left: f64, operator: &str, right: f64) -> Result<Value, Error> {
    let rest = || {
        let rest = left % right;
        if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
    };
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => ((left - rest()) / right).round(),
        "%" => rest(),
        _ => left.powf(right),
    };
    if result.is_finite() { Ok(Value::from(result)) } else { Err(no_result()) }
}

fn other_kinds(left: &Value, operator: &str, right: &Value) -> Result<Value, Error> {
    let is_list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    match (operator, left.as_str(), right.as_str()) {
        ("+", Some(one), Some(other)) => {
            within(one.len() + other.len())?;
            return Ok(Value::from(format!("{one}{other}")));
        }
        ("*", Some(text), None) if number(right).is_some() => return repeat_text(text, right),
        ("*", None, Some(text)) if number(left).is_some() => return repeat_text(text, left),
        _ => {}
    }
    match operator {
        "+" if is_list(left) && is_list(right) => {
            let mut items: Vec<Value> = left.try_iter()?.take(LONGEST + 1).collect();
            items.extend(right.try_iter()?.take(LONGEST + 1));
            within(items.len())?;
            Ok(Value::from(items))
        }
        "*" if is_list(left) && number(right).is_some() => repeat_list(left, right),
        "*" if is_list(right) && number(left).is_some() => repeat_list(right, left),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "tried to use {operator} operator on unsupported types {} and {}",
                left.kind(),
                right.kind()
            ),
        )),
    }
}

fn within(length: usize) -> Result<(), Error> {
    if length <= LONGEST { Ok(()) } else { Err(Error::from(ErrorKind::OutOfFuel)) }
}

fn times(count: &Value) -> Result<usize, Error> {
    match number(count) {
        Some(Number::Whole(count)) => {
            usize::try_from(count.max(0)).map_err(|_| Error::from(ErrorKind::OutOfFuel))
        }
        _ => Err(refusal("only a whole number says how often", "write a whole number, such as 3")),
    }
}

fn repeat_text(text: &str, count: &Value) -> Result<Value, Error> {
    let count = times(count)?;
    within(text.len().saturating_mul(count))?;
    Ok(Value::from(text.repeat(count)))
}

fn repeat_list(list: &Value, count: &Value) -> Result<Value, Error> {
    let count = times(count)?;
    let items: Vec<Value> = list.try_iter()?.take(LONGEST + 1).collect();
    within(items.len().saturating_mul(count))?;
    Ok(std::iter::repeat_n(items, count).flatten().collect())
}

/// `left ~ right`: both as they stand in a text.
pub(in crate::template) fn join(left: &Value, right: &Value) -> Result<Value, Error> {
    if holds_unknown(left) || holds_unknown(right) {
        trace::mark_unknown();
        return Ok(unknown("~"));
    }
    if left.is_undefined() || right.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let (left, right) = (to_text(left), to_text(right));
    within(left.len() + right.len())?;
    Ok(Value::from(left + &right))
}
