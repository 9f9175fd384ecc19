//! Sign-ins that wait for an answer: what is asked, and what the answers lead to.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::Grant;
use super::checks::{CLIENT_ID, Checks, POOL_ID, SESSION};
use super::custom::Rounds;
use super::error::{
    disabled, invalid, invalid_session, reset_required, session_expired, too_many_passwords,
    unconfirmed, unsupported, wrong_password,
};
use super::messages::{Cause, Draft, delivery_details};
use super::mfa::Factor;
use super::passwords::Occasion;
use super::pools::Pool;
use super::schema::Author;
use super::srp::Exchange;
use super::totp::Verdict;
use super::users::{Status, User};
use super::{Cognito, Context, Output, State, ids};
use crate::protocol::AwsError;

const SESSION_LENGTH: usize = 200;
const UNSUPPORTED: [&str; 8] = [
    "DEVICE_SRP_AUTH",
    "DEVICE_PASSWORD_VERIFIER",
    "ADMIN_NO_SRP_AUTH",
    "EMAIL_OTP",
    "PASSWORD",
    "PASSWORD_SRP",
    "SELECT_CHALLENGE",
    "WEB_AUTHN",
];

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
    Password { exchange: Box<Exchange>, rounds: Option<Rounds> },
    SelectFactor,
    SoftwareToken,
    Sms { code: String },
    MfaSetup { verified: bool },
    Custom { private: Value, metadata: Option<String>, rounds: Rounds },
}

impl Kind {
    fn name(&self) -> &'static str {
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

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Answer {
    user_pool_id: Option<String>,
    client_id: Option<String>,
    challenge_name: Option<String>,
    session: Option<String>,
    challenge_responses: BTreeMap<String, String>,
    client_metadata: Option<Value>,
}

impl Cognito {
    pub(super) async fn respond_to_challenge(&self, input: Answer, is_admin: bool) -> Output {
        let mut checks = Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .optional("session", input.session.as_deref(), &SESSION);
        if is_admin {
            checks = checks.required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID);
        }
        checks.finish()?;
        match input.challenge_name.as_deref() {
            Some("CUSTOM_CHALLENGE") => self.answer_custom(&input).await,
            Some("PASSWORD_VERIFIER") => self.answer_password(&input).await,
            Some(name) if UNSUPPORTED.contains(&name) => {
                Err(unsupported(&format!("The challenge {name}")))
            }
            Some(_) => {
                let stage = self.with(|state, context| input.judge(state, context))?;
                self.proceed(stage).await
            }
            None => Err(invalid("Missing required parameter ChallengeName")),
        }
    }

    /// Tokens, or the next question.
    pub(super) async fn proceed(&self, stage: Stage) -> Output {
        match stage {
            Stage::In(grant) => self.grant(grant).await,
            Stage::Asked(shown, draft) => {
                if let Some(draft) = draft {
                    self.deliver(*draft).await?;
                }
                Ok(shown)
            }
        }
    }

    async fn answer_password(&self, input: &Answer) -> Output {
        let (proof, challenge) = self.with(|state, context| input.prove(state, context))?;
        let Kind::Password { rounds: Some(mut rounds), .. } = challenge.kind else {
            let stage = self.with(|state, context| {
                proof?;
                let pool = state.pool_of_client_mut(&challenge.client_id)?;
                pool.check_status(&challenge.username, context)?;
                pool.after_password(&input.proven(&challenge), context)
            })?;
            return self.proceed(stage).await;
        };
        // In a custom flow a wrong password is for the function to judge.
        rounds.push("PASSWORD_VERIFIER", proof.is_ok(), None);
        let (username, client_id) = (&challenge.username, &challenge.client_id);
        self.next_round(username, client_id, rounds, input.client_metadata.as_ref()).await
    }
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

    fn after_new_password(
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

    fn ask_for(
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

impl Answer {
    pub(super) fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    pub(super) fn client_metadata(&self) -> Option<&Value> {
        self.client_metadata.as_ref()
    }

    pub(super) fn response(&self, name: &str) -> Result<&str, AwsError> {
        let value = self.challenge_responses.get(name).map(String::as_str);
        value.ok_or_else(|| invalid(format!("Missing required parameter {name}")))
    }

    fn proven<'a>(&self, challenge: &'a Challenge) -> Proven<'a> {
        Proven {
            username: &challenge.username,
            client_id: &challenge.client_id,
            source: challenge.source,
            client_metadata: self.client_metadata.clone(),
        }
    }

    /// The challenge that is answered: it is of this client and this user, and there is still time.
    pub(super) fn find<'a>(
        &self,
        state: &'a mut State,
        context: &Context,
    ) -> Result<(&'a mut Pool, String, Challenge), AwsError> {
        let client_id = self.client_id();
        let name = self.response("USERNAME")?;
        let pool = state.pool_of_client_mut(client_id)?;
        super::auth::check_pool(pool, self.user_pool_id.as_deref(), client_id)?;
        let block = self.challenge_responses.get("PASSWORD_CLAIM_SECRET_BLOCK");
        let session = match (&self.session, block) {
            (Some(session), _) => session.clone(),
            (None, Some(block)) => block.clone(),
            (None, None) => return Err(invalid("Missing required parameter Session")),
        };
        let challenge = pool
            .challenges
            .get(&session)
            // Who signs in with a password may send the session along that others need.
            .or_else(|| pool.challenges.get(block?))
            .cloned()
            .ok_or_else(invalid_session)?;
        let user = pool.find(name);
        let own = user.map_or(name, |user| user.username.as_str());
        if challenge.username != own
            || challenge.client_id != client_id
            || Some(challenge.kind.name()) != self.challenge_name.as_deref()
        {
            return Err(invalid_session());
        }
        if context.now >= challenge.expires {
            return Err(session_expired());
        }
        let hash = self.challenge_responses.get("SECRET_HASH").map(String::as_str);
        pool.client(client_id)?.check_secret(hash, &[name, own])?;
        if user.is_some_and(|user| !user.enabled) {
            return Err(disabled());
        }
        Ok((pool, session, challenge))
    }

    fn judge(&self, state: &mut State, context: &Context) -> Result<Stage, AwsError> {
        let (pool, session, mut challenge) = self.find(state, context)?;
        match &challenge.kind {
            Kind::NewPassword => {
                self.take_password(pool, &challenge.username, context)?;
                challenge.source = "TokenGeneration_NewPasswordChallenge";
                pool.challenges.remove(&session);
                pool.after_new_password(&self.proven(&challenge), context)
            }
            Kind::SelectFactor => {
                let chosen = self.response("ANSWER")?;
                let user = pool.user(&challenge.username)?;
                let mut factors = pool.second_factors(user).into_iter();
                let factor = factors
                    .find(|factor| factor.name() == chosen)
                    .ok_or_else(|| invalid("Invalid MFA type selected."))?;
                pool.challenges.remove(&session);
                pool.ask_for(factor, &self.proven(&challenge), context)
            }
            Kind::SoftwareToken => {
                let code = self.response("SOFTWARE_TOKEN_MFA_CODE")?;
                take_totp(pool.user_mut(&challenge.username)?, code, context)?;
                pool.admit(&session, &challenge, self.client_metadata.clone())
            }
            Kind::Sms { code } => {
                if self.response("SMS_MFA_CODE")? != code {
                    return Err(wrong_factor());
                }
                pool.admit(&session, &challenge, self.client_metadata.clone())
            }
            Kind::MfaSetup { verified } => {
                if !verified {
                    return Err(invalid_session());
                }
                pool.user_mut(&challenge.username)?.factors.enable_software_token();
                pool.admit(&session, &challenge, self.client_metadata.clone())
            }
            Kind::Password { .. } | Kind::Custom { .. } => Err(invalid_session()),
        }
    }

    /// Takes the new password, and the attributes that come with it.
    fn take_password(
        &self,
        pool: &mut Pool,
        username: &str,
        context: &Context,
    ) -> Result<(), AwsError> {
        let password = self.response("NEW_PASSWORD")?;
        pool.settings.password_policy().check(password, Occasion::Change)?;
        let given = self.attributes(pool, pool.user(username)?)?;
        let user = pool.user_mut(username)?;
        user.attributes.extend(given);
        user.set_password(password, context.now);
        user.status = Status::Confirmed;
        Ok(())
    }

    /// `userAttributes.NAME`
    fn attributes(&self, pool: &Pool, user: &User) -> Result<BTreeMap<String, String>, AwsError> {
        let given: BTreeMap<String, String> = self
            .challenge_responses
            .iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix("userAttributes.")?.to_owned(), value.clone()))
            })
            .collect();
        pool.schema.check(&given, Author::Creation)?;
        let mut all = user.attributes.clone();
        all.extend(given.clone());
        match pool.schema.missing(&all).first() {
            Some(name) => Err(invalid(format!("Invalid attributes given, {name} is missing"))),
            None => Ok(given),
        }
    }

    /// Whether the password was proved, and of which challenge, which is over either way.
    fn prove(
        &self,
        state: &mut State,
        context: &Context,
    ) -> Result<(Result<(), AwsError>, Challenge), AwsError> {
        for name in ["PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP"] {
            self.response(name)?;
        }
        let (pool, session, challenge) = self.find(state, context)?;
        let Kind::Password { exchange, .. } = &challenge.kind else {
            return Err(invalid_session());
        };
        let is_block = self.response("PASSWORD_CLAIM_SECRET_BLOCK")? == exchange.secret_block;
        let proves = is_block
            && exchange.proves(
                pool.suffix(),
                &challenge.username,
                self.response("TIMESTAMP")?,
                self.response("PASSWORD_CLAIM_SIGNATURE")?,
            );
        pool.challenges.remove(&session);
        pool.challenges.remove(&exchange.secret_block);
        let Some(user) = pool.find_mut(&challenge.username) else {
            return Ok((Err(wrong_password()), challenge));
        };
        if user.is_locked(context.now) {
            return Err(too_many_passwords());
        }
        user.count_attempt(proves, context.now);
        Ok((if proves { Ok(()) } else { Err(wrong_password()) }, challenge))
    }
}

impl Pool {
    /// Lets somebody in who has answered everything.
    fn admit(
        &mut self,
        session: &str,
        challenge: &Challenge,
        client_metadata: Option<Value>,
    ) -> Result<Stage, AwsError> {
        self.challenges.remove(session);
        self.user(&challenge.username)?;
        Ok(Stage::In(Grant {
            pool_id: self.id.clone(),
            client_id: challenge.client_id.clone(),
            username: challenge.username.clone(),
            source: challenge.source,
            client_metadata,
        }))
    }
}

fn take_totp(user: &mut User, code: &str, context: &Context) -> Result<(), AwsError> {
    let app = user.factors.authenticator.as_mut().ok_or_else(|| {
        AwsError::bad_request(
            "SoftwareTokenMFANotFoundException",
            "Software Token MFA does not exist for the user.",
        )
    })?;
    match app.secret.take(code, context.now) {
        Verdict::Right => Ok(()),
        Verdict::Wrong => Err(wrong_factor()),
        Verdict::Used => Err(AwsError::bad_request(
            "ExpiredCodeException",
            "Your software token has already been used once.",
        )),
    }
}

fn wrong_factor() -> AwsError {
    AwsError::bad_request("CodeMismatchException", "Invalid code received for user")
}
