//! The policies that authorizers return.

use serde_json::Value;

use crate::iam::access::{Access, Who, decision};

/// What a policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Something allows it, and nothing forbids it.
    Allowed,
    /// Something forbids it.
    Denied,
    /// Nothing speaks of it.
    Silent,
}

/// Whether a policy lets a request through. None where it is no policy.
pub(super) fn allows(document: &Value, arn: &str) -> Option<bool> {
    verdict(document, arn).map(|verdict| verdict == Verdict::Allowed)
}

/// What a policy says of a request. None where it is no policy.
pub(super) fn verdict(document: &Value, arn: &str) -> Option<Verdict> {
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        _ => return None,
    };
    let is_whole = |statement: &Value| {
        let has = |field: &str| statement.get(field).is_some();
        matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
            && (has("Action") || has("NotAction"))
            && (has("Resource") || has("NotResource"))
    };
    let access = Access {
        who: Who::Holder,
        action: "execute-api:Invoke",
        resource: arn,
        source_arn: None,
        source_account: None,
    };
    statements.iter().all(is_whole).then(|| match decision(document, &access) {
        Some(true) => Verdict::Allowed,
        Some(false) => Verdict::Denied,
        None => Verdict::Silent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_forbidden_is_not_allowed() {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/pets/1";
        let statement = |effect: &str, resource: &str| json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
        let of = |statements: Value| allows(&json!({"Statement": statements}), arn);
        let all = "arn:aws:execute-api:*:*:abc/prod/*";
        assert_eq!(of(json!([statement("Allow", arn)])), Some(true));
        assert_eq!(of(statement("Allow", all)), Some(true));
        assert_eq!(of(json!([statement("Allow", "*"), statement("Deny", all)])), Some(false));
        assert_eq!(of(json!([statement("Allow", "arn:*/POST/*")])), Some(false));
        assert_eq!(of(json!([])), Some(false));
        assert_eq!(of(Value::Null), None);
        assert_eq!(of(json!([statement("Perhaps", "*")])), None);
        let other = json!([{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]);
        assert_eq!(of(other), Some(false));
    }
}
