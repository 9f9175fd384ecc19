//! `activity-log`, a `PostAuthentication` trigger: keeps when a user signed in last.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-authentication.html>

use std::time::SystemTime;

use aws_lambda_events::event::cognito::{
    CognitoEventUserPoolsPostAuthenticationRequest, CognitoEventUserPoolsPostAuthenticationResponse,
};
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use serde::Serialize;
use tracing::{error, info, warn};

use crate::KnownUsers;
use crate::known_users::{KnownUser, LastLogin};
use crate::trigger::TriggerEvent;

/// What Cognito sends once it has let a user in.
pub type Event = TriggerEvent<
    CognitoEventUserPoolsPostAuthenticationRequest,
    CognitoEventUserPoolsPostAuthenticationResponse,
>;

/// What is logged of a sign-in.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Activity<'a> {
    #[serde(flatten)]
    user: &'a KnownUser,
    last_login: &'a LastLogin,
}

/// Logs who signed in, where and when, and keeps that in the table of known users.
///
/// An error would keep the user out, so that what cannot be written is logged instead.
pub async fn handle(users: &KnownUsers, event: Event, now: SystemTime) -> Event {
    info!("Received {} for user {:?}", event.source(), event.user_name());
    if event.source() != "PostAuthentication_Authentication" {
        return event;
    }
    let email = event.request.user_attributes.get("email");
    let Some(email) = email.filter(|email| !email.is_empty()) else {
        warn!("There is no e-mail address to keep the sign-in under");
        return event;
    };
    let user = KnownUser { user_name: event.user_name().to_owned(), user_email: email.to_owned() };
    let last_login = LastLogin {
        user_pool_id: event.header.user_pool_id.clone().unwrap_or_default(),
        client_id: event.header.caller_context.client_id.clone().unwrap_or_default(),
        time: time(now),
    };
    let activity = Activity { user: &user, last_login: &last_login };
    match serde_json::to_string(&activity) {
        Ok(text) => info!("Signed in: {text}"),
        Err(reason) => error!("The sign-in cannot be logged: {reason}"),
    }
    match users.record_last_login(&user, &last_login).await {
        Ok(()) => info!("Wrote the sign-in to table {}", users.table()),
        Err(reason) => {
            error!("The sign-in cannot be written to table {}: {reason:?}", users.table());
        }
    }
    event
}

/// To the second, in UTC.
fn time(now: SystemTime) -> String {
    let seconds = DateTime::from_secs(DateTime::from(now).secs());
    seconds.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}
