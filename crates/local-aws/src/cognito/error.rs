//! The errors of Cognito; all of them have status 400.

use crate::protocol::AwsError;

pub(super) const INVALID_PARAMETER: &str = "InvalidParameterException";

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request(INVALID_PARAMETER, message)
}

pub(super) fn not_authorized(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("NotAuthorizedException", message)
}

pub(super) fn unsupported(what: &str) -> AwsError {
    invalid(format!(
        "{what} is not supported here: the local AWS of playbook knows passwords, text messages, authenticator apps and \
         custom challenges. Leave it out, or call a real AWS."
    ))
}

pub(super) fn no_pool(id: &str) -> AwsError {
    no_resource(format!("User pool {id} does not exist."))
}

pub(super) fn no_client(id: &str) -> AwsError {
    no_resource(format!("User pool client {id} does not exist."))
}

fn no_resource(message: String) -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", message)
}

/// What administrators and signed-in users are told.
pub(super) fn no_user() -> AwsError {
    user_not_found("User does not exist.")
}

/// What the operations that need no credentials say instead.
pub(super) fn no_combination() -> AwsError {
    user_not_found("Username/client id combination not found.")
}

pub(super) fn user_not_found(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("UserNotFoundException", message)
}

pub(super) fn reset_required() -> AwsError {
    AwsError::bad_request("PasswordResetRequiredException", "Password reset required for the user")
}

pub(super) fn unconfirmed() -> AwsError {
    AwsError::bad_request("UserNotConfirmedException", "User is not confirmed.")
}

pub(super) fn too_many_passwords() -> AwsError {
    not_authorized("Password attempts exceeded")
}

pub(super) fn invalid_session() -> AwsError {
    not_authorized("Invalid session for the user.")
}

pub(super) fn session_expired() -> AwsError {
    not_authorized("Invalid session for the user, session is expired.")
}

pub(super) fn no_group() -> AwsError {
    no_resource("Group not found.".to_owned())
}

pub(super) fn wrong_password() -> AwsError {
    not_authorized("Incorrect username or password.")
}

pub(super) fn disabled() -> AwsError {
    not_authorized("User is disabled.")
}

pub(super) fn code_mismatch() -> AwsError {
    AwsError::bad_request(
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
    )
}

pub(super) fn code_expired() -> AwsError {
    AwsError::bad_request(
        "ExpiredCodeException",
        "Invalid code provided, please request a code again.",
    )
}

pub(super) fn too_many_attempts() -> AwsError {
    AwsError::bad_request(
        "LimitExceededException",
        "Attempt limit exceeded, please try after some time.",
    )
}

pub(super) fn alias_exists(attribute: &str) -> AwsError {
    let message = format!("An account with the {attribute} already exists.");
    AwsError::bad_request("AliasExistsException", message)
}

pub(super) fn username_exists(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("UsernameExistsException", message)
}
