//! `migrate-user`, a `UserMigration` trigger: known users get into the pool when they first sign in.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>

use std::collections::HashMap;

use aws_lambda_events::event::cognito::CognitoEventUserPoolsMigrateUserResponse;
use tracing::info;

use crate::trigger::{TriggerEvent, Withheld};
use crate::{Error, KnownUsers};

/// What Cognito sends when somebody signs in whom the pool does not know.
pub type Event = TriggerEvent<Withheld, CognitoEventUserPoolsMigrateUserResponse>;

/// Lets a user into the pool whose name is known, to choose a new password before anything else.
pub async fn handle(users: &KnownUsers, mut event: Event) -> Result<Event, Error> {
    info!("Received {} for user {:?}", event.source(), event.user_name());
    if event.source() != "UserMigration_Authentication" {
        return Ok(event);
    }
    info!("Looking up user {:?} in table {}", event.user_name(), users.table());
    let Some(known) = users.find_by_name(event.user_name()).await? else {
        info!("User {:?} is not known: not migrated", event.user_name());
        return Ok(event);
    };
    info!(
        "User {:?} is known with e-mail {:?}: migrated, a new password is required",
        known.user_name, known.user_email
    );
    event.response.user_attributes = HashMap::from([
        ("email".to_owned(), known.user_email),
        // Codes for new passwords are only sent to verified addresses.
        ("email_verified".to_owned(), "true".to_owned()),
    ]);
    event.response.final_user_status = Some("RESET_REQUIRED".to_owned());
    event.response.message_action = Some("SUPPRESS".to_owned());
    Ok(event)
}
