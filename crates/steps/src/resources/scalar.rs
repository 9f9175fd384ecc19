//! Text that a playbook may write as any scalar.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// The value of an environment variable. Numbers and booleans become text.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Scalar")]
pub(crate) struct Variable(pub(crate) String);

/// What may be written as the value of an environment variable.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the value of an environment variable is text, a number or a boolean"
)]
enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// A boolean.
    Boolean(bool),
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text,
            Scalar::Number(number) => number.to_string(),
            Scalar::Boolean(boolean) => boolean.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn variables_are_written_as_any_scalar() {
        let given = serde_json::json!({"A": "text", "B": 7, "C": 2.5, "D": true});
        let read: BTreeMap<String, Variable> = serde_json::from_value(given).expect("variables");
        let texts: Vec<_> = read.values().map(|value| value.0.as_str()).collect();
        assert_eq!(texts, ["text", "7", "2.5", "true"]);
        assert!(serde_json::from_value::<Variable>(serde_json::json!([1])).is_err());
        assert!(serde_json::from_value::<Variable>(serde_json::Value::Null).is_err());
    }
}
