//! Values as services want them: templates do not tell `5` from `"5"`, services do.

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::scalar_text;

/// A scalar's text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(scalar_text(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The members with every scalar of the type that the service wants: a number under one of `numbers`, a boolean under
/// one of `booleans`, otherwise a text.
pub(crate) fn typed(members: Map<String, Value>, numbers: &[&str], booleans: &[&str]) -> Value {
    let typed = members.into_iter().map(|(name, value)| {
        let value = convert(&name, value, numbers, booleans);
        (name, value)
    });
    Value::Object(typed.collect())
}

fn convert(name: &str, value: Value, numbers: &[&str], booleans: &[&str]) -> Value {
    match value {
        Value::Object(members) => typed(members, numbers, booleans),
        Value::Array(items) => {
            items.into_iter().map(|item| convert(name, item, numbers, booleans)).collect()
        }
        Value::Null => Value::Null,
        scalar => {
            let text = scalar_text(&scalar);
            if numbers.contains(&name) {
                // What is no number is left for the service to refuse.
                text.parse::<i64>().map_or(scalar, |number| json!(number))
            } else if booleans.contains(&name) {
                text.parse::<bool>().map_or(scalar, |flag| json!(flag))
            } else {
                json!(text)
            }
        }
    }
}

/// A policy document's text: it may be written as an object or as a text already.
pub(crate) fn document(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_get_their_types() {
        let given = json!({"Size": "5", "On": "true", "Name": 7, "Deep": [{"Size": "6"}], "Bad": {"Size": "x"}});
        let members = given.as_object().expect("an object").clone();
        assert_eq!(
            typed(members, &["Size"], &["On"]),
            json!({"Size": 5, "On": true, "Name": "7", "Deep": [{"Size": 6}], "Bad": {"Size": "x"}})
        );
    }
}
