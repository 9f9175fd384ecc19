//! AWS's wire protocols, as thin as they can be: bytes to typed requests, typed responses and errors to bytes.

pub mod constraint;
pub mod error;
pub mod json;
pub mod query;
pub mod rest;
pub mod timestamp;
pub mod xml;

pub use constraint::Constraints;
pub use error::AwsError;

use crate::http::Response;

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Form-encoded requests, XML responses (IAM, STS).
    Query {
        /// The XML namespace of the responses, such as `https://iam.amazonaws.com/doc/2010-05-08/`.
        namespace: &'static str,
    },
    /// `X-Amz-Target` and JSON 1.0 (DynamoDB).
    Json10,
    /// `X-Amz-Target` and JSON 1.1 (Logs, Cognito).
    Json11,
    /// Methods and paths, JSON bodies (Lambda).
    RestJson,
    /// Methods and paths, XML or plain bodies (S3).
    RestXml,
}

impl Protocol {
    /// An error as this protocol writes it.
    #[must_use]
    pub fn error(self, error: &AwsError, request_id: &str) -> Response {
        match self {
            Self::Query { namespace } => query::error(namespace, error, request_id),
            Self::Json10 => json::error(json::Version::V1_0, error),
            Self::Json11 => json::error(json::Version::V1_1, error),
            Self::RestJson => rest::error(error),
            Self::RestXml => xml::error(error, request_id),
        }
    }
}
