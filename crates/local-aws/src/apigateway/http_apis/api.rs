//! The APIs themselves.

use serde_json::{Map, Value, json};

use super::children::{self, INTEGRATION, ROUTE, STAGE};
use super::{Api, DEFAULT, bad_request, fields_of, not_found, page, refuse, rules, text};
use crate::account::Account;
use crate::apigateway::{State, api_id};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

pub(super) const TYPE: &str = "AWS::ApiGatewayV2::Api";
/// What only WebSocket APIs and imports go by.
const REFUSED: [&str; 2] = ["CredentialsArn", "DisableSchemaValidation"];

/// `CreateApi`; with a `Target`, a function that answers everything.
pub(super) fn create(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    if input["ProtocolType"] != "HTTP" {
        return Err(bad_request(format!(
            "The local AWS of playbook has HTTP APIs, and no {} ones.",
            text(&input, "ProtocolType")
        )));
    }
    let target = input["Target"].as_str().map(str::to_owned);
    let route_key = input["RouteKey"].as_str().unwrap_or(DEFAULT).to_owned();
    if target.is_none() && !input["RouteKey"].is_null() {
        return Err(bad_request("routeKey can only be specified with target"));
    }
    let mut fields = fields_of(input, &["Target", "RouteKey"]);
    check(&fields)?;
    let id = api_id();
    fields.insert("ApiId".to_owned(), json!(id));
    fields.insert("CreatedDate".to_owned(), rules::timestamp(context.now()));
    for (name, value) in [
        ("ApiKeySelectionExpression", json!("$request.header.x-api-key")),
        ("RouteSelectionExpression", json!("$request.method $request.path")),
        ("DisableExecuteApiEndpoint", json!(false)),
        ("IpAddressType", json!("ipv4")),
        ("Tags", json!({})),
    ] {
        fields.entry(name).or_insert(value);
    }
    let mut api = Api { fields, ..Api::default() };
    if let Some(target) = target {
        quick_create(context, &mut api, &target, &route_key)?;
    }
    let shown = shown(context.account, &api);
    let mut state = context.account.state::<State>();
    state.http.insert(id.clone(), api);
    state.outbox.created(TYPE, id);
    Ok(shown)
}

/// An integration with the target, a route to it and a stage that is deployed by itself.
fn quick_create(
    context: Context<'_>,
    api: &mut Api,
    target: &str,
    route_key: &str,
) -> Result<(), AwsError> {
    let integration = json!({
        "IntegrationType": "AWS_PROXY", "IntegrationUri": target, "PayloadFormatVersion": "2.0",
    });
    let made = children::add(&INTEGRATION, context, api, integration)?;
    let target = format!("integrations/{}", text(&made, "IntegrationId"));
    children::add(&ROUTE, context, api, json!({"RouteKey": route_key, "Target": target}))?;
    children::add(&STAGE, context, api, json!({"StageName": DEFAULT, "AutoDeploy": true}))?;
    Ok(())
}

fn check(fields: &Map<String, Value>) -> Result<(), AwsError> {
    refuse(fields, &REFUSED)?;
    if let Some(expression) = fields.get("RouteSelectionExpression")
        && *expression != "$request.method $request.path"
        && *expression != "${request.method} ${request.path}"
    {
        return Err(bad_request(
            "Only $request.method $request.path is supported for HTTP API RouteSelectionExpression",
        ));
    }
    if let Some(cors) = fields.get("CorsConfiguration") {
        rules::cors(cors)?;
    }
    Ok(())
}

/// An API as operations return it.
fn shown(account: &Account, api: &Api) -> Value {
    let mut fields = api.fields.clone();
    let id = fields.get("ApiId").and_then(Value::as_str).unwrap_or_default();
    let endpoint = crate::apigateway::front::address::url(account, id);
    fields.insert("ApiEndpoint".to_owned(), json!(endpoint));
    Value::Object(fields)
}

/// The error for an API that is not there.
pub(super) fn no_api(context: Context<'_>, id: &str) -> AwsError {
    not_found(format!("Invalid API identifier specified {}:{id}", context.account.id))
}

/// `GetApi`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let id = text(&input, "ApiId");
    let state = context.account.state::<State>();
    let api = state.http.get(id).ok_or_else(|| no_api(context, id))?;
    Ok(shown(context.account, api))
}

/// `GetApis`.
pub(super) fn list(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    page(state.http.values().map(|api| shown(context.account, api)).collect(), &input)
}

/// `UpdateApi`.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let id = text(&input, "ApiId").to_owned();
    let fields = fields_of(input, &["ApiId"]);
    refuse(&fields, &["Target", "RouteKey"])?;
    check(&fields)?;
    let mut state = context.account.state::<State>();
    let api = state.http.get_mut(&id).ok_or_else(|| no_api(context, &id))?;
    api.fields.extend(fields);
    Ok(shown(context.account, api))
}

/// `DeleteApi`: with all that it has.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let id = text(&input, "ApiId");
    let mut state = context.account.state::<State>();
    state.http.remove(id).ok_or_else(|| no_api(context, id))?;
    state.outbox.deleted(TYPE, id);
    Ok(json!({}))
}

/// `DeleteCorsConfiguration`.
pub(super) fn delete_cors(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let id = text(&input, "ApiId");
    let mut state = context.account.state::<State>();
    let api = state.http.get_mut(id).ok_or_else(|| no_api(context, id))?;
    api.fields.remove("CorsConfiguration");
    Ok(json!({}))
}
