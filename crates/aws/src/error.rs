//! Why a call failed, and whether AWS may have done what was asked all the same.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;

use super::intercept::Trace;

/// Whether AWS may have done what was asked although the call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every attempt was refused, or none was sent: nothing was done.
    Refused,
    /// An attempt got no answer, or one that says nothing: look before you believe either.
    Unknown,
}

impl Outcome {
    /// What is known of two calls together: one that may have had its effect leaves that open for both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Unknown { self } else { other }
    }
}

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// As the AWS CLI names it, such as `lambda`.
    pub service: String,
    /// Such as `CreateFunction`.
    pub operation: String,
    /// AWS's error code, if AWS answered.
    pub code: Option<String>,
    /// AWS's words, or what kept it from answering.
    pub message: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// AWS's name for the request, to quote to its support.
    pub request_id: Option<String>,
    /// Whether AWS may have done it all the same.
    pub outcome: Outcome,
}

impl CallError {
    /// Whether this is AWS's error of that code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// What to do next, where that can be told from the error alone.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self.code.as_deref() {
            Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation") => Some(
                "these credentials may not do this; `playbook steps KIND` lists the IAM actions that a step needs",
            ),
            Some(
                "ExpiredToken"
                | "ExpiredTokenException"
                | "SignatureDoesNotMatch"
                | "InvalidSignatureException",
            ) => Some("sign in again, or choose other credentials with --profile"),
            Some("InvalidClientTokenId" | "UnrecognizedClientException") => Some(
                "AWS does not know these keys there: look whether the account has enabled the region, sign in again, or choose other credentials with --profile",
            ),
            Some("MissingAuthenticationToken" | "MissingAuthenticationTokenException") => {
                Some("configure credentials, or try it with no AWS account: --local")
            }
            None => Some("look at the network, the region and --endpoint-url"),
            Some(_) => None,
        }
    }

    /// A dry run has nothing to go on with.
    pub(super) fn unfounded(error: &BuildError, trace: &Trace) -> Self {
        Self {
            service: trace.service.clone(),
            operation: trace.operation.clone(),
            code: None,
            message: format!("no placeholder for {} {}: {error}", trace.service, trace.operation),
            status: None,
            request_id: None,
            outcome: Outcome::Refused,
        }
    }

    /// Something that is not AWS has answered, with success as the SDK sees it.
    pub(super) fn foreign(reply: &str, trace: &Trace) -> Self {
        let Trace { service, operation, .. } = trace;
        Self {
            service: service.clone(),
            operation: operation.clone(),
            code: None,
            message: format!("no answer of AWS to {service} {operation}: {reply}"),
            status: None,
            request_id: None,
            outcome: Outcome::Unknown,
        }
    }

    pub(super) fn new<E>(error: &SdkError<E, HttpResponse>, trace: &Trace) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let response = error.raw_response();
        let code = error.code().map(|code| code.rsplit('#').next().unwrap_or(code).to_owned());
        let message = match error.message() {
            Some(message) => message.to_owned(),
            None => describe(error),
        };
        let sent = trace.attempts > 0 && !matches!(error, SdkError::ConstructionFailure(_));
        let refused = !sent || (!trace.lost && code.is_some());
        Self {
            service: trace.service.clone(),
            operation: trace.operation.clone(),
            message: match &code {
                Some(code) => format!("{code}: {message}"),
                None => format!("no answer to {} {}: {message}", trace.service, trace.operation),
            },
            code,
            status: response.map(|response| response.status().as_u16()),
            request_id: response.and_then(|response| {
                ["x-amzn-requestid", "x-amz-request-id"]
                    .iter()
                    .find_map(|name| response.headers().get(*name))
                    .map(str::to_owned)
            }),
            outcome: if refused { Outcome::Refused } else { Outcome::Unknown },
        }
    }
}

/// The innermost reason: the outer ones say "dispatch failure" and the like.
fn describe<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    let kind = match error {
        SdkError::TimeoutError(_) => return "it took too long".to_owned(),
        SdkError::ResponseError(_) => "the answer is not understood: ",
        _ => "",
    };
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    format!("{kind}{innermost}")
}
