//! DynamoDB's errors, in its words.

use crate::protocol::AwsError;

/// The code of requests that are wrong in themselves.
pub(super) const VALIDATION: &str = "ValidationException";

/// The request is wrong in itself.
pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}

/// What is found by the service's front, before any table is looked at: its messages begin in their own way. Those of the
/// parser behind it, of syntax and of values, do not.
pub(super) fn at_the_front(error: AwsError) -> AwsError {
    const FOUND: [&str; 10] = [
        "may not be empty",
        "must not be empty",
        "can not be empty;",
        "unused in expressions",
        "can only be used once",
        "document paths overlap",
        "when choosing to get",
        "when Querying using an IndexName",
        "Cannot specify the",
        "Must specify the",
    ];
    let is_found = FOUND.iter().any(|what| error.message.contains(what));
    if error.code != VALIDATION || !is_found || error.message.contains(" validation error") {
        return error;
    }
    AwsError { message: format!("1 validation error detected: {}", error.message), ..error }
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
