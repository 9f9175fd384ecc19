//! What the language's own rules do while an expression is evaluated.

pub(super) mod calculation;
pub(super) mod conversion;
pub(super) mod data;
pub(super) mod number;
pub(super) mod order;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind};

use super::Value;
use super::error::Said;

/// An error in our own words. They name kinds of values, never a value: that may be a secret.
pub(super) fn refusal(message: impl Into<String>, help: impl Into<String>) -> Error {
    let said = Said { message: message.into(), help: help.into() };
    Error::new(ErrorKind::InvalidOperation, said.message.clone()).with_source(said)
}

/// The kind of a value in words, such as `a string`.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "undefined",
        ValueKind::None => "none",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String | ValueKind::Bytes => "a string",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "another kind of value",
    }
}

/// What to write where a condition is asked for and a value of this kind stands. `…` stands for what is written.
pub(super) fn instead_of_condition(kind: &str) -> &'static str {
    match kind {
        "a string" => "write `… == \"true\"`, or `… != \"\"` to ask whether it is empty",
        "a number" | "a whole number" => "write `… != 0` or another comparison",
        "a list" | "a map" => "write `… | length > 0`",
        "none" | "empty" => "write `… is not none`",
        _ => "compare it: `… == …`; ask whether it is there: `… is defined`",
    }
}

/// Whether a value says yes or no.
pub(super) fn condition(value: &Value) -> Result<bool, Error> {
    if super::value::holds_unknown(value) {
        super::trace::mark_unknown();
        return Ok(false);
    }
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => {
            let kind = kind(value);
            let message = format!("a condition must be true or false, this is {kind}");
            Err(refusal(message, instead_of_condition(kind)))
        }
    }
}
