//! `UserMigration`: a function that knows users whom the pool does not know yet.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::user_not_found;
use super::messages::{Cause, Draft};
use super::pools::Pool;
use super::schema::Author;
use super::triggers::{Occasion, Trigger, shaped};
use super::users::Status;
use super::{Cognito, Context};
use crate::protocol::AwsError;

/// Somebody whom the pool does not know.
#[derive(Debug, Clone)]
pub(super) struct Newcomer<'a> {
    pub(super) client_id: &'a str,
    pub(super) username: &'a str,
    /// What they signed in with; whoever forgot theirs has none.
    pub(super) password: Option<&'a str>,
    pub(super) validation_data: Value,
    pub(super) client_metadata: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Migrated {
    user_attributes: Option<BTreeMap<String, String>>,
    final_user_status: Option<String>,
    message_action: Option<String>,
    desired_delivery_mediums: Option<Vec<String>>,
    force_alias_creation: Option<bool>,
}

impl Cognito {
    /// Asks the function, if there is one, and takes the user over whom it knows: whether it did.
    pub(super) async fn migrate(&self, newcomer: Newcomer<'_>) -> Result<bool, AwsError> {
        let firing = self.with(|state, _| {
            let pool = state.pool_of_client(newcomer.client_id)?;
            Ok::<_, AwsError>(pool.firing(Trigger::UserMigration, &newcomer.occasion()))
        })?;
        let response = match self.fire(firing).await {
            Ok(Some(response)) => response,
            Ok(None) => return Ok(false),
            // This function alone is not told what is wrong with its answer.
            Err(error) if error.code == "InvalidLambdaResponseException" => {
                return Err(newcomer.lost());
            }
            Err(error) => return Err(error),
        };
        let draft = self.with(|state, context| {
            let pool = state.pool_of_client_mut(newcomer.client_id)?;
            newcomer.adopt(pool, &response, context)
        })?;
        match draft {
            Adoption::None => Ok(false),
            Adoption::Silent => Ok(true),
            Adoption::Welcome(draft) => self.deliver(*draft).await.map(|_| true),
        }
    }
}

enum Adoption {
    None,
    Silent,
    Welcome(Box<Draft>),
}

impl Newcomer<'_> {
    fn lost(&self) -> AwsError {
        user_not_found(format!("Exception migrating user in app client {}", self.client_id))
    }

    fn occasion(&self) -> Occasion<'_> {
        let mut request = json!({
            "password": self.password,
            "validationData": self.validation_data,
            "userAttributes": null,
        });
        if let Some(metadata) = &self.client_metadata {
            request["clientMetadata"] = metadata.clone();
        }
        Occasion {
            source: match self.password {
                Some(_) => "UserMigration_Authentication",
                None => "UserMigration_ForgotPassword",
            },
            username: self.username,
            client_id: self.client_id,
            request,
            response: json!({
                "userAttributes": null,
                "forceAliasCreation": null,
                "enableSMSMFA": null,
                "finalUserStatus": null,
                "messageAction": null,
                "desiredDeliveryMediums": null,
            }),
        }
    }

    fn adopt(
        &self,
        pool: &mut Pool,
        response: &Map<String, Value>,
        context: &Context,
    ) -> Result<Adoption, AwsError> {
        let migrated: Migrated = shaped(response).map_err(|_| self.lost())?;
        let Some(mut attributes) = migrated.user_attributes.filter(|given| !given.is_empty())
        else {
            return if pool.client(self.client_id)?.settings.hides_users() {
                Ok(Adoption::None)
            } else {
                Err(self.lost())
            };
        };
        let name = attributes.remove("username").unwrap_or_else(|| self.username.to_owned());
        pool.schema.check(&attributes, Author::Creation).map_err(|_| self.lost())?;
        let mut user = pool
            .new_user(&name, attributes, "User already exists", context.now)
            .map_err(|_| self.lost())?;
        let keeps_password = migrated.final_user_status.as_deref() == Some("CONFIRMED");
        let mut code = None;
        match self.password {
            Some(password) if keeps_password => {
                user.set_password(password, context.now);
                user.status = Status::Confirmed;
            }
            _ => {
                let temporary = pool.settings.password_policy().generate();
                user.set_password(&temporary, context.now);
                user.status = Status::ResetRequired;
                code = Some(temporary);
            }
        }
        let username = user.username.clone();
        pool.users.insert(username.clone(), user);
        if let Some((attribute, other)) = pool.alias_conflict(&username) {
            if migrated.force_alias_creation != Some(true) {
                pool.users.remove(&username);
                return Err(super::error::alias_exists(&attribute));
            }
            if let Some(other) = pool.users.get_mut(&other) {
                other.set_verified(&attribute, false);
            }
        }
        let is_silent = migrated.message_action.as_deref() == Some("SUPPRESS");
        let (Some(code), false) = (code, is_silent) else {
            return Ok(Adoption::Silent);
        };
        let mediums = migrated.desired_delivery_mediums.unwrap_or_default();
        Ok(self
            .welcome(pool, &username, &mediums, code)
            .map_or(Adoption::Silent, Adoption::Welcome))
    }

    fn welcome(
        &self,
        pool: &Pool,
        username: &str,
        mediums: &[String],
        code: String,
    ) -> Option<Box<Draft>> {
        let user = pool.users.get(username)?;
        let attribute = super::admin::invitation_attribute(user, mediums)?;
        let cause = Cause {
            source: "AdminCreateUser",
            client_id: self.client_id,
            attribute,
            to: None,
            code,
            client_metadata: self.client_metadata.clone(),
        };
        Some(Box::new(pool.draft(user, cause)))
    }
}
