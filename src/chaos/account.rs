//! What is in an account, and what has become of it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Services whose pictures hold several types of resources, each with its names.
const WITH_TYPES: [&str; 1] = ["iam"];

/// What a pool and its users say of when they were last changed, for putting back what was there is a change too; and how
/// many users a pool has, for they are compared themselves.
const PASSING: [&str; 3] = ["EstimatedNumberOfUsers", "LastModifiedDate", "modified"];

/// The field of a log group's picture that holds its streams.
const STREAMS: &str = "streams";

/// Resources by service and name, such as `lambda playbook-k3f9`, each with its picture.
pub(super) type Resources = BTreeMap<String, Value>;

/// What two pictures of an account differ in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is there and should not be.
    pub left: Vec<String>,
    /// What somebody else made, and is gone or changed.
    pub touched: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.left.is_empty() && self.touched.is_empty()
    }
}

/// The resources in a snapshot of the embedded AWS.
pub(super) fn resources(snapshot: &Value) -> Resources {
    let mut resources = Resources::new();
    let services = snapshot.as_object().into_iter().flatten();
    for (service, picture) in services {
        let Value::Object(parts) = picture else { continue };
        if WITH_TYPES.contains(&service.as_str()) {
            for (kind, named) in parts {
                collect(&format!("{service} {kind}"), named, &mut resources);
            }
        } else {
            collect(service, picture, &mut resources);
        }
    }
    resources
}

fn collect(prefix: &str, named: &Value, resources: &mut Resources) {
    for (name, picture) in named.as_object().into_iter().flatten() {
        resources.insert(format!("{prefix} {name}"), timeless(picture));
    }
}

/// A picture without what changes by itself.
pub(super) fn timeless(picture: &Value) -> Value {
    match picture {
        Value::Object(fields) => {
            let lasting = fields.iter().filter(|(name, _)| !PASSING.contains(&name.as_str()));
            Value::Object(lasting.map(|(name, field)| (name.clone(), timeless(field))).collect())
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        other => other.clone(),
    }
}

/// What was added or changed between two looks.
pub(super) fn changed(before: &Resources, after: &Resources) -> Resources {
    let is_new = |(name, picture): &(&String, &Value)| before.get(*name) != Some(picture);
    after.iter().filter(is_new).map(|(name, picture)| (name.clone(), picture.clone())).collect()
}

/// Compares an account with what should be in it.
pub(super) fn compare(expected: &Resources, found: &Resources) -> Difference {
    let left = found.keys().filter(|name| !expected.contains_key(*name)).cloned().collect();
    let touched = expected.iter().filter_map(|(name, picture)| match found.get(name) {
        None => Some(format!("{name} is gone")),
        Some(other) if !is_kept(picture, other) => Some(format!("{name} has changed")),
        Some(_) => None,
    });
    Difference { left, touched: touched.collect() }
}

/// Whether what somebody has made is as it was. What a function logs into a group that was there before it belongs to
/// that group, so streams may have come.
fn is_kept(expected: &Value, found: &Value) -> bool {
    let (Value::Object(expected), Value::Object(found)) = (expected, found) else {
        return expected == found;
    };
    let kept = |(field, value): (&String, &Value)| match (field.as_str(), value, found.get(field)) {
        (STREAMS, Value::Object(streams), Some(Value::Object(found))) => {
            streams.iter().all(|(name, stream)| found.get(name) == Some(stream))
        }
        (_, value, found) => found == Some(value),
    };
    expected.len() == found.len() && expected.iter().all(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account(roles: Value, functions: Value) -> Resources {
        resources(&json!({
            "account": "1",
            "iam": {"roles": roles, "policies": {}},
            "lambda": functions,
        }))
    }

    #[test]
    fn an_account_is_a_list_of_resources() {
        let found = account(json!({"a": {}}), json!({"f": {}, "g": {}}));
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["iam roles a", "lambda f", "lambda g"]);
    }

    #[test]
    fn what_is_left_and_what_was_touched_is_named() {
        let expected = account(json!({"a": {"tags": 1}, "b": {}}), json!({}));
        let found = account(json!({"a": {"tags": 2}}), json!({"f": {}}));
        let difference = compare(&expected, &found);
        assert_eq!(difference.left, ["lambda f"]);
        assert_eq!(difference.touched, ["iam roles a has changed", "iam roles b is gone"]);
        assert!(compare(&found, &found).is_none());
    }

    #[test]
    fn a_log_group_may_get_streams_and_must_keep_those_it_has() {
        let group =
            |streams: Value| resources(&json!({"logs": {"g": {"tags": {}, "streams": streams}}}));
        let before = group(json!({"a": 1}));
        assert!(compare(&before, &group(json!({"a": 1, "b": 1}))).is_none());
        assert!(!compare(&before, &group(json!({"a": 2}))).is_none());
        assert!(!compare(&before, &group(json!({"b": 1}))).is_none());
    }

    #[test]
    fn what_came_between_two_looks_is_told() {
        let before = account(json!({"a": {}, "b": {}}), json!({}));
        let after = account(json!({"a": {"tags": 1}, "b": {}}), json!({"f": {}}));
        let names: Vec<_> = changed(&before, &after).into_keys().collect();
        assert_eq!(names, ["iam roles a", "lambda f"]);
    }
}
