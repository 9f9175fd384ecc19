//! Answers of somebody who signs in, and what they lead to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::auth::Grant;
use super::challenges::{Challenge, Kind, Proven, Stage};
use super::checks::{CLIENT_ID, Checks, POOL_ID, SESSION};
use super::error::{
    disabled, invalid, invalid_session, session_expired, too_many_passwords, unsupported,
    wrong_password,
};
use super::passwords::Occasion;
use super::pools::Pool;
use super::schema::Author;
use super::totp::Verdict;
use super::users::{Status, User};
use super::{Cognito, Context, Output, State};
use crate::protocol::AwsError;

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
