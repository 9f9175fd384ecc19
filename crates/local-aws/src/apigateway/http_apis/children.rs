//! What an API has: routes, integrations, stages, authorizers, deployments. Each is kept as its operations return it.

use serde_json::{Map, Value, json};

use super::api::no_api;
use super::{Api, Parts, bad_request, conflict, fields_of, not_found, page, refuse, rules, text};
use crate::apigateway::{State, id};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

type Settle = fn(Context<'_>, &Api, &mut Map<String, Value>) -> Result<(), AwsError>;

/// A kind of what an API has.
pub(super) struct Kind {
    /// As errors call it.
    name: &'static str,
    /// The member that it is known by.
    id: &'static str,
    /// The member that only one may have a value of.
    unique: Option<&'static str>,
    /// What would have an effect on AWS and has none here.
    refused: &'static [&'static str],
    /// Whether what is made or changed can be as it is; adds what AWS adds.
    settle: Settle,
    parts: fn(&mut Api) -> &mut Parts,
}

pub(super) const ROUTE: Kind = Kind {
    name: "Route",
    id: "RouteId",
    unique: Some("RouteKey"),
    refused: &[
        "ModelSelectionExpression",
        "RequestModels",
        "RequestParameters",
        "RouteResponseSelectionExpression",
    ],
    settle: rules::route,
    parts: |api| &mut api.routing.routes,
};

pub(super) const INTEGRATION: Kind = Kind {
    name: "Integration",
    id: "IntegrationId",
    unique: None,
    refused: &[
        "ConnectionId",
        "ContentHandlingStrategy",
        "CredentialsArn",
        "IntegrationSubtype",
        "RequestParameters",
        "RequestTemplates",
        "ResponseParameters",
        "TemplateSelectionExpression",
        "TlsConfig",
    ],
    settle: rules::integration,
    parts: |api| &mut api.routing.integrations,
};

pub(super) const STAGE: Kind = Kind {
    name: "Stage",
    id: "StageName",
    unique: Some("StageName"),
    refused: &["AccessLogSettings", "ClientCertificateId", "DefaultRouteSettings", "RouteSettings"],
    settle: rules::stage,
    parts: |api| &mut api.stages,
};

pub(super) const AUTHORIZER: Kind = Kind {
    name: "Authorizer",
    id: "AuthorizerId",
    unique: Some("Name"),
    refused: &["AuthorizerCredentialsArn", "IdentityValidationExpression"],
    settle: rules::authorizer,
    parts: |api| &mut api.routing.authorizers,
};

pub(super) const DEPLOYMENT: Kind = Kind {
    name: "Deployment",
    id: "DeploymentId",
    unique: None,
    refused: &[],
    settle: rules::deployment,
    parts: |api| &mut api.deployments,
};

fn with<T>(
    context: Context<'_>,
    api_id: &str,
    act: impl FnOnce(&mut Api) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let mut state = context.account.state::<State>();
    let api = state.http.get_mut(api_id).ok_or_else(|| no_api(context, api_id))?;
    act(api)
}

/// Makes one for an API.
pub(super) fn create(kind: &Kind, context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let api_id = text(&input, "ApiId").to_owned();
    with(context, &api_id, |api| add(kind, context, api, input))
}

/// Makes one.
pub(super) fn add(
    kind: &Kind,
    context: Context<'_>,
    api: &mut Api,
    input: Value,
) -> Result<Value, AwsError> {
    let mut fields = fields_of(input, &["ApiId"]);
    refuse(&fields, kind.refused)?;
    let stage = fields.get("StageName").cloned().filter(|_| kind.id == DEPLOYMENT.id);
    (kind.settle)(context, api, &mut fields)?;
    is_unique(kind, api, &fields, None)?;
    let own = fields.get(kind.id).and_then(Value::as_str).map(str::to_owned);
    let id = own.unwrap_or_else(|| id(7));
    fields.insert(kind.id.to_owned(), json!(id));
    let shown = Value::Object(fields.clone());
    if kind.id == DEPLOYMENT.id {
        deploy(context, api, &id, stage.as_ref().and_then(Value::as_str));
    }
    (kind.parts)(api).insert(id, fields);
    Ok(shown)
}

/// Keeps what an API has now, and has a stage answer by it.
fn deploy(context: Context<'_>, api: &mut Api, deployment: &str, stage: Option<&str>) {
    if let Some(stage) = stage.and_then(|name| api.stages.get_mut(name)) {
        stage.insert("DeploymentId".to_owned(), json!(deployment));
        stage.insert("LastUpdatedDate".to_owned(), rules::timestamp(context.now()));
    }
    let routing = api.routing.clone();
    api.deployed.insert(deployment.to_owned(), routing);
}

fn is_unique(
    kind: &Kind,
    api: &mut Api,
    fields: &Map<String, Value>,
    except: Option<&str>,
) -> Result<(), AwsError> {
    let Some(member) = kind.unique else { return Ok(()) };
    let value = fields.get(member);
    let taken = (kind.parts)(api)
        .iter()
        .any(|(id, part)| Some(id.as_str()) != except && part.get(member) == value);
    if !taken {
        return Ok(());
    }
    let value = value.and_then(Value::as_str).unwrap_or_default();
    Err(conflict(format!("{} with key {value} already exists for this API", kind.name)))
}

fn missing(kind: &Kind, id: &str) -> AwsError {
    not_found(format!("Invalid {} identifier specified {id}", kind.name))
}

/// One of an API.
pub(super) fn get(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let id = text(input, kind.id);
    with(context, text(input, "ApiId"), |api| {
        let found = (kind.parts)(api).get(id).ok_or_else(|| missing(kind, id))?;
        Ok(Value::Object(found.clone()))
    })
}

/// All of an API.
pub(super) fn list(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let items = with(context, text(input, "ApiId"), |api| {
        Ok((kind.parts)(api).values().cloned().map(Value::Object).collect())
    })?;
    page(items, input)
}

/// Changes one.
pub(super) fn update(kind: &Kind, context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let (api_id, id) = (text(&input, "ApiId").to_owned(), text(&input, kind.id).to_owned());
    let changes = fields_of(input, &["ApiId", kind.id]);
    refuse(&changes, kind.refused)?;
    with(context, &api_id, |api| {
        let mut fields = (kind.parts)(api).get(&id).cloned().ok_or_else(|| missing(kind, &id))?;
        fields.extend(changes);
        (kind.settle)(context, api, &mut fields)?;
        is_unique(kind, api, &fields, Some(&id))?;
        let shown = Value::Object(fields.clone());
        (kind.parts)(api).insert(id, fields);
        Ok(shown)
    })
}

/// Deletes one that nothing else needs.
pub(super) fn delete(kind: &Kind, context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let id = text(input, kind.id);
    with(context, text(input, "ApiId"), |api| {
        if !(kind.parts)(api).contains_key(id) {
            return Err(missing(kind, id));
        }
        if let Some(user) = user_of(kind, api, id) {
            return Err(if kind.id == INTEGRATION.id {
                conflict(format!(
                    "Cannot delete Integration '{id}' as it is referenced by route '{user}'"
                ))
            } else {
                bad_request(format!("{} {id} is used by {user}", kind.name))
            });
        }
        (kind.parts)(api).remove(id);
        if kind.id == DEPLOYMENT.id {
            api.deployed.remove(id);
        }
        Ok(json!({}))
    })
}

/// What needs one, by its name.
fn user_of(kind: &Kind, api: &Api, id: &str) -> Option<String> {
    let (parts, member, value) = match kind.id {
        "IntegrationId" => (&api.routing.routes, "Target", format!("integrations/{id}")),
        "AuthorizerId" => (&api.routing.routes, "AuthorizerId", id.to_owned()),
        "DeploymentId" => (&api.stages, "DeploymentId", id.to_owned()),
        _ => return None,
    };
    let user = parts.values().find(|part| part.get(member) == Some(&json!(value)))?;
    let name = user.get("RouteKey").or_else(|| user.get("StageName"))?;
    Some(name.as_str()?.to_owned())
}
