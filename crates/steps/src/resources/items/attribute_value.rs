//! DynamoDB's values as plain data, there and back, with nothing lost.
//!
//! Text, numbers, booleans, null, lists and maps are written as they are. What plain data has no word for is a map with one
//! key: `{$number: "…"}` for numbers beyond what a double keeps, `{$binary: BASE64}`, `{$set: […]}`, and `{$map: {…}}` for a map that
//! would otherwise be taken for one of these.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Number, Value, json};

use super::decimal::Decimal;
use engine::step::StepError;

/// An item, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Plain data for items: attributes by name.
pub(crate) type Plain = Map<String, Value>;

const NUMBER: &str = "$number";
const BINARY: &str = "$binary";
const SET: &str = "$set";
const MAP: &str = "$map";

/// A value that DynamoDB has no place for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    path: Vec<String>,
    message: String,
    /// The value that is not known yet, in a dry run.
    unknown: Option<String>,
}

impl Unfit {
    fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into(), unknown: None }
    }

    /// Text that is not what it should be, perhaps only because it is not known yet.
    fn text(text: &str, message: String) -> Self {
        let unknown = text.contains('⟨').then(|| text.to_owned());
        Self { unknown, ..Self::new(message) }
    }

    pub(crate) fn within(mut self, step: &impl ToString) -> Self {
        self.path.insert(0, step.to_string());
        self
    }

    /// The same, as a fault of a step's field.
    pub(crate) fn of(self, field: &str) -> StepError {
        let this = self.within(&field);
        match this.unknown {
            Some(unknown) => StepError::NotPlannable { unknown: vec![unknown] },
            None => StepError::Input { field: this.path, message: this.message, help: None },
        }
    }
}

/// Attributes by name from plain data, or from DynamoDB's own notation where they are `typed`.
pub(crate) fn item(plain: &Plain, typed: bool) -> Result<Item, Unfit> {
    let attribute = if typed { of_typed } else { of_plain };
    plain
        .iter()
        .map(|(name, value)| match attribute(value) {
            Ok(attribute) => Ok((name.clone(), attribute)),
            Err(unfit) => Err(unfit.within(&name)),
        })
        .collect()
}

/// Attributes by name as plain data, or in DynamoDB's own notation where they are to be `typed`; in order.
pub(crate) fn plain(item: &Item, typed: bool) -> Plain {
    let value = if typed { to_typed } else { to_plain };
    in_order(item, value)
}

fn in_order(item: &Item, value: fn(&AttributeValue) -> Value) -> Plain {
    let mut names: Vec<_> = item.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    names.into_iter().map(|(name, attribute)| (name.clone(), value(attribute))).collect()
}

fn of_plain(value: &Value) -> Result<AttributeValue, Unfit> {
    Ok(match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(each(values, of_plain)?),
        Value::Object(fields) => match marked(fields) {
            Some((NUMBER, value)) => AttributeValue::N(number_of(value)?),
            Some((BINARY, value)) => AttributeValue::B(binary_of(value)?),
            Some((SET, Value::Array(values))) => set_of(values)?,
            Some((SET, _)) => return Err(Unfit::new("a set is written `{$set: […]}`")),
            Some((MAP, Value::Object(fields))) => AttributeValue::M(item(fields, false)?),
            Some((MAP, _)) => return Err(Unfit::new("a map is written `{$map: {…}}`")),
            _ => AttributeValue::M(item(fields, false)?),
        },
    })
}

fn each<T>(values: &[Value], of: impl Fn(&Value) -> Result<T, Unfit>) -> Result<Vec<T>, Unfit> {
    let numbered = values.iter().enumerate();
    numbered.map(|(at, value)| of(value).map_err(|unfit| unfit.within(&at))).collect()
}

/// The mark and what it stands before, if this is a map with a mark.
fn marked(fields: &Plain) -> Option<(&'static str, &Value)> {
    let mut entries = fields.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return None;
    };
    let mark = [NUMBER, BINARY, SET, MAP].into_iter().find(|mark| mark == key)?;
    Some((mark, value))
}

fn number_of(value: &Value) -> Result<String, Unfit> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) if Decimal::parse(text).is_some() => Ok(text.clone()),
        Value::String(text) => Err(Unfit::text(text, format!("`{text}` is no number"))),
        _ => Err(Unfit::new("a number is written `{$number: \"1.5\"}`")),
    }
}

fn binary_of(value: &Value) -> Result<Blob, Unfit> {
    let Value::String(text) = value else {
        return Err(Unfit::new("binary data is written `{$binary: BASE64}`"));
    };
    match BASE64_STANDARD.decode(text) {
        Ok(bytes) => Ok(Blob::new(bytes)),
        Err(_) => Err(Unfit::text(text, format!("`{text}` is no base64"))),
    }
}

fn set_of(values: &[Value]) -> Result<AttributeValue, Unfit> {
    let attributes = each(values, of_plain)?;
    let mut set = match attributes.first() {
        Some(AttributeValue::S(_)) => AttributeValue::Ss(Vec::new()),
        Some(AttributeValue::N(_)) => AttributeValue::Ns(Vec::new()),
        Some(AttributeValue::B(_)) => AttributeValue::Bs(Vec::new()),
        Some(_) => return Err(Unfit::new("a set holds text, numbers or binary data")),
        None => return Err(Unfit::new("DynamoDB has no empty sets")),
    };
    for attribute in attributes {
        match (&mut set, attribute) {
            (AttributeValue::Ss(texts), AttributeValue::S(text)) => texts.push(text),
            (AttributeValue::Ns(numbers), AttributeValue::N(number)) => numbers.push(number),
            (AttributeValue::Bs(blobs), AttributeValue::B(blob)) => blobs.push(blob),
            _ => return Err(Unfit::new("what is in a set is of one type")),
        }
    }
    Ok(set)
}

fn to_plain(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(text) => number(text),
        AttributeValue::Bool(value) => json!(value),
        AttributeValue::B(blob) => json!({BINARY: base64(blob)}),
        AttributeValue::Ss(texts) => json!({SET: texts}),
        AttributeValue::Ns(numbers) => {
            json!({SET: numbers.iter().map(|text| number(text)).collect::<Vec<_>>()})
        }
        AttributeValue::Bs(blobs) => {
            json!({SET: blobs.iter().map(|it| json!({BINARY: base64(it)})).collect::<Vec<_>>()})
        }
        AttributeValue::L(values) => values.iter().map(to_plain).collect(),
        AttributeValue::M(fields) => {
            let fields = plain(fields, false);
            if marked(&fields).is_some() { json!({MAP: fields}) } else { Value::Object(fields) }
        }
        // `Null`, and whatever types DynamoDB may come to have.
        _ => Value::Null,
    }
}

/// A number as plain data where that keeps it exactly.
fn number(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return json!(number);
    }
    if let Ok(number) = text.parse::<u64>() {
        return json!(number);
    }
    let double = text.parse().ok().and_then(Number::from_f64);
    match double {
        Some(double) if Decimal::parse(&double.to_string()) == Decimal::parse(text) => {
            Value::Number(double)
        }
        _ => json!({NUMBER: text}),
    }
}

fn base64(blob: &Blob) -> String {
    BASE64_STANDARD.encode(blob.as_ref())
}

/// In DynamoDB's own notation, such as `{"S": "text"}`.
fn to_typed(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(text) => json!({"N": text}),
        AttributeValue::Bool(value) => json!({"BOOL": value}),
        AttributeValue::B(blob) => json!({"B": base64(blob)}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        AttributeValue::Ns(numbers) => json!({"NS": numbers}),
        AttributeValue::Bs(blobs) => json!({"BS": blobs.iter().map(base64).collect::<Vec<_>>()}),
        AttributeValue::L(values) => json!({"L": values.iter().map(to_typed).collect::<Vec<_>>()}),
        AttributeValue::M(fields) => json!({"M": in_order(fields, to_typed)}),
        _ => json!({"NULL": true}),
    }
}

/// From DynamoDB's own notation.
fn of_typed(value: &Value) -> Result<AttributeValue, Unfit> {
    let unfit = || match value {
        Value::String(text) if text.contains('⟨') => Unfit::text(text, String::new()),
        _ => Unfit::new(format!("`{value}` is no typed value; write one such as {{S: text}}")),
    };
    let fields = value.as_object().filter(|fields| fields.len() == 1).ok_or_else(unfit)?;
    let (kind, value) = fields.iter().next().ok_or_else(unfit)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(unfit);
    Ok(match (kind.as_str(), value) {
        ("S", value) => AttributeValue::S(text(value)?),
        ("N", value) => AttributeValue::N(number_of(value)?),
        ("B", value) => AttributeValue::B(binary_of(value)?),
        ("BOOL", Value::Bool(value)) => AttributeValue::Bool(*value),
        ("NULL", _) => AttributeValue::Null(true),
        ("M", Value::Object(fields)) => AttributeValue::M(item(fields, true)?),
        ("L", Value::Array(values)) => AttributeValue::L(each(values, of_typed)?),
        ("SS", Value::Array(values)) => AttributeValue::Ss(each(values, text)?),
        ("NS", Value::Array(values)) => AttributeValue::Ns(each(values, number_of)?),
        ("BS", Value::Array(values)) => AttributeValue::Bs(each(values, binary_of)?),
        _ => return Err(unfit()),
    })
}

/// Whether two values are the same to DynamoDB, which writes numbers its own way and keeps no order in sets.
pub(crate) fn same(one: &AttributeValue, other: &AttributeValue) -> bool {
    use AttributeValue as Of;
    let number = |text: &String| Decimal::parse(text);
    match (one, other) {
        (Of::N(one), Of::N(other)) => number(one) == number(other),
        (Of::Ns(one), Of::Ns(other)) => as_set(one, number) == as_set(other, number),
        (Of::Ss(one), Of::Ss(other)) => as_set(one, String::clone) == as_set(other, String::clone),
        (Of::Bs(one), Of::Bs(other)) => as_set(one, base64) == as_set(other, base64),
        (Of::L(one), Of::L(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Of::M(one), Of::M(other)) => same_items(one, other, &[]),
        _ => one == other,
    }
}

fn as_set<T, K: Ord>(values: &[T], key: impl Fn(&T) -> K) -> Vec<K> {
    let mut keys: Vec<_> = values.iter().map(key).collect();
    keys.sort();
    keys
}

/// Whether two items are the same to DynamoDB, some attributes aside.
pub(crate) fn same_items(one: &Item, other: &Item, aside: &[String]) -> bool {
    let names = |item: &Item| item.keys().filter(|name| !aside.contains(name)).count();
    names(one) == names(other)
        && one
            .iter()
            .filter(|(name, _)| !aside.contains(name))
            .all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
}

#[cfg(test)]
mod tests;
