//! The errors of Logs; all of them have status 400.

use crate::protocol::AwsError;

pub(super) const INVALID_PARAMETER: &str = "InvalidParameterException";

pub(super) fn invalid_parameter(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(INVALID_PARAMETER, message)
}

pub(super) fn already_exists(what: &str) -> AwsError {
    let message = format!("The specified {what} already exists");
    AwsError::bad_request("ResourceAlreadyExistsException", message)
}

pub(super) fn not_found(what: &str) -> AwsError {
    let message = format!("The specified {what} does not exist.");
    AwsError::bad_request("ResourceNotFoundException", message)
}

pub(super) fn invalid_token() -> AwsError {
    invalid_parameter("The specified nextToken is invalid.")
}
