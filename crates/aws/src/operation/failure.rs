//! An error that AWS has answered with, as the SDK's retries look at it.

use std::error::Error;
use std::fmt;

use aws_model::Kind;
use aws_model::wire::{Call, Failure};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};

/// An error that AWS has answered with.
#[derive(Debug)]
pub(super) struct OperationFailure {
    meta: ErrorMetadata,
    /// What the model says of trying again.
    kind: Option<ErrorKind>,
}

impl OperationFailure {
    pub(super) fn of(call: &Call<'_>, failure: Failure) -> Self {
        let shape = call.service.error(call.operation, &failure.code);
        let traits = shape.and_then(|(_, shape)| match &shape.kind {
            Kind::Structure(structure) => structure.error.as_ref(),
            _ => None,
        });
        let kind = traits.filter(|traits| traits.retryable || traits.throttling).map(|traits| {
            if traits.throttling { ErrorKind::ThrottlingError } else { ErrorKind::TransientError }
        });
        // A code that is only the status is AWS's own where there can be no body: others answer so as well.
        let is_named =
            failure.code != failure.status.to_string() || call.operation.method == "HEAD";
        let mut meta = ErrorMetadata::builder();
        if is_named {
            meta = meta.code(failure.code);
            if !failure.message.is_empty() {
                meta = meta.message(failure.message);
            }
        } else {
            meta = meta.message(format!("{} {}", failure.status, failure.message).trim_end());
        }
        Self { meta: meta.build(), kind }
    }
}

impl fmt::Display for OperationFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.meta.fmt(formatter)
    }
}

impl Error for OperationFailure {}

impl ProvideErrorMetadata for OperationFailure {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}

impl ProvideErrorKind for OperationFailure {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    fn code(&self) -> Option<&str> {
        self.meta.code()
    }
}
