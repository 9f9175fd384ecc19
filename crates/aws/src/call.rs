//! A call through the client.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;

use crate::captured::{Call, CallOutcome, Effect};

use super::clients::Aws;
use super::error::CallError;
use super::intercept::{TRACE, Trace};

/// Who hears of every call, once it has ended or was written down.
pub type Observer = Arc<dyn Fn(Call) + Send + Sync>;

/// An attempt of a call that ended without an answer from AWS: it may have its effect yet, while another is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// What the operation does to the account, as far as its name tells.
    pub effect: Effect,
    /// When the attempt began.
    pub began: SystemTime,
    /// When it was given up, or broke off.
    pub ended: SystemTime,
}

/// Who hears of every attempt without an answer, before the next one is made.
pub type OnUnanswered = Arc<dyn Fn(Unanswered) + Send + Sync>;

impl Aws {
    /// Sends a request, or writes it down and returns what `placeholder` makes.
    ///
    /// `request` is what the SDK's fluent builder returns from `send()`.
    ///
    /// # Errors
    /// [`CallError`], with what is known of its effect.
    pub fn call<O, E>(
        &self,
        request: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        placeholder: impl FnOnce() -> Result<O, BuildError>,
    ) -> impl Future<Output = Result<O, CallError>>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let trace = Trace { capture_body: self.captures_bodies(), ..Trace::default() };
        self.call_traced(trace, request, placeholder)
    }

    /// The same, where something of the call is known beforehand.
    pub(super) fn call_traced<O, E>(
        &self,
        trace: Trace,
        request: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        placeholder: impl FnOnce() -> Result<O, BuildError>,
    ) -> impl Future<Output = Result<O, CallError>>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let started = Instant::now();
        let trace = Trace { on_unanswered: Some(Arc::clone(self.on_unanswered())), ..trace };
        // The SDK's futures are many kilobytes large; unboxed they would be moved about with those of the steps.
        let request = Box::pin(async move {
            let result = request.await;
            (result, TRACE.with(RefCell::take))
        });
        async move {
            let (result, trace) = TRACE.scope(RefCell::new(trace), request).await;
            let result = match result {
                Err(_) if self.is_dry_run() && trace.attempts > 0 => {
                    placeholder().map_err(|error| CallError::unfounded(&error, &trace))
                }
                Err(error) => Err(CallError::new(&error, &trace)),
                Ok(output) => match &trace.foreign {
                    Some(reply) => Err(CallError::foreign(reply, &trace)),
                    None => Ok(output),
                },
            };
            self.observe(trace, started, result.as_ref().err());
            result
        }
    }

    fn observe(&self, trace: Trace, started: Instant, error: Option<&CallError>) {
        let outcome = (!self.is_dry_run()).then(|| CallOutcome {
            error: error.map(|error| error.code.clone().unwrap_or_else(|| "NoAnswer".to_owned())),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            attempts: trace.attempts,
            unanswered: trace.unanswered,
        });
        (self.observer())(Call {
            effect: if trace.only_new { Effect::Create } else { Effect::of(&trace.operation) },
            service: trace.service,
            operation: trace.operation,
            method: trace.method,
            path: trace.path,
            body: trace.body,
            parameters: trace.parameters,
            outcome,
        });
    }
}
