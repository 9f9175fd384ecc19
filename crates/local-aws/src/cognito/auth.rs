//! Signing in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::challenges::{Proven, Stage};
use super::checks::{CLIENT_ID, Checks, POOL_ID, TOKEN};
use super::claims::Claims;
use super::clients::Flow;
use super::error::{
    disabled, invalid, no_user, reset_required, too_many_passwords, unsupported, wrong_password,
};
use super::migration::Newcomer;
use super::pools::Pool;
use super::tokens::Session;
use super::triggers::{Firing, Occasion, Trigger};
use super::users::{Status, User};
use super::{Cognito, Context, Output, State, keys};
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
#[allow(clippy::struct_field_names)] // The names are AWS's.
pub(super) struct Refresh {
    refresh_token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
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
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) pool_id: String,
    pub(super) client_id: String,
    pub(super) username: String,
    pub(super) source: &'static str,
    pub(super) client_metadata: Option<Value>,
}

impl InitiateAuth {
    pub(super) fn parameter(&self, name: &str) -> Result<&str, AwsError> {
        self.optional(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid(format!("Missing required parameter {name}")))
    }

    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.auth_parameters.get(name).map(String::as_str)
    }

    pub(super) fn validation_data(&self) -> Value {
        self.client_metadata.clone().unwrap_or_default()
    }

    /// The pool, where the client may be used so.
    pub(super) fn admit<'a>(
        &self,
        state: &'a State,
        username: &str,
        flow: Flow,
    ) -> Result<&'a Pool, AwsError> {
        let attempt = Attempt {
            pool_id: self.user_pool_id.as_deref(),
            client_id: self.client_id(),
            username,
            password: "",
            secret_hash: self.secret_hash(),
            validation_data: Value::Null,
        };
        attempt.admit(state, flow)?;
        state.pool_of_client(self.client_id())
    }

    pub(super) fn client_id(&self) -> &str {
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
            Some("USER_SRP_AUTH") => self.by_srp(&input).await,
            Some("CUSTOM_AUTH") => self.by_custom(&input).await,
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
            validation_data: input.validation_data(),
        };
        let is_unknown = self.with(|state, _| attempt.admit(state, flow))?;
        if is_unknown {
            self.migrate_attempt(&attempt).await?;
        }
        let firing = self.with(|state, _| {
            let pool = state.pool_of_client(attempt.client_id)?;
            pool.user(attempt.username)?;
            pool.attempt_firing(attempt.username, attempt.client_id, input.validation_data())
        })?;
        self.fire(firing).await?;
        let stage = self.with(|state, context| attempt.judge(state, context))?;
        self.proceed(stage).await
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
            let data = attempt.validation_data.clone();
            pool.attempt_firing(attempt.username, attempt.client_id, data)
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
            refreshing(pool, session, None)
        })?;
        self.refresh(firing, &session, &pool_id).await
    }

    pub(super) async fn tokens_from_refresh_token(&self, input: Refresh) -> Output {
        Checks::new()
            .required("refreshToken", input.refresh_token.as_deref(), &TOKEN)
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .finish()?;
        let (firing, session, pool_id) = self.with(|state, context| {
            let client_id = input.client_id.as_deref().unwrap_or_default();
            let token = input.refresh_token.as_deref().unwrap_or_default();
            let pool = state.pool_of_client(client_id)?;
            pool.client(client_id)?.check_plain_secret(input.client_secret.as_deref())?;
            let session = pool.refreshed(token, client_id, context.now)?.clone();
            refreshing(pool, session, input.client_metadata.clone())
        })?;
        let mut output = self.refresh(firing, &session, &pool_id).await?;
        if let Some(members) = output.as_object_mut() {
            members.remove("ChallengeParameters");
        }
        Ok(output)
    }

    async fn refresh(&self, firing: Option<Firing>, session: &Session, pool_id: &str) -> Output {
        let response = self.fire(firing).await?;
        let claims = self.with(|state, context| {
            state.pool(pool_id)?.claims(session, response.as_ref(), context)
        })?;
        result(&claims, None).await
    }

    /// After everything has been proved: the last two functions, and the tokens.
    pub(super) async fn grant(&self, grant: Grant) -> Output {
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
                &grant.client_id,
                request,
            ))
        })?;
        self.fire(firing).await?;
        let firing = self.with(|state, _| {
            let pool = state.pool(&grant.pool_id)?;
            let user = pool.user(&grant.username)?;
            let metadata = grant.client_metadata.clone();
            Ok::<_, AwsError>(pool.token_firing(user, &grant.client_id, grant.source, metadata))
        })?;
        let response = self.fire(firing).await?;
        let (claims, session) =
            self.with(|state, context| open(state, &grant, response.as_ref(), context))?;
        result(&claims, Some(&session.refresh_token)).await
    }
}

/// What has to be asked before a session is refreshed.
fn refreshing(
    pool: &Pool,
    session: Session,
    client_metadata: Option<Value>,
) -> Result<(Option<Firing>, Session, String), AwsError> {
    let user = pool.user(&session.username)?;
    if !user.enabled {
        return Err(disabled());
    }
    let source = "TokenGeneration_RefreshTokens";
    let firing = pool.token_firing(user, &session.client_id, source, client_metadata);
    Ok((firing, session, pool.id.clone()))
}

/// The client belongs to the pool that an administrator names.
pub(super) fn check_pool(
    pool: &Pool,
    named: Option<&str>,
    client_id: &str,
) -> Result<(), AwsError> {
    match named {
        Some(id) if id != pool.id => Err(super::error::no_client(client_id)),
        _ => Ok(()),
    }
}

fn open(
    state: &mut State,
    grant: &Grant,
    response: Option<&Map<String, Value>>,
    context: &Context,
) -> Result<(Claims, Session), AwsError> {
    let pool = state.pool_mut(&grant.pool_id)?;
    pool.user(&grant.username)?;
    let session = pool.open_session(&grant.username, &grant.client_id, context.now)?;
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
                Flow::Srp => "USER_SRP_AUTH is not enabled for the client.",
                Flow::Custom => "CUSTOM_AUTH is not enabled for the client.",
                _ => "Auth flow not enabled for this client",
            }));
        }
        let user = pool.find(self.username);
        let own = user.map_or(self.username, |user| &user.username);
        client.check_secret(self.secret_hash, &[self.username, own])?;
        Ok(user.is_none())
    }

    fn judge(&self, state: &mut State, context: &Context) -> Result<Stage, AwsError> {
        let now = context.now;
        let pool = state.pool_of_client_mut(self.client_id)?;
        let user = pool.user_mut(self.username)?;
        if user.is_locked(now) {
            return Err(too_many_passwords());
        }
        if user.status == Status::ResetRequired {
            return Err(reset_required());
        }
        if !user.password_fits(self.password, now) {
            return Err(wrong_password());
        }
        let username = user.username.clone();
        pool.check_status(&username, context)?;
        let proven = Proven {
            username: &username,
            client_id: self.client_id,
            source: "TokenGeneration_Authentication",
            client_metadata: None,
        };
        pool.after_password(&proven, context)
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

    /// The function that may turn somebody away before anything is proved.
    pub(super) fn attempt_firing(
        &self,
        name: &str,
        client_id: &str,
        validation_data: Value,
    ) -> Result<Option<Firing>, AwsError> {
        let user = self.find(name);
        if user.is_some_and(|user| !user.enabled) {
            return Err(disabled());
        }
        let mut request = json!({
            "userAttributes": user.map(User::event_attributes).unwrap_or_default(),
            "validationData": validation_data,
        });
        if self.client(client_id)?.settings.hides_users() {
            request["userNotFound"] = json!(user.is_none());
        }
        let username = user.map_or(name, |user| &user.username);
        Ok(self.authentication(Trigger::PreAuthentication, username, client_id, request))
    }
}
