//! The one error type of all services.

use std::collections::BTreeMap;

use serde_json::Value;

/// A refusal, as AWS would word it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The HTTP status; zero where the model of the service says it.
    pub status: u16,
    /// Such as `NoSuchEntity` or `ResourceNotFoundException`.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// Members of the error beside its message, such as Lambda's `Type`.
    pub fields: BTreeMap<String, Value>,
}

impl AwsError {
    /// An error of that status.
    #[must_use]
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: BTreeMap::new() }
    }

    /// An error that the caller made, status 400.
    #[must_use]
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// An error of a modelled service, whose status is the one that its model gives it.
    #[must_use]
    pub fn modelled(code: &str, message: impl Into<String>) -> Self {
        Self::new(0, code, message)
    }

    /// The error with one more member.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// Whether the fault is the caller's.
    #[must_use]
    pub fn is_sender_fault(&self) -> bool {
        self.status < 500
    }
}
