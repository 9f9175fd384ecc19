//! App clients: through which flows people may sign in, and for how long.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::checks::{CLIENT_ID, Checks, NAMED};
use super::error::{invalid, not_authorized, unsupported};
use super::passwords::hmac_sha256;
use super::pools::{page, pool_id};
use super::settings::without_nulls;
use super::{Context, Output, State, ids};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

const OLD_FLOWS: [&str; 3] = ["ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"];
const FLOWS: [&str; 9] = [
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY",
    "USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_AUTH",
];
const UNITS: [&str; 4] = ["seconds", "minutes", "hours", "days"];
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What `UpdateUserPoolClient` replaces: as with pools, whatever is left out goes back to its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ClientSettings {
    client_name: Option<String>,
    refresh_token_validity: Option<i64>,
    access_token_validity: Option<i64>,
    id_token_validity: Option<i64>,
    token_validity_units: Option<TokenValidityUnits>,
    pub(super) read_attributes: Option<Vec<String>>,
    write_attributes: Option<Vec<String>>,
    explicit_auth_flows: Option<Vec<String>>,
    supported_identity_providers: Option<Vec<String>>,
    #[serde(rename = "CallbackURLs")]
    callback_urls: Option<Vec<String>>,
    #[serde(rename = "LogoutURLs")]
    logout_urls: Option<Vec<String>>,
    #[serde(rename = "DefaultRedirectURI")]
    default_redirect_uri: Option<String>,
    #[serde(rename = "AllowedOAuthFlows")]
    allowed_oauth_flows: Option<Vec<String>>,
    #[serde(rename = "AllowedOAuthScopes")]
    allowed_oauth_scopes: Option<Vec<String>>,
    #[serde(rename = "AllowedOAuthFlowsUserPoolClient")]
    allowed_oauth_flows_user_pool_client: Option<bool>,
    analytics_configuration: Option<Map<String, Value>>,
    prevent_user_existence_errors: Option<String>,
    enable_token_revocation: Option<bool>,
    enable_propagate_additional_user_context_data: Option<bool>,
    auth_session_validity: Option<i64>,
    refresh_token_rotation: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[allow(clippy::struct_field_names)] // The names are AWS's.
struct TokenValidityUnits {
    access_token: Option<String>,
    id_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ClientRequest {
    client_id: Option<String>,
    client_name: Option<String>,
    generate_secret: bool,
    client_secret: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// A way to sign in that works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    UserPassword,
    AdminUserPassword,
    Srp,
    Custom,
    Refresh,
}

/// An app client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pool_id: String,
    secret: Option<String>,
    pub(super) settings: ClientSettings,
    created: SystemTime,
    modified: SystemTime,
}

impl ClientSettings {
    fn complete(mut self) -> Result<Self, AwsError> {
        let word = |word: Option<&Option<String>>| word.cloned().flatten();
        let units = self.token_validity_units.as_ref();
        let flows = self.explicit_auth_flows.clone().unwrap_or_default();
        let access = word(units.map(|units| &units.access_token));
        let id = word(units.map(|units| &units.id_token));
        let refresh = word(units.map(|units| &units.refresh_token));
        Checks::new()
            .required("clientName", self.client_name.as_deref(), &NAMED)
            .all_of("explicitAuthFlows", &flows, &FLOWS)
            .one_of("tokenValidityUnits.accessToken", access.as_deref(), &UNITS)
            .one_of("tokenValidityUnits.idToken", id.as_deref(), &UNITS)
            .one_of("tokenValidityUnits.refreshToken", refresh.as_deref(), &UNITS)
            .one_of(
                "preventUserExistenceErrors",
                self.prevent_user_existence_errors.as_deref(),
                &["LEGACY", "ENABLED"],
            )
            .range("refreshTokenValidity", self.refresh_token_validity, 0, 315_360_000)
            .range("accessTokenValidity", self.access_token_validity, 1, 86_400)
            .range("idTokenValidity", self.id_token_validity, 1, 86_400)
            .range("authSessionValidity", self.auth_session_validity, 3, 15)
            .finish()?;
        let is_old = |flow: &String| OLD_FLOWS.contains(&flow.as_str());
        if flows.iter().any(is_old) && !flows.iter().all(is_old) {
            return Err(invalid(
                "ExplicitAuthFlows cannot mix values that start with ALLOW_ with values that do not.",
            ));
        }
        let rotation = self.refresh_token_rotation.as_ref();
        if rotation.and_then(|rotation| rotation.get("Feature")) == Some(&json!("ENABLED")) {
            return Err(unsupported("RefreshTokenRotation"));
        }
        // 0 days is how a request says "the default".
        let validity = self.refresh_token_validity.filter(|validity| *validity != 0);
        self.refresh_token_validity = Some(validity.unwrap_or(30));
        self.enable_token_revocation.get_or_insert(true);
        self.enable_propagate_additional_user_context_data.get_or_insert(false);
        self.auth_session_validity.get_or_insert(3);
        self.allowed_oauth_flows_user_pool_client.get_or_insert(false);
        self.check_lifetimes()?;
        Ok(self)
    }

    fn check_lifetimes(&self) -> Result<(), AwsError> {
        let short = 5 * MINUTE..=DAY;
        let long = HOUR..=3650 * DAY;
        if short.contains(&self.access_lifetime().as_secs())
            && short.contains(&self.id_lifetime().as_secs())
            && long.contains(&self.refresh_lifetime().as_secs())
        {
            Ok(())
        } else {
            Err(invalid("Invalid range for token validity."))
        }
    }

    pub(super) fn access_lifetime(&self) -> Duration {
        let unit = self.units().access_token;
        lifetime(self.access_token_validity.unwrap_or(1), unit.as_deref().unwrap_or("hours"))
            .unwrap_or(Duration::from_secs(HOUR))
    }

    pub(super) fn id_lifetime(&self) -> Duration {
        let unit = self.units().id_token;
        lifetime(self.id_token_validity.unwrap_or(1), unit.as_deref().unwrap_or("hours"))
            .unwrap_or(Duration::from_secs(HOUR))
    }

    pub(super) fn refresh_lifetime(&self) -> Duration {
        let unit = self.units().refresh_token;
        lifetime(self.refresh_token_validity.unwrap_or(30), unit.as_deref().unwrap_or("days"))
            .unwrap_or(Duration::from_secs(30 * DAY))
    }

    /// How long a challenge waits for its answer.
    pub(super) fn challenge_lifetime(&self) -> Duration {
        lifetime(self.auth_session_validity.unwrap_or(3), "minutes")
            .unwrap_or(Duration::from_secs(3 * MINUTE))
    }

    fn units(&self) -> TokenValidityUnits {
        self.token_validity_units.clone().unwrap_or_default()
    }

    pub(super) fn hides_users(&self) -> bool {
        self.prevent_user_existence_errors.as_deref() == Some("ENABLED")
    }

    pub(super) fn may_revoke(&self) -> bool {
        self.enable_token_revocation == Some(true)
    }

    pub(super) fn allows(&self, flow: Flow) -> bool {
        let Some(flows) = self.explicit_auth_flows.as_ref().filter(|flows| !flows.is_empty())
        else {
            return matches!(flow, Flow::Srp | Flow::Custom | Flow::Refresh);
        };
        let names: &[&str] = match flow {
            Flow::UserPassword => &["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"],
            Flow::AdminUserPassword => &["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"],
            Flow::Srp => &["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"],
            Flow::Custom => &[
                "ALLOW_CUSTOM_AUTH",
                "CUSTOM_AUTH_FLOW_ONLY",
                "ADMIN_NO_SRP_AUTH",
                "USER_PASSWORD_AUTH",
            ],
            // The older values never said anything about refreshing: it is allowed.
            Flow::Refresh => &[
                "ALLOW_REFRESH_TOKEN_AUTH",
                "USER_PASSWORD_AUTH",
                "ADMIN_NO_SRP_AUTH",
                "CUSTOM_AUTH_FLOW_ONLY",
            ],
        };
        flows.iter().any(|allowed| names.contains(&allowed.as_str()))
    }

    /// Whether people may set that attribute through this client.
    pub(super) fn may_write(&self, attribute: &str) -> bool {
        self.write_attributes
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == attribute))
    }

    pub(super) fn may_read(&self, attribute: &str) -> bool {
        self.read_attributes.as_ref().is_none_or(|names| names.iter().any(|name| name == attribute))
    }
}

fn lifetime(count: i64, unit: &str) -> Option<Duration> {
    let unit = match unit {
        "seconds" => 1,
        "minutes" => MINUTE,
        "hours" => HOUR,
        _ => DAY,
    };
    u64::try_from(count).ok()?.checked_mul(unit).map(Duration::from_secs)
}

impl Client {
    fn render(&self) -> Value {
        let mut shown = without_nulls(serde_json::to_value(&self.settings).unwrap_or_default());
        shown["UserPoolId"] = json!(self.pool_id);
        shown["ClientId"] = json!(self.id);
        shown["CreationDate"] = ids::timestamp(self.created);
        shown["LastModifiedDate"] = ids::timestamp(self.modified);
        if let Some(secret) = &self.secret {
            shown["ClientSecret"] = json!(secret);
        }
        shown
    }

    pub(super) fn snapshot(&self) -> Value {
        self.render()
    }

    /// Checks `SECRET_HASH`, which covers one of the names that the user goes by.
    pub(super) fn check_secret(&self, given: Option<&str>, names: &[&str]) -> Result<(), AwsError> {
        let Some(secret) = &self.secret else {
            return match given {
                None => Ok(()),
                Some(_) => Err(self.wrong_secret()),
            };
        };
        let Some(given) = given else {
            return Err(not_authorized(format!(
                "Client {} is configured with secret but SECRET_HASH was not received",
                self.id
            )));
        };
        let fits = |name: &&str| {
            STANDARD.encode(hmac_sha256(secret, &format!("{name}{}", self.id))) == given
        };
        if names.iter().any(fits) { Ok(()) } else { Err(self.wrong_secret()) }
    }

    pub(super) fn check_plain_secret(&self, given: Option<&str>) -> Result<(), AwsError> {
        if self.secret.as_deref() == given {
            return Ok(());
        }
        Err(AwsError::bad_request("UnauthorizedException", "Invalid client secret."))
    }

    fn wrong_secret(&self) -> AwsError {
        not_authorized(format!("Unable to verify secret hash for client {}", self.id))
    }
}

impl State {
    pub(super) fn create_user_pool_client(&mut self, body: &[u8], context: &Context) -> Output {
        let pool_id = pool_id(body)?;
        let input: ClientRequest = parse(body)?;
        let settings = parse::<ClientSettings>(body)?;
        let pool = self.pool_mut(&pool_id)?;
        let settings = settings.complete()?;
        let generated = input.generate_secret.then(ids::client_secret);
        let client = Client {
            id: ids::client_id(),
            pool_id,
            secret: input.client_secret.or(generated),
            settings,
            created: context.now,
            modified: context.now,
        };
        let shown = client.render();
        pool.clients.insert(client.id.clone(), client);
        Ok(json!({"UserPoolClient": shown}))
    }

    pub(super) fn describe_user_pool_client(&mut self, body: &[u8], _: &Context) -> Output {
        let client = self.client_of_request(body)?;
        Ok(json!({"UserPoolClient": client.render()}))
    }

    pub(super) fn update_user_pool_client(&mut self, body: &[u8], context: &Context) -> Output {
        let mut settings: ClientSettings = parse(body)?;
        let client = self.client_of_request(body)?;
        if settings.client_name.is_none() {
            settings.client_name.clone_from(&client.settings.client_name);
        }
        client.settings = settings.complete()?;
        client.modified = context.now;
        Ok(json!({"UserPoolClient": client.render()}))
    }

    pub(super) fn delete_user_pool_client(&mut self, body: &[u8], _: &Context) -> Output {
        let id = self.client_of_request(body)?.id.clone();
        let pool = self.pool_of_client_mut(&id)?;
        pool.clients.remove(&id);
        pool.sessions.retain(|session| session.client_id != id);
        Ok(json!({}))
    }

    pub(super) fn list_user_pool_clients(&mut self, body: &[u8], _: &Context) -> Output {
        let pool_id = pool_id(body)?;
        let input: ClientRequest = parse(body)?;
        Checks::new().range("maxResults", input.max_results, 1, 60).finish()?;
        let found = self.pool(&pool_id)?.clients.values().map(|client| {
            let shown = json!({
                "ClientId": client.id,
                "UserPoolId": client.pool_id,
                "ClientName": client.settings.client_name,
            });
            (client.id.clone(), shown)
        });
        let (clients, next) =
            page(found, input.max_results.unwrap_or(60), input.next_token.as_deref())?;
        let mut output = json!({"UserPoolClients": clients});
        if let Some(next) = next {
            output["NextToken"] = json!(next);
        }
        Ok(output)
    }

    fn client_of_request(&mut self, body: &[u8]) -> Result<&mut Client, AwsError> {
        let pool_id = pool_id(body)?;
        let input: ClientRequest = parse(body)?;
        Checks::new()
            .required("clientId", input.client_id.as_deref(), &CLIENT_ID)
            .optional("clientName", input.client_name.as_deref(), &NAMED)
            .finish()?;
        let id = input.client_id.unwrap_or_default();
        let pool = self.pool_mut(&pool_id)?;
        pool.clients.get_mut(&id).ok_or_else(|| super::error::no_client(&id))
    }
}
