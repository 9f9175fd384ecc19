//! Second factors: an authenticator app, or a text message.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::challenges::{Challenge, Kind};
use super::checks::{Checks, POOL_ID, SESSION, SMS_TEXT, TOKEN, TOTP_CODE, USERNAME};
use super::error::{disabled, invalid, invalid_session, session_expired, unsupported};
use super::pools::{Pool, pool_id};
use super::totp::{Secret, Verdict};
use super::users::User;
use super::{Context, Output, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

/// A second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Sms,
    SoftwareToken,
}

impl Factor {
    const ALL: [Self; 2] = [Self::Sms, Self::SoftwareToken];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sms => "SMS_MFA",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
        }
    }
}

/// What a user has set up.
#[derive(Debug, Clone, Default)]
pub(super) struct Factors {
    sms: bool,
    software_token: bool,
    preferred: Option<Factor>,
    /// The app that was verified.
    pub(super) authenticator: Option<Authenticator>,
    /// The app that is not verified yet.
    pending: Option<Secret>,
}

/// An authenticator app, and what its owner calls it.
#[derive(Debug, Clone)]
pub(super) struct Authenticator {
    pub(super) secret: Secret,
    pub(super) device_name: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MfaRequest {
    user_pool_id: Option<String>,
    username: Option<String>,
    access_token: Option<String>,
    session: Option<String>,
    user_code: Option<String>,
    friendly_device_name: Option<String>,
    #[serde(rename = "SMSMfaSettings")]
    sms_mfa_settings: Option<Preference>,
    software_token_mfa_settings: Option<Preference>,
    email_mfa_settings: Option<Preference>,
    web_authn_mfa_settings: Option<Preference>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Preference {
    enabled: bool,
    preferred_mfa: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PoolMfa {
    mfa_configuration: Option<String>,
    sms_mfa_configuration: Option<SmsMfa>,
    software_token_mfa_configuration: Option<SoftwareTokenMfa>,
    email_mfa_configuration: Option<Value>,
    web_authn_configuration: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SmsMfa {
    sms_authentication_message: Option<String>,
    sms_configuration: Option<serde_json::Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SoftwareTokenMfa {
    pub(super) enabled: bool,
}

impl Factors {
    pub(super) fn has(&self, factor: Factor) -> bool {
        match factor {
            Factor::Sms => self.sms,
            Factor::SoftwareToken => self.software_token && self.authenticator.is_some(),
        }
    }

    fn set(&mut self, factor: Factor, preference: Preference) {
        match factor {
            Factor::Sms => self.sms = preference.enabled,
            Factor::SoftwareToken => self.software_token = preference.enabled,
        }
        if preference.enabled && preference.preferred_mfa {
            self.preferred = Some(factor);
        } else if self.preferred == Some(factor) {
            self.preferred = None;
        }
    }

    /// `UserMFASettingList` and `PreferredMfaSetting`.
    pub(super) fn render_into(&self, shown: &mut Value) {
        let names: Vec<&str> =
            Factor::ALL.into_iter().filter(|factor| self.has(*factor)).map(Factor::name).collect();
        if !names.is_empty() {
            shown["UserMFASettingList"] = json!(names);
        }
        if let Some(preferred) = self.preferred.filter(|factor| self.has(*factor)) {
            shown["PreferredMfaSetting"] = json!(preferred.name());
        }
    }

    /// Makes the pending app the verified one, where the code is right.
    fn verify(
        &mut self,
        code: &str,
        name: Option<&str>,
        context: &Context,
    ) -> Result<(), AwsError> {
        let pending = self
            .pending
            .as_mut()
            .ok_or_else(|| invalid("User has not set up software token mfa"))?;
        if pending.take(code, context.now) != Verdict::Right {
            return Err(AwsError::bad_request("EnableSoftwareTokenMFAException", "Code mismatch"));
        }
        if let Some(mut secret) = self.pending.take() {
            // The code that has verified an app is good for one sign-in as well.
            secret.forget();
            let device_name = name.map(str::to_owned);
            self.authenticator = Some(Authenticator { secret, device_name });
        }
        Ok(())
    }

    /// Switches the app on that a sign-in had to set up.
    pub(super) fn enable_software_token(&mut self) {
        self.software_token = true;
    }
}

impl Pool {
    /// The factors that the pool knows of.
    fn offers(&self, factor: Factor) -> bool {
        match factor {
            Factor::Sms => self.settings.sms_configuration.is_some(),
            Factor::SoftwareToken => self.software_token.enabled,
        }
    }

    /// The factors that a user may be asked for; more than one where none is preferred.
    pub(super) fn second_factors(&self, user: &User) -> Vec<Factor> {
        let mode = self.settings.mfa_configuration.as_deref();
        if mode.is_none_or(|mode| mode == "OFF") {
            return Vec::new();
        }
        let usable = |factor: &Factor| self.offers(*factor) && user.factors.has(*factor);
        if let Some(preferred) = user.factors.preferred.filter(usable) {
            return vec![preferred];
        }
        let set_up: Vec<Factor> = Factor::ALL.into_iter().filter(usable).collect();
        let has_phone = user.attribute("phone_number").is_some_and(|number| !number.is_empty());
        if set_up.is_empty() && mode == Some("ON") {
            // Whoever has an app, or a telephone, is asked for it whether they have chosen it or not.
            if self.offers(Factor::SoftwareToken) && user.factors.authenticator.is_some() {
                return vec![Factor::SoftwareToken];
            }
            if self.offers(Factor::Sms) && has_phone {
                return vec![Factor::Sms];
            }
        }
        set_up
    }

    pub(super) fn must_set_up(&self) -> bool {
        self.settings.mfa_configuration.as_deref() == Some("ON")
    }

    fn associate(&mut self, username: &str) -> Result<String, AwsError> {
        if !self.software_token.enabled {
            return Err(AwsError::bad_request(
                "SoftwareTokenMFANotFoundException",
                "Software Token MFA is not enabled for the userPool",
            ));
        }
        let secret = Secret::generate();
        let text = secret.text.clone();
        self.user_mut(username)?.factors.pending = Some(secret);
        Ok(text)
    }

    fn prefer(&mut self, username: &str, input: &MfaRequest) -> Result<(), AwsError> {
        let wanted = [
            (Factor::Sms, input.sms_mfa_settings),
            (Factor::SoftwareToken, input.software_token_mfa_settings),
        ];
        for (what, preference) in [
            ("EmailMfaSettings", input.email_mfa_settings),
            ("WebAuthnMfaSettings", input.web_authn_mfa_settings),
        ] {
            if preference.is_some_and(|preference| preference.enabled) {
                return Err(unsupported(what));
            }
        }
        if wanted.iter().flat_map(|(_, one)| one).filter(|one| one.preferred_mfa).count() > 1 {
            return Err(invalid("Only one MFA option can be preferred."));
        }
        let user = self.user(username)?;
        let has_phone = user.attribute("phone_number").is_some_and(|number| !number.is_empty());
        for (factor, preference) in &wanted {
            let is_wanted = preference.is_some_and(|preference| preference.enabled);
            let is_ready = match factor {
                Factor::Sms => has_phone,
                Factor::SoftwareToken => user.factors.authenticator.is_some(),
            };
            if is_wanted && !is_ready {
                return Err(invalid(format!(
                    "User does not have delivery config set to turn on {}",
                    factor.name()
                )));
            }
        }
        let user = self.user_mut(username)?;
        for (factor, preference) in wanted {
            if let Some(preference) = preference {
                user.factors.set(factor, preference);
            }
        }
        Ok(())
    }

    fn render_mfa(&self) -> Value {
        let settings = &self.settings;
        let mut shown = json!({"MfaConfiguration": settings.mfa_configuration});
        if self.software_token.enabled {
            shown["SoftwareTokenMfaConfiguration"] = json!(self.software_token);
        }
        if let Some(configuration) = &settings.sms_configuration {
            shown["SmsMfaConfiguration"] = json!({"SmsConfiguration": configuration});
            if let Some(message) = &settings.sms_authentication_message {
                shown["SmsMfaConfiguration"]["SmsAuthenticationMessage"] = json!(message);
            }
        }
        shown
    }
}

/// Who sets up an app: somebody who is signed in, or who has to before they are.
enum Owner {
    Bearer { pool_id: String, username: String },
    Session { pool_id: String, challenge: Challenge },
}

impl Owner {
    fn pool_id(&self) -> &str {
        match self {
            Self::Bearer { pool_id, .. } | Self::Session { pool_id, .. } => pool_id,
        }
    }

    fn username(&self) -> &str {
        match self {
            Self::Bearer { username, .. } => username,
            Self::Session { challenge, .. } => &challenge.username,
        }
    }
}

impl State {
    fn owner(&self, input: &MfaRequest, context: &Context) -> Result<Owner, AwsError> {
        Checks::new()
            .optional("accessToken", input.access_token.as_deref(), &TOKEN)
            .optional("session", input.session.as_deref(), &SESSION)
            .finish()?;
        if let Some(token) = &input.access_token {
            let bearer = self.bearer(token, context.now)?;
            return Ok(Owner::Bearer { pool_id: bearer.pool_id, username: bearer.username });
        }
        let Some(session) = &input.session else {
            return Err(invalid("Either access token or session must be provided."));
        };
        let found = self.pools.values().find_map(|pool| {
            let challenge = pool.challenges.get(session)?;
            matches!(challenge.kind, Kind::MfaSetup { .. }).then(|| (pool.id.clone(), challenge))
        });
        let (pool_id, challenge) = found.ok_or_else(invalid_session)?;
        if context.now >= challenge.expires {
            return Err(session_expired());
        }
        if !self.pool(&pool_id)?.user(&challenge.username)?.enabled {
            return Err(disabled());
        }
        Ok(Owner::Session { pool_id, challenge: challenge.clone() })
    }

    /// A session is good for one step: the next one needs the session that this one gives.
    fn next_session(
        &mut self,
        input: &MfaRequest,
        owner: Owner,
        verified: bool,
    ) -> Result<Option<String>, AwsError> {
        let Owner::Session { pool_id, challenge } = owner else { return Ok(None) };
        let pool = self.pool_mut(&pool_id)?;
        pool.challenges.remove(input.session.as_deref().unwrap_or_default());
        Ok(Some(pool.keep(Challenge { kind: Kind::MfaSetup { verified }, ..challenge })))
    }

    pub(super) fn associate_software_token(&mut self, body: &[u8], context: &Context) -> Output {
        let input: MfaRequest = parse(body)?;
        let owner = self.owner(&input, context)?;
        let secret = self.pool_mut(owner.pool_id())?.associate(owner.username())?;
        let mut output = json!({"SecretCode": secret});
        if let Some(session) = self.next_session(&input, owner, false)? {
            output["Session"] = json!(session);
        }
        Ok(output)
    }

    pub(super) fn verify_software_token(&mut self, body: &[u8], context: &Context) -> Output {
        let input: MfaRequest = parse(body)?;
        Checks::new().required("userCode", input.user_code.as_deref(), &TOTP_CODE).finish()?;
        let owner = self.owner(&input, context)?;
        let user = self.pool_mut(owner.pool_id())?.user_mut(owner.username())?;
        let code = input.user_code.as_deref().unwrap_or_default();
        user.factors.verify(code, input.friendly_device_name.as_deref(), context)?;
        let mut output = json!({"Status": "SUCCESS"});
        if let Some(session) = self.next_session(&input, owner, true)? {
            output["Session"] = json!(session);
        }
        Ok(output)
    }

    pub(super) fn set_user_mfa_preference(&mut self, body: &[u8], context: &Context) -> Output {
        let input: MfaRequest = parse(body)?;
        Checks::new().required("accessToken", input.access_token.as_deref(), &TOKEN).finish()?;
        let bearer = self.bearer(input.access_token.as_deref().unwrap_or_default(), context.now)?;
        self.pool_mut(&bearer.pool_id)?.prefer(&bearer.username, &input)?;
        Ok(json!({}))
    }

    pub(super) fn admin_set_user_mfa_preference(&mut self, body: &[u8], _: &Context) -> Output {
        let input: MfaRequest = parse(body)?;
        Checks::new()
            .required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID)
            .required("username", input.username.as_deref(), &USERNAME)
            .finish()?;
        let pool = self.pool_mut(input.user_pool_id.as_deref().unwrap_or_default())?;
        pool.prefer(input.username.as_deref().unwrap_or_default(), &input)?;
        Ok(json!({}))
    }

    pub(super) fn get_user_pool_mfa_config(&mut self, body: &[u8], _: &Context) -> Output {
        let id = pool_id(body)?;
        Ok(self.pool(&id)?.render_mfa())
    }

    pub(super) fn set_user_pool_mfa_config(&mut self, body: &[u8], context: &Context) -> Output {
        let id = pool_id(body)?;
        let input: PoolMfa = parse(body)?;
        let sms = input.sms_mfa_configuration.clone().unwrap_or_default();
        Checks::new()
            .one_of(
                "mfaConfiguration",
                input.mfa_configuration.as_deref(),
                &["OFF", "ON", "OPTIONAL"],
            )
            .optional(
                "smsMfaConfiguration.smsAuthenticationMessage",
                sms.sms_authentication_message.as_deref(),
                &SMS_TEXT,
            )
            .finish()?;
        for (what, given) in [
            ("EmailMfaConfiguration", &input.email_mfa_configuration),
            ("WebAuthnConfiguration", &input.web_authn_configuration),
        ] {
            if given.is_some() {
                return Err(unsupported(what));
            }
        }
        let pool = self.pool_mut(&id)?;
        let software = input.software_token_mfa_configuration.unwrap_or_default();
        let is_off = input.mfa_configuration.as_deref() == Some("OFF");
        if is_off && (software.enabled || input.sms_mfa_configuration.is_some()) {
            return Err(invalid(
                "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
            ));
        }
        if !is_off && !software.enabled && sms.sms_configuration.is_none() {
            return Err(invalid(
                "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
            ));
        }
        pool.software_token = software;
        if sms.sms_configuration.is_some() {
            pool.settings.sms_configuration = sms.sms_configuration;
        }
        if sms.sms_authentication_message.is_some() {
            pool.settings.sms_authentication_message = sms.sms_authentication_message;
        }
        if input.mfa_configuration.is_some() {
            pool.settings.mfa_configuration = input.mfa_configuration;
        }
        pool.modified = context.now;
        Ok(pool.render_mfa())
    }
}
