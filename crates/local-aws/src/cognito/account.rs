//! What people do to themselves, with their access token.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::checks::{CLIENT_ID, CODE, Checks, PASSWORD, TOKEN};
use super::error::{invalid, not_authorized, wrong_password};
use super::messages::{Cause, Draft};
use super::passwords::Occasion;
use super::pools::Pool;
use super::schema::{Author, NameValue, by_name};
use super::sign_up::right_code;
use super::tokens::Bearer;
use super::users::Purpose;
use super::{Cognito, Context, Output, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

const CODE_LIFETIME: Duration = Duration::from_hours(24);
const CONTACTS: [&str; 2] = ["email", "phone_number"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AccountRequest {
    access_token: Option<String>,
    user_attributes: Vec<NameValue>,
    user_attribute_names: Vec<String>,
    attribute_name: Option<String>,
    code: Option<String>,
    previous_password: Option<String>,
    proposed_password: Option<String>,
    client_metadata: Option<Value>,
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl AccountRequest {
    fn bearer(&self, state: &State, context: &Context) -> Result<Bearer, AwsError> {
        Checks::new().required("accessToken", self.access_token.as_deref(), &TOKEN).finish()?;
        state.bearer(self.access_token.as_deref().unwrap_or_default(), context.now)
    }
}

impl State {
    pub(super) fn get_user(&mut self, body: &[u8], context: &Context) -> Output {
        let bearer = parse::<AccountRequest>(body)?.bearer(self, context)?;
        let pool = self.pool(&bearer.pool_id)?;
        let settings = &pool.client(&bearer.client_id)?.settings;
        let user = pool.user(&bearer.username)?;
        let readable: Vec<String> = std::iter::once("sub")
            .chain(user.attributes.keys().map(String::as_str))
            .filter(|name| *name == "sub" || settings.may_read(name))
            .map(str::to_owned)
            .collect();
        let mut shown = json!({
            "Username": user.username,
            "UserAttributes": user.attribute_list(Some(&readable)),
        });
        user.factors.render_into(&mut shown);
        Ok(shown)
    }

    pub(super) fn delete_user(&mut self, body: &[u8], context: &Context) -> Output {
        let bearer = parse::<AccountRequest>(body)?.bearer(self, context)?;
        self.pool_mut(&bearer.pool_id)?.remove_user(&bearer.username);
        Ok(json!({}))
    }

    pub(super) fn change_password(&mut self, body: &[u8], context: &Context) -> Output {
        let input: AccountRequest = parse(body)?;
        Checks::new()
            .required("proposedPassword", input.proposed_password.as_deref(), &PASSWORD)
            .optional("previousPassword", input.previous_password.as_deref(), &PASSWORD)
            .finish()?;
        let bearer = input.bearer(self, context)?;
        let pool = self.pool_mut(&bearer.pool_id)?;
        let proposed = input.proposed_password.as_deref().unwrap_or_default();
        let policy = pool.settings.password_policy();
        let user = pool.user_mut(&bearer.username)?;
        if user.is_locked(context.now) {
            return Err(super::error::too_many_attempts());
        }
        if !user.password_fits(input.previous_password.as_deref().unwrap_or_default(), context.now)
        {
            return Err(wrong_password());
        }
        policy.check(proposed, Occasion::Change)?;
        user.set_password(proposed, context.now);
        Ok(json!({}))
    }

    pub(super) fn global_sign_out(&mut self, body: &[u8], context: &Context) -> Output {
        let bearer = parse::<AccountRequest>(body)?.bearer(self, context)?;
        self.pool_mut(&bearer.pool_id)?.revoke_sessions(&bearer.username);
        Ok(json!({}))
    }

    /// A token that is unknown counts as revoked (RFC 7009, section 2.2).
    pub(super) fn revoke_token(&mut self, body: &[u8], _: &Context) -> Output {
        let input: AccountRequest = parse(body)?;
        Checks::new()
            .required("token", input.token.as_deref(), &TOKEN)
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .finish()?;
        let client_id = input.client_id.as_deref().unwrap_or_default();
        let pool = self.pool_of_client_mut(client_id)?;
        let client = pool.client(client_id)?;
        client.check_plain_secret(input.client_secret.as_deref())?;
        if !client.settings.may_revoke() {
            return Err(AwsError::bad_request(
                "UnsupportedOperationException",
                "Token revocation is not enabled for this client.",
            ));
        }
        let token = input.token.as_deref();
        if token.is_some_and(|token| token.split('.').count() == 3) {
            return Err(AwsError::bad_request(
                "UnsupportedTokenTypeException",
                "Unsupported token type.",
            ));
        }
        let sessions = pool.sessions.iter_mut();
        for session in sessions.filter(|session| session.client_id == client_id) {
            session.revoked |= Some(session.refresh_token.as_str()) == token;
        }
        Ok(json!({}))
    }

    pub(super) fn delete_user_attributes(&mut self, body: &[u8], context: &Context) -> Output {
        let input: AccountRequest = parse(body)?;
        let bearer = input.bearer(self, context)?;
        let pool = self.pool_mut(&bearer.pool_id)?;
        pool.delete_attributes(&bearer.username, &input.user_attribute_names, Author::User, context)
    }

    pub(super) fn verify_user_attribute(&mut self, body: &[u8], context: &Context) -> Output {
        let input: AccountRequest = parse(body)?;
        Checks::new().required("code", input.code.as_deref(), &CODE).finish()?;
        let bearer = input.bearer(self, context)?;
        let purpose = Purpose::Attribute(input.attribute_name.clone().unwrap_or_default());
        let pool = self.pool_mut(&bearer.pool_id)?;
        let user = pool.user_mut(&bearer.username)?;
        let text = input.code.as_deref().unwrap_or_default();
        let code = right_code(user.try_code(&purpose, text, context.now))?;
        let before = user.clone();
        user.forget_code(&purpose);
        if let Some(value) = code.value {
            user.attributes.insert(code.attribute.clone(), value);
        }
        user.set_verified(&code.attribute, true);
        user.modified = context.now;
        pool.settle_alias(&bearer.username, before, false)?;
        Ok(json!({}))
    }
}

impl Pool {
    pub(super) fn delete_attributes(
        &mut self,
        username: &str,
        names: &[String],
        author: Author,
        context: &Context,
    ) -> Output {
        let emptied: BTreeMap<String, String> =
            names.iter().map(|name| (name.clone(), String::new())).collect();
        let unknown: Vec<String> = names
            .iter()
            .filter(|name| !self.schema.knows(name))
            .map(|name| format!("user.{name}: Attribute does not exist in the schema.\n"))
            .collect();
        if !unknown.is_empty() {
            return Err(invalid(format!("Invalid user attributes: {}", unknown.concat())));
        }
        self.schema.check(&emptied, author)?;
        let required = self.schema.missing(&BTreeMap::new());
        if let Some(name) = names.iter().find(|name| required.contains(name)) {
            return Err(invalid(format!("user.{name}: Attribute cannot be deleted.\n")));
        }
        let user = self.user_mut(username)?;
        user.attributes.retain(|name, _| {
            let owner = name.strip_suffix("_verified").unwrap_or(name);
            !names.iter().any(|gone| gone == name || gone == owner)
        });
        user.modified = context.now;
        Ok(json!({}))
    }

    /// Sets attributes: the messages that prove the addresses among them.
    pub(super) fn set_attributes(
        &mut self,
        username: &str,
        given: &BTreeMap<String, String>,
        cause: &UpdateCause<'_>,
        context: &Context,
    ) -> Result<Vec<Draft>, AwsError> {
        self.schema.check(given, cause.author)?;
        self.check_names(username, given)?;
        let settings = self.settings.clone();
        let before = self.user(username)?.clone();
        let user = self.user_mut(username)?;
        let mut to_prove = Vec::new();
        for (name, value) in given.clone() {
            let is_contact = CONTACTS.contains(&name.as_str());
            let changes = user.attribute(&name) != Some(value.as_str());
            let is_vouched_for =
                given.get(&format!("{name}_verified")).is_some_and(|it| it == "true");
            if is_contact && changes && !is_vouched_for {
                let waits =
                    settings.user_attribute_update_settings.as_ref().is_some_and(|update| {
                        update.attributes_require_verification_before_update.contains(&name)
                    });
                if settings.verifies(&name) && !value.is_empty() {
                    to_prove.push((name.clone(), value.clone(), waits));
                }
                if waits {
                    continue;
                }
                user.set_verified(&name, false);
            }
            if value.is_empty() {
                user.attributes.remove(&name);
                user.attributes.remove(&format!("{name}_verified"));
            } else {
                user.attributes.insert(name, value);
            }
        }
        user.modified = context.now;
        // An administrator who vouches for an address takes it from whoever has it.
        self.settle_alias(username, before, cause.author == Author::Admin)?;
        to_prove
            .into_iter()
            .map(|(name, value, waits)| {
                let pending = waits.then(|| value.clone());
                self.attribute_code(username, &name, &value, pending, cause, context)
            })
            .collect()
    }

    fn attribute_code(
        &mut self,
        username: &str,
        name: &str,
        to: &str,
        pending: Option<String>,
        cause: &UpdateCause<'_>,
        context: &Context,
    ) -> Result<Draft, AwsError> {
        let expires = context.now + CODE_LIFETIME;
        let purpose = Purpose::Attribute(name.to_owned());
        let code = self.user_mut(username)?.issue_code(purpose, name, pending, expires);
        let cause = Cause {
            source: cause.source,
            client_id: cause.client_id,
            attribute: name,
            to: Some(to),
            code,
            client_metadata: cause.client_metadata.clone(),
        };
        Ok(self.draft(self.user(username)?, cause))
    }
}

/// Who changes attributes, and what their message says.
pub(super) struct UpdateCause<'a> {
    pub(super) author: Author,
    pub(super) source: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_metadata: Option<Value>,
}

impl Cognito {
    pub(super) async fn update_user_attributes(&self, input: AccountRequest) -> Output {
        let drafts = self.with(|state, context| {
            let bearer = input.bearer(state, context)?;
            let pool = state.pool_mut(&bearer.pool_id)?;
            let given = by_name(&input.user_attributes);
            let settings = &pool.client(&bearer.client_id)?.settings;
            if given.keys().any(|name| !settings.may_write(name)) {
                return Err(not_authorized("A client attempted to write unauthorized attribute"));
            }
            let cause = UpdateCause {
                author: Author::User,
                source: "UpdateUserAttribute",
                client_id: &bearer.client_id,
                client_metadata: input.client_metadata.clone(),
            };
            pool.set_attributes(&bearer.username, &given, &cause, context)
        })?;
        let mut details = Vec::new();
        for draft in drafts {
            details.push(self.deliver(draft).await?);
        }
        Ok(json!({"CodeDeliveryDetailsList": details}))
    }

    pub(super) async fn send_attribute_code(&self, input: AccountRequest) -> Output {
        let name = input.attribute_name.as_deref().unwrap_or_default();
        Checks::new().one_of("attributeName", Some(name), &CONTACTS).finish()?;
        let draft = self.with(|state, context| {
            let bearer = input.bearer(state, context)?;
            let pool = state.pool_mut(&bearer.pool_id)?;
            let to = pool.user(&bearer.username)?.attribute(name).map(str::to_owned);
            let to = to.ok_or_else(|| invalid(format!("User does not have {name} attribute.")))?;
            let cause = UpdateCause {
                author: Author::User,
                source: "VerifyUserAttribute",
                client_id: &bearer.client_id,
                client_metadata: input.client_metadata.clone(),
            };
            pool.attribute_code(&bearer.username, name, &to, None, &cause, context)
        })?;
        Ok(json!({"CodeDeliveryDetails": self.deliver(draft).await?}))
    }
}
