//! The APIs themselves, and what is set for all of an account.

use serde_json::{Value, json};

use super::patch::{self, Kind, Rule};
use super::{Content, Fields, RestApi, add, bad_request, fields_of, lacks, no_api, page, refuse};
use super::{text, timestamp, with};
use crate::apigateway::{State, api_id, id};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

pub(super) const TYPE: &str = "AWS::ApiGateway::RestApi";
const REFUSED: [&str; 5] =
    ["cloneFrom", "endpointAccessMode", "minimumCompressionSize", "policy", "securityPolicy"];
const CHANGES: &[Rule] = &[
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("version", Kind::Text),
    ("disableExecuteApiEndpoint", Kind::Flag),
    ("binaryMediaTypes", Kind::Items),
    ("endpointConfiguration", Kind::First("types")),
];

/// `CreateRestApi`: with a resource at the root, and the two models that AWS gives every API.
pub(super) fn create(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let mut fields = fields_of(input, &[]);
    check(&fields)?;
    let (id, root) = (api_id(), id(10));
    fields.insert("id".to_owned(), json!(id));
    fields.insert("createdDate".to_owned(), timestamp(context.now()));
    fields.insert("rootResourceId".to_owned(), json!(root));
    add(
        &mut fields,
        json!({
            "apiKeySource": "HEADER", "disableExecuteApiEndpoint": false,
            "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"}, "tags": {},
        }),
    );
    let mut content = Content::default();
    let resource = fields_of(json!({"id": root, "path": "/"}), &[]);
    content.resources.insert(root, resource);
    for (name, description, schema) in [
        ("Empty", "This is a default empty schema model", json!({"type": "object"})),
        (
            "Error",
            "This is a default error schema model",
            json!({"type": "object", "properties": {"message": {"type": "string"}}}),
        ),
    ] {
        let mut schema = schema;
        schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
        schema["title"] = json!(format!("{name} Schema"));
        let model = json!({
            "id": crate::apigateway::id(6), "name": name, "description": description,
            "contentType": "application/json", "schema": schema.to_string(),
        });
        content.models.insert(name.to_owned(), fields_of(model, &[]));
    }
    let shown = Value::Object(fields.clone());
    let api = RestApi { fields, content, ..RestApi::default() };
    let mut state = context.account.state::<State>();
    state.rest.insert(id.clone(), api);
    state.outbox.created(TYPE, id);
    Ok(shown)
}

fn check(fields: &Fields) -> Result<(), AwsError> {
    refuse(fields, &REFUSED)?;
    if fields.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(bad_request("API name must be specified"));
    }
    if fields.get("apiKeySource") == Some(&json!("AUTHORIZER")) {
        return Err(lacks("API keys"));
    }
    let endpoint = fields.get("endpointConfiguration").cloned().unwrap_or_default();
    let types = endpoint["types"].as_array().cloned().unwrap_or_default();
    if types.len() > 1 {
        return Err(bad_request("Only one endpoint type can be specified"));
    }
    match types.first().and_then(Value::as_str) {
        None | Some("EDGE" | "REGIONAL") => {}
        Some("PRIVATE") => return Err(lacks("private APIs")),
        Some(other) => {
            return Err(bad_request(format!("Invalid endpoint type specified: {other}")));
        }
    }
    if endpoint["vpcEndpointIds"].as_array().is_some_and(|ids| !ids.is_empty()) {
        return Err(lacks("vpcEndpointIds of REST APIs"));
    }
    Ok(())
}

/// `GetRestApi`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| Ok(Value::Object(api.fields.clone())))
}

/// `GetRestApis`.
pub(super) fn list(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    page(state.rest.values().map(|api| Value::Object(api.fields.clone())).collect(), &input)
}

/// `UpdateRestApi`.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = api.fields.clone();
        patch::apply(&mut fields, &input, CHANGES)?;
        check(&fields)?;
        api.fields = fields;
        Ok(Value::Object(api.fields.clone()))
    })
}

/// `DeleteRestApi`: with all that it has.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let id = text(&input, "restApiId");
    let mut state = context.account.state::<State>();
    state.rest.remove(id).ok_or_else(|| no_api(context, id))?;
    state.outbox.deleted(TYPE, id);
    Ok(json!({}))
}

/// `GetAccount`.
pub(super) fn account(context: Context<'_>) -> Value {
    let state = context.account.state::<State>();
    let mut shown = json!({
        "apiKeyVersion": "4", "features": ["UsagePlans"],
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
    });
    if let Some(role) = &state.log_role {
        shown["cloudwatchRoleArn"] = json!(role);
    }
    shown
}

/// `UpdateAccount`: the role that would write logs, where stages had any.
pub(super) fn update_account(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    const RULES: &[Rule] = &[("cloudwatchRoleArn", Kind::Text)];
    let mut fields = Fields::new();
    {
        let mut state = context.account.state::<State>();
        if let Some(role) = &state.log_role {
            fields.insert("cloudwatchRoleArn".to_owned(), json!(role));
        }
        patch::apply(&mut fields, &input, RULES)?;
        let role = fields.get("cloudwatchRoleArn").and_then(Value::as_str);
        let role = role.filter(|role| !role.is_empty());
        if role.is_some_and(|role| !role.starts_with("arn:aws:iam::") || !role.contains(":role/")) {
            return Err(bad_request("Invalid CloudWatch Logs role ARN"));
        }
        state.log_role = role.map(str::to_owned);
    }
    Ok(account(context))
}
