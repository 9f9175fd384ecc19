//! IAM's errors, each with its status.

use crate::protocol::AwsError;

pub(super) fn no_such_entity(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

pub(super) fn entity_already_exists(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "EntityAlreadyExists", message)
}

pub(super) fn delete_conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "DeleteConflict", message)
}

pub(super) fn limit_exceeded(quota: &str, limit: usize) -> AwsError {
    AwsError::new(409, "LimitExceeded", format!("Cannot exceed quota for {quota}: {limit}"))
}

pub(super) fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("MalformedPolicyDocument", message)
}

pub(super) fn invalid_input(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidInput", message)
}

/// The code of everything that is refused for its form.
pub(super) const VALIDATION: &str = "ValidationError";

pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}
