//! Expressions: conditions, key conditions, projections, updates.

mod condition;
mod lexer;
mod parser;
mod path;
mod projection;
#[cfg(test)]
mod tests;
mod update;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use condition::{Comparator, Condition, Operand};
pub use parser::{parse_condition, parse_projection, parse_update};
pub use path::{Path, Step};
pub use projection::project;
pub use update::{Action, Source, Update};

use super::error::validation;
use super::value::AttributeValue;
use crate::protocol::AwsError;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them the expressions have used.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: RefCell<BTreeSet<String>>,
}

impl Placeholders {
    /// Reads both; `has_expression` says whether there is anything that could use them.
    pub fn read(
        names: Option<&BTreeMap<String, String>>,
        values: Option<&Map<String, Value>>,
        has_expression: bool,
    ) -> Result<Self, AwsError> {
        for (what, given, empty) in [
            ("Names", names.is_some(), names.is_some_and(BTreeMap::is_empty)),
            ("Values", values.is_some(), values.is_some_and(Map::is_empty)),
        ] {
            if given && !has_expression {
                return Err(validation(format!(
                    "ExpressionAttribute{what} can only be specified when using expressions"
                )));
            }
            if empty {
                return Err(validation(format!("ExpressionAttribute{what} must not be empty")));
            }
        }
        let names = names.cloned().unwrap_or_default();
        if let Some(key) = names.keys().find(|key| !is_placeholder(key, '#')) {
            return Err(invalid_key("Names", key));
        }
        let mut read = BTreeMap::new();
        for (key, value) in values.into_iter().flatten() {
            if !is_placeholder(key, ':') {
                return Err(invalid_key("Values", key));
            }
            let value = AttributeValue::read(value).map_err(|error| {
                // An empty set is told without where it stands.
                if error.message.ends_with("may not be empty") {
                    return error;
                }
                let message = format!(
                    "ExpressionAttributeValues contains invalid value: {} for key {key}",
                    error.message
                );
                AwsError { message, ..error }
            })?;
            read.insert(key.clone(), value);
        }
        Ok(Self { names, values: read, used: RefCell::default() })
    }

    /// Refuses what no expression has used.
    pub fn check_used(&self) -> Result<(), AwsError> {
        let used = self.used.borrow();
        let unused = |keys: Vec<&String>| {
            let keys: Vec<&str> =
                keys.into_iter().filter(|key| !used.contains(*key)).map(String::as_str).collect();
            (!keys.is_empty()).then(|| keys.join(", "))
        };
        for (what, keys) in [
            ("Names", unused(self.names.keys().collect())),
            ("Values", unused(self.values.keys().collect())),
        ] {
            if let Some(keys) = keys {
                return Err(validation(format!(
                    "Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{keys}}}"
                )));
            }
        }
        Ok(())
    }

    fn name(&self, key: &str) -> Option<&str> {
        self.used.borrow_mut().insert(key.to_owned());
        self.names.get(key).map(String::as_str)
    }

    fn value(&self, key: &str) -> Option<&AttributeValue> {
        self.used.borrow_mut().insert(key.to_owned());
        self.values.get(key)
    }
}

fn is_placeholder(key: &str, sign: char) -> bool {
    key.strip_prefix(sign).is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn invalid_key(what: &str, key: &str) -> AwsError {
    validation(format!(
        "ExpressionAttribute{what} contains invalid key: Syntax error; key: \"{key}\""
    ))
}
