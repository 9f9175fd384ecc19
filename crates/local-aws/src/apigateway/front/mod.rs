//! What APIs answer: the route of a request, whether its caller may, the function's event, and what becomes of its result.

pub(super) mod address;
mod authorize;
mod call;
pub(crate) mod cors;
pub(crate) mod event;
pub(super) mod grants;
mod policy;
pub(crate) mod reply;
pub(super) mod rest;
pub(super) mod routes;

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use self::address::Place;
use self::authorize::Granted;
use self::call::Failure;
use super::State;
use super::http_apis::{DEFAULT, Routing, function_of};
use crate::account::Account;
use crate::http::{Request, Response};

/// The largest body that API Gateway takes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A request to an API, once it is known which route of which stage it is for.
struct Asked<'a> {
    account: &'a Account,
    request: &'a Request,
    id: String,
    at: SystemTime,
    api: String,
    stage: String,
    stage_variables: Map<String, Value>,
    /// Decoded, without the stage.
    path: String,
    /// As the path of the route has them.
    path_parameters: Map<String, Value>,
    route: Map<String, Value>,
    integration: Map<String, Value>,
    authorizer: Option<Map<String, Value>>,
}

impl Asked<'_> {
    fn route_key(&self) -> &str {
        self.route.get("RouteKey").and_then(Value::as_str).unwrap_or(DEFAULT)
    }

    /// The path with the stage, as the client has sent it.
    fn path_with_stage(&self) -> String {
        if self.stage == DEFAULT {
            self.path.clone()
        } else {
            format!("/{}{}", self.stage, self.path)
        }
    }

    /// `API/STAGE/…`, an ARN of what is asked.
    fn arn(&self, rest: &str) -> String {
        let Account { id, region, .. } = self.account;
        format!("arn:aws:execute-api:{region}:{id}:{}/{}/{rest}", self.api, self.stage)
    }

    /// The ARN in whose name the route's function is called.
    fn route_arn(&self) -> String {
        match self.route_key().split_once(' ') {
            Some(("ANY", path)) => self.arn(&format!("*{path}")),
            Some((method, path)) => self.arn(&format!("{method}{path}")),
            None => self.arn(DEFAULT),
        }
    }

    fn domain(&self) -> String {
        address::name(&self.api, &self.account.region)
    }
}

/// A message as API Gateway writes its own.
fn message(status: u16, text: &str) -> Response {
    Response::new(status, "application/json", json!({"message": text}).to_string())
}

fn not_found() -> Response {
    message(404, "Not Found")
}

fn internal_error() -> Response {
    message(500, "Internal Server Error")
}

/// Answers a request that is for an API, whoever has sent it.
pub(super) async fn answer(account: &Account, request: &Request) -> Option<Response> {
    let place = address::of(request)?;
    let has_it = |account: &Account| account.state::<State>().rest.contains_key(&place.api);
    if let Some(account) = account.everywhere().into_iter().find(has_it) {
        return Some(rest::answer(&account, request, &place).await);
    }
    let id = request_id();
    let response = if request.body.len() > LARGEST_BODY {
        message(413, "Request Entity Too Large")
    } else {
        respond(account, request, &place, &id).await
    };
    Some(response.with_header("apigw-requestid", id))
}

/// Such as `JKJaXmPLvHcESHA=`.
fn request_id() -> String {
    format!("{}=", crate::random::text(15))
}

async fn respond(account: &Account, request: &Request, place: &Place, id: &str) -> Response {
    let at_home = |account: &Account| account.state::<State>().http.contains_key(&place.api);
    let Some(account) = account.everywhere().into_iter().find(at_home) else {
        return message(403, "Forbidden");
    };
    let (cors, asked) = {
        let state = account.state::<State>();
        let Some(api) = state.http.get(&place.api) else { return message(403, "Forbidden") };
        if api.fields.get("DisableExecuteApiEndpoint") == Some(&json!(true)) {
            return not_found();
        }
        let cors = api.fields.get("CorsConfiguration").cloned();
        let (name, stage, path) = match api.stages.get(place.first()) {
            Some(stage) if place.first() != DEFAULT => (place.first(), stage, place.rest()),
            _ => match api.stages.get(DEFAULT) {
                Some(stage) => (DEFAULT, stage, place.path.as_str()),
                None => return not_found(),
            },
        };
        let variables = stage.get("StageVariables").and_then(Value::as_object);
        let stage_of = (name.to_owned(), variables.cloned().unwrap_or_default());
        let routing = api.routing_of(stage);
        (cors, routing.and_then(|routing| found(routing, request, path).map(|it| (it, stage_of))))
    };
    if let Some(cors) = &cors
        && let Some(preflight) = cors::preflight(cors, request)
    {
        return preflight;
    }
    let Some((found, (stage, stage_variables))) = asked else {
        return cors::added(cors.as_ref(), request, not_found());
    };
    let asked = Asked {
        account: &account,
        request,
        id: id.to_owned(),
        at: account.now(),
        api: place.api.clone(),
        stage,
        stage_variables,
        path: found.path,
        path_parameters: found.path_parameters,
        route: found.route,
        integration: found.integration,
        authorizer: found.authorizer,
    };
    cors::added(cors.as_ref(), request, run(&asked).await)
}

/// What a request has led to.
struct Found {
    path: String,
    path_parameters: Map<String, Value>,
    route: Map<String, Value>,
    integration: Map<String, Value>,
    authorizer: Option<Map<String, Value>>,
}

fn found(routing: &Routing, request: &Request, path: &str) -> Option<Found> {
    let (route, path_parameters) = routes::find(&routing.routes, &request.method, path)?;
    let target = route.get("Target").and_then(Value::as_str).unwrap_or_default();
    let integration = routing.integrations.get(target.strip_prefix("integrations/")?)?;
    let authorizer = route.get("AuthorizerId").and_then(Value::as_str);
    Some(Found {
        path: routes::decoded(path),
        path_parameters,
        route: route.clone(),
        integration: integration.clone(),
        authorizer: authorizer.and_then(|id| routing.authorizers.get(id)).cloned(),
    })
}

async fn run(asked: &Asked<'_>) -> Response {
    let granted = match authorize::grant(asked).await {
        Ok(granted) => granted,
        Err(refusal) => return refusal,
    };
    let version = asked.integration.get("PayloadFormatVersion").and_then(Value::as_str);
    let event = match version {
        Some("1.0") => event::version_1(asked, &granted),
        _ => event::version_2(asked, &granted),
    };
    let timeout =
        asked.integration.get("TimeoutInMillis").and_then(Value::as_u64).unwrap_or(30_000);
    let uri = asked.integration.get("IntegrationUri").and_then(Value::as_str).unwrap_or_default();
    let call = invoke(asked, uri, &event, asked.route_arn());
    match tokio::time::timeout(Duration::from_millis(timeout), call).await {
        Err(_) => message(503, "Service Unavailable"),
        Ok(Err(_)) => internal_error(),
        Ok(Ok(result)) => reply::of(&result, version == Some("1.0")).unwrap_or_else(internal_error),
    }
}

/// What a function has returned. One that fails, or may not be called, is an error.
async fn invoke(
    asked: &Asked<'_>,
    uri: &str,
    event: &Value,
    source_arn: String,
) -> Result<Value, Failure> {
    let function = function_of(uri).ok_or(Failure::Refused)?;
    call::function(asked.account, function, event, source_arn).await
}

/// What a route without an authorizer grants.
fn granted_to_all() -> Granted {
    Granted::Nobody
}
