//! Changes as clients of API Gateway write them: operations at paths, whose values are texts.

use serde_json::{Value, json};

use super::{Fields, bad_request};
use crate::protocol::AwsError;

/// What stands at a path.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    /// A list, whose items are added and removed as values.
    List,
    /// A list, whose items are the path's last part.
    Items,
    /// A map of texts, whose keys are the path's last part.
    Texts,
    /// A map of flags, just so.
    Flags,
    /// A list in a map, as it is called there, whose items are replaced by number: there is one.
    First(&'static str),
}

/// A member that can be changed.
pub(super) type Rule = (&'static str, Kind);

/// Carries out an input's `patchOperations`.
pub(super) fn apply(fields: &mut Fields, input: &Value, rules: &[Rule]) -> Result<(), AwsError> {
    for operation in input["patchOperations"].as_array().into_iter().flatten() {
        let text = |name: &str| operation[name].as_str().unwrap_or_default();
        one(fields, text("op"), text("path"), &operation["value"], rules)?;
    }
    Ok(())
}

fn one(
    fields: &mut Fields,
    op: &str,
    path: &str,
    value: &Value,
    rules: &[Rule],
) -> Result<(), AwsError> {
    let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(2, '/');
    let name = parts.next().unwrap_or_default();
    let key = parts.next().map(|key| key.replace("~1", "/").replace("~0", "~"));
    let wrong = || {
        let known: Vec<String> = rules.iter().map(|(name, _)| format!("/{name}")).collect();
        bad_request(format!(
            "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{}]",
            known.join(", ")
        ))
    };
    if !["add", "replace", "remove"].contains(&op) {
        return Err(bad_request(format!("Invalid patch operation specified: {op}")));
    }
    let (_, kind) = rules.iter().find(|(known, _)| *known == name).ok_or_else(wrong)?;
    let given = value.as_str().unwrap_or_default();
    let is_removed = op == "remove";
    match (kind, key) {
        (Kind::Text | Kind::Flag | Kind::Number, None) if is_removed => {
            fields.remove(name);
        }
        (Kind::Text, None) => {
            fields.insert(name.to_owned(), json!(given));
        }
        (Kind::Flag, None) => {
            fields.insert(name.to_owned(), json!(flag(given)?));
        }
        (Kind::Number, None) => {
            let number: i64 = given
                .parse()
                .map_err(|_| bad_request(format!("Invalid value for {name}: {given}")))?;
            fields.insert(name.to_owned(), json!(number));
        }
        (Kind::List, None) => item(fields, name, given, is_removed),
        (Kind::Items, Some(key)) => {
            // What is replaced goes, and the value comes in its place.
            item(fields, name, &key, is_removed || op == "replace");
            if op == "replace" {
                item(fields, name, given, false);
            }
        }
        (Kind::Texts, Some(key)) => entry(fields, name, key, (!is_removed).then(|| json!(given))),
        (Kind::Flags, Some(key)) => {
            let value = if is_removed { None } else { Some(json!(flag(given)?)) };
            entry(fields, name, key, value);
        }
        (Kind::First(member), Some(key)) if op == "replace" && key.starts_with(member) => {
            fields.insert(name.to_owned(), json!({ *member: [given] }));
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

fn flag(text: &str) -> Result<bool, AwsError> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| bad_request(format!("Invalid value for a boolean: {text}")))
}

fn item(fields: &mut Fields, name: &str, value: &str, is_removed: bool) {
    let list = fields.entry(name).or_insert_with(|| json!([]));
    let Value::Array(items) = list else { return };
    items.retain(|item| item != value);
    if !is_removed {
        items.push(json!(value));
    }
}

fn entry(fields: &mut Fields, name: &str, key: String, value: Option<Value>) {
    let map = fields.entry(name).or_insert_with(|| json!({}));
    let Value::Object(map) = map else { return };
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &[Rule] = &[
        ("name", Kind::Text),
        ("on", Kind::Flag),
        ("size", Kind::Number),
        ("scopes", Kind::List),
        ("types", Kind::Items),
        ("variables", Kind::Texts),
        ("parameters", Kind::Flags),
    ];

    fn patched(operations: Value) -> Result<Value, AwsError> {
        let start = json!({"name": "a", "types": ["a/b"], "variables": {"x": "1"}});
        let mut fields = start.as_object().cloned().unwrap_or_default();
        apply(&mut fields, &json!({ "patchOperations": operations }), RULES)?;
        Ok(Value::Object(fields))
    }

    #[test]
    fn members_are_set_added_to_and_removed() {
        let operation =
            |op: &str, path: &str, value: &str| json!({"op": op, "path": path, "value": value});
        let changed = patched(json!([
            operation("replace", "/name", "b"),
            operation("replace", "/on", "true"),
            operation("replace", "/size", "7"),
            operation("add", "/scopes", "s/r"),
            operation("add", "/types/image~1png", ""),
            operation("remove", "/types/a~1b", ""),
            operation("replace", "/variables/y", "2"),
            operation("remove", "/variables/x", ""),
            operation("add", "/parameters/method.request.header.X", "false"),
        ]));
        let expected = json!({
            "name": "b", "on": true, "size": 7, "scopes": ["s/r"], "types": ["image/png"],
            "variables": {"y": "2"}, "parameters": {"method.request.header.X": false},
        });
        assert_eq!(changed.expect("a change"), expected);
    }

    #[test]
    fn what_cannot_be_changed_is_refused() {
        for (op, path, value) in [
            ("replace", "/id", "x"),
            ("replace", "name", "x"),
            ("move", "/name", "x"),
            ("replace", "/size", "x"),
            ("replace", "/on", "x"),
            ("replace", "/variables", "x"),
            ("replace", "/name/x", "x"),
        ] {
            let operation = json!([{"op": op, "path": path, "value": value}]);
            assert_eq!(patched(operation).expect_err(path).code, "BadRequestException");
        }
    }
}
