//! What routes, integrations, stages and authorizers can be like, and what AWS adds to them.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{Api, DEFAULT, bad_request, not_found};
use crate::apigateway::front::routes::RouteKey;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

type Fields = Map<String, Value>;

const LONGEST_TIMEOUT: i64 = 30_000;

/// Seconds since 1970.
pub(super) fn timestamp(time: SystemTime) -> Value {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    json!(since.as_secs())
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_str)
}

fn add(fields: &mut Fields, name: &str, value: Value) {
    fields.entry(name).or_insert(value);
}

/// The configuration of CORS.
pub(super) fn cors(cors: &Value) -> Result<(), AwsError> {
    let origins = cors["AllowOrigins"].as_array();
    let any = origins.is_some_and(|origins| origins.contains(&json!("*")));
    if any && cors["AllowCredentials"] == true {
        return Err(bad_request("allowCredentials is not supported for origin *"));
    }
    let is_origin =
        |origin: &Value| origin.as_str().is_some_and(|it| it == "*" || it.contains("://"));
    match origins.into_iter().flatten().find(|origin| !is_origin(origin)) {
        Some(origin) => Err(bad_request(format!(
            "Invalid format for origin {}. Origin should include scheme",
            origin.as_str().unwrap_or_default()
        ))),
        None => Ok(()),
    }
}

/// A route has a key that can be told from others, and leads to an integration that is there.
pub(super) fn route(_: Context<'_>, api: &Api, fields: &mut Fields) -> Result<(), AwsError> {
    let key = text(fields, "RouteKey").unwrap_or_default();
    if RouteKey::parse(key).is_none() {
        return Err(bad_request(format!(
            "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\": {key}"
        )));
    }
    if let Some(target) = text(fields, "Target") {
        let integration = target.strip_prefix("integrations/").unwrap_or_default();
        if !api.routing.integrations.contains_key(integration) {
            return Err(bad_request(format!(
                "Invalid target {target}: there is no such integration"
            )));
        }
    }
    let authorizer = text(fields, "AuthorizerId");
    let found = authorizer.and_then(|id| api.routing.authorizers.get(id));
    let expected = match text(fields, "AuthorizationType").unwrap_or("NONE") {
        "NONE" => None,
        "JWT" => Some("JWT"),
        "CUSTOM" => Some("REQUEST"),
        other => {
            return Err(bad_request(format!(
                "The local AWS of playbook has no AuthorizationType {other} of routes. It has NONE, JWT and CUSTOM."
            )));
        }
    };
    match (expected, found) {
        (None, None) if authorizer.is_none() => {}
        (None, _) => {
            return Err(bad_request(
                "Authorizers can only be associated with routes of authorization type JWT or CUSTOM",
            ));
        }
        (Some(kind), Some(found)) if text(found, "AuthorizerType") == Some(kind) => {}
        (Some(_), _) => return Err(bad_request("Invalid authorizer specified")),
    }
    if fields.get("ApiKeyRequired") == Some(&json!(true)) {
        return Err(bad_request("ApiKeyRequired is not currently supported for HTTP APIs"));
    }
    add(fields, "ApiKeyRequired", json!(false));
    add(fields, "AuthorizationType", json!("NONE"));
    Ok(())
}

/// An integration is a call of a function.
pub(super) fn integration(_: Context<'_>, _: &Api, fields: &mut Fields) -> Result<(), AwsError> {
    let kind = text(fields, "IntegrationType").unwrap_or_default();
    if kind != "AWS_PROXY" {
        return Err(bad_request(format!(
            "The local AWS of playbook has no {kind} integrations of HTTP APIs. It has AWS_PROXY, with functions."
        )));
    }
    let uri = text(fields, "IntegrationUri").unwrap_or_default();
    if function_of(uri).is_none() {
        return Err(bad_request(format!("Invalid integration URI specified: {uri}")));
    }
    match text(fields, "PayloadFormatVersion") {
        Some("1.0" | "2.0") => {}
        None => {
            return Err(bad_request(
                "PayloadFormatVersion is a required parameter for integration",
            ));
        }
        Some(other) => {
            return Err(bad_request(format!("PayloadFormatVersion {other} is not supported")));
        }
    }
    if text(fields, "ConnectionType").is_some_and(|kind| kind != "INTERNET") {
        return Err(bad_request("The local AWS of playbook has no VPC links."));
    }
    let timeout = fields.get("TimeoutInMillis").and_then(Value::as_i64);
    if timeout.is_some_and(|timeout| !(50..=LONGEST_TIMEOUT).contains(&timeout)) {
        return Err(bad_request("Timeout should be between 50 ms and 30000 ms"));
    }
    add(fields, "ConnectionType", json!("INTERNET"));
    add(fields, "IntegrationMethod", json!("POST"));
    add(fields, "TimeoutInMillis", json!(LONGEST_TIMEOUT));
    Ok(())
}

/// The function that an integration calls: its ARN, or what API Gateway makes of it.
pub(in crate::apigateway) fn function_of(uri: &str) -> Option<&str> {
    let arn = match uri.split_once("/functions/") {
        Some((before, rest)) if before.contains(":apigateway:") => {
            rest.strip_suffix("/invocations")?
        }
        _ => uri,
    };
    let mut parts = arn.split(':');
    let is_function = parts.next() == Some("arn")
        && parts.nth(1) == Some("lambda")
        && parts.nth(2) == Some("function");
    is_function.then_some(arn)
}

/// A stage is deployed by itself, or as somebody has deployed it.
pub(super) fn stage(context: Context<'_>, api: &Api, fields: &mut Fields) -> Result<(), AwsError> {
    let name = text(fields, "StageName").unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name != DEFAULT && (name.is_empty() || name.len() > 128 || !name.chars().all(is_name)) {
        return Err(bad_request(
            "Stage name only allows a-z, A-Z, 0-9, hyphen and underscore, or $default",
        ));
    }
    let is_auto = fields.get("AutoDeploy") == Some(&json!(true));
    if let Some(deployment) = text(fields, "DeploymentId") {
        if is_auto {
            return Err(bad_request("DeploymentId cannot be set if AutoDeploy is set to true"));
        }
        if !api.deployments.contains_key(deployment) {
            return Err(bad_request(format!(
                "Invalid Deployment identifier specified {deployment}"
            )));
        }
    }
    let now = timestamp(context.now());
    add(fields, "AutoDeploy", json!(false));
    add(fields, "CreatedDate", now.clone());
    fields.insert("LastUpdatedDate".to_owned(), now);
    add(fields, "RouteSettings", json!({}));
    add(fields, "StageVariables", json!({}));
    add(fields, "Tags", json!({}));
    Ok(())
}

/// An authorizer checks tokens of a user pool that is here, or asks a function.
pub(super) fn authorizer(
    context: Context<'_>,
    _: &Api,
    fields: &mut Fields,
) -> Result<(), AwsError> {
    let sources = fields.get("IdentitySource").and_then(Value::as_array);
    let is_source = |source: &Value| {
        let source = source.as_str().unwrap_or_default();
        let request = ["$request.header.", "$request.querystring."];
        request.iter().any(|it| source.strip_prefix(it).is_some_and(|name| !name.is_empty()))
            || source == "$context.routeKey"
    };
    if let Some(source) = sources.into_iter().flatten().find(|source| !is_source(source)) {
        return Err(bad_request(format!("Invalid identity source specified: {source}")));
    }
    match text(fields, "AuthorizerType") {
        Some("JWT") => jwt_authorizer(context, fields),
        Some("REQUEST") => request_authorizer(fields),
        _ => Err(bad_request("Invalid authorizer type specified")),
    }
}

fn jwt_authorizer(context: Context<'_>, fields: &Fields) -> Result<(), AwsError> {
    if fields.get("IdentitySource").and_then(Value::as_array).is_none_or(|it| it.len() != 1) {
        return Err(bad_request("A JWT authorizer has exactly one identity source"));
    }
    let jwt = fields.get("JwtConfiguration").cloned().unwrap_or_default();
    let issuer = jwt["Issuer"].as_str().unwrap_or_default();
    if issuer.is_empty() {
        return Err(bad_request("Issuer is required for JWT Authorizer"));
    }
    if jwt["Audience"].as_array().is_none_or(Vec::is_empty) {
        return Err(bad_request("Audience list is required for JWT Authorizer"));
    }
    if !crate::cognito::is_issuer(context.account, issuer) {
        return Err(bad_request(format!(
            "Invalid issuer: {issuer}. The local AWS of playbook knows the issuers of its own user pools, \
             https://cognito-idp.REGION.amazonaws.com/POOL."
        )));
    }
    Ok(())
}

fn request_authorizer(fields: &mut Fields) -> Result<(), AwsError> {
    let uri = text(fields, "AuthorizerUri").unwrap_or_default();
    if function_of(uri).is_none() {
        return Err(bad_request("Invalid Authorizer URI specified"));
    }
    let version = text(fields, "AuthorizerPayloadFormatVersion");
    if !matches!(version, Some("1.0" | "2.0")) {
        return Err(bad_request(
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer",
        ));
    }
    let is_simple = fields.get("EnableSimpleResponses") == Some(&json!(true));
    if is_simple && version == Some("1.0") {
        return Err(bad_request(
            "EnableSimpleResponses is supported for payload format version 2.0 only",
        ));
    }
    let ttl = fields.get("AuthorizerResultTtlInSeconds").and_then(Value::as_i64);
    if ttl.is_some_and(|ttl| !(0..=3600).contains(&ttl)) {
        return Err(bad_request("AuthorizerResultTtlInSeconds should be between 0 and 3600"));
    }
    add(fields, "AuthorizerResultTtlInSeconds", json!(0));
    add(fields, "EnableSimpleResponses", json!(false));
    Ok(())
}

/// A deployment is over when it is made; it may be for a stage that is there.
pub(super) fn deployment(
    context: Context<'_>,
    api: &Api,
    fields: &mut Fields,
) -> Result<(), AwsError> {
    let stage = fields.remove("StageName");
    let stage = stage.as_ref().and_then(Value::as_str);
    if let Some(stage) = stage.filter(|stage| !api.stages.contains_key(*stage)) {
        return Err(not_found(format!("Unable to find stage by name {stage}")));
    }
    add(fields, "AutoDeployed", json!(false));
    add(fields, "CreatedDate", timestamp(context.now()));
    add(fields, "DeploymentStatus", json!("DEPLOYED"));
    Ok(())
}
