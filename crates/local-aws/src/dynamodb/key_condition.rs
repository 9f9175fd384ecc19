//! `KeyConditionExpression`: which partition, and which part of it.

use super::error::{invalid_values, validation};
use super::expression::{Comparator, Condition, Operand, Placeholders, parse_condition};
use super::keys::KeySchema;
use super::value::Item;
use crate::protocol::AwsError;

const KIND: &str = "KeyConditionExpression";

/// The conditions, each on one attribute.
#[derive(Debug)]
pub(super) struct KeyCondition {
    parts: Vec<(String, Condition)>,
}

impl KeyCondition {
    /// Conditions that stand each by itself.
    pub(super) fn of_parts(parts: Vec<(String, Condition)>) -> Self {
        Self { parts }
    }

    pub(super) fn parse(expression: &str, placeholders: &Placeholders) -> Result<Self, AwsError> {
        let mut parts = Vec::new();
        flatten(parse_condition(KIND, expression, placeholders)?, &mut parts)?;
        Ok(Self { parts })
    }

    /// The condition as one on that key.
    pub(super) fn resolve(&self, key: &KeySchema) -> Result<Resolved<'_>, AwsError> {
        let mut names: Vec<&str> = self.parts.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(validation(format!(
                "Invalid {KIND}: KeyConditionExpressions must only contain one condition per key"
            )));
        }
        let find = |wanted: &str| {
            self.parts.iter().find(|(name, _)| name == wanted).map(|(_, condition)| condition)
        };
        let missed =
            |name: &str| validation(format!("Query condition missed key schema element: {name}"));
        let mut found = Vec::new();
        for hash in &key.hash {
            let condition = find(&hash.name).ok_or_else(|| missed(&hash.name))?;
            if !is_equality(condition) {
                return Err(validation("Query key condition not supported"));
            }
            found.push(condition);
        }
        // Sort keys from the left, each but the last by its value.
        let given: Vec<Option<&Condition>> =
            key.range.iter().map(|range| find(&range.name)).collect();
        let count = given.iter().flatten().count();
        if let Some(gap) = given.iter().position(Option::is_none).filter(|gap| *gap < count) {
            return Err(missed(key.range.get(gap).map_or("", |range| &range.name)));
        }
        let ranges: Vec<&Condition> = given.into_iter().flatten().collect();
        if ranges.iter().rev().skip(1).any(|condition| !is_equality(condition)) {
            return Err(validation("Query key condition not supported"));
        }
        if self.parts.len() > found.len() + ranges.len() {
            return Err(match key.range.get(ranges.len()) {
                Some(range) => missed(&range.name),
                None => validation("Query key condition not supported"),
            });
        }
        found.extend(ranges);
        for attribute in key.attributes() {
            let Some(condition) = find(&attribute.name) else {
                continue;
            };
            if values(condition).any(|operand| {
                matches!(operand, Operand::Value(value) if value.type_name() != attribute.kind)
            }) {
                return Err(invalid_values("Condition parameter type does not match schema type"));
            }
            let is_empty = |operand: &Operand| matches!(operand, Operand::Value(value) if matches!(value.type_name(), "S" | "B") && value.size() == 0);
            if values(condition).any(is_empty) && !matches!(condition, Condition::BeginsWith(..)) {
                let kind = if attribute.kind == "B" { "binary" } else { "string" };
                return Err(validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
                     contain an empty {kind} value. Key: {}",
                    attribute.name
                )));
            }
        }
        Ok(Resolved { conditions: found })
    }
}

/// The condition as a query applies it.
#[derive(Debug, Clone)]
pub(super) struct Resolved<'c> {
    conditions: Vec<&'c Condition>,
}

impl Resolved<'_> {
    pub(super) fn holds(&self, item: &Item) -> bool {
        self.conditions.iter().all(|condition| condition.holds(item))
    }
}

fn is_equality(condition: &Condition) -> bool {
    matches!(condition, Condition::Compare(_, Comparator::Equal, _))
}

fn values(condition: &Condition) -> impl Iterator<Item = &Operand> {
    let operands = match condition {
        Condition::Compare(_, _, right) | Condition::BeginsWith(_, right) => vec![right],
        Condition::Between(_, low, high) => vec![low, high],
        _ => Vec::new(),
    };
    operands.into_iter()
}

fn flatten(condition: Condition, parts: &mut Vec<(String, Condition)>) -> Result<(), AwsError> {
    let refused = |what: &str| validation(format!("Invalid operator used in {KIND}: {what}"));
    match condition {
        Condition::And(left, right) => {
            flatten(*left, parts)?;
            return flatten(*right, parts);
        }
        Condition::Or(..) => return Err(refused("OR")),
        Condition::Not(_) => return Err(refused("NOT")),
        Condition::In(..) => return Err(refused("IN")),
        Condition::Exists(_) => return Err(refused("attribute_exists")),
        Condition::Missing(_) => return Err(refused("attribute_not_exists")),
        Condition::TypeIs(..) => return Err(refused("attribute_type")),
        Condition::Contains(..) => return Err(refused("contains")),
        Condition::Compare(_, Comparator::NotEqual, _) => return Err(refused("<>")),
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {}
    }
    // `:value = name` means the same as `name = :value`.
    let condition = match condition {
        Condition::Compare(left @ Operand::Value(_), comparator, right @ Operand::Path(_)) => {
            Condition::Compare(right, comparator.turned(), left)
        }
        other => other,
    };
    let (Condition::Compare(left, ..)
    | Condition::Between(left, ..)
    | Condition::BeginsWith(left, _)) = &condition
    else {
        return Err(validation("Query key condition not supported"));
    };
    let name = match left {
        Operand::Path(path) => path.top_level().ok_or_else(|| {
            validation(format!(
                "Invalid {KIND}: KeyConditionExpressions cannot have conditions on nested attributes"
            ))
        })?,
        Operand::Value(_) => {
            return Err(validation(format!(
                "Invalid condition in {KIND}: No key attribute specified"
            )));
        }
        Operand::Size(_) => return Err(refused("size")),
    };
    if values(&condition).any(|operand| !matches!(operand, Operand::Value(_))) {
        return Err(validation(format!(
            "Invalid condition in {KIND}: Multiple attribute names used in one condition"
        )));
    }
    parts.push((name.to_owned(), condition));
    Ok(())
}
