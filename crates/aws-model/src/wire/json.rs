//! JSON bodies.

use std::io;

use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

use super::scalar::{
    blob, boolean, float, format_of, from_base64, integer, read_decimal, read_integer, string,
    to_base64,
};
use super::{WireError, Wired, kind_of, members_of, timestamp};
use crate::service::Service;
use crate::shape::{Kind, Member, Structure, TimestampFormat};

/// The JSON that a value is on the wire.
pub(crate) fn encode(service: &Service, member: &Member, value: &Value) -> Wired<Value> {
    match &service.shape_of(member).kind {
        Kind::Structure(structure) if structure.document => Ok(value.clone()),
        Kind::Structure(structure) => {
            Ok(Value::Object(encode_members(service, structure, members_of(value)?, |_| true)?))
        }
        Kind::List(element) => {
            let Value::Array(list) = value else {
                return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
            };
            let items = list.iter().enumerate().map(|(place, item)| match item {
                Value::Null => Ok(Value::Null),
                item => encode(service, element, item).map_err(|error| error.at_index(place)),
            });
            items.collect::<Wired<_>>().map(Value::Array)
        }
        Kind::Map(parts) => {
            let items = members_of(value)?.iter().map(|(key, item)| match item {
                Value::Null => Ok((key.clone(), Value::Null)),
                item => Ok((
                    key.clone(),
                    encode(service, &parts.1, item).map_err(|error| error.below(key))?,
                )),
            });
            items.collect::<Wired<_>>().map(Value::Object)
        }
        Kind::String => string(value).map(Value::from),
        Kind::Integer | Kind::Long => integer(value).cloned().map(Value::Number),
        Kind::Float | Kind::Double => float(value).map(|_| value.clone()),
        Kind::Boolean => boolean(value).map(Value::Bool),
        Kind::Blob => blob(value).map(|bytes| Value::String(to_base64(&bytes))),
        Kind::Timestamp => {
            let moment = timestamp::parse_timestamp(value)?;
            Ok(timestamp::json(moment, format_of(member, TimestampFormat::Unix)))
        }
    }
}

/// The members of a structure, those that belong here, under their names on the wire.
pub(crate) fn encode_members(
    service: &Service,
    structure: &Structure,
    value: &Map<String, Value>,
    belongs: impl Fn(&Member) -> bool,
) -> Wired<Map<String, Value>> {
    let mut encoded = Map::new();
    for (name, value) in value {
        let member = structure
            .member(name)
            .ok_or_else(|| WireError::new("there is no such member").below(name))?;
        if value.is_null() || !belongs(member) {
            continue;
        }
        encoded.insert(
            member.wire_name().to_owned(),
            encode(service, member, value).map_err(|error| error.below(name))?,
        );
    }
    Ok(encoded)
}

/// The value that JSON of the wire is.
pub(crate) fn decode(service: &Service, member: &Member, value: &Value) -> Wired<Value> {
    let shape = service.shape_of(member);
    let unreadable =
        || WireError::new(format!("expected {}, not {}", shape.kind.word(), kind_of(value)));
    match &shape.kind {
        Kind::Structure(structure) if structure.document => Ok(value.clone()),
        Kind::Structure(structure) => {
            let Value::Object(map) = value else { return Err(unreadable()) };
            Ok(Value::Object(decode_members(service, structure, map, |_| true)?))
        }
        Kind::List(element) => {
            let Value::Array(list) = value else { return Err(unreadable()) };
            let items = list.iter().enumerate().map(|(place, item)| match item {
                Value::Null => Ok(Value::Null),
                item => decode(service, element, item).map_err(|error| error.at_index(place)),
            });
            items.collect::<Wired<_>>().map(Value::Array)
        }
        Kind::Map(parts) => {
            let Value::Object(map) = value else { return Err(unreadable()) };
            decode_map(service, member, &parts.1, map).map(Value::Object)
        }
        Kind::String => match value {
            Value::String(_) => Ok(value.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(Value::String(value.to_string())),
            _ => Err(unreadable()),
        },
        Kind::Integer | Kind::Long => decode_integer(value).ok_or_else(unreadable),
        Kind::Float | Kind::Double => match value {
            Value::Number(_) => Ok(value.clone()),
            Value::String(text) => read_decimal(text).ok_or_else(unreadable),
            _ => Err(unreadable()),
        },
        Kind::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(unreadable()),
        },
        Kind::Blob => {
            let bytes = value
                .as_str()
                .and_then(from_base64)
                .ok_or_else(|| WireError::new("expected bytes as base64"))?;
            Ok(Value::String(to_base64(&bytes)))
        }
        Kind::Timestamp => timestamp::decode(value),
    }
}

/// A map; an entry that is nothing counts only where the model says that it may.
fn decode_map(
    service: &Service,
    member: &Member,
    of: &Member,
    map: &Map<String, Value>,
) -> Wired<Map<String, Value>> {
    let mut decoded = Map::new();
    for (key, item) in map {
        if !item.is_null() {
            let value = decode(service, of, item).map_err(|error| error.below(key))?;
            decoded.insert(key.clone(), value);
        } else if member.traits.sparse {
            decoded.insert(key.clone(), Value::Null);
        }
    }
    Ok(decoded)
}

/// An integer, also one that is written with decimals; nothing where one would have to be rounded.
fn decode_integer(value: &Value) -> Option<Value> {
    /// Beyond this, a number with decimals no more says which integer it is.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if !number.is_f64() => Some(value.clone()),
        Value::Number(number) => {
            let float =
                number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT)?;
            #[expect(clippy::cast_possible_truncation, reason = "it is an integer below 2^53")]
            Some(Value::from(float as i64))
        }
        Value::String(text) => read_integer(text),
        _ => None,
    }
}

/// The members of a structure, those that belong here, found under their names on the wire.
pub(crate) fn decode_members(
    service: &Service,
    structure: &Structure,
    map: &Map<String, Value>,
    belongs: impl Fn(&Member) -> bool,
) -> Wired<Map<String, Value>> {
    let mut decoded = Map::new();
    for member in structure.members.iter().filter(|member| belongs(member)) {
        if let Some(value) = map.get(member.wire_name()).filter(|value| !value.is_null()) {
            let value = decode(service, member, value).map_err(|error| error.below(member.name))?;
            decoded.insert(member.name.to_owned(), value);
        }
    }
    Ok(decoded)
}

/// The JSON value of a body; an empty body is an empty map.
pub(crate) fn parse(body: &[u8]) -> Wired<Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body)
        .map_err(|error| WireError::new(format!("the body is no JSON: {error}")))
}

/// JSON as requests have it: a space behind commas and colons, nothing beyond ASCII.
pub(crate) fn request_text(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Spaced { compact: false });
    write(value, &mut serializer);
    text
}

/// JSON as headers have it: without spaces, nothing beyond ASCII.
pub(crate) fn header_text(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Spaced { compact: true });
    write(value, &mut serializer);
    text
}

/// JSON as responses have it.
pub(crate) fn response_text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn write<W: io::Write, F: Formatter>(value: &Value, serializer: &mut Serializer<W, F>) {
    serde::Serialize::serialize(value, serializer).expect("writing into memory does not fail");
}

struct Spaced {
    compact: bool,
}

impl Spaced {
    fn separator(&self, first: bool) -> &'static [u8] {
        match (first, self.compact) {
            (true, _) => b"",
            (false, true) => b",",
            (false, false) => b", ",
        }
    }
}

impl Formatter for Spaced {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(super::decimal::text(value).as_bytes())
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(self.separator(first))
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(self.separator(first))
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.compact { b":" } else { b": " })
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for letter in fragment.chars() {
            if letter.is_ascii() && letter != '\u{7f}' {
                writer.write_all(&[letter as u8])?;
            } else {
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{header_text, request_text};

    #[test]
    fn json_is_written_as_boto3_writes_it() {
        let value = json!({"a": [1, 2.0, 1e-7, "ü\u{1f600}\u{7f}\n\""], "b": {}});
        let text = String::from_utf8(request_text(&value)).expect("it is text");
        assert_eq!(text, r#"{"a": [1, 2.0, 1e-07, "\u00fc\ud83d\ude00\u007f\n\""], "b": {}}"#);
        assert_eq!(header_text(&json!({"a": [1, 2]})), br#"{"a":[1,2]}"#);
    }
}
