//! Any operation of AWS, by name: written and read by its model, sent by the SDK's own orchestrator, with the retries, time-outs,
//! signature and interceptors that the typed clients have.

mod customised;
mod destination;
mod failure;
mod plugins;
mod shown;
mod supported;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_model::Found;
use aws_model::wire;
use aws_smithy_runtime::client::orchestrator::operation::Operation as Orchestrated;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::Value;

use super::clients::{Aws, LONGEST_INVOCATION};
use super::error::{CallError, Outcome};
use super::intercept::Trace;
use destination::Destination;
use failure::OperationFailure;
use plugins::Signed;

pub(super) use shown::Preset;
pub use shown::{masked, stand_ins};
pub use supported::unsupported;

/// A call of an operation that its model describes.
#[derive(Debug, Clone, Copy)]
pub struct OperationCall<'c> {
    /// The operation.
    pub found: Found,
    /// Its input, as the model spells members.
    pub input: &'c Value,
    /// What of the input is shown, where that is something else: the name of a file in place of its content.
    pub shown: Option<&'c Value>,
    /// Whether it is sent once, whatever comes of it: what arrives twice would make two things.
    pub once: bool,
}

impl Aws {
    /// Calls an operation, or writes it down and returns what `placeholder` makes.
    ///
    /// # Errors
    /// [`CallError`], with what is known of its effect. What this client cannot call is refused with the code
    /// `UnsupportedOperation`, what is no input of the operation with `InvalidInput`.
    pub async fn operation(
        &self,
        call: OperationCall<'_>,
        placeholder: impl FnOnce() -> Value,
    ) -> Result<Value, CallError> {
        let Found { service, operation } = call.found;
        let refused = |code: &str, message: String| CallError {
            service: service.name.to_owned(),
            operation: operation.name.to_owned(),
            code: Some(code.to_owned()),
            message,
            status: None,
            request_id: None,
            outcome: Outcome::Refused,
        };
        if let Some(reason) = unsupported(&call.found) {
            let name = format!("{}:{}", service.name, operation.name);
            return Err(refused("UnsupportedOperation", format!("{name} {reason}")));
        }
        let dry_run = self.is_dry_run();
        let input = if dry_run { stand_ins(&call.found, call.input) } else { call.input.clone() };
        let input = customised::customised(&call.found, input)
            .map_err(|message| refused("InvalidInput", message))?;
        let written = wire::Call::new(service, operation);
        let request =
            written.request(&input).map_err(|error| refused("InvalidInput", format!("{error}")))?;
        let destination = Destination::of(self, &call.found, &input, &request)
            .map_err(|(code, message)| refused(code, message))?;
        let trace = Trace {
            capture_body: self.captures_bodies(),
            service: service.name.to_owned(),
            operation: operation.name.to_owned(),
            stores: shown::returns_bytes(&call.found),
            preset: self.captures_bodies().then(|| shown::preset(&call, &written)),
            ..Trace::default()
        };
        let sent = self.orchestrated(&call, &input, request, &destination);
        let sent = async move { sent.invoke(()).await };
        self.call_traced(trace, sent, || Ok(placeholder())).await
    }

    /// The call as the SDK's orchestrator makes it.
    fn orchestrated(
        &self,
        call: &OperationCall<'_>,
        input: &Value,
        mut request: wire::Request,
        destination: &Destination,
    ) -> Orchestrated<(), Value, OperationFailure> {
        let Found { service, operation } = call.found;
        let config = self.config();
        let written = wire::Call::new(service, operation);
        if config.disable_request_compression() != Some(true) {
            let least = config.request_min_compression_size_bytes().unwrap_or(10_240);
            written.compress(&mut request, usize::try_from(least).unwrap_or(usize::MAX));
        }
        plugins::add_checksum(&written, input, &mut request);
        let request = Arc::new(destination.addressed(request));
        let is_invocation = service.name == "lambda" && operation.name == "Invoke";
        let retries = match config.retry_config() {
            Some(retries) if !(call.once || is_invocation) => retries.clone(),
            _ => RetryConfig::disabled(),
        };
        let timeouts = if is_invocation {
            invocation_timeouts()
        } else {
            config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled)
        };
        let signed = Signed { config, found: call.found, destination, watch: self.watch() };
        let mut builder = Orchestrated::builder()
            .service_name(Cow::Borrowed(service.metadata.service_id))
            .operation_name(Cow::Borrowed(operation.name))
            .endpoint_url(&destination.url)
            .standard_retry(&retries)
            .timeout_config(timeouts)
            .with_connection_poisoning()
            .runtime_plugin(signed.plugin());
        if let Some(version) = config.behavior_version() {
            builder = builder.behavior_version(version);
        }
        if let Some(client) = config.http_client() {
            builder = builder.http_client(client);
        }
        if let Some(sleep) = config.sleep_impl() {
            builder = builder.sleep_impl(sleep);
        }
        if let Some(time) = config.time_source() {
            builder = builder.time_source(time);
        }
        if destination.signing.is_none() {
            builder = builder.no_auth();
        }
        builder
            .serializer(move |(): ()| plugins::to_http(&request))
            .deserializer(move |response: &HttpResponse| read(&written, response))
            .build()
    }
}

/// What a response says, or the error that it is.
fn read(
    call: &wire::Call<'_>,
    response: &HttpResponse,
) -> Result<Value, OrchestratorError<OperationFailure>> {
    match call.read_response(&plugins::from_http(response)) {
        Ok(wire::Reply::Output(output)) => Ok(output),
        Ok(wire::Reply::Failure(failure)) => {
            Err(OrchestratorError::operation(OperationFailure::of(call, failure)))
        }
        Err(error) => Err(OrchestratorError::other(error)),
    }
}

/// Lambda answers when the function has ended, and sends nothing meanwhile.
fn invocation_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(LONGEST_INVOCATION)
        .build()
}
