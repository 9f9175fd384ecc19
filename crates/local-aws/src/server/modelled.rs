//! Services whose wire is that of AWS's model: what they do is functions from an input to an output or an error.
//!
//! The model says which operation a request is for, reads its input, says what of it AWS would not have, and writes outputs
//! and errors, each in the protocol in which the request was written. A service says which [`Model`] it goes by, and has a
//! function for each operation that it knows; [`Modelled`] makes it a [`Service`](super::Service).

use std::time::SystemTime;

use aws_model::validate::{Problem, What, aws_message, validate};
use aws_model::wire;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::service::{Comparison, Interface, Tagged};
use crate::account::Account;
use crate::cloudformation::ResourceType;
use crate::http::{BoxFuture, Request, Response};
use crate::iam::access::{Access, Who, decision_of};
use crate::protocol::{AwsError, Protocol};
use crate::{iam, sts};

/// All but letters, digits and `-._~`.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose request it is, and where.
    pub account: &'a Account,
    /// The request, as it came.
    pub request: &'a Request,
}

impl Context<'_> {
    /// When it is called.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.account.now()
    }

    /// Who calls it, if it is no service.
    #[must_use]
    pub fn caller(&self) -> sts::Identity {
        let key = self.request.credential.as_ref().map_or("", |credential| &credential.access_key);
        let iam = self.account.state::<iam::State>();
        self.account.state::<sts::State>().identity(key, &self.account.id, &iam)
    }

    /// Whether the caller may do that with a resource of an account. Services and other accounts may do what the
    /// resource's policy says, its own account anything that it does not deny; what is refused is said as AWS says it.
    pub(crate) fn authorize(
        &self,
        policy: Option<&str>,
        owner: &str,
        action: &str,
        resource: &str,
    ) -> Result<(), String> {
        let caller = self.caller();
        let service = self.request.on_behalf_of.as_ref();
        let access = Access {
            who: match service {
                Some(service) => Who::Service(&service.principal),
                None => Who::Account(&self.account.id, &caller.arn),
            },
            action,
            resource,
            source_arn: service.map(|service| service.source_arn.as_str()),
            source_account: service.map(|service| service.source_account.as_str()),
        };
        let said = policy.and_then(|policy| decision_of(policy, &access));
        let is_own = service.is_none() && self.account.id == owner;
        if said.unwrap_or(is_own) {
            return Ok(());
        }
        let name = service.map_or(caller.arn.as_str(), |service| service.principal.as_str());
        let because = if said == Some(false) {
            "with an explicit deny in a resource-based policy".to_owned()
        } else {
            format!("because no resource-based policy allows the {action} action")
        };
        Err(format!(
            "User: {name} is not authorized to perform: {action} on resource: {resource} {because}"
        ))
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`, here.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.account.region, self.account.id)
    }
}

/// What an operation does: inputs and outputs are as the model spells them, bytes base64, timestamps RFC 3339 or seconds.
#[derive(Clone, Copy)]
pub enum Run {
    /// At once.
    Now(fn(Context<'_>, Value) -> Result<Value, AwsError>),
    /// After a while.
    Later(for<'a> fn(Context<'a>, Value) -> BoxFuture<'a, Result<Value, AwsError>>),
}

/// An operation that a service knows.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its name in the model.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
}

impl Operation {
    /// An operation that is done at once.
    #[must_use]
    pub const fn now(
        name: &'static str,
        run: fn(Context<'_>, Value) -> Result<Value, AwsError>,
    ) -> Self {
        Self { name, run: Run::Now(run) }
    }

    /// An operation that takes a while.
    #[must_use]
    pub const fn later(
        name: &'static str,
        run: for<'a> fn(Context<'a>, Value) -> BoxFuture<'a, Result<Value, AwsError>>,
    ) -> Self {
        Self { name, run: Run::Later(run) }
    }
}

/// An API that a service goes by.
#[derive(Clone, Copy)]
pub struct Model {
    /// What `aws-model` calls it, such as `sqs`.
    pub name: &'static str,
    /// What of it there is here.
    pub operations: &'static [Operation],
    /// The error for an input that the model does not allow; nothing where this service has no word against it.
    pub invalid: fn(&[Problem], &Value) -> Option<AwsError>,
    /// What errors are called beside their own names, where the service has left the query protocol behind: its codes.
    pub query_codes: &'static [(&'static str, &'static str)],
}

impl Model {
    fn service(&self) -> &'static aws_model::Service {
        aws_model::service(self.name).expect("a service names a model that there is")
    }

    /// The operation that a request is for, if it is one of this API.
    fn route(&self, request: &wire::Request) -> Option<wire::Call<'static>> {
        wire::route(self.service(), request).ok()
    }
}

/// The error of most services for an input that their model does not allow.
#[must_use]
pub fn validation_exception(problems: &[Problem], input: &Value) -> Option<AwsError> {
    invalid("ValidationException", problems, input)
}

/// The same, as services say it that speak the query protocol.
#[must_use]
pub fn validation_error(problems: &[Problem], input: &Value) -> Option<AwsError> {
    invalid("ValidationError", problems, input)
}

fn invalid(code: &str, problems: &[Problem], input: &Value) -> Option<AwsError> {
    let message = aws_message(problems, input).or_else(|| {
        let one = problems.iter().find(|problem| !matches!(problem.what, What::Unknown { .. }))?;
        Some(format!("1 validation error detected: {one}"))
    });
    Some(AwsError::bad_request(code, message?))
}

/// What an operation takes, as a type of its own.
pub fn typed<T: DeserializeOwned>(input: Value) -> Result<T, AwsError> {
    serde_path_to_error::deserialize(input)
        .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))
}

/// A service whose wire is that of AWS's model.
pub trait Modelled: Send + Sync + 'static {
    /// The name in the credential scope, such as `sqs`.
    const NAME: &'static str;

    /// The APIs that it goes by: nearly always one, API Gateway has two.
    const MODELS: &'static [Model];

    /// See [`Service::page`](super::Service::page).
    fn page<'a>(
        &'a self,
        _account: &'a Account,
        _request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Box::pin(std::future::ready(None))
    }

    /// See [`Service::snapshot`](super::Service::snapshot).
    fn snapshot(&self, _account: &Account) -> Value {
        Value::Null
    }

    /// See [`Service::tagged`](super::Service::tagged).
    fn tagged(&self, _account: &Account) -> Vec<Tagged> {
        Vec::new()
    }

    /// See [`Service::comparison`](super::Service::comparison).
    fn comparison(&self) -> Comparison {
        Comparison::default()
    }

    /// See [`Service::is_stable`](super::Service::is_stable).
    fn is_stable(&self, _account: &Account) -> bool {
        true
    }

    /// See [`Service::resource_types`](super::Service::resource_types).
    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[]
    }

    /// See [`Service::shutdown`](super::Service::shutdown).
    fn shutdown<'a>(&'a self, _account: &'a Account) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl<S: Modelled> super::Service for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn interface(&self) -> Interface {
        interface(S::MODELS)
    }

    fn operation(&self, request: &Request) -> String {
        operation(S::MODELS, request)
            .unwrap_or_else(|| format!("{} /{}", request.method, request.path.join("/")))
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            if let Some(response) = answer(S::MODELS, account, request).await {
                return response;
            }
            let error = no_such_operation(S::NAME, request);
            interface(S::MODELS).protocol.error(&error, &request.request_id)
        })
    }

    fn page<'a>(
        &'a self,
        account: &'a Account,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Modelled::page(self, account, request)
    }

    fn snapshot(&self, account: &Account) -> Value {
        Modelled::snapshot(self, account)
    }

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        Modelled::tagged(self, account)
    }

    fn comparison(&self) -> Comparison {
        Modelled::comparison(self)
    }

    fn is_stable(&self, account: &Account) -> bool {
        Modelled::is_stable(self, account)
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        Modelled::resource_types(self)
    }

    fn shutdown<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, ()> {
        Modelled::shutdown(self, account)
    }
}

/// How clients reach a service that goes by those models: as the first of them says.
fn interface(models: &'static [Model]) -> Interface {
    let Some(model) = models.first() else { return Interface::json11("") };
    let metadata = &model.service().metadata;
    let namespace = metadata.xml_namespace.map_or("", |namespace| namespace.uri);
    let protocol = match metadata.protocol {
        aws_model::Protocol::Json10 | aws_model::Protocol::RpcV2Cbor => Protocol::Json10,
        aws_model::Protocol::Json11 => Protocol::Json11,
        aws_model::Protocol::RestJson => Protocol::RestJson,
        aws_model::Protocol::RestXml => Protocol::RestXml,
        aws_model::Protocol::Query | aws_model::Protocol::Ec2 => Protocol::Query { namespace },
    };
    let is_query = metadata.protocols.contains(&aws_model::Protocol::Query);
    let version = if is_query { metadata.api_version } else { "" };
    Interface { protocol, target: metadata.target_prefix, version, paths: &[] }
}

/// The operation of these APIs that a request is for.
#[must_use]
pub fn operation(models: &'static [Model], request: &Request) -> Option<String> {
    let wire = wire_request(request);
    let call = models.iter().find_map(|model| model.route(&wire))?;
    Some(call.operation.name.to_owned())
}

/// Answers a request in the protocol that it is written in; nothing where it is for no operation of these APIs.
///
/// For services that answer other requests by themselves: [`Modelled`] does this for those that do not.
pub async fn answer(
    models: &'static [Model],
    account: &Account,
    request: &Request,
) -> Option<Response> {
    let wire = wire_request(request);
    let (model, call) =
        models.iter().find_map(|model| model.route(&wire).map(|call| (model, call)))?;
    let id = &request.request_id;
    let outcome = run(model, &call, &wire, Context { account, request }).await;
    let written = outcome.and_then(|output| {
        let broken = |error: wire::WireError| {
            AwsError::new(500, "InternalFailure", format!("{}: {error}", call.operation.name))
        };
        call.response(&output, id).map_err(broken)
    });
    Some(from_wire(match written {
        Ok(response) => response,
        Err(error) => call.error_response(&failure(error, model), id),
    }))
}

async fn run(
    model: &'static Model,
    call: &wire::Call<'static>,
    request: &wire::Request,
    context: Context<'_>,
) -> Result<Value, AwsError> {
    let known = model.operations.iter().find(|known| known.name == call.operation.name);
    let operation = known.ok_or_else(|| unsupported(model, call))?;
    let input = call.read_request(request).map_err(|error| {
        AwsError::bad_request("SerializationException", format!("Could not read it: {error}"))
    })?;
    let problems = validate(call.service, call.operation, &input);
    if let Some(error) = Some(problems)
        .filter(|problems| !problems.is_empty())
        .and_then(|problems| (model.invalid)(&problems, &input))
    {
        return Err(error);
    }
    match operation.run {
        Run::Now(run) => run(context, input),
        Run::Later(run) => run(context, input).await,
    }
}

/// The error for an operation of AWS that there is not here.
fn unsupported(model: &Model, call: &wire::Call<'_>) -> AwsError {
    let known: Vec<&str> = model.operations.iter().map(|operation| operation.name).collect();
    let message = format!(
        "The local AWS of playbook has no operation {}:{}. Of {} it has: {}.",
        model.name,
        call.operation.name,
        model.name,
        known.join(", ")
    );
    let code = if call.protocol == aws_model::Protocol::Query {
        "InvalidAction"
    } else {
        "UnknownOperationException"
    };
    AwsError::bad_request(code, message)
}

/// The error for a request that is for no operation at all.
fn no_such_operation(service: &str, request: &Request) -> AwsError {
    let named = request.header("x-amz-target").map(str::to_owned);
    let named = named.unwrap_or_else(|| format!("{} /{}", request.method, request.path.join("/")));
    let message = format!("{service} has no such operation: {named}");
    AwsError::new(404, "UnknownOperationException", message)
}

fn failure(error: AwsError, model: &Model) -> wire::Failure {
    let query = model.query_codes.iter().find(|(name, _)| *name == error.code);
    let (code, modelled_code) = match query {
        Some((name, query)) => ((*query).to_owned(), Some((*name).to_owned())),
        None => (error.code, None),
    };
    wire::Failure {
        code,
        modelled_code,
        message: error.message,
        members: error.fields.into_iter().collect(),
        status: error.status,
        ..wire::Failure::default()
    }
}

/// A request as the model reads it.
fn wire_request(request: &Request) -> wire::Request {
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path.to_owned(), query.to_owned()),
        None if request.target.is_empty() => (path_of(request), query_of(request)),
        None => (request.target.clone(), String::new()),
    };
    let headers = request.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    wire::Request {
        method: request.method.as_str().to_owned(),
        path,
        query,
        headers,
        body: request.body.to_vec(),
        host_prefix: None,
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

fn path_of(request: &Request) -> String {
    let segments: Vec<String> = request.path.iter().map(|segment| encoded(segment)).collect();
    format!("/{}", segments.join("/"))
}

fn query_of(request: &Request) -> String {
    let pairs = request.query.iter();
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// A response as the listener sends it, which has a request id of its own.
fn from_wire(response: wire::Response) -> Response {
    let mut answer = Response::empty(response.status);
    for (name, value) in response.headers.iter() {
        if !name.eq_ignore_ascii_case("x-amzn-requestid") {
            answer = answer.with_header(name, value);
        }
    }
    answer.body = response.body.into();
    answer
}

#[cfg(test)]
mod tests;
