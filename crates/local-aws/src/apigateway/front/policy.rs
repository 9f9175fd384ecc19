//! The policies that authorizers return.

use serde_json::Value;

/// Whether a policy lets a request through: something allows it, and nothing forbids it. None where it is no policy.
pub(super) fn allows(document: &Value, arn: &str) -> Option<bool> {
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        _ => return None,
    };
    let mut allowed = false;
    for statement in statements {
        let is_about = any(&statement["Action"], |action| {
            is_like(&action.to_ascii_lowercase(), "execute-api:invoke")
        }) && any(&statement["Resource"], |resource| is_like(resource, arn));
        match statement["Effect"].as_str()? {
            "Deny" if is_about => return Some(false),
            "Allow" => allowed |= is_about,
            "Deny" => {}
            _ => return None,
        }
    }
    Some(allowed)
}

fn any(value: &Value, is_it: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_it(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).any(is_it),
        _ => false,
    }
}

/// Whether a text is like a pattern, in which `*` is any number of characters, `?` one.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut position, mut retry) = (0, 0, None);
    while position < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, position));
                at += 1;
            }
            Some(expected) if *expected == b'?' || text.get(position) == Some(expected) => {
                at += 1;
                position += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    at = after;
                    position = from + 1;
                    retry = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
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
