//! CORS of HTTP APIs: which pages may read what an API answers.

use hyper::Method;
use serde_json::Value;

use crate::http::{Request, Response};

/// What an API with CORS takes out of the responses of its functions.
const OWN: [&str; 6] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
];

/// The answer to a browser that asks before it sends what it has been told to; the API's functions do not hear of it.
pub(crate) fn preflight(cors: &Value, request: &Request) -> Option<Response> {
    let asks = request.method == Method::OPTIONS
        && request.header("origin").is_some()
        && request.header("access-control-request-method").is_some();
    if !asks {
        return None;
    }
    let mut response = Response::empty(204);
    let Some(origin) = allowed_origin(cors, request) else { return Some(response) };
    response = response.with_header("access-control-allow-origin", origin);
    for (name, member) in [
        ("access-control-allow-methods", "AllowMethods"),
        ("access-control-allow-headers", "AllowHeaders"),
    ] {
        if let Some(list) = list(cors, member) {
            response = response.with_header(name, list);
        }
    }
    if let Some(age) = cors["MaxAge"].as_u64() {
        response = response.with_header("access-control-max-age", age.to_string());
    }
    Some(credentials(cors, response))
}

/// A response with what a browser must be told of it.
pub(crate) fn added(cors: Option<&Value>, request: &Request, mut response: Response) -> Response {
    let Some(cors) = cors else { return response };
    response.headers.retain(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
    let Some(origin) = allowed_origin(cors, request) else { return response };
    response = response.with_header("access-control-allow-origin", origin);
    if let Some(exposed) = list(cors, "ExposeHeaders") {
        response = response.with_header("access-control-expose-headers", exposed);
    }
    credentials(cors, response)
}

fn credentials(cors: &Value, response: Response) -> Response {
    if cors["AllowCredentials"] == true {
        return response.with_header("access-control-allow-credentials", "true");
    }
    response
}

fn list(cors: &Value, member: &str) -> Option<String> {
    let items = cors[member].as_array().filter(|items| !items.is_empty())?;
    Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
}

/// The origin of a request, as far as the API's configuration has it: `*`, `https://*`, `https://*.example.org` and whole ones.
fn allowed_origin(cors: &Value, request: &Request) -> Option<String> {
    let origin = request.header("origin")?;
    let allowed = cors["AllowOrigins"].as_array()?.iter().filter_map(Value::as_str);
    for pattern in allowed {
        if pattern == "*" {
            return Some("*".to_owned());
        }
        let is_one = match pattern.split_once('*') {
            Some((start, end)) => {
                origin.len() > start.len() + end.len()
                    && origin.starts_with(start)
                    && origin.ends_with(end)
            }
            None => pattern.eq_ignore_ascii_case(origin),
        };
        if is_one {
            return Some(origin.to_owned());
        }
    }
    None
}
