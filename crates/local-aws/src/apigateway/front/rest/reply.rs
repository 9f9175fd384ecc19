//! What a function has returned, as the response of a REST API.

use serde_json::{Value, json};

use super::super::reply;
use super::Asked;
use crate::http::Response;

const MEMBERS: [&str; 5] =
    ["body", "headers", "isBase64Encoded", "multiValueHeaders", "statusCode"];
/// Headers that API Gateway has itself, and hands on under another name.
const REMAPPED: [&str; 6] =
    ["connection", "content-length", "date", "server", "user-agent", "www-authenticate"];

/// The response that a result says; nothing where it has any other shape.
pub(super) fn of(asked: &Asked<'_>, result: Value) -> Option<Response> {
    let accepted = asked.request.header("accept").unwrap_or_default();
    let is_binary = asked.is_binary(accepted.split(',').next().unwrap_or_default());
    reply::of(&settled(result, is_binary)?, true)
}

/// The result with what AWS adds; where the caller takes no bytes, base64 stays what it is.
fn settled(mut result: Value, is_binary: bool) -> Option<Value> {
    let members = result.as_object_mut()?;
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return None;
    }
    for (name, value) in members.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let is_plain = value.is_string() || value.is_boolean() || value.is_null();
        if name.is_empty() || !is_plain {
            return None;
        }
    }
    for map in ["headers", "multiValueHeaders"] {
        let Some(Value::Object(headers)) = members.get_mut(map) else { continue };
        *headers = std::mem::take(headers)
            .into_iter()
            .map(|(name, value)| {
                let is_own = REMAPPED.contains(&name.to_ascii_lowercase().as_str());
                (if is_own { format!("x-amzn-Remapped-{name}") } else { name }, value)
            })
            .collect();
    }
    if members.get("statusCode").is_none_or(Value::is_null) {
        members.insert("statusCode".to_owned(), json!(200));
    }
    if !is_binary {
        members.remove("isBase64Encoded");
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::settled;
    use serde_json::{Value, json};

    #[test]
    fn a_result_has_the_shape_of_a_response_and_nothing_else() {
        let of = |result: Value| settled(result, false);
        assert_eq!(of(json!({})), Some(json!({"statusCode": 200})));
        for wrong in [
            json!(null),
            json!("text"),
            json!({"statusCode": 200, "cookies": []}),
            json!({"message": "hi"}),
            json!({"headers": {"X-N": 1}}),
        ] {
            assert_eq!(of(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn bytes_are_for_those_who_take_them_and_own_headers_are_renamed() {
        let result =
            json!({"isBase64Encoded": true, "body": "aGk=", "headers": {"Date": "x", "A": "b"}});
        let text = settled(result.clone(), false).expect("a response");
        assert_eq!(text.get("isBase64Encoded"), None);
        assert_eq!(text["headers"], json!({"A": "b", "x-amzn-Remapped-Date": "x"}));
        assert_eq!(settled(result, true).expect("a response")["isBase64Encoded"], true);
    }
}
