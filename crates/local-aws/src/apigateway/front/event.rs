//! The event that a function is handed, in either of its versions.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use std::time::SystemTime;

use super::Asked;
use super::authorize::Granted;
use crate::account::Account;
use crate::http::Request;

/// Whatever asks, does so from this machine.
pub(super) const SOURCE_IP: &str = "127.0.0.1";

/// A request as events of version 2.0 tell of it.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) account: &'a Account,
    pub(crate) request: &'a Request,
    /// Whose it is said to be.
    pub(crate) account_id: &'a str,
    /// Of the API or the URL.
    pub(crate) id: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) route_key: &'a str,
    pub(crate) stage: &'a str,
    /// With the stage.
    pub(crate) path: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) at: SystemTime,
    pub(crate) authorizer: Option<Value>,
}

/// An event of version 2.0.
pub(super) fn version_2(asked: &Asked<'_>, granted: &Granted) -> Value {
    let mut event = request_2(asked, granted);
    add_body(&mut event, asked.request);
    Value::Object(event)
}

/// Adds the body of a request to its event.
pub(crate) fn add_body(event: &mut Map<String, Value>, request: &Request) {
    let (body, is_base64) = body(request);
    if let Some(body) = body {
        event.insert("body".to_owned(), json!(body));
    }
    event.insert("isBase64Encoded".to_owned(), json!(is_base64));
}

/// The same without the body, as authorizers see it.
pub(super) fn request_2(asked: &Asked<'_>, granted: &Granted) -> Map<String, Value> {
    let mut event = seen_2(&Seen {
        account: asked.account,
        request: asked.request,
        account_id: &asked.account.id,
        id: &asked.api,
        domain: &asked.domain(),
        route_key: asked.route_key(),
        stage: &asked.stage,
        path: &asked.path_with_stage(),
        request_id: &asked.id,
        at: asked.at,
        authorizer: granted.in_version_2(),
    });
    if !asked.path_parameters.is_empty() {
        let parameters = Value::Object(asked.path_parameters.clone());
        event.insert("pathParameters".to_owned(), parameters);
    }
    if !asked.stage_variables.is_empty() {
        let variables = Value::Object(asked.stage_variables.clone());
        event.insert("stageVariables".to_owned(), variables);
    }
    event
}

/// What every event of version 2.0 tells of a request.
pub(crate) fn seen_2(seen: &Seen<'_>) -> Map<String, Value> {
    let request = seen.request;
    let raw_query = request.target.split_once('?').map_or("", |(_, query)| query);
    let cookies: Vec<&str> = request
        .headers
        .get_all("cookie")
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .flat_map(|cookies| cookies.split(';').map(str::trim))
        .filter(|cookie| !cookie.is_empty())
        .collect();
    let mut headers = headers_of(seen.account, request, seen.at);
    headers.retain(|(name, _)| name != "cookie");
    let mut event = Map::new();
    let mut add = |name: &str, value: Value| event.insert(name.to_owned(), value);
    add("version", json!("2.0"));
    add("routeKey", json!(seen.route_key));
    add("rawPath", json!(seen.path));
    add("rawQueryString", json!(raw_query));
    if !cookies.is_empty() {
        add("cookies", json!(cookies));
    }
    add("headers", joined(&headers));
    if !request.query.is_empty() {
        add("queryStringParameters", joined(&request.query));
    }
    let mut context = json!({
        "accountId": seen.account_id,
        "apiId": seen.id,
        "domainName": seen.domain,
        "domainPrefix": seen.id,
        "http": {
            "method": request.method.as_str(),
            "path": seen.path,
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": request.header("user-agent").unwrap_or_default(),
        },
        "requestId": seen.request_id,
        "routeKey": seen.route_key,
        "stage": seen.stage,
        "time": time_text(seen.at),
        "timeEpoch": millis(seen.at),
    });
    if let Some(authorizer) = &seen.authorizer {
        context["authorizer"] = authorizer.clone();
    }
    add("requestContext", context);
    event
}

/// An event of version 1.0.
pub(super) fn version_1(asked: &Asked<'_>, granted: &Granted) -> Value {
    let mut event = request_1(asked, granted);
    let (body, is_base64) = body(asked.request);
    event.insert("body".to_owned(), json!(body));
    event.insert("isBase64Encoded".to_owned(), json!(is_base64));
    Value::Object(event)
}

/// The same without the body, as authorizers see it.
pub(super) fn request_1(asked: &Asked<'_>, granted: &Granted) -> Map<String, Value> {
    let request = asked.request;
    let key = asked.route_key();
    let resource = key.split_once(' ').map_or(key, |(_, path)| path);
    let path = asked.path_with_stage();
    let headers = headers(asked);
    let context = json!({
        "accountId": asked.account.id,
        "apiId": asked.api,
        "authorizer": granted.in_version_1(),
        "domainName": asked.domain(),
        "domainPrefix": asked.api,
        "extendedRequestId": asked.id,
        "httpMethod": request.method.as_str(),
        "identity": identity(request.header("user-agent")),
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": asked.id,
        "requestTime": time_text(asked.at),
        "requestTimeEpoch": millis(asked.at),
        "resourceId": key,
        "resourcePath": resource,
        "stage": asked.stage,
    });
    let event = json!({
        "version": "1.0",
        "resource": resource,
        "path": path,
        "httpMethod": request.method.as_str(),
        "headers": last(&headers),
        "multiValueHeaders": several(&headers),
        "queryStringParameters": or_null(&last(&request.query)),
        "multiValueQueryStringParameters": or_null(&several(&request.query)),
        "requestContext": context,
        "pathParameters": or_null(&asked.path_parameters),
        "stageVariables": or_null(&asked.stage_variables),
    });
    match event {
        Value::Object(event) => event,
        _ => Map::new(),
    }
}

/// A map, or null where it is empty.
pub(super) fn or_null(map: &Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map.clone()) }
}

fn identity(user_agent: Option<&str>) -> Value {
    json!({
        "accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null,
        "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null,
        "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null,
        "sourceIp": SOURCE_IP, "user": null, "userAgent": user_agent, "userArn": null,
    })
}

fn headers(asked: &Asked<'_>) -> Vec<(String, String)> {
    headers_of(asked.account, asked.request, asked.at)
}

/// The headers of a request, and those that API Gateway adds.
pub(super) fn headers_of(
    account: &Account,
    request: &Request,
    at: SystemTime,
) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| *name != "connection")
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let port = account.endpoint_url().rsplit(':').next().unwrap_or("80").to_owned();
    for (name, value) in [
        ("x-forwarded-for", SOURCE_IP.to_owned()),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-amzn-trace-id", trace_id(at)),
    ] {
        if !headers.iter().any(|(other, _)| other == name) {
            headers.push((name.to_owned(), value));
        }
    }
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    headers
}

fn trace_id(at: SystemTime) -> String {
    let random = format!("{:032x}", fastrand::u128(..));
    format!("Root=1-{:08x}-{}", millis(at) / 1000, random.get(..24).unwrap_or_default())
}

/// By name; several values of a name joined by commas.
fn joined(pairs: &[(String, String)]) -> Value {
    let mut map = Map::new();
    for (name, value) in pairs {
        let text = match map.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.clone(),
        };
        map.insert(name.clone(), json!(text));
    }
    Value::Object(map)
}

/// By name; the last of several values.
pub(super) fn last(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
}

/// By name, all values.
pub(super) fn several(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let values = map.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    map
}

/// A body that says it is text, as it is; anything else in base64.
fn body(request: &Request) -> (Option<String>, bool) {
    let bytes = &request.body;
    if bytes.is_empty() {
        return (None, false);
    }
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&kind)
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => (Some(text.to_owned()), false),
        _ => (Some(BASE64_STANDARD.encode(bytes)), true),
    }
}

pub(super) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Such as `12/Mar/2020:19:03:58 +0000`.
pub(super) fn time_text(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .map(|at| at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
        .unwrap_or_default()
}
