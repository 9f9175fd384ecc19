//! Lambda's errors, in its words.

use crate::protocol::AwsError;

/// A parameter's value is wrong.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}

/// The resource cannot take this now.
pub(super) fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "ResourceConflictException", message)
}

/// There is no such resource.
pub(super) fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "ResourceNotFoundException", message)
}

/// There is no such function.
pub(super) fn no_function(arn: &str) -> AwsError {
    not_found(format!("Function not found: {arn}"))
}

/// The caller has seen another revision; `api` gives the current one.
pub(super) fn stale_revision(api: &str) -> AwsError {
    let message = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {api} API to retrieve the latest \
         Revision Id"
    );
    AwsError::new(412, "PreconditionFailedException", message)
}

/// AWS has it, this AWS has not.
pub(super) fn unsupported(what: &str) -> AwsError {
    invalid(format!(
        "The local AWS of playbook does not support {what}. Leave it out, or use a real account."
    ))
}
