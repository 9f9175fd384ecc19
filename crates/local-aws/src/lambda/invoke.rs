//! Invocations: for requests, and for other services of this AWS.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::names::Target;
use super::permissions::Caller;
use super::runtime::{Call, Deployment};
use super::{Lambda, State};
use crate::account::client::ServiceCaller;
use crate::http::{Request, Response};
use crate::protocol::{AwsError, Constraints};

const LARGEST_SYNCHRONOUS: usize = 6 * 1024 * 1024;
const LARGEST_ASYNCHRONOUS: usize = 1024 * 1024;

/// How an invocation ended, for whoever called it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    /// 200: it has been executed, whatever came of it.
    status: u16,
    /// `Unhandled` where the payload is an error.
    pub(super) function_error: Option<String>,
    /// The function's answer, or its error.
    pub(super) payload: Bytes,
    /// The last 4 KB of its log.
    log_tail: Vec<u8>,
    /// `$LATEST` or a number.
    pub(super) executed_version: String,
}

/// The invocations that are running, by function.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<String, u32>>>);

/// One running invocation.
struct Ticket {
    running: Running,
    function: String,
}

impl Running {
    fn enter(&self, function: &str, limit: Option<u32>) -> Result<Ticket, AwsError> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(function.to_owned()).or_default();
        if limit.is_some_and(|limit| *count >= limit) {
            return Err(AwsError::new(429, "TooManyRequestsException", "Rate Exceeded.")
                .with("Reason", "ReservedFunctionConcurrentInvocationLimitExceeded"));
        }
        *count += 1;
        Ok(Ticket { running: self.clone(), function: function.to_owned() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.function) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Lambda {
    /// Refuses a service that the function's policy does not let call it.
    fn admit(&self, target: &Target, caller: &ServiceCaller) -> Result<(), AwsError> {
        let ServiceCaller { principal, source_arn, source_account } = caller;
        let allowed = self
            .account
            .state::<State>()
            .allows(target, Caller { service: principal, source_arn, source_account });
        if allowed {
            return Ok(());
        }
        let arn = target.arn(self.place());
        Err(AwsError::new(
            403,
            "AccessDeniedException",
            format!(
                "User: {principal} is not authorized to perform: lambda:InvokeFunction on resource: {arn} because no \
                 resource-based policy allows the lambda:InvokeFunction action"
            ),
        ))
    }

    /// The `Invoke` operation.
    pub(super) async fn invoke_request(
        &self,
        request: &Request,
        target: &Target,
    ) -> Result<Response, AwsError> {
        let kind = request.header("x-amz-invocation-type").unwrap_or("RequestResponse");
        let log_type = request.header("x-amz-log-type").unwrap_or("None");
        Constraints::new()
            .one_of("invocationType", kind, &["Event", "RequestResponse", "DryRun"])
            .one_of("logType", log_type, &["None", "Tail"])
            .check(super::names::VALIDATION)?;
        let payload = event(&request.body, kind)?;
        let client_context =
            request.header("x-amz-client-context").map(client_context).transpose()?;
        let deployment = self.account.state::<State>().deployment(target, self.context())?;
        if let Some(caller) = &request.on_behalf_of {
            self.admit(target, caller)?;
        }
        let version = deployment.version.clone();
        match kind {
            "DryRun" => Ok(Response::empty(204).with_header("X-Amz-Executed-Version", version)),
            "Event" => {
                self.run_later(target.clone(), request.request_id.clone(), payload);
                Ok(Response::empty(202))
            }
            _ => {
                let request_id = request.request_id.clone();
                let invocation =
                    self.run(target, deployment, request_id, payload, client_context).await?;
                Ok(reply(invocation, log_type == "Tail"))
            }
        }
    }

    async fn run(
        &self,
        target: &Target,
        deployment: Arc<Deployment>,
        request_id: String,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<Invocation, AwsError> {
        if self.has_lost(&deployment.role_arn) {
            return Err(AwsError::new(
                403,
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
            ));
        }
        let limit = self.account.state::<State>().reserved_concurrency(&target.name);
        let ticket = self.execution().running.enter(&target.name, limit)?;
        let executed_version = deployment.version.clone();
        let call =
            Call { request_id, payload, invoked_arn: target.arn(self.place()), client_context };
        let processes = Arc::clone(self.processes());
        // An invocation goes on, and counts, when nobody waits for it any more.
        let execution = self.account.spawn(async move {
            let _ticket = ticket;
            processes.execute(&deployment, call).await
        });
        let outcome = execution
            .await
            .map_err(|_| AwsError::new(500, "ServiceException", "The invocation was ended."))?;
        Ok(Invocation {
            status: 200,
            function_error: outcome.failed.then(|| "Unhandled".to_owned()),
            payload: outcome.payload,
            log_tail: outcome.log_tail,
            executed_version,
        })
    }

    /// Invokes a function for Lambda's own purposes: no policy is asked.
    pub(super) async fn invoke_with(
        &self,
        target: &Target,
        request_id: String,
        payload: Bytes,
    ) -> Result<Invocation, AwsError> {
        let deployment = self.account.state::<State>().deployment(target, self.context())?;
        self.run(target, deployment, request_id, payload, None).await
    }
}

fn event(body: &Bytes, kind: &str) -> Result<Bytes, AwsError> {
    let limit = if kind == "Event" { LARGEST_ASYNCHRONOUS } else { LARGEST_SYNCHRONOUS };
    if body.len() > limit {
        return Err(AwsError::new(
            413,
            "RequestTooLargeException",
            format!(
                "{} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
                body.len()
            ),
        ));
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => Ok(body.clone()),
        Err(error) => Err(AwsError::bad_request(
            "InvalidRequestContentException",
            format!(
                "Could not parse request body into json: Could not parse payload into json: {error}"
            ),
        )),
    }
}

fn client_context(header: &str) -> Result<String, AwsError> {
    let text = STANDARD.decode(header).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    // It travels in a header again.
    let text = text.filter(is_json).map(|text| text.replace(['\r', '\n'], " "));
    text.filter(|text| text.bytes().all(|byte| (0x20..0x7f).contains(&byte))).ok_or_else(|| {
        AwsError::bad_request(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
        )
    })
}

fn reply(invocation: Invocation, with_log: bool) -> Response {
    let mut response = Response::new(invocation.status, "application/json", invocation.payload)
        .with_header("X-Amz-Executed-Version", invocation.executed_version);
    if let Some(error) = invocation.function_error {
        response = response.with_header("X-Amz-Function-Error", error);
    }
    if with_log {
        response = response.with_header("X-Amz-Log-Result", STANDARD.encode(invocation.log_tail));
    }
    response
}
