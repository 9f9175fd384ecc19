//! `auto-confirm`, a `PreSignUp` trigger: known users need no code to confirm themselves.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use aws_lambda_events::event::cognito::{
    CognitoEventUserPoolsPreSignupRequest, CognitoEventUserPoolsPreSignupResponse,
};
use tracing::info;

use crate::trigger::TriggerEvent;
use crate::{Error, KnownUsers};

/// What Cognito sends before it signs a user up.
pub type Event =
    TriggerEvent<CognitoEventUserPoolsPreSignupRequest, CognitoEventUserPoolsPreSignupResponse>;

/// Confirms a user whose e-mail address is known under the same user name, and takes the address for verified.
pub async fn handle(users: &KnownUsers, mut event: Event) -> Result<Event, Error> {
    info!("Received {} for user {:?}", event.source(), event.user_name());
    // Users whom an administrator or another identity provider brings are not this handler's to confirm.
    if event.source() != "PreSignUp_SignUp" {
        return Ok(event);
    }
    let email = event.request.user_attributes.get("email");
    let Some(email) = email.filter(|email| !email.is_empty()) else {
        info!("There is no e-mail address to look up: it takes a code to confirm the user");
        return Ok(event);
    };
    info!("Looking up e-mail {email:?} in table {}", users.table());
    match users.find_by_email(email).await? {
        None => info!("E-mail {email:?} is not known: it takes a code to confirm the user"),
        Some(known) if known.user_name != event.user_name() => info!(
            "E-mail {email:?} is known, but as that of user {:?}, not {:?}: it takes a code to confirm the user",
            known.user_name,
            event.user_name()
        ),
        Some(known) => {
            info!("E-mail {email:?} is known as that of user {:?}: confirmed", known.user_name);
            event.response.auto_confirm_user = true;
            event.response.auto_verify_email = true;
        }
    }
    Ok(event)
}
