//! The event that Cognito sends to a trigger, and reads back from it.

use std::fmt;

use aws_lambda_events::event::cognito::CognitoEventUserPoolsHeader;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The event that Cognito sends to a trigger, and reads back from it.
///
/// The trigger source is text here, for a pool may send sources that are newer than any list of them, and a handler has
/// to give those back untouched.
///
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerEvent<Request, Response> {
    /// Who does what, in which pool.
    #[serde(flatten)]
    pub header: CognitoEventUserPoolsHeader<String>,
    /// What Cognito tells the handler.
    pub request: Request,
    /// What the handler tells Cognito.
    pub response: Response,
    /// Whatever else the event holds.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl<Request, Response> TriggerEvent<Request, Response> {
    /// What made Cognito call, such as `PreSignUp_SignUp`.
    #[must_use]
    pub fn source(&self) -> &str {
        self.header.trigger_source.as_deref().unwrap_or_default()
    }

    /// The name of the user that it is about.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.header.user_name.as_deref().unwrap_or_default()
    }
}

/// Part of an event that is given back as it came, and that neither a log line nor an error message can show.
///
/// The request of a `UserMigration` event holds the password that was typed in, in plain text.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Withheld(Value);

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(withheld)")
    }
}
