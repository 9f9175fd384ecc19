//! Authorizers, request validators and models.

use serde_json::{Value, json};

use super::patch::{self, Kind as Member, Rule};
use super::{
    Content, Fields, Parts, add, bad_request, conflict, fields_of, lacks, not_found, page,
};
use super::{refuse, text, with};
use crate::apigateway::front::rest::schema;
use crate::apigateway::http_apis::function_of;
use crate::apigateway::id;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// A kind of what an API has.
pub(super) struct Kind {
    /// As errors call it.
    name: &'static str,
    /// The member of inputs that says which one is meant.
    key: &'static str,
    /// Whether it is known by its name.
    is_named: bool,
    /// The member of methods that says that they need it.
    user: &'static str,
    changes: &'static [Rule],
    settle: fn(Context<'_>, &mut Fields) -> Result<(), AwsError>,
    parts: fn(&mut Content) -> &mut Parts,
}

pub(super) const AUTHORIZER: Kind = Kind {
    name: "Authorizer",
    key: "authorizerId",
    is_named: false,
    user: "authorizerId",
    changes: &[
        ("name", Member::Text),
        ("authorizerUri", Member::Text),
        ("identitySource", Member::Text),
        ("identityValidationExpression", Member::Text),
        ("authorizerResultTtlInSeconds", Member::Number),
        ("providerARNs", Member::List),
    ],
    settle: authorizer,
    parts: |content| &mut content.authorizers,
};

pub(super) const VALIDATOR: Kind = Kind {
    name: "Request Validator",
    key: "requestValidatorId",
    is_named: false,
    user: "requestValidatorId",
    changes: &[
        ("name", Member::Text),
        ("validateRequestBody", Member::Flag),
        ("validateRequestParameters", Member::Flag),
    ],
    settle: |_, fields| {
        add(fields, json!({"validateRequestBody": false, "validateRequestParameters": false}));
        Ok(())
    },
    parts: |content| &mut content.validators,
};

pub(super) const MODEL: Kind = Kind {
    name: "Model",
    key: "modelName",
    is_named: true,
    user: "requestModels",
    changes: &[("description", Member::Text), ("schema", Member::Text)],
    settle: model,
    parts: |content| &mut content.models,
};

fn authorizer(context: Context<'_>, fields: &mut Fields) -> Result<(), AwsError> {
    refuse(fields, &["authorizerCredentials", "jwtConfiguration"])?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = text("type").to_owned();
    if kind == "COGNITO_USER_POOLS" {
        let pools = fields.get("providerARNs").and_then(Value::as_array);
        let pools: Vec<&str> = pools.into_iter().flatten().filter_map(Value::as_str).collect();
        if pools.is_empty() {
            return Err(bad_request(
                "Invalid request input: providerARNs are required for authorizers of type COGNITO_USER_POOLS",
            ));
        }
        if let Some(pool) = pools.iter().find(|arn| !is_pool(context, arn)) {
            return Err(bad_request(format!("Invalid Cognito User Pool ARN specified: {pool}")));
        }
        add(fields, json!({"authType": "cognito_user_pools"}));
    } else if kind == "TOKEN" || kind == "REQUEST" {
        if function_of(text("authorizerUri")).is_none() {
            return Err(bad_request(
                "Invalid Authorizer URI specified: it should be arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations",
            ));
        }
        add(fields, json!({"authType": "custom"}));
    } else {
        return Err(lacks(&format!("authorizers of the type {kind}")));
    }
    add(fields, json!({"authorizerResultTtlInSeconds": 300}));
    let ttl = fields.get("authorizerResultTtlInSeconds").and_then(Value::as_i64);
    if !ttl.is_some_and(|ttl| (0..=3600).contains(&ttl)) {
        return Err(bad_request("Authorizer result TTL should be between 0 and 3600 seconds"));
    }
    sources(fields, &kind, ttl == Some(0))
}

/// What identifies callers: a header, or for authorizers of requests several things.
fn sources(fields: &mut Fields, kind: &str, is_asked_always: bool) -> Result<(), AwsError> {
    let given = fields.get("identitySource").and_then(Value::as_str).unwrap_or_default();
    if given.is_empty() && kind == "REQUEST" {
        if is_asked_always {
            return Ok(());
        }
        return Err(bad_request(
            "Identity source is required for REQUEST authorizers when authorization caching is enabled",
        ));
    }
    if given.is_empty() {
        fields.insert("identitySource".to_owned(), json!("method.request.header.Authorization"));
        return Ok(());
    }
    let of_all = ["method.request.header."];
    let of_requests = ["method.request.querystring.", "stageVariables.", "context."];
    for source in given.split(',').map(str::trim) {
        let starts = of_all.iter().chain(of_requests.iter().filter(|_| kind == "REQUEST"));
        let is_source = starts
            .into_iter()
            .any(|start| source.strip_prefix(start).is_some_and(|name| !name.is_empty()));
        if !is_source {
            return Err(bad_request(format!("Invalid identity source specified: {source}")));
        }
    }
    if let Some(expression) = fields.get("identityValidationExpression").and_then(Value::as_str)
        && regex_lite::Regex::new(expression).is_err()
    {
        return Err(bad_request("Invalid identity validation expression specified"));
    }
    Ok(())
}

fn is_pool(context: Context<'_>, arn: &str) -> bool {
    pool_issuer(arn).is_some_and(|issuer| crate::cognito::is_issuer(context.account, &issuer))
}

/// The issuer of the tokens of a user pool's ARN.
pub(in crate::apigateway) fn pool_issuer(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [_, _, "cognito-idp", region, _, pool] = parts.as_slice() else { return None };
    let pool = pool.strip_prefix("userpool/")?;
    Some(format!("https://cognito-idp.{region}.amazonaws.com/{pool}"))
}

fn model(_: Context<'_>, fields: &mut Fields) -> Result<(), AwsError> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("name").chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(bad_request("Model name must be alphanumeric"));
    }
    if text("contentType").is_empty() {
        return Err(bad_request("No content type specified"));
    }
    let schema = match text("schema") {
        "" => json!({}),
        schema => serde_json::from_str(schema).map_err(|_| {
            bad_request("Model reference must be in canonical form or a valid JSON schema: Invalid model schema specified")
        })?,
    };
    schema::check(&schema).map_err(|keyword| lacks(&format!("{keyword} in schemas of models")))
}

/// Makes one.
pub(super) fn create(kind: &Kind, context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let mut fields = fields_of(input.clone(), &["restApiId"]);
    (kind.settle)(context, &mut fields)?;
    with(context, &input, |api| {
        let parts = (kind.parts)(&mut api.content);
        let name = fields.get("name").cloned().unwrap_or_default();
        if parts.values().any(|other| !name.is_null() && other.get("name") == Some(&name)) {
            let name = name.as_str().unwrap_or_default();
            return Err(if kind.is_named {
                conflict(format!("Model name already exists for this REST API: {name}"))
            } else {
                bad_request(format!(
                    "{} name must be unique. {} {name} already exists in this RestApi.",
                    kind.name, kind.name
                ))
            });
        }
        let id = id(6);
        fields.insert("id".to_owned(), json!(id));
        let key = if kind.is_named { name.as_str().unwrap_or_default().to_owned() } else { id };
        parts.insert(key, fields.clone());
        Ok(Value::Object(fields))
    })
}

fn missing(kind: &Kind, input: &Value) -> AwsError {
    if kind.is_named {
        return not_found(format!("Invalid model name specified: {}", text(input, kind.key)));
    }
    not_found(format!("Invalid {} identifier specified", kind.name))
}

/// One of an API.
pub(super) fn get(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    with(context, input, |api| {
        let found = (kind.parts)(&mut api.content).get(text(input, kind.key));
        found.cloned().map(Value::Object).ok_or_else(|| missing(kind, input))
    })
}

/// All of an API.
pub(super) fn list(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let items = with(context, input, |api| {
        Ok((kind.parts)(&mut api.content).values().cloned().map(Value::Object).collect())
    })?;
    page(items, input)
}

/// Changes one.
pub(super) fn update(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let Value::Object(mut fields) = get(kind, context, input)? else {
        return Err(missing(kind, input));
    };
    patch::apply(&mut fields, input, kind.changes)?;
    (kind.settle)(context, &mut fields)?;
    with(context, input, |api| {
        (kind.parts)(&mut api.content).insert(text(input, kind.key).to_owned(), fields.clone());
        Ok(Value::Object(fields))
    })
}

/// Deletes one that no method needs.
pub(super) fn delete(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    with(context, input, |api| {
        let id = text(input, kind.key);
        if !(kind.parts)(&mut api.content).contains_key(id) {
            return Err(missing(kind, input));
        }
        if let Some(user) = user_of(kind, &api.content, id) {
            return Err(conflict(format!(
                "Cannot delete {} '{id}', is referenced in method: {user}",
                kind.name.to_ascii_lowercase()
            )));
        }
        (kind.parts)(&mut api.content).remove(id);
        Ok(json!({}))
    })
}

/// A method that needs one, such as `GET /pets`.
fn user_of(kind: &Kind, content: &Content, id: &str) -> Option<String> {
    let needs = |method: &Value| match &method[kind.user] {
        Value::Object(map) => map.values().any(|value| value == id),
        value => value == id,
    };
    content.resources.values().find_map(|resource| {
        let methods = resource.get("resourceMethods")?.as_object()?;
        let (name, _) = methods.iter().find(|(_, method)| needs(method))?;
        Some(format!("{name} {}", resource.get("path")?.as_str()?))
    })
}
