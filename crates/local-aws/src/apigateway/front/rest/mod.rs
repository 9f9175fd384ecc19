//! What REST APIs answer: the resource of a request, whether its caller may, whether it is valid, and what answers it.

mod authorize;
mod event;
mod find;
mod mock;
mod reply;
pub(in crate::apigateway) mod schema;
mod valid;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::LARGEST_BODY;
use super::address::Place;
use super::call::{self, Failure};
use super::routes::decoded;
use crate::account::Account;
use crate::apigateway::State;
use crate::apigateway::http_apis::function_of;
use crate::apigateway::rest_apis::Content;
use crate::http::{Request, Response};
use crate::ids::uuid;

type Fields = Map<String, Value>;

/// A request to a REST API, once it is known which method of which resource it is for.
struct Asked<'a> {
    account: &'a Account,
    request: &'a Request,
    id: String,
    at: SystemTime,
    api: &'a str,
    stage: &'a str,
    deployment: String,
    variables: Fields,
    /// Without the stage, decoded.
    path: String,
    path_parameters: Fields,
    content: Arc<Content>,
    resource: Fields,
    method: Fields,
}

impl Asked<'_> {
    fn text(&self, name: &str) -> &str {
        self.method.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn resource_text(&self, name: &str) -> &str {
        self.resource.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// `API/STAGE/METHOD/PATH`, an ARN of what is asked.
    fn arn(&self, method: &str, path: &str) -> String {
        let Account { id, region, .. } = self.account;
        let path = path.trim_start_matches('/');
        format!("arn:aws:execute-api:{region}:{id}:{}/{}/{method}/{path}", self.api, self.stage)
    }

    /// Whether bodies of a media type are bytes.
    fn is_binary(&self, media_type: &str) -> bool {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let types = &self.content.binary_media_types;
        types.iter().any(|one| one == "*/*" || one.eq_ignore_ascii_case(media_type))
    }

    /// A text with the stage's variables in their places.
    fn with_variables(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.variables {
            let value = value.as_str().unwrap_or_default();
            text = text.replace(&format!("${{stageVariables.{name}}}"), value);
        }
        text
    }
}

/// What is answered instead of what was asked for: a status, the error's type, and a body.
#[derive(Debug, Clone, PartialEq)]
struct Refusal {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, message: &str) -> Self {
        Self { status, kind, body: json!({ "message": message }).to_string() }
    }

    /// One that is found while the request is carried out; these have a space in them.
    fn late(status: u16, kind: &'static str, message: &str) -> Self {
        let body = format!("{{\"message\": {}}}", json!(message));
        Self { status, kind, body }
    }

    fn internal(status: u16) -> Self {
        Self::late(status, "InternalServerErrorException", "Internal server error")
    }

    fn response(&self) -> Response {
        Response::new(self.status, "application/json", self.body.clone())
            .with_header("x-amzn-errortype", self.kind)
    }
}

/// Answers a request that is for a REST API.
pub(super) async fn answer(account: &Account, request: &Request, place: &Place) -> Response {
    let id = uuid();
    let response = match find(account, request, place, &id) {
        Ok(asked) => run(&asked).await,
        Err(refusal) => Err(refusal),
    };
    response
        .unwrap_or_else(|refusal| refusal.response())
        .with_header("x-amzn-requestid", &id)
        .with_header("x-amz-apigw-id", super::request_id())
}

fn find<'a>(
    account: &'a Account,
    request: &'a Request,
    place: &'a Place,
    id: &str,
) -> Result<Asked<'a>, Refusal> {
    let forbidden = || Refusal::new(403, "ForbiddenException", "Forbidden");
    let state = account.state::<State>();
    let api = state.rest.get(&place.api).ok_or_else(forbidden)?;
    if api.fields.get("disableExecuteApiEndpoint") == Some(&json!(true)) {
        return Err(forbidden());
    }
    let stage = api.stages.get(place.first()).ok_or_else(forbidden)?;
    let content = api.content_of(stage).ok_or_else(forbidden)?;
    if request.body.len() > LARGEST_BODY {
        let text = format!("HTTP content length exceeded {LARGEST_BODY} bytes.");
        return Err(Refusal::new(413, "RequestTooLargeException", &text));
    }
    let found = find::find(&content.resources, &request.method, place.rest());
    let (resource, method, path_parameters) = found.ok_or_else(|| {
        let text = "Missing Authentication Token";
        Refusal::new(403, "MissingAuthenticationTokenException", text)
    })?;
    let variables = stage.get("variables").and_then(Value::as_object);
    let deployment = stage.get("deploymentId").and_then(Value::as_str).unwrap_or_default();
    Ok(Asked {
        account,
        request,
        id: id.to_owned(),
        at: account.now(),
        api: &place.api,
        stage: place.first(),
        deployment: deployment.to_owned(),
        variables: variables.cloned().unwrap_or_default(),
        path: decoded(place.rest()),
        path_parameters,
        resource: resource.clone(),
        method: method.clone(),
        content: Arc::clone(&content),
    })
}

async fn run(asked: &Asked<'_>) -> Result<Response, Refusal> {
    let granted = authorize::grant(asked).await?;
    valid::check(asked)?;
    let integration = asked.method.get("methodIntegration").and_then(Value::as_object);
    let integration = integration.ok_or_else(|| Refusal::internal(500))?;
    if integration.get("type") == Some(&json!("MOCK")) {
        return mock::answer(asked, integration);
    }
    proxy(asked, integration, granted.as_ref()).await
}

/// Has a function answer.
async fn proxy(
    asked: &Asked<'_>,
    integration: &Fields,
    granted: Option<&Fields>,
) -> Result<Response, Refusal> {
    let text = |name: &str| integration.get(name).and_then(Value::as_str).unwrap_or_default();
    let uri = asked.with_variables(text("uri"));
    let function = function_of(&uri).ok_or_else(|| Refusal::internal(500))?;
    // Functions take nothing else; AWS finds that out when it calls.
    if text("httpMethod") != "POST" {
        return Err(Refusal::internal(500));
    }
    let event = event::proxy(asked, granted);
    let method = Some(asked.text("httpMethod")).filter(|method| *method != "ANY").unwrap_or("*");
    let source = asked.arn(method, asked.resource_text("path"));
    let timeout = integration.get("timeoutInMillis").and_then(Value::as_u64).unwrap_or(29_000);
    let called = call::function(asked.account, function, &event, source);
    match tokio::time::timeout(Duration::from_millis(timeout), called).await {
        Err(_) => {
            Err(Refusal::late(504, "InternalServerErrorException", "Endpoint request timed out"))
        }
        Ok(Err(Failure::Refused)) => Err(Refusal::internal(500)),
        Ok(Err(Failure::Failed(_))) => Err(Refusal::internal(502)),
        Ok(Ok(result)) => reply::of(asked, result).ok_or_else(|| Refusal::internal(502)),
    }
}
