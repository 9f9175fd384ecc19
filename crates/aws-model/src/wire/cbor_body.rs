//! CBOR bodies.

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::cbor::Item;
use super::scalar::{blob, boolean, integer, string, to_base64};
use super::{WireError, Wired, decimal, kind_of, members_of, timestamp};
use crate::service::Service;
use crate::shape::{Kind, Member, Structure};

/// The tag of a moment in seconds since 1970.
const EPOCH: u64 = 1;

/// The item that a value is on the wire.
pub(crate) fn encode(service: &Service, member: &Member, value: &Value) -> Wired<Item> {
    match &service.shape_of(member).kind {
        Kind::Structure(structure) if structure.document => Ok(plain(value)),
        Kind::Structure(structure) => {
            let mut entries = Vec::new();
            for (name, value) in members_of(value)? {
                let member = structure
                    .member(name)
                    .ok_or_else(|| WireError::new("there is no such member").below(name))?;
                if !value.is_null() {
                    entries.push((
                        member.wire_name().to_owned(),
                        encode(service, member, value).map_err(|error| error.below(name))?,
                    ));
                }
            }
            Ok(Item::Map(entries))
        }
        Kind::List(of) => {
            let Value::Array(list) = value else {
                return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
            };
            let items = list.iter().enumerate().map(|(place, item)| match item {
                Value::Null => Ok(Item::Null),
                item => encode(service, of, item).map_err(|error| error.at_index(place)),
            });
            items.collect::<Wired<_>>().map(Item::List)
        }
        Kind::Map(parts) => {
            let entries = members_of(value)?.iter().map(|(key, item)| match item {
                Value::Null => Ok((key.clone(), Item::Null)),
                item => Ok((
                    key.clone(),
                    encode(service, &parts.1, item).map_err(|error| error.below(key))?,
                )),
            });
            entries.collect::<Wired<_>>().map(Item::Map)
        }
        Kind::String => string(value).map(|text| Item::Text(text.to_owned())),
        Kind::Integer | Kind::Long => integer(value).map(whole),
        Kind::Float => number(value).map(single),
        Kind::Double => number(value).map(Item::Double),
        Kind::Boolean => boolean(value).map(Item::Bool),
        Kind::Blob => blob(value).map(Item::Bytes),
        Kind::Timestamp => timestamp::parse_timestamp(value).map(moment),
    }
}

fn number(value: &Value) -> Wired<f64> {
    decimal::read(value)
        .ok_or_else(|| WireError::new(format!("expected a number, not {}", kind_of(value))))
}

/// A number that 32 bits cannot hold is sent with 64 rather than as another one.
fn single(number: f64) -> Item {
    let text = number.to_string();
    match text.parse::<f32>() {
        Ok(single) if single.is_finite() == number.is_finite() => Item::Single(single),
        _ => Item::Double(number),
    }
}

fn whole(number: &Number) -> Item {
    Item::Integer(
        number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .unwrap_or_default(),
    )
}

fn moment(moment: Timestamp) -> Item {
    let seconds = timestamp::unix(moment);
    let item = if seconds.is_f64() {
        Item::Double(seconds.as_f64().unwrap_or_default())
    } else {
        whole(&seconds)
    };
    Item::Tagged(EPOCH, Box::new(item))
}

/// A value as it is.
fn plain(value: &Value) -> Item {
    match value {
        Value::Null => Item::Null,
        Value::Bool(truth) => Item::Bool(*truth),
        Value::Number(number) if number.is_f64() => {
            Item::Double(number.as_f64().unwrap_or_default())
        }
        Value::Number(number) => whole(number),
        Value::String(text) => Item::Text(text.clone()),
        Value::Array(items) => Item::List(items.iter().map(plain).collect()),
        Value::Object(map) => {
            Item::Map(map.iter().map(|(key, item)| (key.clone(), plain(item))).collect())
        }
    }
}

/// The value that an item of the wire is.
pub(crate) fn decode(service: &Service, member: &Member, item: &Item) -> Wired<Value> {
    let shape = service.shape_of(member);
    let unreadable =
        || WireError::new(format!("expected {}, not {}", shape.kind.word(), word(item)));
    match (&shape.kind, item) {
        (Kind::Structure(structure), item) if structure.document => Ok(read_plain(item)),
        (Kind::Structure(structure), Item::Map(_)) => {
            decode_members(service, structure, item).map(Value::Object)
        }
        (Kind::List(of), Item::List(items)) => {
            let items = items.iter().enumerate().map(|(place, item)| match item {
                Item::Null => Ok(Value::Null),
                item => decode(service, of, item).map_err(|error| error.at_index(place)),
            });
            items.collect::<Wired<_>>().map(Value::Array)
        }
        (Kind::Map(parts), Item::Map(entries)) => {
            let mut map = Map::new();
            for (key, item) in entries {
                match item {
                    Item::Null if !member.traits.sparse => {}
                    Item::Null => drop(map.insert(key.clone(), Value::Null)),
                    item => {
                        map.insert(
                            key.clone(),
                            decode(service, &parts.1, item).map_err(|error| error.below(key))?,
                        );
                    }
                }
            }
            Ok(Value::Object(map))
        }
        (Kind::String, Item::Text(text)) => Ok(Value::String(text.clone())),
        (
            Kind::Integer | Kind::Long | Kind::Float | Kind::Double,
            Item::Integer(_) | Item::Single(_) | Item::Double(_),
        ) => {
            let read = read_plain(item);
            let decimals = matches!(shape.kind, Kind::Float | Kind::Double);
            if decimals || read.is_i64() || read.is_u64() { Ok(read) } else { Err(unreadable()) }
        }
        (Kind::Boolean, Item::Bool(truth)) => Ok(Value::Bool(*truth)),
        (Kind::Blob, Item::Bytes(bytes)) => Ok(Value::String(to_base64(bytes))),
        (Kind::Timestamp, Item::Tagged(EPOCH, seconds)) => timestamp::decode(&read_plain(seconds)),
        _ => Err(unreadable()),
    }
}

/// The members of a structure that are in a map.
pub(crate) fn decode_members(
    service: &Service,
    structure: &Structure,
    map: &Item,
) -> Wired<Map<String, Value>> {
    let mut decoded = Map::new();
    for member in &structure.members {
        if let Some(item) = map.get(member.wire_name()).filter(|item| **item != Item::Null) {
            decoded.insert(
                member.name.to_owned(),
                decode(service, member, item).map_err(|error| error.below(member.name))?,
            );
        }
    }
    Ok(decoded)
}

fn word(item: &Item) -> &'static str {
    match item {
        Item::Integer(_) => "an integer",
        Item::Bytes(_) => "bytes",
        Item::Text(_) => "a text",
        Item::List(_) => "a list",
        Item::Map(_) => "a map",
        Item::Tagged(..) => "a tagged value",
        Item::Bool(_) => "true or false",
        Item::Null => "nothing",
        Item::Single(_) | Item::Double(_) => "a decimal number",
    }
}

/// An item as it is; an integer that no value can hold is its digits.
fn read_plain(item: &Item) -> Value {
    match item {
        Item::Integer(number) => i64::try_from(*number)
            .map(Value::from)
            .or_else(|_| u64::try_from(*number).map(Value::from))
            .unwrap_or_else(|_| Value::String(number.to_string())),
        Item::Bytes(bytes) => Value::String(to_base64(bytes)),
        Item::Text(text) => Value::String(text.clone()),
        Item::List(items) => Value::Array(items.iter().map(read_plain).collect()),
        Item::Map(entries) => Value::Object(
            entries.iter().map(|(key, item)| (key.clone(), read_plain(item))).collect(),
        ),
        Item::Tagged(_, item) => read_plain(item),
        Item::Bool(truth) => Value::Bool(*truth),
        Item::Null => Value::Null,
        Item::Single(number) => decimal::single(*number),
        Item::Double(number) => decimal::value(*number),
    }
}
