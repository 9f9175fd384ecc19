//! Forgotten passwords.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::checks::{CLIENT_ID, CODE, Checks, PASSWORD, POOL_ID, USERNAME};
use super::error::{code_expired, disabled, invalid, no_combination, not_authorized};
use super::messages::{Cause, Draft, delivery_details};
use super::migration::Newcomer;
use super::passwords::Occasion;
use super::pools::Pool;
use super::sign_up::right_code;
use super::triggers::NO_CLIENT;
use super::users::{Purpose, Status, User};
use super::{Cognito, Context, Output};
use crate::protocol::AwsError;

const CODE_LIFETIME: Duration = Duration::from_hours(1);
const NOWHERE: &str =
    "Cannot reset password for the user as there is no registered/verified email or phone_number";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Recovery {
    user_pool_id: Option<String>,
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    password: Option<String>,
    client_metadata: Option<Value>,
}

impl Recovery {
    fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    fn newcomer(&self) -> Newcomer<'_> {
        Newcomer {
            client_id: self.client_id(),
            username: self.username(),
            password: None,
            validation_data: Value::Null,
            client_metadata: self.client_metadata.clone(),
        }
    }
}

impl Cognito {
    pub(super) async fn forgot_password(&self, input: Recovery) -> Output {
        Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .finish()?;
        let (client_id, name) = (input.client_id(), input.username());
        let is_unknown = self.with(|state, _| {
            let pool = state.pool_of_client(client_id)?;
            let user = pool.find(name);
            let own = user.map_or(name, |user| &user.username);
            pool.client(client_id)?.check_secret(input.secret_hash.as_deref(), &[name, own])?;
            pool.check_recovery()?;
            Ok::<_, AwsError>(user.is_none())
        })?;
        if is_unknown && !self.migrate(input.newcomer()).await? {
            let hides = self.with(|state, _| {
                Ok::<_, AwsError>(state.pool_of_client(client_id)?.is_hidden(client_id, name))
            })?;
            // Who must not learn that there is no such user is told of a message that nobody gets.
            return if hides {
                Ok(json!({"CodeDeliveryDetails": delivery_details(name, "email")}))
            } else {
                Err(no_combination())
            };
        }
        let draft = self.with(|state, context| {
            let pool = state.pool_of_client_mut(client_id)?;
            let username = pool.find(name).ok_or_else(no_combination)?.username.clone();
            pool.reset_code(&username, client_id, input.client_metadata.clone(), context)
        })?;
        Ok(json!({"CodeDeliveryDetails": self.deliver(draft).await?}))
    }

    pub(super) async fn confirm_forgot_password(&self, input: Recovery) -> Output {
        Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .required("confirmationCode", input.confirmation_code.as_deref(), &CODE)
            .required("password", input.password.as_deref(), &PASSWORD)
            .finish()?;
        let firing = self.with(|state, context| {
            let client_id = input.client_id();
            let pool = state.pool_of_client_mut(client_id)?;
            let hash = input.secret_hash.as_deref();
            let username = pool.public_user(client_id, input.username(), hash, code_expired)?;
            let password = input.password.as_deref().unwrap_or_default();
            // A password that is refused does not use up the code.
            pool.settings.password_policy().check(password, Occasion::Change)?;
            let user = pool.user_mut(&username)?;
            let text = input.confirmation_code.as_deref().unwrap_or_default();
            let code = right_code(user.try_code(&Purpose::ForgotPassword, text, context.now))?;
            user.forget_code(&Purpose::ForgotPassword);
            user.set_verified(&code.attribute, true);
            user.set_password(password, context.now);
            user.status = Status::Confirmed;
            pool.confirmed_firing(
                &username,
                client_id,
                "ConfirmForgotPassword",
                input.client_metadata.clone(),
            )
        })?;
        self.fire(firing).await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_reset_user_password(&self, input: Recovery) -> Output {
        Checks::new()
            .required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .finish()?;
        let draft = self.with(|state, context| {
            let pool = state.pool_mut(input.user_pool_id.as_deref().unwrap_or_default())?;
            let username = pool.user(input.username())?.username.clone();
            let draft =
                pool.reset_code(&username, NO_CLIENT, input.client_metadata.clone(), context)?;
            let user = pool.user_mut(&username)?;
            user.status = Status::ResetRequired;
            user.modified = context.now;
            Ok::<_, AwsError>(draft)
        })?;
        self.deliver(draft).await?;
        Ok(json!({}))
    }
}

impl Pool {
    /// A code with which a user may set a new password.
    fn reset_code(
        &mut self,
        username: &str,
        client_id: &str,
        client_metadata: Option<Value>,
        context: &Context,
    ) -> Result<Draft, AwsError> {
        let user = self.user(username)?;
        if !user.enabled {
            return Err(disabled());
        }
        if user.status == Status::ForceChangePassword {
            return Err(not_authorized("User password cannot be reset in the current state."));
        }
        let attribute = self.recovery_attribute(user)?;
        let expires = context.now + CODE_LIFETIME;
        let code =
            self.user_mut(username)?.issue_code(Purpose::ForgotPassword, attribute, None, expires);
        let cause = Cause {
            source: "ForgotPassword",
            client_id,
            attribute,
            to: None,
            code,
            client_metadata,
        };
        Ok(self.draft(self.user(username)?, cause))
    }

    /// Where administrators alone reset passwords, nobody else does, whoever they are.
    fn check_recovery(&self) -> Result<(), AwsError> {
        let setting = self.settings.account_recovery_setting.as_ref();
        let mut mechanisms = setting.iter().flat_map(|setting| &setting.recovery_mechanisms);
        if mechanisms.any(|mechanism| mechanism.name == "admin_only") {
            return Err(not_authorized("Contact administrator to reset password."));
        }
        Ok(())
    }

    /// The verified address that the pool prefers. A pool that says nothing prefers the telephone.
    fn recovery_attribute(&self, user: &User) -> Result<&'static str, AwsError> {
        let mut mechanisms =
            self.settings.account_recovery_setting.clone().unwrap_or_default().recovery_mechanisms;
        mechanisms.sort_by_key(|mechanism| mechanism.priority);
        self.check_recovery()?;
        let names: Vec<&str> = if mechanisms.is_empty() {
            vec!["verified_phone_number", "verified_email"]
        } else {
            mechanisms.iter().map(|mechanism| mechanism.name.as_str()).collect()
        };
        names
            .iter()
            .map(|name| if *name == "verified_email" { "email" } else { "phone_number" })
            .find(|attribute| {
                user.is_verified(attribute)
                    && user.attribute(attribute).is_some_and(|value| !value.is_empty())
            })
            .ok_or_else(|| invalid(NOWHERE))
    }
}
