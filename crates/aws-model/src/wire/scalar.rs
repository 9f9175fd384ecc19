//! Values that are one text: in XML, in headers, in paths, in forms.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

use super::{WireError, Wired, decimal, kind_of, timestamp};
use crate::service::Service;
use crate::shape::{Kind, Member, TimestampFormat};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes that base64 says, where it is base64. Line breaks in it mean nothing.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(|letter: char| letter.is_ascii_whitespace()) {
        return BASE64.decode(text.split_ascii_whitespace().collect::<String>()).ok();
    }
    BASE64.decode(text).ok()
}

fn expected(what: &str, value: &Value) -> WireError {
    WireError::new(format!("expected {what}, not {}", kind_of(value)))
}

pub(crate) fn string(value: &Value) -> Wired<&str> {
    value.as_str().ok_or_else(|| expected("a text", value))
}

pub(crate) fn boolean(value: &Value) -> Wired<bool> {
    value.as_bool().ok_or_else(|| expected("true or false", value))
}

pub(crate) fn integer(value: &Value) -> Wired<&Number> {
    match value {
        Value::Number(number) if !number.is_f64() => Ok(number),
        other => Err(expected("an integer", other)),
    }
}

pub(crate) fn blob(value: &Value) -> Wired<Vec<u8>> {
    from_base64(string(value)?).ok_or_else(|| WireError::new("expected bytes as base64"))
}

/// The value of a float or double as text: an integer stays one.
pub(crate) fn float(value: &Value) -> Wired<String> {
    match value {
        Value::Number(number) => Ok(decimal::number_text(number)),
        Value::String(name) if decimal::special(name).is_some() => Ok(name.clone()),
        other => Err(expected("a number", other)),
    }
}

/// How a timestamp is written that does not say so itself.
pub(crate) fn format_of(member: &Member, default: TimestampFormat) -> TimestampFormat {
    member.traits.timestamp_format.unwrap_or(default)
}

/// The text that a value of a simple shape is.
pub(crate) fn encode(
    service: &Service,
    member: &Member,
    value: &Value,
    default: TimestampFormat,
) -> Wired<String> {
    match &service.shape_of(member).kind {
        Kind::String => string(value).map(str::to_owned),
        Kind::Integer | Kind::Long => integer(value).map(Number::to_string),
        Kind::Float | Kind::Double => float(value),
        Kind::Boolean => boolean(value).map(|truth| truth.to_string()),
        Kind::Blob => blob(value).map(|bytes| to_base64(&bytes)),
        Kind::Timestamp => timestamp::encode(value, format_of(member, default)),
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => {
            Err(WireError::new("only a simple value can stand here"))
        }
    }
}

/// The value of a simple shape that a text is.
pub(crate) fn decode(service: &Service, member: &Member, text: &str) -> Wired<Value> {
    let shape = service.shape_of(member);
    let unreadable = || WireError::new(format!("expected {}, not `{text}`", shape.kind.word()));
    match &shape.kind {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Integer | Kind::Long => read_integer(text.trim()).ok_or_else(unreadable),
        Kind::Float | Kind::Double => read_decimal(text.trim()).ok_or_else(unreadable),
        Kind::Boolean => match text.trim() {
            "true" | "True" | "TRUE" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" | "0" => Ok(Value::Bool(false)),
            _ => Err(unreadable()),
        },
        Kind::Blob => {
            from_base64(text).map(|bytes| Value::String(to_base64(&bytes))).ok_or_else(unreadable)
        }
        Kind::Timestamp => timestamp::decode(&Value::String(text.to_owned())),
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => Err(unreadable()),
    }
}

/// An integer of the wire: all of it, or nothing.
pub(crate) fn read_integer(text: &str) -> Option<Value> {
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// A number of the wire that may have decimals.
pub(crate) fn read_decimal(text: &str) -> Option<Value> {
    if let Some(integer) = read_integer(text) {
        return Some(integer);
    }
    if let Some(special) = decimal::special(text) {
        return Some(decimal::value(special));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| decimal::value(number))
}
