//! Updates: what an item becomes.

use std::cmp::Reverse;

use super::path::{Path, Step};
use crate::dynamodb::error::validation;
use crate::dynamodb::number::Number;
use crate::dynamodb::value::{AttributeValue, Item};
use crate::protocol::AwsError;

/// A parsed `UpdateExpression`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// In the order in which they were written.
    pub actions: Vec<Action>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `SET path = source`
    Set(Path, Source),
    /// `REMOVE path`
    Remove(Path),
    /// `ADD path :value`
    Add(Path, AttributeValue),
    /// `DELETE path :value`
    Delete(Path, AttributeValue),
}

/// Where a new value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Another attribute.
    Path(Path),
    /// The request.
    Value(AttributeValue),
    /// `if_not_exists(path, other)`
    IfNotExists(Path, Box<Source>),
    /// `list_append(a, b)`
    ListAppend(Box<Source>, Box<Source>),
    /// `a + b`
    Sum(Box<Source>, Box<Source>),
    /// `a - b`
    Difference(Box<Source>, Box<Source>),
}

impl Action {
    /// What it changes.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }
}

impl Update {
    /// The item after the update. Everything is read before anything is written.
    pub fn apply(&self, item: &Item) -> Result<Item, AwsError> {
        let mut updated = item.clone();
        let mut written: Vec<(&Path, AttributeValue)> = Vec::new();
        let mut removed: Vec<&Path> = Vec::new();
        for action in &self.actions {
            match action {
                Action::Set(path, source) => written.push((path, source.evaluate(item)?)),
                Action::Remove(path) => removed.push(path),
                Action::Add(path, value) => written.push((path, added(path.get(item), value)?)),
                Action::Delete(path, value) => match deleted(path.get(item), value)? {
                    Some(left) => written.push((path, left)),
                    None => removed.push(path),
                },
            }
        }
        // Elements that are set beyond the end of a list are appended in the order of their indices …
        written.sort_by(|(left, _), (right, _)| left.inside.cmp(&right.inside));
        for (path, value) in written {
            write(&mut updated, path, value)?;
        }
        // … and those that are removed must not move each other.
        removed.sort_by_key(|path| Reverse(&path.inside));
        for path in removed {
            remove(&mut updated, path)?;
        }
        Ok(updated)
    }
}

impl Source {
    fn evaluate(&self, item: &Item) -> Result<AttributeValue, AwsError> {
        match self {
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, other) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => other.evaluate(item),
            },
            Self::ListAppend(left, right) => match (left.evaluate(item)?, right.evaluate(item)?) {
                (AttributeValue::List(mut left), AttributeValue::List(right)) => {
                    left.extend(right);
                    Ok(AttributeValue::List(left))
                }
                _ => Err(wrong_operand()),
            },
            Self::Sum(left, right) => arithmetic(left, right, item, Number::plus),
            Self::Difference(left, right) => arithmetic(left, right, item, Number::minus),
        }
    }
}

fn arithmetic(
    left: &Source,
    right: &Source,
    item: &Item,
    operate: fn(&Number, &Number) -> Result<Number, AwsError>,
) -> Result<AttributeValue, AwsError> {
    match (left.evaluate(item)?, right.evaluate(item)?) {
        (AttributeValue::Number(left), AttributeValue::Number(right)) => {
            operate(&left, &right).map(AttributeValue::Number)
        }
        _ => Err(wrong_operand()),
    }
}

fn added(
    current: Option<&AttributeValue>,
    value: &AttributeValue,
) -> Result<AttributeValue, AwsError> {
    let Some(current) = current else {
        return Ok(value.clone());
    };
    Ok(match (current, value) {
        (AttributeValue::Number(left), AttributeValue::Number(right)) => {
            AttributeValue::Number(left.plus(right)?)
        }
        (AttributeValue::StringSet(left), AttributeValue::StringSet(right)) => {
            AttributeValue::StringSet(left | right)
        }
        (AttributeValue::NumberSet(left), AttributeValue::NumberSet(right)) => {
            AttributeValue::NumberSet(left | right)
        }
        (AttributeValue::BinarySet(left), AttributeValue::BinarySet(right)) => {
            AttributeValue::BinarySet(left | right)
        }
        _ => return Err(wrong_operand()),
    })
}

/// The set without those elements; an empty one is no value.
fn deleted(
    current: Option<&AttributeValue>,
    value: &AttributeValue,
) -> Result<Option<AttributeValue>, AwsError> {
    let Some(current) = current else {
        return Ok(None);
    };
    let (left, empty) = match (current, value) {
        (AttributeValue::StringSet(left), AttributeValue::StringSet(right)) => {
            let left = left - right;
            let empty = left.is_empty();
            (AttributeValue::StringSet(left), empty)
        }
        (AttributeValue::NumberSet(left), AttributeValue::NumberSet(right)) => {
            let left = left - right;
            let empty = left.is_empty();
            (AttributeValue::NumberSet(left), empty)
        }
        (AttributeValue::BinarySet(left), AttributeValue::BinarySet(right)) => {
            let left = left - right;
            let empty = left.is_empty();
            (AttributeValue::BinarySet(left), empty)
        }
        _ => return Err(wrong_operand()),
    };
    Ok((!empty).then_some(left))
}

/// The value that holds what the path leads to, and the last step.
fn parent<'i>(
    item: &'i mut Item,
    path: &'i Path,
) -> Result<(&'i mut AttributeValue, &'i Step), AwsError> {
    let (end, steps) = path.inside.split_last().ok_or_else(wrong_path)?;
    let mut value = item.get_mut(&path.name).ok_or_else(wrong_path)?;
    for step in steps {
        value = match (step, value) {
            (Step::Name(name), AttributeValue::Map(map)) => map.get_mut(name),
            (Step::Index(index), AttributeValue::List(list)) => list.get_mut(*index),
            _ => None,
        }
        .ok_or_else(wrong_path)?;
    }
    Ok((value, end))
}

fn write(item: &mut Item, path: &Path, value: AttributeValue) -> Result<(), AwsError> {
    if let Some(name) = path.top_level() {
        item.insert(name.to_owned(), value);
        return Ok(());
    }
    match parent(item, path)? {
        (AttributeValue::Map(map), Step::Name(name)) => {
            map.insert(name.clone(), value);
        }
        (AttributeValue::List(list), Step::Index(index)) => match list.get_mut(*index) {
            Some(element) => *element = value,
            None => list.push(value),
        },
        _ => return Err(wrong_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), AwsError> {
    if let Some(name) = path.top_level() {
        item.remove(name);
        return Ok(());
    }
    match parent(item, path)? {
        (AttributeValue::Map(map), Step::Name(name)) => {
            map.remove(name);
        }
        (AttributeValue::List(list), Step::Index(index)) => {
            if *index < list.len() {
                list.remove(*index);
            }
        }
        _ => return Err(wrong_path()),
    }
    Ok(())
}

fn wrong_operand() -> AwsError {
    validation("An operand in the update expression has an incorrect data type")
}

fn wrong_path() -> AwsError {
    validation("The document path provided in the update expression is invalid for update")
}
