//! Why a handler of events fails.

use std::fmt;

use lambda_runtime::Diagnostic;

/// Why a handler of events fails.
#[derive(thiserror::Error)]
pub enum Error {
    /// A batch without anything in it.
    #[error("the event holds no records")]
    NoRecords,
    /// A record that lacks what the handler reads.
    #[error("record {record} has no `{field}`")]
    MissingField {
        /// Which record.
        record: String,
        /// What it lacks.
        field: &'static str,
    },
    /// A value that is not base64.
    #[error("the value of record {record} is not base64: {reason}")]
    NotBase64 {
        /// Which record.
        record: String,
        /// What is wrong with it.
        reason: base64::DecodeError,
    },
    /// A key that is not UTF-8 once it is decoded.
    #[error("the key of object {bucket}/{key} is not UTF-8 once it is decoded")]
    NotUtf8 {
        /// The object's bucket.
        bucket: String,
        /// The key as it arrived.
        key: String,
    },
    /// An object whose head S3 does not give.
    #[error("the head of object {bucket}/{key} cannot be read: {reason}")]
    NoHead {
        /// The object's bucket.
        bucket: String,
        /// The object's key.
        key: String,
        /// What S3 said, or why it could not.
        reason: String,
    },
}

impl Error {
    pub(crate) fn missing(record: impl Into<String>, field: &'static str) -> Self {
        Self::MissingField { record: record.into(), field }
    }
}

/// The runtime logs the `Debug` of an error, for people to read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let error_type = match error {
            Error::NoRecords => "Event.NoRecords",
            Error::MissingField { .. } => "Event.MissingField",
            Error::NotBase64 { .. } => "Event.NotBase64",
            Error::NotUtf8 { .. } => "Event.NotUtf8",
            Error::NoHead { .. } => "S3.Unavailable",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
