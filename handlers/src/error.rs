//! Why a handler fails.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use lambda_runtime::Diagnostic;

use crate::aws::NotSet;

/// Why a handler fails.
///
/// The message ends up with whoever signs up or in, as in `PreSignUp failed with error …`, so that it holds no detail;
/// the log has that.
#[derive(thiserror::Error)]
pub enum Error {
    /// A variable of the environment that must be there.
    #[error(transparent)]
    NotSet(#[from] NotSet),
    /// DynamoDB did not do what it was asked to.
    #[error("the known users cannot be reached now")]
    Unavailable(#[source] Reason),
    /// An item that is not one of a known user.
    #[error("the known users are not kept as they should be")]
    Malformed(#[source] Reason),
}

/// What the log says of an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Reason(String);

impl Error {
    /// What a call of DynamoDB came to.
    pub(crate) fn of_call<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: fmt::Debug,
    {
        let reason = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => chain(error),
        };
        Self::Unavailable(Reason(reason))
    }

    /// An item of a table that lacks an attribute.
    pub(crate) fn of_item(table: &str, attribute: &str) -> Self {
        Self::Malformed(Reason(format!("an item of table {table} has no text `{attribute}`")))
    }
}

pub(crate) fn chain(error: &dyn StdError) -> String {
    let causes = std::iter::successors(Some(error), |error: &&dyn StdError| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The runtime logs the `Debug` of an error, for people to read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let name = match error {
            Error::NotSet(_) => "NotSet",
            Error::Unavailable(_) => "Unavailable",
            Error::Malformed(_) => "Malformed",
        };
        Self { error_type: format!("KnownUsers.{name}"), error_message: error.to_string() }
    }
}
