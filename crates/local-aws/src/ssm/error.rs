//! The errors of Systems Manager; all of them have status 400.

use crate::protocol::AwsError;

pub(super) const VALIDATION: &str = "ValidationException";

pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}

/// AWS has no message here.
pub(super) fn no_parameter() -> AwsError {
    AwsError::bad_request("ParameterNotFound", "")
}

pub(super) fn no_version(name: &str, version: &str) -> AwsError {
    let message = format!(
        "Systems Manager could not find version {version} of {name}. Verify the version and try again."
    );
    AwsError::bad_request("ParameterVersionNotFound", message)
}

pub(super) fn no_resource() -> AwsError {
    AwsError::bad_request(
        "InvalidResourceId",
        "The resource ID is not valid. Verify that you entered the correct ID and try again.",
    )
}

pub(super) fn invalid_token() -> AwsError {
    AwsError::bad_request("InvalidNextToken", "The specified token is not valid.")
}

pub(super) fn unsupported(what: &str) -> AwsError {
    validation(format!(
        "The local AWS of playbook does not support {what}. Leave it out, or use a real account."
    ))
}
