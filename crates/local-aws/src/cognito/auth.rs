//! Signing in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::checks::{CLIENT_ID, Checks, POOL_ID, SESSION};
use super::claims::Claims;
use super::clients::Flow;
use super::error::{disabled, invalid, no_user, not_authorized, unsupported, wrong_password};
use super::migration::Newcomer;
use super::passwords::Occasion as PasswordOccasion;
use super::pools::Pool;
use super::schema::Author;
use super::tokens::{Challenge, Session};
use super::triggers::{Firing, Occasion, Trigger};
use super::users::{Status, User};
use super::{Cognito, Context, Output, State, ids, keys};
use crate::protocol::AwsError;

const FLOWS: [&str; 8] = [
    "USER_SRP_AUTH",
    "REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN",
    "CUSTOM_AUTH",
    "ADMIN_NO_SRP_AUTH",
    "USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH",
    "USER_AUTH",
];
const NEW_PASSWORD: &str = "NEW_PASSWORD_REQUIRED";
const SESSION_LENGTH: usize = 200;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InitiateAuth {
    user_pool_id: Option<String>,
    client_id: Option<String>,
    auth_flow: Option<String>,
    auth_parameters: BTreeMap<String, String>,
    client_metadata: Option<Value>,
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

/// Somebody who says who they are.
struct Attempt<'a> {
    pool_id: Option<&'a str>,
    client_id: &'a str,
    username: &'a str,
    password: &'a str,
    secret_hash: Option<&'a str>,
    validation_data: Value,
}

/// Whom tokens are made for, and why.
struct Grant<'a> {
    pool_id: String,
    client_id: &'a str,
    username: String,
    source: &'a str,
    client_metadata: Option<Value>,
}

/// What the right password leads to.
enum Decision {
    In,
    Challenge(Value),
}

impl InitiateAuth {
    fn parameter(&self, name: &str) -> Result<&str, AwsError> {
        let value = self.auth_parameters.get(name).map(String::as_str);
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid(format!("Missing required parameter {name}")))
    }

    fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    fn secret_hash(&self) -> Option<&str> {
        self.auth_parameters.get("SECRET_HASH").map(String::as_str)
    }
}

impl Cognito {
    pub(super) async fn initiate_auth(&self, input: InitiateAuth, is_admin: bool) -> Output {
        let mut checks = Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .one_of("authFlow", input.auth_flow.as_deref(), &FLOWS);
        if is_admin {
            checks = checks.required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID);
        }
        checks.finish()?;
        match input.auth_flow.as_deref() {
            Some("USER_PASSWORD_AUTH") if !is_admin => {
                self.by_password(&input, Flow::UserPassword).await
            }
            Some("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH") if is_admin => {
                self.by_password(&input, Flow::AdminUserPassword).await
            }
            Some("USER_PASSWORD_AUTH" | "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH") => {
                Err(invalid("Initiate Auth method not supported."))
            }
            Some("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN") => self.by_refresh_token(&input).await,
            Some(flow) => Err(unsupported(&format!("The flow {flow}"))),
            None => Err(invalid("Missing required parameter AUTH_FLOW")),
        }
    }

    async fn by_password(&self, input: &InitiateAuth, flow: Flow) -> Output {
        let attempt = Attempt {
            pool_id: input.user_pool_id.as_deref(),
            client_id: input.client_id(),
            username: input.parameter("USERNAME")?,
            password: input.parameter("PASSWORD")?,
            secret_hash: input.secret_hash(),
            validation_data: input.client_metadata.clone().unwrap_or_default(),
        };
        let is_unknown = self.with(|state, _| attempt.admit(state, flow))?;
        if is_unknown {
            self.migrate_attempt(&attempt).await?;
        }
        let firing = self.with(|state, _| attempt.pre_authentication(state))?;
        self.fire(firing).await?;
        let (grant, decision) = self.with(|state, context| attempt.judge(state, context))?;
        match decision {
            Decision::Challenge(challenge) => Ok(challenge),
            Decision::In => self.grant(grant).await,
        }
    }

    async fn migrate_attempt(&self, attempt: &Attempt<'_>) -> Result<(), AwsError> {
        let newcomer = Newcomer {
            client_id: attempt.client_id,
            username: attempt.username,
            password: Some(attempt.password),
            validation_data: attempt.validation_data.clone(),
            client_metadata: None,
        };
        if self.migrate(newcomer).await? {
            return Ok(());
        }
        let hides = self.with(|state, _| {
            let pool = state.pool_of_client(attempt.client_id)?;
            Ok::<_, AwsError>(pool.client(attempt.client_id)?.settings.hides_users())
        })?;
        if !hides {
            return Err(no_user());
        }
        let firing = self.with(|state, _| {
            let pool = state.pool_of_client(attempt.client_id)?;
            let request = json!({
                "userAttributes": {},
                "validationData": attempt.validation_data,
                "userNotFound": true,
            });
            Ok::<_, AwsError>(pool.authentication(
                Trigger::PreAuthentication,
                attempt.username,
                attempt.client_id,
                request,
            ))
        })?;
        self.fire(firing).await?;
        Err(wrong_password())
    }

    async fn by_refresh_token(&self, input: &InitiateAuth) -> Output {
        let token = input.parameter("REFRESH_TOKEN")?;
        let client_id = input.client_id();
        let (firing, session, pool_id) = self.with(|state, context| {
            let pool = state.pool_of_client(client_id)?;
            check_pool(pool, input.user_pool_id.as_deref(), client_id)?;
            let client = pool.client(client_id)?;
            if !client.settings.allows(Flow::Refresh) {
                return Err(invalid("Auth flow not enabled for this client"));
            }
            let session = pool.refreshed(token, client_id, context.now)?.clone();
            let user = pool.user(&session.username)?;
            client.check_secret(input.secret_hash(), &[&user.username, &user.sub])?;
            if !user.enabled {
                return Err(disabled());
            }
            let firing = pool.token_firing(user, client_id, "TokenGeneration_RefreshTokens", None);
            Ok((firing, session, pool.id.clone()))
        })?;
        let response = self.fire(firing).await?;
        let claims = self.with(|state, context| {
            state.pool(&pool_id)?.claims(&session, response.as_ref(), context)
        })?;
        result(&claims, None).await
    }

    /// After everything has been proved: the last two functions, and the tokens.
    async fn grant(&self, grant: Grant<'_>) -> Output {
        let firing = self.with(|state, _| {
            let pool = state.pool(&grant.pool_id)?;
            let user = pool.user(&grant.username)?;
            let mut request = json!({
                "userAttributes": user.event_attributes(),
                "newDeviceUsed": false,
            });
            if let Some(metadata) = grant.client_metadata.clone() {
                request["clientMetadata"] = metadata;
            }
            Ok::<_, AwsError>(pool.authentication(
                Trigger::PostAuthentication,
                &user.username,
                grant.client_id,
                request,
            ))
        })?;
        self.fire(firing).await?;
        let firing = self.with(|state, _| {
            let pool = state.pool(&grant.pool_id)?;
            let user = pool.user(&grant.username)?;
            let metadata = grant.client_metadata.clone();
            Ok::<_, AwsError>(pool.token_firing(user, grant.client_id, grant.source, metadata))
        })?;
        let response = self.fire(firing).await?;
        let (claims, session) =
            self.with(|state, context| open(state, &grant, response.as_ref(), context))?;
        result(&claims, Some(&session.refresh_token)).await
    }

    pub(super) async fn respond_to_challenge(&self, input: Answer, is_admin: bool) -> Output {
        let mut checks = Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .optional("session", input.session.as_deref(), &SESSION);
        if is_admin {
            checks = checks.required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID);
        }
        checks.finish()?;
        match input.challenge_name.as_deref() {
            Some(NEW_PASSWORD) => {}
            Some(name) => return Err(unsupported(&format!("The challenge {name}"))),
            None => return Err(invalid("Missing required parameter ChallengeName")),
        }
        let (pool_id, username) = self.with(|state, context| input.accept(state, context))?;
        let grant = Grant {
            pool_id,
            client_id: input.client_id.as_deref().unwrap_or_default(),
            username,
            source: "TokenGeneration_NewPasswordChallenge",
            client_metadata: input.client_metadata.clone(),
        };
        self.grant(grant).await
    }
}

/// The client belongs to the pool that an administrator names.
fn check_pool(pool: &Pool, named: Option<&str>, client_id: &str) -> Result<(), AwsError> {
    match named {
        Some(id) if id != pool.id => Err(super::error::no_client(client_id)),
        _ => Ok(()),
    }
}

fn open(
    state: &mut State,
    grant: &Grant<'_>,
    response: Option<&Map<String, Value>>,
    context: &Context,
) -> Result<(Claims, Session), AwsError> {
    let pool = state.pool_mut(&grant.pool_id)?;
    pool.user(&grant.username)?;
    let session = pool.open_session(&grant.username, grant.client_id, context.now)?;
    let claims = pool.claims(&session, response, context)?;
    Ok((claims, session))
}

async fn result(claims: &Claims, refresh_token: Option<&str>) -> Output {
    let key = keys::key().await?;
    let mut result = json!({
        "AccessToken": key.sign(&claims.access)?,
        "ExpiresIn": claims.expires_in,
        "TokenType": "Bearer",
        "IdToken": key.sign(&claims.id)?,
    });
    if let Some(token) = refresh_token {
        result["RefreshToken"] = json!(token);
    }
    Ok(json!({"ChallengeParameters": {}, "AuthenticationResult": result}))
}

impl Attempt<'_> {
    /// Whether there is no such user; refused where the client may not be used so.
    fn admit(&self, state: &State, flow: Flow) -> Result<bool, AwsError> {
        if let Some(id) = self.pool_id {
            state.pool(id)?;
        }
        let pool = state.pool_of_client(self.client_id)?;
        check_pool(pool, self.pool_id, self.client_id)?;
        let client = pool.client(self.client_id)?;
        if !client.settings.allows(flow) {
            return Err(invalid(match flow {
                Flow::UserPassword => "USER_PASSWORD_AUTH flow not enabled for this client",
                _ => "Auth flow not enabled for this client",
            }));
        }
        let user = pool.find(self.username);
        let own = user.map_or(self.username, |user| &user.username);
        client.check_secret(self.secret_hash, &[self.username, own])?;
        Ok(user.is_none())
    }

    fn pre_authentication(&self, state: &State) -> Result<Option<Firing>, AwsError> {
        let pool = state.pool_of_client(self.client_id)?;
        let user = pool.user(self.username)?;
        if !user.enabled {
            return Err(disabled());
        }
        let mut request = json!({
            "userAttributes": user.event_attributes(),
            "validationData": self.validation_data,
        });
        if pool.client(self.client_id)?.settings.hides_users() {
            request["userNotFound"] = json!(false);
        }
        Ok(pool.authentication(Trigger::PreAuthentication, &user.username, self.client_id, request))
    }

    fn judge(
        &self,
        state: &mut State,
        context: &Context,
    ) -> Result<(Grant<'_>, Decision), AwsError> {
        let now = context.now;
        let pool = state.pool_of_client_mut(self.client_id)?;
        let lifetime = pool.client(self.client_id)?.settings.challenge_lifetime();
        let user = pool.user_mut(self.username)?;
        if user.is_locked(now) {
            return Err(not_authorized("Password attempts exceeded"));
        }
        if user.status == Status::ResetRequired {
            return Err(AwsError::bad_request(
                "PasswordResetRequiredException",
                "Password reset required for the user",
            ));
        }
        if !user.password_fits(self.password, now) {
            return Err(wrong_password());
        }
        let username = user.username.clone();
        let decision = match user.status {
            Status::Unconfirmed => {
                return Err(AwsError::bad_request(
                    "UserNotConfirmedException",
                    "User is not confirmed.",
                ));
            }
            Status::ForceChangePassword => {
                if user.temporary_until.is_some_and(|until| now >= until) {
                    return Err(not_authorized(
                        "Temporary password has expired and must be reset by an administrator.",
                    ));
                }
                let challenge = Challenge {
                    username: username.clone(),
                    client_id: self.client_id.to_owned(),
                    expires: now + lifetime,
                };
                Decision::Challenge(pool.challenge(challenge)?)
            }
            _ => Decision::In,
        };
        let grant = Grant {
            pool_id: pool.id.clone(),
            client_id: self.client_id,
            username,
            source: "TokenGeneration_Authentication",
            client_metadata: None,
        };
        Ok((grant, decision))
    }
}

impl Pool {
    fn authentication(
        &self,
        trigger: Trigger,
        username: &str,
        client_id: &str,
        request: Value,
    ) -> Option<Firing> {
        let source = match trigger {
            Trigger::PreAuthentication => "PreAuthentication_Authentication",
            _ => "PostAuthentication_Authentication",
        };
        let occasion = Occasion { source, username, client_id, request, response: json!({}) };
        self.firing(trigger, &occasion)
    }

    fn challenge(&mut self, challenge: Challenge) -> Output {
        let user = self.user(&challenge.username)?;
        let session = ids::opaque(SESSION_LENGTH);
        let missing: Vec<String> = self
            .schema
            .missing(&user.attributes)
            .into_iter()
            .map(|name| format!("userAttributes.{name}"))
            .collect();
        let shown = json!({
            "ChallengeName": NEW_PASSWORD,
            "Session": session,
            "ChallengeParameters": {
                "USER_ID_FOR_SRP": user.username,
                "requiredAttributes": json!(missing).to_string(),
                "userAttributes": json!(user.attributes).to_string(),
            },
        });
        self.challenges.insert(session, challenge);
        Ok(shown)
    }
}

impl Answer {
    fn response(&self, name: &str) -> Result<&str, AwsError> {
        let value = self.challenge_responses.get(name).map(String::as_str);
        value.ok_or_else(|| invalid(format!("Missing required parameter {name}")))
    }

    /// Takes the new password: the pool and the user.
    fn accept(&self, state: &mut State, context: &Context) -> Result<(String, String), AwsError> {
        let client_id = self.client_id.as_deref().unwrap_or_default();
        let name = self.response("USERNAME")?;
        let password = self.response("NEW_PASSWORD")?;
        let pool = state.pool_of_client_mut(client_id)?;
        check_pool(pool, self.user_pool_id.as_deref(), client_id)?;
        let invalid_session = || not_authorized("Invalid session for the user.");
        let session = self.session.clone().unwrap_or_default();
        let challenge = pool.challenges.get(&session).ok_or_else(invalid_session)?;
        let user = pool.find(name).ok_or_else(invalid_session)?;
        if challenge.username != user.username || challenge.client_id != client_id {
            return Err(invalid_session());
        }
        if context.now >= challenge.expires {
            return Err(not_authorized("Invalid session for the user, session is expired."));
        }
        let hash = self.challenge_responses.get("SECRET_HASH").map(String::as_str);
        pool.client(client_id)?.check_secret(hash, &[name, &user.username])?;
        if !user.enabled {
            return Err(disabled());
        }
        pool.settings.password_policy().check(password, PasswordOccasion::Change)?;
        let given = self.attributes(pool, user)?;
        let username = user.username.clone();
        pool.challenges.remove(&session);
        let user = pool.user_mut(&username)?;
        user.attributes.extend(given);
        user.set_password(password, context.now);
        user.status = Status::Confirmed;
        Ok((pool.id.clone(), username))
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
}
