//! The one way in which a service calls another: as clients do, under a name.

use std::fmt::Write;

use aws_model::wire;
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Account;
use crate::http::{Credential, Request, Response};
use crate::ids::uuid;
use crate::protocol::{AwsError, Protocol, xml};
use crate::server::Service;

/// In whose name a service calls another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// In that of whoever has made the request that the service is carrying out.
    Requester(Option<Credential>),
    /// In its own.
    Service(ServiceCaller),
}

/// A service that calls another on behalf of one of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Such as `cognito-idp.amazonaws.com`.
    pub principal: String,
    /// The resource on whose behalf it calls.
    pub source_arn: String,
    /// The account of that resource.
    pub source_account: String,
}

/// What is called, before it is known whom.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    headers: HeaderMap,
    /// Of services that speak JSON 1.0 or 1.1: what their target ends with.
    operation: Option<String>,
    body: Bytes,
}

impl Call {
    /// An operation of a service that speaks JSON 1.0 or 1.1.
    #[must_use]
    pub fn json(operation: &str, input: &Value) -> Self {
        let operation = Some(operation.to_owned());
        Self { operation, ..Self::rest(Method::POST, &[], Some(input)) }
    }

    /// An operation of a service that goes by methods and paths.
    #[must_use]
    pub fn rest(method: Method, path: &[&str], input: Option<&Value>) -> Self {
        Self {
            method,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            headers: HeaderMap::new(),
            operation: None,
            body: input.map_or_else(Bytes::new, |input| Bytes::from(input.to_string())),
        }
    }

    /// An operation of a service that speaks the query protocol.
    #[must_use]
    pub fn query(action: &str, parameters: &[(&str, &str)]) -> Self {
        let mut body = format!("Action={action}");
        for (name, value) in parameters {
            let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // Writing into a text does not fail.
            let _ = write!(body, "&{name}={encoded}");
        }
        let mut call = Self::rest(Method::POST, &[], None);
        call.body = Bytes::from(body);
        call.with_header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")
    }

    /// The call with one more header; what no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The call with that body.
    #[must_use]
    pub fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

/// What a service has answered another.
#[derive(Debug, Clone)]
pub struct Answer {
    response: Response,
}

impl Answer {
    /// The body, as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.response.body).unwrap_or(Value::Null)
    }

    /// The text of the first element of that name in a body of XML.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        xml::text_of(&self.response.body, name)
    }

    /// The body as it is.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.response.body
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.response.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Calls services of an account in somebody's name.
#[derive(Debug, Clone)]
pub struct Client {
    /// The account, in one region.
    pub account: Account,
    caller: Caller,
}

impl Account {
    /// What calls this account's services in that name.
    #[must_use]
    pub fn client(&self, caller: Caller) -> Client {
        Client { account: self.clone(), caller }
    }
}

impl Client {
    /// Calls an operation of a service by the name that AWS's model has for it, such as `sqs:SendMessage`, with an input
    /// as the model spells it.
    pub async fn operation(&self, name: &str, input: &Value) -> Result<Value, AwsError> {
        let broken =
            |what: String| AwsError::new(500, "InternalFailure", format!("{name}: {what}"));
        let found = aws_model::find(name).map_err(|unknown| broken(unknown.to_string()))?;
        let call = wire::Call::new(found.service, found.operation);
        let written = call.request(input).map_err(|error| broken(error.to_string()))?;
        let service = self.service(found.service.metadata.signing_name)?;
        let response = service.handle(&self.account, &self.request(service.name(), &written)).await;
        let response = wire::Response {
            status: response.status,
            headers: response.headers.into_iter().collect(),
            body: response.body.to_vec(),
        };
        match call.read_response(&response).map_err(|error| broken(error.to_string()))? {
            wire::Reply::Output(output) => Ok(output),
            wire::Reply::Failure(failure) => {
                Err(AwsError::new(failure.status, &failure.code, failure.message))
            }
        }
    }

    fn service(&self, name: &str) -> Result<&'static dyn Service, AwsError> {
        self.account.service(name).ok_or_else(|| {
            let message = format!("The local AWS of playbook has no service named '{name}'.");
            AwsError::bad_request("UnsupportedService", message)
        })
    }

    /// A request of the model, in this client's name.
    fn request(&self, service: &str, written: &wire::Request) -> Request {
        let text = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = written.path.trim_start_matches('/');
        let headers = written.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let (credential, on_behalf_of) = self.name_for(service);
        Request {
            method: Method::from_bytes(written.method.as_bytes()).unwrap_or(Method::POST),
            target: written.target(),
            path: path.split('/').filter(|segment| !segment.is_empty()).map(text).collect(),
            trailing_slash: path.ends_with('/'),
            query: form_urlencoded::parse(written.query.as_bytes()).into_owned().collect(),
            headers: headers.collect(),
            body: Bytes::from(written.body.clone()),
            request_id: uuid(),
            credential,
            on_behalf_of,
        }
    }

    /// Who a service is told that calls it.
    fn name_for(&self, service: &str) -> (Option<Credential>, Option<ServiceCaller>) {
        match &self.caller {
            Caller::Requester(credential) => {
                let own = |given: Credential| Credential { service: service.to_owned(), ..given };
                (credential.clone().map(own), None)
            }
            Caller::Service(service) => (None, Some(service.clone())),
        }
    }

    /// Calls a service; what it refuses is an error.
    pub async fn call(&self, service: &str, call: Call) -> Result<Answer, AwsError> {
        let service = self.service(service)?;
        let interface = service.interface();
        let mut call = call;
        if let Some(operation) = call.operation.take() {
            let target = format!("{}.{operation}", interface.target);
            call = call.with_header("x-amz-target", &target);
        }
        let (credential, on_behalf_of) = self.name_for(service.name());
        let request = Request {
            method: call.method,
            target: String::new(),
            path: call.path,
            trailing_slash: false,
            query: Vec::new(),
            headers: call.headers,
            body: call.body,
            request_id: uuid(),
            credential,
            on_behalf_of,
        };
        let response = service.handle(&self.account, &request).await;
        if response.status < 300 {
            return Ok(Answer { response });
        }
        Err(refusal(interface.protocol, Answer { response }))
    }

    /// Calls an operation of a service that speaks JSON 1.0 or 1.1.
    pub async fn json(
        &self,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        self.call(service, Call::json(operation, input)).await.map(|answer| answer.json())
    }

    /// Calls an operation of a service that goes by methods and paths, and speaks JSON.
    pub async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &[&str],
        input: Option<&Value>,
    ) -> Result<Value, AwsError> {
        self.call(service, Call::rest(method, path, input)).await.map(|answer| answer.json())
    }

    /// Calls an operation of a service that speaks the query protocol.
    pub async fn query(
        &self,
        service: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, AwsError> {
        self.call(service, Call::query(action, parameters)).await
    }
}

/// The error that a response is.
fn refusal(protocol: Protocol, answer: Answer) -> AwsError {
    let (code, message) = match protocol {
        Protocol::Query { .. } | Protocol::RestXml => {
            (answer.text("Code").unwrap_or_default(), answer.text("Message").unwrap_or_default())
        }
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            let body = answer.json();
            let member = |names: [&str; 2]| {
                let found = names.iter().find_map(|name| body.get(name).and_then(Value::as_str));
                found.unwrap_or_default().to_owned()
            };
            let code = answer.header("x-amzn-errortype").map(str::to_owned);
            (code.unwrap_or_else(|| member(["__type", "code"])), member(["message", "Message"]))
        }
    };
    AwsError::new(answer.status(), &code, message)
}
