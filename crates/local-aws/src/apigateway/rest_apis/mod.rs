//! REST APIs: the operations of API Gateway's first version.
//!
//! | module | what it is |
//! |---|---|
//! | `api`, `tags` | APIs, the account's settings, tags |
//! | `resources`, `methods`, `integrations` | the tree of paths, what can be done there, and what does it |
//! | `parts` | authorizers, validators, models |
//! | `stages` | deployments and stages |
//! | `patch` | changes, as clients write them |

mod api;
mod integrations;
mod methods;
mod parts;
mod patch;
mod resources;
mod stages;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use aws_model::validate::Problem;
use serde_json::{Map, Value, json};

use super::State;
use crate::protocol::AwsError;
use crate::server::modelled::{Context, Model, Operation};

pub(super) use integrations::status_of_template;
pub(super) use parts::pool_issuer;

type Fields = Map<String, Value>;
/// What an API has of one kind, by id; each as its operations return it.
pub(super) type Parts = BTreeMap<String, Fields>;

const OPERATIONS: &[Operation] = &[
    Operation::now("CreateRestApi", api::create),
    Operation::now("GetRestApi", api::get),
    Operation::now("GetRestApis", api::list),
    Operation::now("UpdateRestApi", api::update),
    Operation::now("DeleteRestApi", api::delete),
    Operation::now("GetAccount", |context, _| Ok(api::account(context))),
    Operation::now("UpdateAccount", api::update_account),
    Operation::now("CreateResource", resources::create),
    Operation::now("GetResource", resources::get),
    Operation::now("GetResources", resources::list),
    Operation::now("UpdateResource", resources::update),
    Operation::now("DeleteResource", resources::delete),
    Operation::now("PutMethod", methods::put),
    Operation::now("GetMethod", methods::get),
    Operation::now("UpdateMethod", methods::update),
    Operation::now("DeleteMethod", methods::delete),
    Operation::now("PutMethodResponse", methods::put_response),
    Operation::now("GetMethodResponse", methods::get_response),
    Operation::now("UpdateMethodResponse", methods::update_response),
    Operation::now("DeleteMethodResponse", methods::delete_response),
    Operation::now("PutIntegration", integrations::put),
    Operation::now("GetIntegration", integrations::get),
    Operation::now("UpdateIntegration", integrations::update),
    Operation::now("DeleteIntegration", integrations::delete),
    Operation::now("PutIntegrationResponse", integrations::put_response),
    Operation::now("GetIntegrationResponse", integrations::get_response),
    Operation::now("UpdateIntegrationResponse", integrations::update_response),
    Operation::now("DeleteIntegrationResponse", integrations::delete_response),
    Operation::now("CreateAuthorizer", |c, input| parts::create(&parts::AUTHORIZER, c, input)),
    Operation::now("GetAuthorizer", |c, input| parts::get(&parts::AUTHORIZER, c, &input)),
    Operation::now("GetAuthorizers", |c, input| parts::list(&parts::AUTHORIZER, c, &input)),
    Operation::now("UpdateAuthorizer", |c, input| parts::update(&parts::AUTHORIZER, c, &input)),
    Operation::now("DeleteAuthorizer", |c, input| parts::delete(&parts::AUTHORIZER, c, &input)),
    Operation::now("CreateRequestValidator", |c, input| parts::create(&parts::VALIDATOR, c, input)),
    Operation::now("GetRequestValidator", |c, input| parts::get(&parts::VALIDATOR, c, &input)),
    Operation::now("GetRequestValidators", |c, input| parts::list(&parts::VALIDATOR, c, &input)),
    Operation::now("UpdateRequestValidator", |c, input| {
        parts::update(&parts::VALIDATOR, c, &input)
    }),
    Operation::now("DeleteRequestValidator", |c, input| {
        parts::delete(&parts::VALIDATOR, c, &input)
    }),
    Operation::now("CreateModel", |c, input| parts::create(&parts::MODEL, c, input)),
    Operation::now("GetModel", |c, input| parts::get(&parts::MODEL, c, &input)),
    Operation::now("GetModels", |c, input| parts::list(&parts::MODEL, c, &input)),
    Operation::now("UpdateModel", |c, input| parts::update(&parts::MODEL, c, &input)),
    Operation::now("DeleteModel", |c, input| parts::delete(&parts::MODEL, c, &input)),
    Operation::now("CreateDeployment", stages::deploy),
    Operation::now("GetDeployment", stages::get_deployment),
    Operation::now("GetDeployments", stages::list_deployments),
    Operation::now("UpdateDeployment", stages::update_deployment),
    Operation::now("DeleteDeployment", stages::delete_deployment),
    Operation::now("CreateStage", stages::create),
    Operation::now("GetStage", stages::get),
    Operation::now("GetStages", stages::list),
    Operation::now("UpdateStage", stages::update),
    Operation::now("DeleteStage", stages::delete),
    Operation::now("FlushStageAuthorizersCache", stages::flush_authorizers),
    Operation::now("GetTags", tags::get),
    Operation::now("TagResource", tags::tag),
    Operation::now("UntagResource", tags::untag),
];

pub(super) const MODEL: Model =
    Model { name: "apigateway", operations: OPERATIONS, invalid: bad_request_of, query_codes: &[] };

fn bad_request_of(problems: &[Problem], _input: &Value) -> Option<AwsError> {
    problems
        .iter()
        .find(|problem| !matches!(problem.what, aws_model::validate::What::Unknown { .. }))
        .map(|problem| bad_request(problem.to_string()))
}

/// What requests are answered by: that of an API as it is, or as it was deployed.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    /// The media types whose bodies are bytes; of a deployment, those that the API had then.
    pub(super) binary_media_types: Vec<String>,
    /// With their methods, and those with their integrations.
    pub(super) resources: Parts,
    pub(super) authorizers: Parts,
    pub(super) validators: Parts,
    pub(super) models: Parts,
}

/// A REST API.
#[derive(Debug, Default)]
pub(super) struct RestApi {
    /// As `GetRestApi` returns it.
    pub(super) fields: Fields,
    content: Content,
    pub(super) stages: Parts,
    deployments: Parts,
    deployed: BTreeMap<String, Arc<Content>>,
}

impl RestApi {
    /// What answers in a stage: what was deployed there.
    pub(super) fn content_of(&self, stage: &Fields) -> Option<Arc<Content>> {
        self.deployed.get(stage.get("deploymentId")?.as_str()?).map(Arc::clone)
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({
            "api": self.fields,
            "resources": self.content.resources,
            "authorizers": self.content.authorizers,
            "validators": self.content.validators,
            "models": self.content.models,
            "stages": self.stages,
            "deployments": self.deployments,
        })
    }

    fn method(&mut self, input: &Value) -> Result<&mut Fields, AwsError> {
        let resource = self.resource(input)?;
        methods::of(resource)
            .get_mut(text(input, "httpMethod"))
            .and_then(Value::as_object_mut)
            .ok_or_else(|| not_found("Invalid Method identifier specified"))
    }

    fn resource(&mut self, input: &Value) -> Result<&mut Fields, AwsError> {
        let found = self.content.resources.get_mut(text(input, "resourceId"));
        found.ok_or_else(|| not_found("Invalid Resource identifier specified"))
    }
}

/// Does something with the API that an input names.
fn with<T>(
    context: Context<'_>,
    input: &Value,
    act: impl FnOnce(&mut RestApi) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let id = text(input, "restApiId");
    let mut state = context.account.state::<State>();
    act(state.rest.get_mut(id).ok_or_else(|| no_api(context, id))?)
}

fn no_api(context: Context<'_>, id: &str) -> AwsError {
    not_found(format!("Invalid API identifier specified {}:{id}", context.account.id))
}

fn bad_request(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("BadRequestException", message)
}

fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "ConflictException", message)
}

fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NotFoundException", message)
}

/// Refuses by name what would have an effect on AWS and has none here.
fn refuse(input: &Fields, members: &[&str]) -> Result<(), AwsError> {
    let is_said = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    match members.iter().find(|member| input.get(**member).is_some_and(is_said)) {
        Some(member) => Err(lacks(&format!("{member} of REST APIs"))),
        None => Ok(()),
    }
}

/// The error for what AWS has and this does not.
fn lacks(what: &str) -> AwsError {
    bad_request(format!(
        "The local AWS of playbook has no {what}. Leave it out, or call a real AWS."
    ))
}

/// The fields of an input, less those that say whose they are.
fn fields_of(input: Value, less: &[&str]) -> Fields {
    let Value::Object(mut fields) = input else { return Fields::new() };
    fields.retain(|name, value| !less.contains(&name.as_str()) && !value.is_null());
    fields
}

fn text<'v>(input: &'v Value, name: &str) -> &'v str {
    input[name].as_str().unwrap_or_default()
}

/// Adds what AWS adds where nothing is said.
fn add(fields: &mut Fields, defaults: Value) {
    let Value::Object(defaults) = defaults else { return };
    for (name, value) in defaults {
        fields.entry(name).or_insert(value);
    }
}

/// Seconds since 1970.
fn timestamp(time: SystemTime) -> Value {
    json!(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// A page of a list: 25 unless the input says how many, and where the next begins.
fn page(items: Vec<Value>, input: &Value) -> Result<Value, AwsError> {
    let most = match input["limit"].as_i64() {
        None => 25,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| (1..=500).contains(most))
            .ok_or_else(|| bad_request("Limit must be between 1 and 500"))?,
    };
    let first = match text(input, "position") {
        "" => 0,
        token => token.parse::<usize>().map_err(|_| bad_request("Invalid position specified"))?,
    };
    let count = items.len();
    let shown: Vec<Value> = items.into_iter().skip(first).take(most).collect();
    let next = first.saturating_add(shown.len());
    let mut page = json!({ "items": shown });
    if next < count {
        page["position"] = json!(next.to_string());
    }
    Ok(page)
}
