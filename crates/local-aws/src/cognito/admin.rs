//! What administrators do to users.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::account::UpdateCause;
use super::checks::{Checks, PASSWORD, POOL_ID, USERNAME};
use super::error::{alias_exists, no_user};
use super::messages::{Cause, Draft};
use super::passwords::Occasion;
use super::pools::Pool;
use super::schema::{Author, NameValue, by_name};
use super::sign_up::PreSignUp;
use super::triggers::{Firing, NO_CLIENT, shaped};
use super::users::{Status, User};
use super::{Cognito, Context, Output, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AdminRequest {
    user_pool_id: Option<String>,
    username: Option<String>,
    password: Option<String>,
    permanent: bool,
    user_attributes: Vec<NameValue>,
    user_attribute_names: Vec<String>,
    validation_data: Option<Vec<NameValue>>,
    temporary_password: Option<String>,
    force_alias_creation: bool,
    message_action: Option<String>,
    desired_delivery_mediums: Vec<String>,
    client_metadata: Option<Value>,
}

impl AdminRequest {
    fn check(&self) -> Result<(), AwsError> {
        self.checks().finish()
    }

    fn checks(&self) -> Checks {
        Checks::new().required("userPoolId", self.user_pool_id.as_deref(), &POOL_ID).required(
            "username",
            self.username.as_deref(),
            &USERNAME,
        )
    }

    fn pool_id(&self) -> &str {
        self.user_pool_id.as_deref().unwrap_or_default()
    }

    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    fn is_resend(&self) -> bool {
        self.message_action.as_deref() == Some("RESEND")
    }
}

/// The pool and the user that a request names.
fn named<'a>(state: &'a mut State, body: &[u8]) -> Result<(&'a mut Pool, String), AwsError> {
    let input: AdminRequest = parse(body)?;
    input.check()?;
    let pool = state.pool_mut(input.pool_id())?;
    let username = pool.user(input.username())?.username.clone();
    Ok((pool, username))
}

impl State {
    pub(super) fn admin_get_user(&mut self, body: &[u8], _: &Context) -> Output {
        let (pool, username) = named(self, body)?;
        let user = pool.user(&username)?;
        let mut shown = user.render("UserAttributes", None);
        user.factors.render_into(&mut shown);
        Ok(shown)
    }

    pub(super) fn admin_delete_user(&mut self, body: &[u8], _: &Context) -> Output {
        let (pool, username) = named(self, body)?;
        pool.remove_user(&username);
        Ok(json!({}))
    }

    pub(super) fn admin_set_user_password(&mut self, body: &[u8], context: &Context) -> Output {
        let input: AdminRequest = parse(body)?;
        input.checks().required("password", input.password.as_deref(), &PASSWORD).finish()?;
        let (pool, username) = named(self, body)?;
        let policy = pool.settings.password_policy();
        let password = input.password.as_deref().unwrap_or_default();
        policy.check(password, Occasion::Change)?;
        let until = temporary_until(pool, context);
        let user = pool.user_mut(&username)?;
        user.set_password(password, context.now);
        if input.permanent {
            user.status = Status::Confirmed;
        } else {
            user.status = Status::ForceChangePassword;
            user.temporary_until = until;
        }
        Ok(json!({}))
    }

    pub(super) fn admin_enable_user(&mut self, body: &[u8], context: &Context) -> Output {
        enable(self, body, true, context)
    }

    pub(super) fn admin_disable_user(&mut self, body: &[u8], context: &Context) -> Output {
        enable(self, body, false, context)
    }

    pub(super) fn admin_user_global_sign_out(&mut self, body: &[u8], _: &Context) -> Output {
        let (pool, username) = named(self, body)?;
        pool.revoke_sessions(&username);
        Ok(json!({}))
    }

    pub(super) fn admin_delete_user_attributes(
        &mut self,
        body: &[u8],
        context: &Context,
    ) -> Output {
        let names = parse::<AdminRequest>(body)?.user_attribute_names;
        let (pool, username) = named(self, body)?;
        pool.delete_attributes(&username, &names, Author::Admin, context)
    }
}

fn enable(state: &mut State, body: &[u8], enabled: bool, context: &Context) -> Output {
    let (pool, username) = named(state, body)?;
    let user = pool.user_mut(&username)?;
    user.enabled = enabled;
    user.modified = context.now;
    if !enabled {
        pool.revoke_sessions(&username);
    }
    Ok(json!({}))
}

/// When a temporary password that is set now ends.
fn temporary_until(pool: &Pool, context: &Context) -> Option<std::time::SystemTime> {
    let days = pool.settings.password_policy().temporary_password_validity_days?;
    let days = u64::try_from(days).ok()?;
    Some(context.now + Duration::from_secs(days * DAY))
}

const MEDIUMS: [(&str, &str, &str); 2] = [
    ("SMS", "phone_number", "No phone number provided but desired delivery medium was SMS"),
    ("EMAIL", "email", "No email provided but desired delivery medium was Email"),
];

fn has(user: &User, attribute: &str) -> bool {
    user.attribute(attribute).is_some_and(|value| !value.is_empty())
}

/// The attribute with the address for an invitation: of the mediums that were asked for, the first that there is. Where none
/// was asked for, it is SMS.
pub(super) fn invitation_attribute(user: &User, mediums: &[String]) -> Option<&'static str> {
    let wants = |medium: &str| match mediums {
        [] => medium == "SMS",
        mediums => mediums.iter().any(|one| one == medium),
    };
    MEDIUMS
        .into_iter()
        .find(|(medium, attribute, _)| wants(medium) && has(user, attribute))
        .map(|(_, attribute, _)| attribute)
}

/// An invitation needs an address of each medium that was asked for.
fn check_mediums(user: &User, mediums: &[String]) -> Result<(), AwsError> {
    let missing = MEDIUMS.into_iter().find(|(medium, attribute, _)| {
        mediums.iter().any(|one| one == medium) && !has(user, attribute)
    });
    match missing {
        Some((_, _, message)) => Err(AwsError::bad_request("InvalidParameterException", message)),
        None => Ok(()),
    }
}

impl Cognito {
    pub(super) async fn admin_create_user(&self, input: AdminRequest) -> Output {
        input
            .checks()
            .optional("temporaryPassword", input.temporary_password.as_deref(), &PASSWORD)
            .one_of("messageAction", input.message_action.as_deref(), &["RESEND", "SUPPRESS"])
            .all_of("desiredDeliveryMediums", &input.desired_delivery_mediums, &["SMS", "EMAIL"])
            .finish()?;
        if input.is_resend() {
            return self.invite_again(&input).await;
        }
        let (user, firing) = self.with(|state, context| {
            let pool = state.pool(input.pool_id())?;
            let user = input.new_user(pool, context)?;
            let firing = input.pre_sign_up(pool, &user);
            Ok::<_, AwsError>((user, firing))
        })?;
        let response = self.fire(firing).await?;
        let (shown, draft) = self.with(|state, context| {
            let pool = state.pool_mut(input.pool_id())?;
            input.insert(pool, user, response.as_ref(), context)
        })?;
        if let Some(draft) = draft {
            self.deliver(draft).await?;
        }
        Ok(json!({"User": shown}))
    }

    async fn invite_again(&self, input: &AdminRequest) -> Output {
        let (shown, draft) = self.with(|state, context| {
            let pool = state.pool_mut(input.pool_id())?;
            let until = temporary_until(pool, context);
            let user = pool.find_mut(input.username()).ok_or_else(no_user)?;
            if user.status != Status::ForceChangePassword {
                let message = format!(
                    "Resend not possible. {} status is not FORCE_CHANGE_PASSWORD",
                    user.username
                );
                return Err(AwsError::bad_request("UnsupportedUserStateException", message));
            }
            let username = user.username.clone();
            let password = input.temporary_password(pool)?;
            let user = pool.user_mut(&username)?;
            user.set_password(&password, context.now);
            user.temporary_until = until;
            let user = pool.user(&username)?;
            Ok((user.render("Attributes", None), input.invitation(pool, user, password)))
        })?;
        if let Some(draft) = draft {
            self.deliver(draft).await?;
        }
        Ok(json!({"User": shown}))
    }

    pub(super) async fn admin_update_user_attributes(&self, input: AdminRequest) -> Output {
        input.check()?;
        let drafts = self.with(|state, context| {
            let pool = state.pool_mut(input.pool_id())?;
            let username = pool.user(input.username())?.username.clone();
            let cause = UpdateCause {
                author: Author::Admin,
                source: "UpdateUserAttribute",
                client_id: NO_CLIENT,
                client_metadata: input.client_metadata.clone(),
            };
            pool.set_attributes(&username, &by_name(&input.user_attributes), &cause, context)
        })?;
        for draft in drafts {
            self.deliver(draft).await?;
        }
        Ok(json!({}))
    }
}

impl AdminRequest {
    fn new_user(&self, pool: &Pool, context: &Context) -> Result<User, AwsError> {
        let user = pool.new_user(
            self.username(),
            by_name(&self.user_attributes),
            "User account already exists",
            context.now,
        )?;
        pool.schema.check(&user.attributes, Author::Creation)?;
        check_mediums(&user, &self.desired_delivery_mediums)?;
        self.temporary_password(pool)?;
        Ok(user)
    }

    fn temporary_password(&self, pool: &Pool) -> Result<String, AwsError> {
        let policy = pool.settings.password_policy();
        let Some(password) = &self.temporary_password else {
            return Ok(policy.generate());
        };
        policy.check(password, Occasion::AdminCreate)?;
        Ok(password.clone())
    }

    fn pre_sign_up(&self, pool: &Pool, user: &User) -> Option<Firing> {
        pool.pre_sign_up_firing(
            "PreSignUp_AdminCreateUser",
            user,
            NO_CLIENT,
            self.validation_data.as_deref(),
            self.client_metadata.clone(),
        )
    }

    fn insert(
        &self,
        pool: &mut Pool,
        mut user: User,
        response: Option<&Map<String, Value>>,
        context: &Context,
    ) -> Result<(Value, Option<Draft>), AwsError> {
        self.new_user(pool, context)?;
        let password = self.temporary_password(pool)?;
        user.set_password(&password, context.now);
        user.temporary_until = temporary_until(pool, context);
        let answer = response.map(shaped::<PreSignUp>).transpose()?.unwrap_or_default();
        answer.apply(&mut user)?;
        // Whatever the function says: a user whom somebody else has made still has to set a password.
        user.status = Status::ForceChangePassword;
        let username = user.username.clone();
        pool.users.insert(username.clone(), user);
        if let Some((attribute, other)) = pool.alias_conflict(&username) {
            if !self.force_alias_creation {
                pool.users.remove(&username);
                return Err(alias_exists(&attribute));
            }
            if let Some(other) = pool.users.get_mut(&other) {
                other.set_verified(&attribute, false);
            }
        }
        let user = pool.user(&username)?;
        let draft = match self.message_action {
            Some(_) => None,
            None => self.invitation(pool, user, password),
        };
        Ok((user.render("Attributes", None), draft))
    }

    fn invitation(&self, pool: &Pool, user: &User, password: String) -> Option<Draft> {
        let attribute = invitation_attribute(user, &self.desired_delivery_mediums)?;
        let cause = Cause {
            source: "AdminCreateUser",
            client_id: NO_CLIENT,
            attribute,
            to: None,
            code: password,
            client_metadata: self.client_metadata.clone(),
        };
        Some(pool.draft(user, cause))
    }
}
