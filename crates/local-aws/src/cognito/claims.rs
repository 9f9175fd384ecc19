//! What tokens say, and what the `PreTokenGeneration` function may change about it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::pools::Pool;
use super::tokens::Session;
use super::triggers::{Firing, Occasion, Trigger, shaped};
use super::users::User;
use super::{Context, ids};
use crate::protocol::AwsError;

const SCOPE: &str = "aws.cognito.signin.user.admin";
/// The developer guide, "Pre token generation Lambda trigger": what no function changes.
const RESERVED: [&str; 23] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cognito:username",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];

/// The claims of the two tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claims {
    pub(super) id: Value,
    pub(super) access: Value,
    pub(super) expires_in: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Overrides {
    claims_override_details: Option<ClaimsOverride>,
    claims_and_scope_override_details: Option<ClaimsAndScopes>,
}

/// Version 1: the ID token alone, and texts alone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimsOverride {
    claims_to_add_or_override: Option<BTreeMap<String, String>>,
    claims_to_suppress: Option<Vec<String>>,
    group_override_details: Option<GroupOverride>,
}

/// Versions 2 and 3.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimsAndScopes {
    id_token_generation: Option<Generation>,
    access_token_generation: Option<Generation>,
    group_override_details: Option<GroupOverride>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Generation {
    claims_to_add_or_override: Option<Map<String, Value>>,
    claims_to_suppress: Option<Vec<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GroupOverride {
    groups_to_override: Option<Vec<String>>,
    iam_roles_to_override: Option<Vec<String>>,
    preferred_role: Option<String>,
}

impl Pool {
    /// The call of `PreTokenGeneration`.
    pub(super) fn token_firing(
        &self,
        user: &User,
        client_id: &str,
        source: &str,
        client_metadata: Option<Value>,
    ) -> Option<Firing> {
        let config = self.settings.lambda_config.pre_token_generation_config.as_ref()?;
        let is_first = config.lambda_version == "V1_0";
        let membership = self.membership(user);
        let mut request = json!({
            "userAttributes": user.event_attributes(),
            "groupConfiguration": {
                "groupsToOverride": membership.groups,
                "iamRolesToOverride": membership.roles,
                "preferredRole": membership.preferred_role,
            },
        });
        if let Some(metadata) = client_metadata {
            request["clientMetadata"] = metadata;
        }
        let response = if is_first {
            json!({"claimsOverrideDetails": null})
        } else {
            request["scopes"] = json!([SCOPE]);
            json!({"claimsAndScopeOverrideDetails": null})
        };
        let occasion = Occasion { source, username: &user.username, client_id, request, response };
        self.firing(Trigger::PreTokenGeneration, &occasion)
    }

    /// What the tokens of that session say.
    pub(super) fn claims(
        &self,
        session: &Session,
        response: Option<&Map<String, Value>>,
        context: &Context,
    ) -> Result<Claims, AwsError> {
        let user = self.user(&session.username)?;
        let settings = &self.client(&session.client_id)?.settings;
        let event = if settings.may_revoke() { crate::ids::uuid() } else { session.origin.clone() };
        let common = |use_: &str, end: SystemTime| {
            let mut claims = Map::new();
            claims.insert("sub".to_owned(), json!(user.sub));
            claims.insert("iss".to_owned(), json!(issuer(&self.id, &context.region)));
            if settings.may_revoke() {
                claims.insert("origin_jti".to_owned(), json!(session.origin));
            }
            claims.insert("event_id".to_owned(), json!(event));
            claims.insert("token_use".to_owned(), json!(use_));
            claims.insert("auth_time".to_owned(), json!(ids::seconds(session.signed_in)));
            claims.insert("exp".to_owned(), json!(ids::seconds(end)));
            claims.insert("iat".to_owned(), json!(ids::seconds(context.now)));
            claims.insert("jti".to_owned(), json!(crate::ids::uuid()));
            claims
        };
        let mut id = common("id", context.now + settings.id_lifetime());
        id.insert("aud".to_owned(), json!(session.client_id));
        id.insert("cognito:username".to_owned(), json!(user.username));
        let readable = user.attributes.iter().filter(|(name, _)| settings.may_read(name));
        id.extend(readable.map(|(name, value)| (name.clone(), claim(name, value))));
        let mut access = common("access", context.now + settings.access_lifetime());
        access.insert("client_id".to_owned(), json!(session.client_id));
        access.insert("username".to_owned(), json!(user.username));
        access.insert("scope".to_owned(), json!(SCOPE));
        let membership = self.membership(user);
        let given = |list: Vec<String>| (!list.is_empty()).then_some(list);
        GroupOverride {
            groups_to_override: given(membership.groups),
            iam_roles_to_override: given(membership.roles),
            preferred_role: membership.preferred_role,
        }
        .apply(&mut id, &mut access);
        if let Some(response) = response {
            shaped::<Overrides>(response)?.apply(&mut id, &mut access);
        }
        Ok(Claims {
            id: Value::Object(id),
            access: Value::Object(access),
            expires_in: settings.access_lifetime().as_secs(),
        })
    }
}

/// Who has issued the tokens of a pool.
pub(super) fn issuer(pool_id: &str, region: &str) -> String {
    format!("https://cognito-idp.{region}.amazonaws.com/{pool_id}")
}

/// An attribute as a claim: a few are no texts.
fn claim(name: &str, value: &str) -> Value {
    match name {
        "email_verified" | "phone_number_verified" => json!(value == "true"),
        "updated_at" => value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)),
        "address" => json!({"formatted": value}),
        _ => json!(value),
    }
}

impl Overrides {
    fn apply(self, id: &mut Map<String, Value>, access: &mut Map<String, Value>) {
        if let Some(details) = self.claims_override_details {
            let added = details.claims_to_add_or_override.unwrap_or_default();
            let added = added.into_iter().map(|(name, value)| (name, json!(value)));
            change(id, added, details.claims_to_suppress.as_deref());
            if let Some(groups) = details.group_override_details {
                groups.apply(id, access);
            }
        }
        if let Some(details) = self.claims_and_scope_override_details {
            if let Some(groups) = details.group_override_details {
                groups.apply(id, access);
            }
            if let Some(generation) = details.id_token_generation {
                let added = generation.claims_to_add_or_override.unwrap_or_default();
                change(id, added, generation.claims_to_suppress.as_deref());
            }
            if let Some(generation) = details.access_token_generation {
                generation.apply_scopes(access);
                let added = generation.claims_to_add_or_override.unwrap_or_default();
                change(access, added, generation.claims_to_suppress.as_deref());
            }
        }
    }
}

impl Generation {
    fn apply_scopes(&self, access: &mut Map<String, Value>) {
        let suppressed = self.scopes_to_suppress.as_deref().unwrap_or_default();
        let mut scopes = vec![SCOPE.to_owned()];
        scopes.extend(self.scopes_to_add.clone().unwrap_or_default());
        scopes.retain(|scope| !suppressed.contains(scope));
        access.insert("scope".to_owned(), json!(scopes.join(" ")));
    }
}

impl GroupOverride {
    fn apply(self, id: &mut Map<String, Value>, access: &mut Map<String, Value>) {
        if let Some(groups) = self.groups_to_override {
            id.insert("cognito:groups".to_owned(), json!(groups));
            access.insert("cognito:groups".to_owned(), json!(groups));
        }
        if let Some(roles) = self.iam_roles_to_override {
            id.insert("cognito:roles".to_owned(), json!(roles));
        }
        if let Some(role) = self.preferred_role {
            id.insert("cognito:preferred_role".to_owned(), json!(role));
        }
    }
}

fn change(
    claims: &mut Map<String, Value>,
    added: impl IntoIterator<Item = (String, Value)>,
    suppressed: Option<&[String]>,
) {
    let is_free = |name: &str| !RESERVED.contains(&name);
    claims.extend(added.into_iter().filter(|(name, _)| is_free(name)));
    for name in suppressed.unwrap_or_default().iter().filter(|name| is_free(name)) {
        claims.remove(name);
    }
}
