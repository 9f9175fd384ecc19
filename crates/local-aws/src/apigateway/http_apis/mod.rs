//! HTTP APIs: the operations of API Gateway's second version.

mod api;
mod children;
mod rules;
mod tags;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::protocol::AwsError;
use crate::server::modelled::{Model, Operation};
use aws_model::validate::Problem;

pub(super) use rules::function_of;

use children::{AUTHORIZER, DEPLOYMENT, INTEGRATION, ROUTE, STAGE};

/// The stage that answers at the root, and the route that takes what no other does.
pub(super) const DEFAULT: &str = "$default";

/// The operations on one kind of what an API has.
macro_rules! of {
    ($kind:ident: $create:literal, $get:literal, $list:literal, $update:literal, $delete:literal) => {
        [
            Operation::now($create, |context, input| children::create(&$kind, context, input)),
            Operation::now($get, |context, input| children::get(&$kind, context, &input)),
            Operation::now($list, |context, input| children::list(&$kind, context, &input)),
            Operation::now($update, |context, input| children::update(&$kind, context, input)),
            Operation::now($delete, |context, input| children::delete(&$kind, context, &input)),
        ]
    };
}

const ROUTES: [Operation; 5] =
    of!(ROUTE: "CreateRoute", "GetRoute", "GetRoutes", "UpdateRoute", "DeleteRoute");
const INTEGRATIONS: [Operation; 5] = of!(INTEGRATION: "CreateIntegration", "GetIntegration", "GetIntegrations", "UpdateIntegration", "DeleteIntegration");
const STAGES: [Operation; 5] =
    of!(STAGE: "CreateStage", "GetStage", "GetStages", "UpdateStage", "DeleteStage");
const AUTHORIZERS: [Operation; 5] = of!(AUTHORIZER: "CreateAuthorizer", "GetAuthorizer", "GetAuthorizers", "UpdateAuthorizer", "DeleteAuthorizer");
const DEPLOYMENTS: [Operation; 5] = of!(DEPLOYMENT: "CreateDeployment", "GetDeployment", "GetDeployments", "UpdateDeployment", "DeleteDeployment");

const OPERATIONS: [Operation; 34] = {
    let own = [
        Operation::now("CreateApi", api::create),
        Operation::now("GetApi", api::get),
        Operation::now("GetApis", api::list),
        Operation::now("UpdateApi", api::update),
        Operation::now("DeleteApi", api::delete),
        Operation::now("DeleteCorsConfiguration", api::delete_cors),
        Operation::now("TagResource", tags::tag),
        Operation::now("UntagResource", tags::untag),
        Operation::now("GetTags", tags::get),
    ];
    let mut all = [own[0]; 34];
    let groups: [&[Operation]; 6] =
        [&own, &ROUTES, &INTEGRATIONS, &STAGES, &AUTHORIZERS, &DEPLOYMENTS];
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        let mut one = 0;
        while one < groups[group].len() {
            all[at] = groups[group][one];
            at += 1;
            one += 1;
        }
        group += 1;
    }
    all
};

pub(super) const MODEL: Model = Model {
    name: "apigatewayv2",
    operations: &OPERATIONS,
    invalid: bad_request_of,
    query_codes: &[],
};

fn bad_request_of(problems: &[Problem], _input: &Value) -> Option<AwsError> {
    problems
        .iter()
        .find(|problem| !matches!(problem.what, aws_model::validate::What::Unknown { .. }))
        .map(|problem| bad_request(problem.to_string()))
}

/// What an API has of one kind, by id; each as its operations return it.
pub(super) type Parts = BTreeMap<String, Map<String, Value>>;

/// What requests are answered by: that of an API as it is, or as it was deployed.
#[derive(Debug, Clone, Default)]
pub(super) struct Routing {
    pub(super) routes: Parts,
    pub(super) integrations: Parts,
    pub(super) authorizers: Parts,
}

/// An HTTP API.
#[derive(Debug, Default)]
pub(super) struct Api {
    /// As `GetApi` returns it, but for where it answers.
    pub(super) fields: Map<String, Value>,
    pub(super) routing: Routing,
    pub(super) stages: Parts,
    deployments: Parts,
    deployed: BTreeMap<String, Routing>,
}

impl Api {
    /// What answers in a stage: what the API has now where it is deployed by itself, else what was deployed there.
    pub(super) fn routing_of(&self, stage: &Map<String, Value>) -> Option<&Routing> {
        if stage.get("AutoDeploy") == Some(&Value::Bool(true)) {
            return Some(&self.routing);
        }
        self.deployed.get(stage.get("DeploymentId")?.as_str()?)
    }

    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let tags = self.fields.get("Tags").and_then(Value::as_object).into_iter().flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        tags.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({
            "api": self.fields,
            "routes": self.routing.routes,
            "integrations": self.routing.integrations,
            "authorizers": self.routing.authorizers,
            "stages": self.stages,
            "deployments": self.deployments,
        })
    }
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
fn refuse(input: &Map<String, Value>, members: &[&str]) -> Result<(), AwsError> {
    match members.iter().find(|member| input.get(**member).is_some_and(|value| !value.is_null())) {
        Some(member) => Err(bad_request(format!(
            "The local AWS of playbook has no {member} of HTTP APIs. Leave it out, or call a real AWS."
        ))),
        None => Ok(()),
    }
}

/// The fields of an input, less those that say whose they are.
fn fields_of(input: Value, less: &[&str]) -> Map<String, Value> {
    let Value::Object(mut fields) = input else { return Map::new() };
    fields.retain(|name, value| !less.contains(&name.as_str()) && !value.is_null());
    fields
}

fn text<'v>(input: &'v Value, name: &str) -> &'v str {
    input[name].as_str().unwrap_or_default()
}

/// A page of a list: `MaxResults` is text, and so is where the next begins.
fn page(items: Vec<Value>, input: &Value) -> Result<Value, AwsError> {
    let most = match text(input, "MaxResults") {
        "" => usize::MAX,
        most => most
            .parse::<usize>()
            .ok()
            .filter(|most| *most > 0)
            .ok_or_else(|| bad_request("Invalid value for maxResults"))?,
    };
    let first = match text(input, "NextToken") {
        "" => 0,
        token => token.parse::<usize>().map_err(|_| bad_request("Invalid nextToken"))?,
    };
    let count = items.len();
    let shown: Vec<Value> = items.into_iter().skip(first).take(most).collect();
    let next = first.saturating_add(shown.len());
    let mut page = json!({ "Items": shown });
    if next < count {
        page["NextToken"] = json!(next.to_string());
    }
    Ok(page)
}
