//! Policies that no run attaches unasked.

mod template;

pub use template::administrators_of;

/// Whether the ARN is that of an AWS-managed policy that allows everything, or lets its holder allow himself everything.
#[must_use]
pub fn is_administrator_policy(arn: &str) -> bool {
    arn.starts_with("arn:aws")
        && [":policy/AdministratorAccess", ":policy/IAMFullAccess"]
            .iter()
            .any(|end| arn.ends_with(end))
}

/// Whether a policy document has a statement that allows everything on everything.
#[must_use]
pub fn allows_everything(document: &serde_json::Value) -> bool {
    let statements = match document.get("Statement") {
        Some(serde_json::Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    let is_star = |value: Option<&serde_json::Value>, stars: &[&str]| match value {
        Some(serde_json::Value::String(text)) => stars.contains(&text.as_str()),
        Some(serde_json::Value::Array(items)) => {
            items.iter().any(|item| item.as_str().is_some_and(|text| stars.contains(&text)))
        }
        _ => false,
    };
    statements.into_iter().any(|statement| {
        statement.get("Effect").and_then(serde_json::Value::as_str) == Some("Allow")
            && is_star(statement.get("Action"), &["*", "*:*", "iam:*"])
            && is_star(statement.get("Resource"), &["*"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_allows_everything_is_seen() {
        assert!(is_administrator_policy("arn:aws:iam::aws:policy/AdministratorAccess"));
        assert!(is_administrator_policy("arn:aws-cn:iam::aws:policy/AdministratorAccess"));
        assert!(!is_administrator_policy("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        let all =
            json!({"Statement": {"Effect": "Allow", "Action": ["s3:*", "*"], "Resource": "*"}});
        assert!(allows_everything(&all));
        let some = json!({"Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        assert!(!allows_everything(&some));
    }
}
