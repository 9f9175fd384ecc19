//! DynamoDB's errors, in its words.

use crate::protocol::AwsError;

/// The code of requests that are wrong in themselves.
pub(super) const VALIDATION: &str = "ValidationException";

/// The request is wrong in itself.
pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}

/// The request's members contradict the table or each other.
pub(super) fn invalid_values(message: &str) -> AwsError {
    validation(format!("One or more parameter values were invalid: {message}"))
}

/// There is no such table, or it is not ready.
pub(super) fn not_found() -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", "Requested resource not found")
}

/// There is no such table, in an operation on tables.
pub(super) fn no_table(name: &str) -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        format!("Requested resource not found: Table: {name} not found"),
    )
}

/// The table is busy being made or deleted, or exists already.
pub(super) fn in_use(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("ResourceInUseException", message)
}

/// A condition was not met.
pub(super) fn condition_failed() -> AwsError {
    AwsError::bad_request("ConditionalCheckFailedException", "The conditional request failed")
}

/// AWS has it, this AWS has not.
pub(super) fn unsupported(what: &str) -> AwsError {
    validation(format!(
        "DynamoDB in the local AWS of playbook does not support {what}. Leave it out, or use a real account."
    ))
}
