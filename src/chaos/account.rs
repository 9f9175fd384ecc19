//! What is in an account, and what has become of it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use local_aws::SERVICES;
use local_aws::server::Comparison;

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
        if comparison(service).has_types {
            for (kind, named) in parts {
                collect(service, &format!("{service} {kind}"), named, &mut resources);
            }
        } else {
            collect(service, service, picture, &mut resources);
        }
    }
    resources
}

/// How snapshots of that service, or of a resource of it, are compared: the service's name comes first.
fn comparison(name: &str) -> Comparison {
    let name = name.split(' ').next().unwrap_or(name);
    let service = SERVICES.iter().find(|service| service.name() == name);
    service.map_or_else(Comparison::default, |service| service.comparison())
}

fn collect(service: &str, prefix: &str, named: &Value, resources: &mut Resources) {
    for (name, picture) in named.as_object().into_iter().flatten() {
        resources.insert(format!("{prefix} {name}"), timeless(service, picture));
    }
}

/// A picture of a service's resource without what changes by itself.
pub(super) fn timeless(service: &str, picture: &Value) -> Value {
    without(comparison(service).volatile, picture)
}

fn without(volatile: &[&str], picture: &Value) -> Value {
    match picture {
        Value::Object(fields) => {
            let lasting = fields.iter().filter(|(name, _)| !volatile.contains(&name.as_str()));
            let lasting = lasting.map(|(name, field)| (name.clone(), without(volatile, field)));
            Value::Object(lasting.collect())
        }
        Value::Array(items) => items.iter().map(|item| without(volatile, item)).collect(),
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
        Some(other) if !is_kept(name, picture, other) => Some(format!("{name} has changed")),
        Some(_) => None,
    });
    Difference { left, touched: touched.collect() }
}

/// Takes out of what is left whatever a clean-up has listed, by its name, and what goes with that: the resources of a
/// stack, the log group of a function.
pub(super) fn take_out_listed(difference: &mut Difference, found: &Resources, listed: &str) {
    let is_named = |name: &String| {
        let own = own_name(name);
        let named = found.get(name).map(names_in).unwrap_or_default();
        listed.contains(own) || named.iter().any(|name| listed.contains(name))
    };
    let (named, rest): (Vec<_>, Vec<_>) = difference.left.drain(..).partition(is_named);
    let goes_with = |name: &String, holder: &String| {
        own_name(name).contains(own_name(holder))
            || found.get(holder).is_some_and(|it| it.to_string().contains(own_name(name)))
    };
    difference.left =
        rest.into_iter().filter(|name| !named.iter().any(|it| goes_with(name, it))).collect();
}

/// The name of a resource, without that of its service.
fn own_name(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

/// What a picture of a resource says of its names: people know a pool by another than AWS does.
fn names_in(picture: &Value) -> Vec<&str> {
    let mut names = Vec::new();
    if let Value::Object(fields) = picture {
        for (field, value) in fields {
            match value {
                Value::String(name) if field.ends_with("Name") && !name.is_empty() => {
                    names.push(name.as_str());
                }
                Value::Object(_) => names.extend(names_in(value)),
                _ => {}
            }
        }
    }
    names
}

/// Whether what somebody has made is as it was. Where the service says so, members may have come.
fn is_kept(name: &str, expected: &Value, found: &Value) -> bool {
    let growing = comparison(name).growing;
    let (Value::Object(expected), Value::Object(found)) = (expected, found) else {
        return expected == found;
    };
    let kept = |(field, value): (&String, &Value)| match (value, found.get(field)) {
        (Value::Object(members), Some(Value::Object(found)))
            if growing.contains(&field.as_str()) =>
        {
            members.iter().all(|(name, member)| found.get(name) == Some(member))
        }
        (value, found) => found == Some(value),
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
    fn what_is_listed_is_not_left_in_silence() {
        let found = resources(&json!({
            "cloudformation": {"stack-1": {"resources": ["table-7", "group-9"]}},
            "dynamodb": {"table-7": {}, "other": {}},
            "cognito-idp": {"pool_1": {"pool": {"PoolName": "demo"}}},
            "lambda": {"f": {}},
            "logs": {"/aws/lambda/f": {}},
        }));
        let left = |listed: &str| {
            let mut difference = compare(&Resources::new(), &found);
            take_out_listed(&mut difference, &found, listed);
            difference.left
        };
        assert_eq!(left("").len(), found.len());
        let listed = "still there: stack-1, demo, /aws/lambda/f";
        assert_eq!(left(listed), ["dynamodb other"]);
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
