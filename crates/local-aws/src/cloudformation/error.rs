//! CloudFormation's errors, in its words.

use crate::protocol::AwsError;

/// The code of nearly everything that CloudFormation refuses.
pub(super) const VALIDATION: &str = "ValidationError";

/// The request, or the template in it, is wrong.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}

/// The template is no template.
pub(super) fn malformed(message: impl AsRef<str>) -> AwsError {
    invalid(format!("Template format error: {}", message.as_ref()))
}

/// AWS has it, this AWS has not.
pub(super) fn unsupported(what: &str) -> AwsError {
    invalid(format!(
        "CloudFormation in the local AWS of playbook does not support {what}. Leave it out, or use a real account."
    ))
}
