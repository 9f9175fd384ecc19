//! Deployments, each an API as it was, and stages, where they answer.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::patch::{self, Kind, Rule};
use super::{Content, Fields, RestApi, add, bad_request, conflict, fields_of, not_found, page};
use super::{refuse, text, timestamp, with};
use crate::apigateway::{State, id};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const REFUSED: [&str; 5] = [
    "cacheClusterEnabled",
    "cacheClusterSize",
    "canarySettings",
    "documentationVersion",
    "tracingEnabled",
];
const CHANGES: &[Rule] =
    &[("deploymentId", Kind::Text), ("description", Kind::Text), ("variables", Kind::Texts)];

fn no_stage() -> AwsError {
    not_found("Invalid stage identifier specified")
}

fn no_deployment() -> AwsError {
    not_found("Invalid Deployment identifier specified")
}

/// `CreateDeployment`: keeps an API as it is, and has a stage answer so.
pub(super) fn deploy(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let given = fields_of(input.clone(), &["restApiId"]);
    refuse(&given, &REFUSED)?;
    with(context, &input, |api| {
        is_whole(&api.content)?;
        let id = id(6);
        let mut fields = Fields::new();
        fields.insert("id".to_owned(), json!(id));
        fields.insert("createdDate".to_owned(), timestamp(context.now()));
        if let Some(description) = given.get("description") {
            fields.insert("description".to_owned(), description.clone());
        }
        if let Some(name) =
            given.get("stageName").and_then(Value::as_str).filter(|it| !it.is_empty())
        {
            stage_of_deployment(context, api, name, &id, &given)?;
        }
        let mut content = api.content.clone();
        let types = api.fields.get("binaryMediaTypes").and_then(Value::as_array);
        content.binary_media_types =
            types.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        api.deployed.insert(id.clone(), Arc::new(content));
        api.deployments.insert(id, fields.clone());
        Ok(Value::Object(fields))
    })
}

/// The stage that a deployment names, made where it is not there.
fn stage_of_deployment(
    context: Context<'_>,
    api: &mut RestApi,
    name: &str,
    deployment: &str,
    given: &Fields,
) -> Result<(), AwsError> {
    let now = timestamp(context.now());
    if let Some(stage) = api.stages.get_mut(name) {
        stage.insert("deploymentId".to_owned(), json!(deployment));
        stage.insert("lastUpdatedDate".to_owned(), now);
        if let Some(variables) = given.get("variables") {
            stage.insert("variables".to_owned(), variables.clone());
        }
        return Ok(());
    }
    let mut stage = Fields::new();
    stage.insert("stageName".to_owned(), json!(name));
    stage.insert("deploymentId".to_owned(), json!(deployment));
    for (from, to) in [("stageDescription", "description"), ("variables", "variables")] {
        if let Some(value) = given.get(from) {
            stage.insert(to.to_owned(), value.clone());
        }
    }
    complete(context, &mut stage)?;
    api.stages.insert(name.to_owned(), stage);
    Ok(())
}

/// Whether something answers each method of an API that has any.
fn is_whole(content: &Content) -> Result<(), AwsError> {
    let methods: Vec<&Value> = content
        .resources
        .values()
        .filter_map(|resource| resource.get("resourceMethods")?.as_object())
        .flat_map(Map::values)
        .collect();
    if methods.is_empty() {
        return Err(bad_request("The REST API doesn't contain any methods"));
    }
    if methods.iter().any(|method| method.get("methodIntegration").is_none()) {
        return Err(bad_request("No integration defined for method"));
    }
    Ok(())
}

/// What the deployment has: its methods by path.
fn summary(content: &Content) -> Value {
    let of = |methods: &Map<String, Value>| -> Value {
        let one = |(name, method): (&String, &Value)| {
            let shown = json!({
                "authorizationType": method["authorizationType"],
                "apiKeyRequired": method["apiKeyRequired"],
            });
            (name.clone(), shown)
        };
        Value::Object(methods.iter().map(one).collect())
    };
    let paths = content.resources.values().filter_map(|resource| {
        let methods = resource.get("resourceMethods")?.as_object().filter(|it| !it.is_empty())?;
        Some((resource.get("path")?.as_str()?.to_owned(), of(methods)))
    });
    Value::Object(paths.collect())
}

/// `GetDeployment`.
pub(super) fn get_deployment(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let id = text(&input, "deploymentId");
        let mut fields = api.deployments.get(id).cloned().ok_or_else(no_deployment)?;
        let wants = input["embed"].as_array().is_some_and(|it| it.contains(&json!("apisummary")));
        if let Some(content) = api.deployed.get(id).filter(|_| wants) {
            fields.insert("apiSummary".to_owned(), summary(content));
        }
        Ok(Value::Object(fields))
    })
}

/// `GetDeployments`.
pub(super) fn list_deployments(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let items = with(context, &input, |api| {
        Ok(api.deployments.values().cloned().map(Value::Object).collect())
    })?;
    page(items, &input)
}

/// `UpdateDeployment`.
pub(super) fn update_deployment(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let found = api.deployments.get_mut(text(&input, "deploymentId"));
        let fields = found.ok_or_else(no_deployment)?;
        patch::apply(fields, &input, &[("description", Kind::Text)])?;
        Ok(Value::Object(fields.clone()))
    })
}

/// `DeleteDeployment`, where no stage answers by it.
pub(super) fn delete_deployment(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let id = text(&input, "deploymentId");
        if !api.deployments.contains_key(id) {
            return Err(no_deployment());
        }
        if api.stages.values().any(|stage| stage.get("deploymentId") == Some(&json!(id))) {
            return Err(bad_request(
                "Active stages pointing to this deployment must be moved or deleted",
            ));
        }
        api.deployments.remove(id);
        api.deployed.remove(id);
        Ok(json!({}))
    })
}

/// `CreateStage`.
pub(super) fn create(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = fields_of(input.clone(), &["restApiId"]);
        refuse(&fields, &REFUSED)?;
        let name = text(&input, "stageName");
        if api.stages.contains_key(name) {
            return Err(conflict("Stage already exists"));
        }
        if !api.deployments.contains_key(text(&input, "deploymentId")) {
            return Err(bad_request("Deployment id does not exist"));
        }
        complete(context, &mut fields)?;
        api.stages.insert(name.to_owned(), fields.clone());
        Ok(Value::Object(fields))
    })
}

/// Adds what every stage has.
fn complete(context: Context<'_>, fields: &mut Fields) -> Result<(), AwsError> {
    let name = fields.get("stageName").and_then(Value::as_str).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 128 || !name.chars().all(is_letter) {
        return Err(bad_request("Stage name only allows a-zA-Z0-9_"));
    }
    let variables = fields.get("variables").and_then(Value::as_object);
    for (name, value) in variables.into_iter().flatten() {
        let is_value = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.chars().all(is_name) || !value.as_str().is_some_and(|it| it.chars().all(is_value))
        {
            return Err(bad_request(format!(
                "Stage variable names can only have A-Za-z0-9_, and values A-Za-z0-9-._~:/?#&=,: {name}"
            )));
        }
    }
    let now = timestamp(context.now());
    add(
        fields,
        json!({
            "cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "createdDate": now,
            "lastUpdatedDate": now, "methodSettings": {}, "tracingEnabled": false,
        }),
    );
    Ok(())
}

/// `GetStage`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let found = api.stages.get(text(&input, "stageName")).cloned();
        found.map(Value::Object).ok_or_else(no_stage)
    })
}

/// `GetStages`: all of an API, or those that answer by one deployment.
pub(super) fn list(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let deployment = &input["deploymentId"];
        let is_wanted =
            |stage: &&Fields| deployment.is_null() || stage.get("deploymentId") == Some(deployment);
        let items: Value =
            api.stages.values().filter(is_wanted).cloned().map(Value::Object).collect();
        Ok(json!({ "item": items }))
    })
}

/// `UpdateStage`.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let name = text(&input, "stageName");
        let mut fields = api.stages.get(name).cloned().ok_or_else(no_stage)?;
        patch::apply(&mut fields, &input, CHANGES)?;
        let deployment = fields.get("deploymentId").and_then(Value::as_str).unwrap_or_default();
        if !api.deployments.contains_key(deployment) {
            return Err(bad_request("Deployment id does not exist"));
        }
        fields.insert("lastUpdatedDate".to_owned(), timestamp(context.now()));
        complete(context, &mut fields)?;
        api.stages.insert(name.to_owned(), fields.clone());
        Ok(Value::Object(fields))
    })
}

/// `DeleteStage`.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        api.stages.remove(text(&input, "stageName")).map(|_| json!({})).ok_or_else(no_stage)
    })
}

/// `FlushStageAuthorizersCache`.
pub(super) fn flush_authorizers(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let name = text(&input, "stageName");
    with(
        context,
        &input,
        |api| {
            if api.stages.contains_key(name) { Ok(()) } else { Err(no_stage()) }
        },
    )?;
    let stage = format!("{}/{name}/", text(&input, "restApiId"));
    context.account.state::<State>().verdicts.forget(&stage);
    Ok(json!({}))
}
