//! What requests said before there were expressions: `Expected`, `AttributeUpdates`, `KeyConditions`, filters,
//! `AttributesToGet`. Each becomes what an expression of the same meaning would.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::error::{VALIDATION, invalid_values, validation};
use super::expression::{Action, Comparator, Condition, Operand, Path, Source, Update};
use super::key_condition::KeyCondition;
use super::value::AttributeValue;
use crate::protocol::{AwsError, Constraints};

const OPERATORS: [&str; 13] = [
    "LT",
    "CONTAINS",
    "NULL",
    "IN",
    "BEGINS_WITH",
    "NE",
    "NOT_CONTAINS",
    "EQ",
    "GT",
    "NOT_NULL",
    "LE",
    "BETWEEN",
    "GE",
];

/// A comparison of an attribute with values.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LegacyCondition {
    comparison_operator: String,
    attribute_value_list: Vec<Value>,
}

/// What an attribute has to be before a write.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Expected {
    value: Option<Value>,
    exists: Option<bool>,
    comparison_operator: Option<String>,
    attribute_value_list: Option<Vec<Value>>,
}

/// What becomes of an attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LegacyUpdate {
    value: Option<Value>,
    action: Option<String>,
}

/// Refuses a request that speaks both ways.
pub(super) fn check_not_both(old: &[(&str, bool)], new: &[(&str, bool)]) -> Result<(), AwsError> {
    let given = |all: &[(&str, bool)]| {
        let names = all.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    let (old, new) = (given(old), given(new));
    if old.is_empty() || new.is_empty() {
        return Ok(());
    }
    Err(validation(format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
         {{{old}}} Expression parameters: {{{new}}}"
    )))
}

fn path(name: &str) -> Path {
    Path { name: name.to_owned(), inside: Vec::new() }
}

fn condition(name: &str, operator: &str, values: &[Value]) -> Result<Condition, AwsError> {
    Constraints::new().one_of("comparisonOperator", operator, &OPERATORS).check(VALIDATION)?;
    let values: Vec<Operand> = values
        .iter()
        .map(|value| AttributeValue::read(value).map(Operand::Value))
        .collect::<Result<_, _>>()?;
    let own = Operand::Path(path(name));
    let wrong = || {
        invalid_values(&format!(
            "Invalid number of argument(s) for the {operator} ComparisonOperator"
        ))
    };
    Ok(match (operator, values.as_slice()) {
        ("NULL", []) => Condition::Missing(path(name)),
        ("NOT_NULL", []) => Condition::Exists(path(name)),
        ("IN", [_, ..]) => Condition::In(own, values),
        ("BETWEEN", [low, high]) => Condition::Between(own, low.clone(), high.clone()),
        ("BEGINS_WITH", [start]) => Condition::BeginsWith(own, start.clone()),
        ("CONTAINS", [part]) => Condition::Contains(own, part.clone()),
        ("NOT_CONTAINS", [part]) => {
            let contains = Condition::Contains(own, part.clone());
            // What is not there contains nothing, and is not said not to.
            let exists = Condition::Exists(path(name));
            Condition::And(Box::new(exists), Box::new(Condition::Not(Box::new(contains))))
        }
        (_, [value]) => {
            let comparator = match operator {
                "EQ" => Comparator::Equal,
                "NE" => Comparator::NotEqual,
                "LT" => Comparator::Less,
                "LE" => Comparator::LessOrEqual,
                "GT" => Comparator::Greater,
                "GE" => Comparator::GreaterOrEqual,
                _ => return Err(wrong()),
            };
            Condition::Compare(own, comparator, value.clone())
        }
        _ => return Err(wrong()),
    })
}

/// All of them, or one of them.
fn joined(
    conditions: impl Iterator<Item = Result<Condition, AwsError>>,
    operator: Option<&str>,
) -> Result<Option<Condition>, AwsError> {
    let operator = operator.unwrap_or("AND");
    Constraints::new().one_of("conditionalOperator", operator, &["OR", "AND"]).check(VALIDATION)?;
    let mut all: Option<Condition> = None;
    for condition in conditions {
        let condition = Box::new(condition?);
        all = Some(match all.take().map(Box::new) {
            None => *condition,
            Some(before) if operator == "OR" => Condition::Or(before, condition),
            Some(before) => Condition::And(before, condition),
        });
    }
    Ok(all)
}

/// `QueryFilter` or `ScanFilter`
pub(super) fn filter(
    given: &BTreeMap<String, LegacyCondition>,
    operator: Option<&str>,
) -> Result<Option<Condition>, AwsError> {
    let conditions = given
        .iter()
        .map(|(name, one)| condition(name, &one.comparison_operator, &one.attribute_value_list));
    joined(conditions, operator)
}

/// `KeyConditions`
pub(super) fn key_conditions(
    given: &BTreeMap<String, LegacyCondition>,
) -> Result<KeyCondition, AwsError> {
    let parts = given.iter().map(|(name, one)| {
        let operator = one.comparison_operator.as_str();
        if ["NE", "IN", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS"].contains(&operator) {
            return Err(validation(
                "Attempted conditional constraint is not an indexable operation",
            ));
        }
        Ok((name.clone(), condition(name, operator, &one.attribute_value_list)?))
    });
    parts.collect::<Result<_, _>>().map(KeyCondition::of_parts)
}

/// `AttributesToGet`
pub(super) fn projection(names: &[String]) -> Vec<Path> {
    names.iter().map(|name| path(name)).collect()
}

/// `Expected`
pub(super) fn expected(
    given: &BTreeMap<String, Expected>,
    operator: Option<&str>,
) -> Result<Option<Condition>, AwsError> {
    joined(given.iter().map(|(name, one)| expectation(name, one)), operator)
}

fn expectation(name: &str, expected: &Expected) -> Result<Condition, AwsError> {
    if let Some(operator) = &expected.comparison_operator {
        let one: Vec<Value> = expected.value.iter().cloned().collect();
        let values = expected.attribute_value_list.as_ref().unwrap_or(&one);
        return condition(name, operator, values);
    }
    match (&expected.value, expected.exists) {
        (Some(value), None | Some(true)) => condition(name, "EQ", std::slice::from_ref(value)),
        (None, Some(false)) => Ok(Condition::Missing(path(name))),
        (Some(_), Some(false)) => Err(invalid_values(&format!(
            "Value cannot be used when Exists is false for Attribute: {name}"
        ))),
        (None, _) => Err(invalid_values(&format!(
            "Value must be provided when Exists is {} for Attribute: {name}",
            if expected.exists.is_some() { "true" } else { "null" }
        ))),
    }
}

/// `AttributeUpdates`
pub(super) fn update(given: &BTreeMap<String, LegacyUpdate>) -> Result<Update, AwsError> {
    let actions = given.iter().map(|(name, one)| {
        let action = one.action.as_deref().unwrap_or("PUT");
        Constraints::new().one_of("action", action, &["ADD", "PUT", "DELETE"]).check(VALIDATION)?;
        let value = one.value.as_ref().map(AttributeValue::read).transpose()?;
        let path = path(name);
        Ok(match (action, value) {
            ("PUT", Some(value)) => Action::Set(path, Source::Value(value)),
            ("ADD", Some(value)) if matches!(value.type_name(), "N" | "SS" | "NS" | "BS") => {
                Action::Add(path, value)
            }
            // A list grows at its end.
            ("ADD", Some(value)) if value.type_name() == "L" => {
                let empty = Box::new(Source::Value(AttributeValue::List(Vec::new())));
                let current = Box::new(Source::IfNotExists(path.clone(), empty));
                Action::Set(path, Source::ListAppend(current, Box::new(Source::Value(value))))
            }
            ("ADD", Some(value)) => {
                return Err(invalid_values(&format!(
                    "ADD action is not supported for the type {}",
                    value.type_name()
                )));
            }
            ("DELETE", Some(value)) if !matches!(value.type_name(), "SS" | "NS" | "BS") => {
                return Err(invalid_values(&format!(
                    "DELETE action with value is not supported for the type {}",
                    value.type_name()
                )));
            }
            ("DELETE", Some(value)) => Action::Delete(path, value),
            ("DELETE", None) => Action::Remove(path),
            _ => {
                return Err(invalid_values(
                    "Only DELETE action is allowed when no attribute value is specified",
                ));
            }
        })
    });
    let actions: Result<Vec<Action>, AwsError> = actions.collect();
    Ok(Update { actions: actions? })
}
