//! CloudFormation's errors, in its words.

use crate::protocol::AwsError;

/// The code of nearly everything that CloudFormation refuses.
pub(crate) const VALIDATION: &str = "ValidationError";

/// The request, or the template in it, is wrong.
pub(crate) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(VALIDATION, message)
}

/// The template is no template.
pub(crate) fn malformed(message: impl AsRef<str>) -> AwsError {
    invalid(format!("Template format error: {}", message.as_ref()))
}

/// AWS has it, this AWS has not.
pub(crate) fn unsupported(what: &str) -> AwsError {
    invalid(format!(
        "CloudFormation in the local AWS of playbook does not support {what}. Leave it out, or use a real account."
    ))
}
