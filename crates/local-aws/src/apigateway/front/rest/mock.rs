//! What an API answers by itself, as it does to browsers that ask for CORS.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{Asked, Fields, Refusal};
use crate::apigateway::rest_apis::status_of_template;
use crate::http::Response;

const JSON: &str = "application/json";

/// The response whose pattern is that of the status that the request's template says.
pub(super) fn answer(asked: &Asked<'_>, integration: &Fields) -> Result<Response, Refusal> {
    let kind = asked.request.header("content-type").unwrap_or(JSON);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let templates = integration.get("requestTemplates").and_then(Value::as_object);
    let template = templates.and_then(|all| all.get(kind)).and_then(Value::as_str);
    let body = String::from_utf8_lossy(&asked.request.body);
    let passes = integration.get("passthroughBehavior").and_then(Value::as_str);
    let has_templates = templates.is_some_and(|templates| !templates.is_empty());
    let text = match (template, passes) {
        (Some(template), _) => template,
        (None, Some("NEVER")) => return Err(unsupported()),
        (None, Some("WHEN_NO_TEMPLATES")) if has_templates => return Err(unsupported()),
        (None, _) => body.as_ref(),
    };
    let status = status_of_template(text).ok_or_else(|| Refusal::internal(500))?;
    let responses = integration.get("integrationResponses").and_then(Value::as_object);
    let chosen = responses.and_then(|responses| choose(responses, &status.to_string()));
    let chosen = chosen.ok_or_else(|| Refusal::internal(500))?;
    response(chosen, asked.request.header("accept")).ok_or_else(|| Refusal::internal(500))
}

fn unsupported() -> Refusal {
    Refusal::late(415, "UnsupportedMediaTypeException", "Unsupported Media Type")
}

/// That with a pattern for the status, else that without a pattern.
fn choose<'r>(responses: &'r Map<String, Value>, status: &str) -> Option<&'r Value> {
    let pattern = |one: &'r Value| one["selectionPattern"].as_str().filter(|it| !it.is_empty());
    let is_like = |pattern: &str| {
        Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(status))
    };
    let with_pattern = responses.values().find(|one| pattern(one).is_some_and(is_like));
    with_pattern.or_else(|| responses.values().find(|one| pattern(one).is_none()))
}

fn response(chosen: &Value, accepted: Option<&str>) -> Option<Response> {
    let templates = chosen["responseTemplates"].as_object();
    let wanted = accepted.and_then(|accepted| templates?.get(accepted)).and_then(Value::as_str);
    let plain = templates.and_then(|templates| templates.get(JSON)).and_then(Value::as_str);
    let (kind, body) = match wanted {
        Some(body) => (accepted.unwrap_or(JSON), body),
        None => (JSON, plain.unwrap_or_default()),
    };
    let status = chosen["statusCode"].as_str()?.parse().ok()?;
    let mut response = Response::empty(status);
    response.body = body.to_owned().into();
    let mut has_type = false;
    for (name, value) in chosen["responseParameters"].as_object().into_iter().flatten() {
        let name = name.strip_prefix("method.response.header.")?;
        let value = value.as_str()?.trim_matches('\'');
        has_type |= name.eq_ignore_ascii_case("content-type");
        response = response.with_header(name, value);
    }
    if !has_type {
        response = response.with_header("content-type", kind);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_response_is_that_whose_pattern_fits() {
        let responses = json!({
            "200": {"statusCode": "200"},
            "404": {"statusCode": "404", "selectionPattern": "4\\d{2}",
                    "responseParameters": {"method.response.header.X-A": "'b'"},
                    "responseTemplates": {"application/json": "{}"}},
        });
        let responses = responses.as_object().expect("a map");
        let of = |status| response(choose(responses, status)?, None);
        assert_eq!(of("204").expect("a response").status, 200);
        let none = of("400").expect("a response");
        assert_eq!((none.status, none.body.as_ref()), (404, b"{}".as_slice()));
        assert!(none.headers.contains(&("X-A".to_owned(), "b".to_owned())));
    }
}
