//! What a function has returned, as a response.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::http::Response;

/// Headers that belong to the connection, which a function has no say in.
const OWN: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/// The response that a function's result says. `whole`: nothing but a response will do, as in the events of version 1.0;
/// otherwise what is none is the body of one.
pub(crate) fn of(result: &Value, whole: bool) -> Option<Response> {
    let says = result.get("statusCode").is_some();
    if !says && whole {
        return None;
    }
    if !says {
        let body = match result {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        return Some(Response::new(200, "application/json", body));
    }
    let status = status(&result["statusCode"])?;
    let body = body(result)?;
    let mut response = Response::empty(status);
    response.body = body.into();
    for (name, value) in headers(result)? {
        let is_sent = HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_str(&value).is_ok()
            && !OWN.contains(&name.to_ascii_lowercase().as_str());
        if is_sent {
            response = response.with_header(&name, value);
        }
    }
    let has_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if !response.body.is_empty() && !response.headers.iter().any(has_type) {
        let kind = if whole { "application/json" } else { "text/plain;charset=utf-8" };
        response = response.with_header("content-type", kind);
    }
    Some(response)
}

fn status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        other => u16::try_from(other.as_u64()?).ok()?,
    };
    (200..600).contains(&number).then_some(number)
}

fn body(result: &Value) -> Option<Vec<u8>> {
    let text = match &result["body"] {
        Value::Null => "",
        Value::String(text) => text,
        _ => return None,
    };
    if result["isBase64Encoded"] == true {
        return BASE64_STANDARD.decode(text).ok();
    }
    Some(text.as_bytes().to_vec())
}

/// Names and values. Of a name in both maps, that with several values counts; cookies come last.
fn headers(result: &Value) -> Option<Vec<(String, String)>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let mut headers = Vec::new();
    let several = result["multiValueHeaders"].as_object();
    for (name, values) in several.into_iter().flatten() {
        for value in values.as_array()? {
            headers.push((name.clone(), text(value)?));
        }
    }
    let is_there = |headers: &Vec<(String, String)>, name: &str| {
        headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    let mut single = Vec::new();
    for (name, value) in result["headers"].as_object().into_iter().flatten() {
        if !is_there(&headers, name) && !value.is_null() {
            single.push((name.clone(), text(value)?));
        }
    }
    headers.extend(single);
    for cookie in result["cookies"].as_array().into_iter().flatten() {
        headers.push(("set-cookie".to_owned(), text(cookie)?));
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Shown = (u16, Vec<(String, String)>, String);

    fn shown(result: Value, whole: bool) -> Option<Shown> {
        let response = of(&result, whole)?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        Some((response.status, response.headers, body))
    }

    #[test]
    fn what_is_no_response_is_the_body_of_one_where_that_may_be() {
        let (status, headers, body) = shown(json!({"a": 1}), false).expect("a response");
        assert_eq!((status, body.as_str()), (200, r#"{"a":1}"#));
        assert_eq!(headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
        assert_eq!(shown(json!("hi"), false).expect("a response").2, "hi");
        assert_eq!(shown(json!({"a": 1}), true), None);
    }

    #[test]
    fn a_response_says_status_headers_cookies_and_body() {
        let result = json!({
            "statusCode": "201", "headers": {"X-A": "1", "X-N": 2, "Content-Length": "9", "x b": "c"},
            "multiValueHeaders": {"x-a": ["1", "2"]}, "cookies": ["c=1; Secure"],
            "body": "aGk=", "isBase64Encoded": true,
        });
        let (status, headers, body) = shown(result, false).expect("a response");
        assert_eq!((status, body.as_str()), (201, "hi"));
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            headers,
            [
                "x-a: 1",
                "x-a: 2",
                "X-N: 2",
                "set-cookie: c=1; Secure",
                "content-type: text/plain;charset=utf-8"
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_response_is_none() {
        for result in [
            json!({"statusCode": "ok"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "body": {"a": 1}}),
            json!({"statusCode": 200, "body": "!", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"a": []}}),
        ] {
            assert_eq!(shown(result.clone(), true), None, "{result}");
        }
    }
}
