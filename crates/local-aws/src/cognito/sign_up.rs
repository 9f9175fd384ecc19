//! From a stranger to a confirmed user.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::checks::{CLIENT_ID, CODE, Checks, PASSWORD, POOL_ID, USERNAME};
use super::error::{
    alias_exists, code_expired, code_mismatch, invalid, no_combination, not_authorized,
    too_many_attempts,
};
use super::messages::{Cause, Draft, delivery_details};
use super::passwords::Occasion as PasswordOccasion;
use super::pools::Pool;
use super::schema::{Author, NameValue, by_name};
use super::triggers::{Firing, NO_CLIENT, Occasion, Trigger, shaped, unrecognizable};
use super::users::{Fit, Purpose, Status, User};
use super::{Cognito, Context, Output, State};
use crate::protocol::AwsError;

const CODE_LIFETIME: Duration = Duration::from_hours(24);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    password: Option<String>,
    user_attributes: Vec<NameValue>,
    validation_data: Option<Vec<NameValue>>,
    client_metadata: Option<Value>,
}

/// What names a user: by a client, or by a pool.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[allow(clippy::struct_field_names)] // The names are AWS's.
pub(super) struct Confirmation {
    user_pool_id: Option<String>,
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    force_alias_creation: bool,
    client_metadata: Option<Value>,
}

/// The answer of a `PreSignUp` function.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(clippy::struct_field_names)] // The names are AWS's.
pub(super) struct PreSignUp {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
    auto_verify_phone: Option<bool>,
}

/// What happens after the state has changed.
struct Aftermath {
    sub: String,
    confirmed: bool,
    post_confirmation: Option<Firing>,
    draft: Option<Draft>,
}

impl SignUp {
    fn check(&self) -> Result<(), AwsError> {
        Checks::new()
            .required("clientId", self.client_id.as_deref(), &CLIENT_ID)
            .required("username", self.username.as_deref(), &USERNAME)
            .required("password", self.password.as_deref(), &PASSWORD)
            .finish()
    }

    fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    fn password(&self) -> &str {
        self.password.as_deref().unwrap_or_default()
    }

    /// The user as they would be, refused where the pool would not have them.
    fn user(&self, pool: &Pool, context: &Context) -> Result<User, AwsError> {
        let client = pool.client(self.client_id())?;
        client.check_secret(self.secret_hash.as_deref(), &[self.username()])?;
        if pool.settings.admin_create_user_config.allow_admin_create_user_only {
            return Err(not_authorized("SignUp is not permitted for this user pool"));
        }
        let given = by_name(&self.user_attributes);
        if given.keys().any(|name| !client.settings.may_write(name)) {
            return Err(not_authorized("A client attempted to write unauthorized attribute"));
        }
        pool.settings.password_policy().check(self.password(), PasswordOccasion::SignUp)?;
        let user = pool.new_user(self.username(), given, "User already exists", context.now)?;
        pool.schema.check(&user.attributes, Author::SignUp)?;
        Ok(user)
    }
}

impl Cognito {
    pub(super) async fn sign_up(&self, input: SignUp) -> Output {
        input.check()?;
        let (user, firing) = self.with(|state, context| {
            let pool = state.pool_of_client(input.client_id())?;
            let user = input.user(pool, context)?;
            let firing = pool.pre_sign_up_firing(
                "PreSignUp_SignUp",
                &user,
                input.client_id(),
                input.validation_data.as_deref(),
                input.client_metadata.clone(),
            );
            Ok::<_, AwsError>((user, firing))
        })?;
        let response = self.fire(firing).await?;
        let after = self.with(|state, context| {
            finish_sign_up(state, &input, user, response.as_ref(), context)
        })?;
        self.fire(after.post_confirmation).await?;
        let mut output = json!({"UserConfirmed": after.confirmed, "UserSub": after.sub});
        if let Some(draft) = after.draft {
            output["CodeDeliveryDetails"] = self.deliver(draft).await?;
        }
        Ok(output)
    }

    pub(super) async fn confirm_sign_up(&self, input: Confirmation) -> Output {
        Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .required("confirmationCode", input.confirmation_code.as_deref(), &CODE)
            .finish()?;
        let firing = self.with(|state, context| {
            let client_id = input.client_id.as_deref().unwrap_or_default();
            let name = input.username.as_deref().unwrap_or_default();
            let pool = state.pool_of_client_mut(client_id)?;
            let username =
                pool.public_user(client_id, name, input.secret_hash.as_deref(), code_expired)?;
            pool.confirm_by_code(&username, &input, context)?;
            pool.confirmed_firing(
                &username,
                client_id,
                "ConfirmSignUp",
                input.client_metadata.clone(),
            )
        })?;
        self.fire(firing).await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_confirm_sign_up(&self, input: Confirmation) -> Output {
        Checks::new()
            .required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .finish()?;
        let firing = self.with(|state, context| {
            let pool = state.pool_mut(input.user_pool_id.as_deref().unwrap_or_default())?;
            let user = pool.user_mut(input.username.as_deref().unwrap_or_default())?;
            must_be_unconfirmed(user)?;
            user.status = Status::Confirmed;
            user.modified = context.now;
            user.forget_code(&Purpose::SignUp);
            let username = user.username.clone();
            pool.confirmed_firing(
                &username,
                NO_CLIENT,
                "ConfirmSignUp",
                input.client_metadata.clone(),
            )
        })?;
        self.fire(firing).await?;
        Ok(json!({}))
    }

    pub(super) async fn resend_confirmation_code(&self, input: Confirmation) -> Output {
        Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .finish()?;
        let client_id = input.client_id.as_deref().unwrap_or_default();
        let name = input.username.as_deref().unwrap_or_default();
        let draft = self.with(|state, context| {
            let pool = state.pool_of_client_mut(client_id)?;
            if pool.is_hidden(client_id, name) {
                pool.client(client_id)?.check_secret(input.secret_hash.as_deref(), &[name])?;
                return Ok(None);
            }
            let username =
                pool.public_user(client_id, name, input.secret_hash.as_deref(), no_combination)?;
            if pool.user(&username)?.status != Status::Unconfirmed {
                return Err(invalid("User is already confirmed."));
            }
            let metadata = input.client_metadata.clone();
            let draft = pool.sign_up_code(&username, client_id, "ResendCode", metadata, context)?;
            match draft {
                Some(draft) => Ok(Some(draft)),
                None => Err(invalid("Cannot resend codes. Auto verification not turned on.")),
            }
        })?;
        let details = match draft {
            Some(draft) => self.deliver(draft).await?,
            None => delivery_details(name, "email"),
        };
        Ok(json!({"CodeDeliveryDetails": details}))
    }
}

fn finish_sign_up(
    state: &mut State,
    input: &SignUp,
    mut user: User,
    response: Option<&Map<String, Value>>,
    context: &Context,
) -> Result<Aftermath, AwsError> {
    let pool = state.pool_of_client_mut(input.client_id())?;
    // Somebody else may have taken the name while the function was running.
    input.user(pool, context)?;
    user.set_password(input.password(), context.now);
    for attribute in ["email", "phone_number"] {
        if pool.settings.verifies(attribute) && user.attribute(attribute).is_some() {
            user.set_verified(attribute, false);
        }
    }
    let answer = response.map(shaped::<PreSignUp>).transpose()?.unwrap_or_default();
    let confirmed = answer.apply(&mut user)?;
    let (username, sub) = (user.username.clone(), user.sub.clone());
    pool.users.insert(username.clone(), user);
    if confirmed && let Some((attribute, _)) = pool.alias_conflict(&username) {
        pool.users.remove(&username);
        return Err(alias_exists(&attribute));
    }
    let metadata = input.client_metadata.clone();
    let (post_confirmation, draft) = if confirmed {
        (pool.confirmed_firing(&username, input.client_id(), "ConfirmSignUp", metadata)?, None)
    } else {
        (None, pool.sign_up_code(&username, input.client_id(), "SignUp", metadata, context)?)
    };
    Ok(Aftermath { sub, confirmed, post_confirmation, draft })
}

impl PreSignUp {
    /// What the function said of a user: whether they are confirmed.
    pub(super) fn apply(&self, user: &mut User) -> Result<bool, AwsError> {
        for (attribute, verified) in
            [("email", self.auto_verify_email), ("phone_number", self.auto_verify_phone)]
        {
            if verified == Some(true) {
                if user.attribute(attribute).is_none_or(str::is_empty) {
                    return Err(unrecognizable());
                }
                user.set_verified(attribute, true);
            }
        }
        let confirmed = self.auto_confirm_user == Some(true);
        if confirmed {
            user.status = Status::Confirmed;
        }
        Ok(confirmed)
    }
}

fn must_be_unconfirmed(user: &User) -> Result<(), AwsError> {
    if user.status == Status::Unconfirmed {
        return Ok(());
    }
    Err(not_authorized(format!(
        "User cannot be confirmed. Current status is {}",
        user.status.name()
    )))
}

impl Pool {
    pub(super) fn pre_sign_up_firing(
        &self,
        source: &str,
        user: &User,
        client_id: &str,
        validation_data: Option<&[NameValue]>,
        client_metadata: Option<Value>,
    ) -> Option<Firing> {
        let mut request = json!({
            "userAttributes": user.attributes,
            "validationData": validation_data.map(by_name),
        });
        if let Some(metadata) = client_metadata {
            request["clientMetadata"] = metadata;
        }
        let occasion = Occasion {
            source,
            username: &user.username,
            client_id,
            request,
            response: json!({
                "autoConfirmUser": false,
                "autoVerifyEmail": false,
                "autoVerifyPhone": false,
            }),
        };
        self.firing(Trigger::PreSignUp, &occasion)
    }

    pub(super) fn confirmed_firing(
        &self,
        username: &str,
        client_id: &str,
        source: &str,
        client_metadata: Option<Value>,
    ) -> Result<Option<Firing>, AwsError> {
        let user = self.user(username)?;
        let mut request = json!({"userAttributes": user.event_attributes()});
        if let Some(metadata) = client_metadata {
            request["clientMetadata"] = metadata;
        }
        let occasion = Occasion {
            source: &format!("PostConfirmation_{source}"),
            username,
            client_id,
            request,
            response: json!({}),
        };
        Ok(self.firing(Trigger::PostConfirmation, &occasion))
    }

    /// Whether a client must not let on that there is no such user.
    pub(super) fn is_hidden(&self, client_id: &str, name: &str) -> bool {
        self.find(name).is_none()
            && self.clients.get(client_id).is_some_and(|client| client.settings.hides_users())
    }

    /// The user whom somebody without credentials means; where there is none, a client may have to say `hidden` instead.
    pub(super) fn public_user(
        &self,
        client_id: &str,
        name: &str,
        secret_hash: Option<&str>,
        hidden: fn() -> AwsError,
    ) -> Result<String, AwsError> {
        let client = self.client(client_id)?;
        let Some(user) = self.find(name) else {
            client.check_secret(secret_hash, &[name])?;
            return Err(if client.settings.hides_users() { hidden() } else { no_combination() });
        };
        client.check_secret(secret_hash, &[name, &user.username])?;
        Ok(user.username.clone())
    }

    /// A fresh code for whoever has to prove an address; a telephone goes before e-mail.
    fn sign_up_code(
        &mut self,
        username: &str,
        client_id: &str,
        source: &str,
        client_metadata: Option<Value>,
        context: &Context,
    ) -> Result<Option<Draft>, AwsError> {
        let settings = self.settings.clone();
        let user = self.user_mut(username)?;
        let Some(attribute) = ["phone_number", "email"].into_iter().find(|attribute| {
            settings.verifies(attribute)
                && user.attribute(attribute).is_some_and(|value| !value.is_empty())
                && !user.is_verified(attribute)
        }) else {
            return Ok(None);
        };
        let code = user.issue_code(Purpose::SignUp, attribute, None, context.now + CODE_LIFETIME);
        let cause = Cause { source, client_id, attribute, to: None, code, client_metadata };
        Ok(Some(self.draft(self.user(username)?, cause)))
    }

    fn confirm_by_code(
        &mut self,
        username: &str,
        input: &Confirmation,
        context: &Context,
    ) -> Result<(), AwsError> {
        let user = self.user_mut(username)?;
        must_be_unconfirmed(user)?;
        let text = input.confirmation_code.as_deref().unwrap_or_default();
        let code = right_code(user.try_code(&Purpose::SignUp, text, context.now))?;
        let before = user.clone();
        user.set_verified(&code.attribute, true);
        user.status = Status::Confirmed;
        user.modified = context.now;
        user.forget_code(&Purpose::SignUp);
        self.settle_alias(username, before, input.force_alias_creation)
    }

    /// Where somebody else has the alias of a user who has just proved it: it moves if that is forced, and otherwise the
    /// user stays as they were `before`.
    pub(super) fn settle_alias(
        &mut self,
        username: &str,
        before: User,
        force: bool,
    ) -> Result<(), AwsError> {
        let Some((attribute, other)) = self.alias_conflict(username) else {
            return Ok(());
        };
        if !force {
            self.users.insert(username.to_owned(), before);
            return Err(alias_exists(&attribute));
        }
        if let Some(other) = self.users.get_mut(&other) {
            other.set_verified(&attribute, false);
        }
        Ok(())
    }
}

/// The code, or the error that says what is wrong with it.
pub(super) fn right_code(fit: Fit) -> Result<super::users::Code, AwsError> {
    match fit {
        Fit::Right(code) => Ok(code),
        Fit::Wrong => Err(code_mismatch()),
        Fit::Expired => Err(code_expired()),
        Fit::TooOften => Err(too_many_attempts()),
    }
}
