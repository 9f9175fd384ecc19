//! Sign-ins that wait for an answer: what is asked, and what comes next.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::auth::Grant;
use super::custom::Rounds;
use super::error::{reset_required, unconfirmed};
use super::messages::{Cause, Draft, delivery_details};
use super::mfa::Factor;
use super::pools::Pool;
use super::srp::Exchange;
use super::users::{Status, User};
use super::{Context, ids};
use crate::protocol::AwsError;

const SESSION_LENGTH: usize = 200;
/// A sign-in that waits for an answer.
#[derive(Debug, Clone)]
pub(super) struct Challenge {
    pub(super) username: String,
    pub(super) client_id: String,
    pub(super) expires: SystemTime,
    /// What the function that tokens pass through is told of their cause.
    pub(super) source: &'static str,
    pub(super) kind: Kind,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    NewPassword,
    /// A proof of the password; with the rounds before it, in a custom flow.
    Password {
        exchange: Box<Exchange>,
        rounds: Option<Rounds>,
    },
    SelectFactor,
    SoftwareToken,
    Sms {
        code: String,
    },
    MfaSetup {
        verified: bool,
    },
    Custom {
        private: Value,
        metadata: Option<String>,
        rounds: Rounds,
    },
}

impl Kind {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NewPassword => "NEW_PASSWORD_REQUIRED",
            Self::Password { .. } => "PASSWORD_VERIFIER",
            Self::SelectFactor => "SELECT_MFA_TYPE",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Sms { .. } => "SMS_MFA",
            Self::MfaSetup { .. } => "MFA_SETUP",
            Self::Custom { .. } => "CUSTOM_CHALLENGE",
        }
    }
}

/// Where a sign-in stands.
pub(super) enum Stage {
    In(Grant),
    /// What the person is asked, and the message that goes with it.
    Asked(Value, Option<Box<Draft>>),
}

/// What a sign-in has come to before second factors.
pub(super) struct Proven<'a> {
    pub(super) username: &'a str,
    pub(super) client_id: &'a str,
    pub(super) source: &'static str,
    pub(super) client_metadata: Option<Value>,
}

impl Pool {
    /// Keeps a challenge: the session by which it is answered.
    pub(super) fn keep(&mut self, challenge: Challenge) -> String {
        let session = match &challenge.kind {
            Kind::Password { exchange, rounds: None } => exchange.secret_block.clone(),
            _ => ids::opaque(SESSION_LENGTH),
        };
        self.challenges.insert(session.clone(), challenge);
        session
    }

    /// Refuses whom a right password does not let in.
    pub(super) fn check_status(&self, username: &str, context: &Context) -> Result<(), AwsError> {
        let user = self.user(username)?;
        match user.status {
            Status::ResetRequired => Err(reset_required()),
            Status::Unconfirmed => Err(unconfirmed()),
            Status::ForceChangePassword
                if user.temporary_until.is_some_and(|until| context.now >= until) =>
            {
                Err(super::error::not_authorized(
                    "Temporary password has expired and must be reset by an administrator.",
                ))
            }
            _ => Ok(()),
        }
    }

    /// What comes after the password: a new one, or a second factor.
    pub(super) fn after_password(
        &mut self,
        proven: &Proven<'_>,
        context: &Context,
    ) -> Result<Stage, AwsError> {
        if self.user(proven.username)?.status == Status::ForceChangePassword {
            return self.ask(proven, Kind::NewPassword, context);
        }
        self.after_new_password(proven, context)
    }

    pub(super) fn after_new_password(
        &mut self,
        proven: &Proven<'_>,
        context: &Context,
    ) -> Result<Stage, AwsError> {
        let factors = self.second_factors(self.user(proven.username)?);
        match factors.as_slice() {
            [] if self.must_set_up() => {
                self.ask(proven, Kind::MfaSetup { verified: false }, context)
            }
            [] => Ok(Stage::In(Grant {
                pool_id: self.id.clone(),
                client_id: proven.client_id.to_owned(),
                username: self.user(proven.username)?.username.clone(),
                source: proven.source,
                client_metadata: proven.client_metadata.clone(),
            })),
            [factor] => self.ask_for(*factor, proven, context),
            _ => self.ask(proven, Kind::SelectFactor, context),
        }
    }

    pub(super) fn ask_for(
        &mut self,
        factor: Factor,
        proven: &Proven<'_>,
        context: &Context,
    ) -> Result<Stage, AwsError> {
        match factor {
            Factor::SoftwareToken => self.ask(proven, Kind::SoftwareToken, context),
            Factor::Sms => self.ask(proven, Kind::Sms { code: ids::code() }, context),
        }
    }

    fn ask(
        &mut self,
        proven: &Proven<'_>,
        kind: Kind,
        context: &Context,
    ) -> Result<Stage, AwsError> {
        let user = self.user(proven.username)?;
        let parameters = self.parameters(user, &kind);
        let draft = match &kind {
            Kind::Sms { code } => Some(Box::new(self.draft(
                user,
                Cause {
                    source: "Authentication",
                    client_id: proven.client_id,
                    attribute: "phone_number",
                    to: None,
                    code: code.clone(),
                    client_metadata: proven.client_metadata.clone(),
                },
            ))),
            _ => None,
        };
        let challenge = Challenge {
            username: user.username.clone(),
            client_id: proven.client_id.to_owned(),
            expires: context.now + self.client(proven.client_id)?.settings.challenge_lifetime(),
            source: proven.source,
            kind,
        };
        let mut shown = json!({
            "ChallengeName": challenge.kind.name(),
            "ChallengeParameters": parameters,
        });
        shown["Session"] = json!(self.keep(challenge));
        Ok(Stage::Asked(shown, draft))
    }

    fn parameters(&self, user: &User, kind: &Kind) -> Value {
        let mut shown = json!({"USER_ID_FOR_SRP": user.username});
        match kind {
            Kind::NewPassword => {
                let missing: Vec<String> = self
                    .schema
                    .missing(&user.attributes)
                    .into_iter()
                    .map(|name| format!("userAttributes.{name}"))
                    .collect();
                shown["requiredAttributes"] = json!(json!(missing).to_string());
                shown["userAttributes"] = json!(json!(user.attributes).to_string());
            }
            Kind::SelectFactor => {
                let names: Vec<&str> =
                    self.second_factors(user).into_iter().map(Factor::name).collect();
                shown["MFAS_CAN_CHOOSE"] = json!(json!(names).to_string());
            }
            Kind::SoftwareToken => {
                let app = user.factors.authenticator.as_ref();
                if let Some(name) = app.and_then(|app| app.device_name.as_ref()) {
                    shown["FRIENDLY_DEVICE_NAME"] = json!(name);
                }
            }
            Kind::Sms { .. } => {
                let to = user.attribute("phone_number").unwrap_or_default();
                shown["CODE_DELIVERY_DELIVERY_MEDIUM"] = json!("SMS");
                shown["CODE_DELIVERY_DESTINATION"] =
                    delivery_details(to, "phone_number")["Destination"].clone();
            }
            Kind::MfaSetup { .. } => {
                let can = if self.software_token.enabled {
                    vec![Factor::SoftwareToken.name()]
                } else {
                    vec![Factor::Sms.name()]
                };
                shown["MFAS_CAN_SETUP"] = json!(json!(can).to_string());
            }
            Kind::Password { .. } | Kind::Custom { .. } => {}
        }
        shown
    }
}
