//! Attribute values: what an item is made of.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::{invalid_values, validation};
use super::number::Number;
use crate::protocol::AwsError;

const DEEPEST: usize = 32;

/// An item: its attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// A value of one of DynamoDB's ten types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// `S`
    String(String),
    /// `N`
    Number(Number),
    /// `B`
    Binary(Vec<u8>),
    /// `SS`
    StringSet(BTreeSet<String>),
    /// `NS`
    NumberSet(BTreeSet<Number>),
    /// `BS`
    BinarySet(BTreeSet<Vec<u8>>),
    /// `M`
    Map(Item),
    /// `L`
    List(Vec<AttributeValue>),
    /// `BOOL`
    Bool(bool),
    /// `NULL`
    Null,
}

impl AttributeValue {
    /// Reads `{"S": "…"}`.
    pub fn read(value: &Value) -> Result<Self, AwsError> {
        read(value, 0)
    }

    /// Writes `{"S": "…"}`.
    #[must_use]
    pub fn write(&self) -> Value {
        match self {
            Self::String(text) => json!({"S": text}),
            Self::Number(number) => json!({"N": number.to_string()}),
            Self::Binary(bytes) => json!({"B": STANDARD.encode(bytes)}),
            Self::StringSet(set) => json!({"SS": set}),
            Self::NumberSet(set) => {
                json!({"NS": set.iter().map(ToString::to_string).collect::<Vec<_>>()})
            }
            Self::BinarySet(set) => {
                json!({"BS": set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>()})
            }
            Self::Map(map) => json!({"M": write_item(map)}),
            Self::List(list) => json!({"L": list.iter().map(Self::write).collect::<Vec<_>>()}),
            Self::Bool(value) => json!({"BOOL": value}),
            Self::Null => json!({"NULL": true}),
        }
    }

    /// `S`, `N`, …
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "S",
            Self::Number(_) => "N",
            Self::Binary(_) => "B",
            Self::StringSet(_) => "SS",
            Self::NumberSet(_) => "NS",
            Self::BinarySet(_) => "BS",
            Self::Map(_) => "M",
            Self::List(_) => "L",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
        }
    }

    /// The type as errors about operators name it.
    #[must_use]
    pub fn operand_type(&self) -> &'static str {
        match self {
            Self::String(_) => "STRING",
            Self::Number(_) => "NUMBER",
            Self::Binary(_) => "BINARY",
            Self::StringSet(_) => "STRING_SET",
            Self::NumberSet(_) => "NUMBER_SET",
            Self::BinarySet(_) => "BINARY_SET",
            Self::Map(_) => "MAP",
            Self::List(_) => "LIST",
            Self::Bool(_) => "BOOLEAN",
            Self::Null => "NULL",
        }
    }

    /// The order of two values, which only strings, numbers and binaries of the same type have.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::String(left), Self::String(right)) => {
                Some(left.as_bytes().cmp(right.as_bytes()))
            }
            (Self::Number(left), Self::Number(right)) => Some(left.cmp(right)),
            (Self::Binary(left), Self::Binary(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }

    /// What it counts towards an item's size.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Binary(bytes) => bytes.len(),
            Self::StringSet(set) => set.iter().map(String::len).sum(),
            Self::NumberSet(set) => set.iter().map(Number::size).sum(),
            Self::BinarySet(set) => set.iter().map(Vec::len).sum(),
            Self::Map(map) => 3 + map.len() + item_size(map),
            Self::List(list) => 3 + list.len() + list.iter().map(Self::size).sum::<usize>(),
            Self::Bool(_) | Self::Null => 1,
        }
    }
}

/// Reads the attributes of an item.
pub fn read_item(value: &Map<String, Value>) -> Result<Item, AwsError> {
    read_map(value, 0)
}

/// Writes the attributes of an item.
#[must_use]
pub fn write_item(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), value.write())).collect()
}

/// The bytes of names and values.
#[must_use]
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

fn read_map(map: &Map<String, Value>, depth: usize) -> Result<Item, AwsError> {
    map.iter().map(|(name, value)| Ok((name.clone(), read(value, depth)?))).collect()
}

fn read(value: &Value, depth: usize) -> Result<AttributeValue, AwsError> {
    if depth > DEEPEST {
        return Err(validation("Nesting Levels have exceeded supported limits"));
    }
    let members = value.as_object().ok_or_else(|| mistyped("AttributeValue", value))?;
    let mut given = members.iter().filter(|(_, content)| !content.is_null());
    let Some((name, content)) = given.next() else {
        return Err(validation(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ));
    };
    if given.next().is_some() {
        return Err(validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
             datatypes",
        ));
    }
    Ok(match name.as_str() {
        "S" => AttributeValue::String(text(content)?.to_owned()),
        "N" => AttributeValue::Number(text(content)?.parse()?),
        "B" => AttributeValue::Binary(binary(content)?),
        "SS" => AttributeValue::StringSet(set(content, "string", |one| Ok(text(one)?.to_owned()))?),
        "NS" => AttributeValue::NumberSet(set(content, "number", |one| text(one)?.parse())?),
        "BS" => AttributeValue::BinarySet(set(content, "binary", binary)?),
        "M" => {
            let map = content.as_object().ok_or_else(|| mistyped("Map", content))?;
            AttributeValue::Map(read_map(map, depth + 1)?)
        }
        "L" => {
            let list = content.as_array().ok_or_else(|| mistyped("List", content))?;
            let list: Result<_, AwsError> = list.iter().map(|one| read(one, depth + 1)).collect();
            AttributeValue::List(list?)
        }
        "BOOL" => {
            AttributeValue::Bool(content.as_bool().ok_or_else(|| mistyped("Boolean", content))?)
        }
        "NULL" => match content.as_bool() {
            Some(true) => AttributeValue::Null,
            Some(false) => {
                return Err(invalid_values(
                    "Null attribute value types must have the value of true",
                ));
            }
            None => return Err(mistyped("Boolean", content)),
        },
        _ => {
            return Err(validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        }
    })
}

fn text(value: &Value) -> Result<&str, AwsError> {
    value.as_str().ok_or_else(|| mistyped("String", value))
}

fn binary(value: &Value) -> Result<Vec<u8>, AwsError> {
    STANDARD.decode(text(value)?).map_err(|error| {
        AwsError::bad_request("SerializationException", format!("Invalid base64: {error}"))
    })
}

fn set<T: Ord>(
    value: &Value,
    kind: &str,
    read: impl Fn(&Value) -> Result<T, AwsError>,
) -> Result<BTreeSet<T>, AwsError> {
    let members = value.as_array().ok_or_else(|| mistyped("List", value))?;
    if members.is_empty() {
        // Two blanks, as AWS has it.
        return Err(invalid_values(&format!("An {kind} set  may not be empty")));
    }
    let set = members.iter().map(read).collect::<Result<BTreeSet<T>, _>>()?;
    if set.len() < members.len() {
        let shown: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
        return Err(invalid_values(&format!(
            "Input collection [{}] contains duplicates.",
            shown.join(", ")
        )));
    }
    Ok(set)
}

fn mistyped(wanted: &str, value: &Value) -> AwsError {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    AwsError::bad_request(
        "SerializationException",
        format!("{found} cannot be converted to {wanted}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_went_in() {
        for value in [
            json!({"S": ""}),
            json!({"N": "1.5"}),
            json!({"B": "AAE="}),
            json!({"SS": ["a", "b"]}),
            json!({"NS": ["-1", "2"]}),
            json!({"BS": ["AA==", "AQ=="]}),
            json!({"M": {"a": {"L": [{"BOOL": false}, {"NULL": true}]}}}),
        ] {
            assert_eq!(AttributeValue::read(&value).expect("valid").write(), value);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (value, part) in [
            (json!({}), "is empty"),
            (json!({"X": "a"}), "is empty"),
            (json!({"S": "a", "N": "1"}), "more than one datatypes"),
            (json!({"SS": []}), "An string set  may not be empty"),
            (json!({"NS": ["1", "1.0"]}), "Input collection [1, 1.0] contains duplicates."),
            (json!({"NULL": false}), "must have the value of true"),
            (json!({"N": 1}), "NUMBER_VALUE cannot be converted to String"),
            (json!({"B": "?"}), "Invalid base64"),
            (json!("x"), "STRING_VALUE cannot be converted to AttributeValue"),
        ] {
            let refused = AttributeValue::read(&value).expect_err("refused");
            assert!(refused.message.contains(part), "{}", refused.message);
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested =
            |levels| (0..levels).fold(json!({"NULL": true}), |inner, _| json!({"L": [inner]}));
        assert!(AttributeValue::read(&nested(32)).is_ok());
        let refused = AttributeValue::read(&nested(33)).expect_err("too deep");
        assert_eq!(refused.message, "Nesting Levels have exceeded supported limits");
    }
}
