//! What a pool can be told, on creation and by `UpdateUserPool`.
//!
//! `UpdateUserPool` replaces: whatever its request leaves out goes back to the default that `CreateUserPool` would have
//! given it. That holds for every member of [`Settings`]; a pool keeps only its name (where none is given), its schema and
//! how its users are called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::checks::{Checks, EMAIL_TEXT, INVITE_EMAIL, INVITE_SMS, LAMBDA_ARN, SMS_TEXT, SUBJECT};
use super::error::{invalid, unsupported};
use super::passwords::PasswordPolicy;
use crate::protocol::AwsError;

const CONTACTS: [&str; 2] = ["phone_number", "email"];
const DEFAULT_VALIDITY: i64 = 7;

/// Everything that `UpdateUserPool` replaces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[allow(clippy::struct_field_names)] // The names are AWS's.
pub(super) struct Settings {
    pub(super) policies: Policies,
    pub(super) deletion_protection: Option<String>,
    pub(super) lambda_config: LambdaConfig,
    pub(super) auto_verified_attributes: Option<Vec<String>>,
    pub(super) sms_verification_message: Option<String>,
    pub(super) email_verification_message: Option<String>,
    pub(super) email_verification_subject: Option<String>,
    pub(super) verification_message_template: VerificationMessageTemplate,
    pub(super) sms_authentication_message: Option<String>,
    pub(super) mfa_configuration: Option<String>,
    pub(super) user_attribute_update_settings: Option<UserAttributeUpdateSettings>,
    pub(super) device_configuration: Option<Map<String, Value>>,
    pub(super) email_configuration: Option<Map<String, Value>>,
    pub(super) sms_configuration: Option<Map<String, Value>>,
    pub(super) user_pool_tags: BTreeMap<String, String>,
    pub(super) admin_create_user_config: AdminCreateUserConfig,
    pub(super) user_pool_add_ons: Option<Map<String, Value>>,
    pub(super) account_recovery_setting: Option<AccountRecoverySetting>,
    pub(super) user_pool_tier: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Policies {
    pub(super) password_policy: Option<PasswordPolicy>,
    sign_in_policy: Option<SignInPolicy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignInPolicy {
    #[serde(default = "password_alone")]
    allowed_first_auth_factors: Vec<String>,
}

/// The functions that a pool calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LambdaConfig {
    pub(super) pre_sign_up: Option<String>,
    pub(super) custom_message: Option<String>,
    pub(super) post_confirmation: Option<String>,
    pub(super) pre_authentication: Option<String>,
    pub(super) post_authentication: Option<String>,
    pub(super) define_auth_challenge: Option<String>,
    pub(super) create_auth_challenge: Option<String>,
    pub(super) verify_auth_challenge_response: Option<String>,
    pre_token_generation: Option<String>,
    pub(super) user_migration: Option<String>,
    pub(super) pre_token_generation_config: Option<Versioned>,
    #[serde(rename = "CustomSMSSender")]
    custom_sms_sender: Option<Versioned>,
    custom_email_sender: Option<Versioned>,
    #[serde(rename = "KMSKeyID")]
    kms_key_id: Option<String>,
    inbound_federation: Option<Versioned>,
}

/// A function, and the version of the events that it understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Versioned {
    pub(super) lambda_version: String,
    pub(super) lambda_arn: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VerificationMessageTemplate {
    pub(super) sms_message: Option<String>,
    pub(super) email_message: Option<String>,
    pub(super) email_subject: Option<String>,
    email_message_by_link: Option<String>,
    email_subject_by_link: Option<String>,
    default_email_option: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UserAttributeUpdateSettings {
    pub(super) attributes_require_verification_before_update: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AdminCreateUserConfig {
    pub(super) allow_admin_create_user_only: bool,
    unused_account_validity_days: Option<i64>,
    pub(super) invite_message_template: Option<InviteMessageTemplate>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InviteMessageTemplate {
    #[serde(rename = "SMSMessage")]
    pub(super) sms_message: Option<String>,
    pub(super) email_message: Option<String>,
    pub(super) email_subject: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AccountRecoverySetting {
    pub(super) recovery_mechanisms: Vec<RecoveryMechanism>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecoveryMechanism {
    pub(super) priority: i64,
    pub(super) name: String,
}

fn password_alone() -> Vec<String> {
    vec!["PASSWORD".to_owned()]
}

impl Settings {
    /// Checks what was asked for and fills in what was not, as AWS does.
    pub(super) fn complete(mut self) -> Result<Self, AwsError> {
        self.check_words()?;
        self.check_texts()?;
        self.lambda_config.complete()?;
        self.complete_policies()?;
        self.complete_templates();
        for (setting, default) in [
            (&mut self.deletion_protection, "INACTIVE"),
            (&mut self.mfa_configuration, "OFF"),
            (&mut self.user_pool_tier, "ESSENTIALS"),
        ] {
            setting.get_or_insert_with(|| default.to_owned());
        }
        self.email_configuration
            .get_or_insert_default()
            .entry("EmailSendingAccount")
            .or_insert_with(|| json!("COGNITO_DEFAULT"));
        check_tags(&self.user_pool_tags)?;
        Ok(self)
    }

    /// As `DescribeUserPool` shows it.
    pub(super) fn render(&self) -> Value {
        without_nulls(serde_json::to_value(self).unwrap_or_default())
    }

    pub(super) fn password_policy(&self) -> PasswordPolicy {
        self.policies.password_policy.clone().unwrap_or_else(PasswordPolicy::of_a_new_pool)
    }

    pub(super) fn verifies(&self, attribute: &str) -> bool {
        self.auto_verified_attributes.iter().flatten().any(|verified| verified == attribute)
    }

    /// A second factor that is asked for needs a way to send it, or apps that the pool knows already.
    pub(super) fn check_mfa(&self, has_apps: bool) -> Result<(), AwsError> {
        let is_off = self.mfa_configuration.as_deref() == Some("OFF");
        if is_off || has_apps || self.sms_configuration.is_some() {
            return Ok(());
        }
        Err(invalid(
            "SMS configuration and Auto verification for phone_number are required when MFA is required/optional",
        ))
    }

    fn check_words(&self) -> Result<(), AwsError> {
        let word = |word: &Option<String>| word.clone();
        let email = self.email_configuration.as_ref();
        let account =
            email.and_then(|email| email.get("EmailSendingAccount")).and_then(Value::as_str);
        let recovery: Vec<String> = self
            .account_recovery_setting
            .iter()
            .flat_map(|setting| &setting.recovery_mechanisms)
            .map(|mechanism| mechanism.name.clone())
            .collect();
        let verified = self.auto_verified_attributes.clone().unwrap_or_default();
        let option = word(&self.verification_message_template.default_email_option);
        Checks::new()
            .one_of(
                "deletionProtection",
                word(&self.deletion_protection).as_deref(),
                &["ACTIVE", "INACTIVE"],
            )
            .one_of(
                "mfaConfiguration",
                word(&self.mfa_configuration).as_deref(),
                &["OFF", "ON", "OPTIONAL"],
            )
            .one_of(
                "userPoolTier",
                word(&self.user_pool_tier).as_deref(),
                &["LITE", "ESSENTIALS", "PLUS"],
            )
            .one_of(
                "verificationMessageTemplate.defaultEmailOption",
                option.as_deref(),
                &["CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"],
            )
            .one_of(
                "emailConfiguration.emailSendingAccount",
                account,
                &["COGNITO_DEFAULT", "DEVELOPER"],
            )
            .all_of("autoVerifiedAttributes", &verified, &CONTACTS)
            .all_of(
                "accountRecoverySetting.recoveryMechanisms",
                &recovery,
                &["verified_email", "verified_phone_number", "admin_only"],
            )
            .finish()?;
        if option.as_deref() == Some("CONFIRM_WITH_LINK") {
            return Err(unsupported("CONFIRM_WITH_LINK"));
        }
        if recovery.len() > 1 && recovery.iter().any(|name| name == "admin_only") {
            return Err(invalid(
                "Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms.",
            ));
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), AwsError> {
        let template = &self.verification_message_template;
        let invite =
            self.admin_create_user_config.invite_message_template.clone().unwrap_or_default();
        Checks::new()
            .optional("smsVerificationMessage", self.sms_verification_message.as_deref(), &SMS_TEXT)
            .optional(
                "emailVerificationMessage",
                self.email_verification_message.as_deref(),
                &EMAIL_TEXT,
            )
            .optional(
                "emailVerificationSubject",
                self.email_verification_subject.as_deref(),
                &SUBJECT,
            )
            .optional(
                "smsAuthenticationMessage",
                self.sms_authentication_message.as_deref(),
                &SMS_TEXT,
            )
            .optional(
                "verificationMessageTemplate.smsMessage",
                template.sms_message.as_deref(),
                &SMS_TEXT,
            )
            .optional(
                "verificationMessageTemplate.emailMessage",
                template.email_message.as_deref(),
                &EMAIL_TEXT,
            )
            .optional(
                "verificationMessageTemplate.emailSubject",
                template.email_subject.as_deref(),
                &SUBJECT,
            )
            .optional(
                "adminCreateUserConfig.inviteMessageTemplate.sMSMessage",
                invite.sms_message.as_deref(),
                &INVITE_SMS,
            )
            .optional(
                "adminCreateUserConfig.inviteMessageTemplate.emailMessage",
                invite.email_message.as_deref(),
                &INVITE_EMAIL,
            )
            .optional(
                "adminCreateUserConfig.inviteMessageTemplate.emailSubject",
                invite.email_subject.as_deref(),
                &SUBJECT,
            )
            .finish()
    }

    /// The validity of temporary passwords has two homes; a request may fill one of them.
    fn complete_policies(&mut self) -> Result<(), AwsError> {
        let unused = self.admin_create_user_config.unused_account_validity_days;
        let policy =
            self.policies.password_policy.get_or_insert_with(PasswordPolicy::of_a_new_pool);
        let temporary = policy.temporary_password_validity_days;
        Checks::new()
            .range("policies.passwordPolicy.minimumLength", Some(policy.minimum_length), 6, 99)
            .range("policies.passwordPolicy.temporaryPasswordValidityDays", temporary, 0, 365)
            .range(
                "policies.passwordPolicy.passwordHistorySize",
                policy.password_history_size,
                0,
                24,
            )
            .range("adminCreateUserConfig.unusedAccountValidityDays", unused, 0, 365)
            .finish()?;
        if temporary.is_some() && unused.is_some_and(|days| days != 0) {
            return Err(invalid(
                "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
            ));
        }
        let days = temporary.or(unused.filter(|days| *days != 0)).unwrap_or(DEFAULT_VALIDITY);
        policy.temporary_password_validity_days = Some(days);
        self.admin_create_user_config.unused_account_validity_days = Some(days);
        let sign_in = self
            .policies
            .sign_in_policy
            .get_or_insert_with(|| SignInPolicy { allowed_first_auth_factors: password_alone() });
        if sign_in.allowed_first_auth_factors != password_alone() {
            return Err(unsupported("A first factor other than PASSWORD"));
        }
        Ok(())
    }

    /// The texts of verification messages have two homes too, which always agree.
    fn complete_templates(&mut self) {
        let template = &mut self.verification_message_template;
        for (old, new) in [
            (&mut self.sms_verification_message, &mut template.sms_message),
            (&mut self.email_verification_message, &mut template.email_message),
            (&mut self.email_verification_subject, &mut template.email_subject),
        ] {
            if new.is_none() {
                new.clone_from(old);
            }
            old.clone_from(new);
        }
        template.default_email_option.get_or_insert_with(|| "CONFIRM_WITH_CODE".to_owned());
    }
}

impl LambdaConfig {
    /// `PreTokenGeneration` is the older name of a `PreTokenGenerationConfig` with events of version 1.
    fn complete(&mut self) -> Result<(), AwsError> {
        self.check()?;
        match (&self.pre_token_generation, &self.pre_token_generation_config) {
            (Some(arn), Some(config)) if *arn != config.lambda_arn => Err(invalid(
                "PreTokenGeneration and PreTokenGenerationConfig must have the same Lambda ARN.",
            )),
            (Some(arn), None) => {
                self.pre_token_generation_config =
                    Some(Versioned { lambda_version: "V1_0".to_owned(), lambda_arn: arn.clone() });
                Ok(())
            }
            (None, Some(config)) => {
                self.pre_token_generation = Some(config.lambda_arn.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), AwsError> {
        let plain = [
            ("preSignUp", &self.pre_sign_up),
            ("customMessage", &self.custom_message),
            ("postConfirmation", &self.post_confirmation),
            ("preAuthentication", &self.pre_authentication),
            ("postAuthentication", &self.post_authentication),
            ("defineAuthChallenge", &self.define_auth_challenge),
            ("createAuthChallenge", &self.create_auth_challenge),
            ("verifyAuthChallengeResponse", &self.verify_auth_challenge_response),
            ("preTokenGeneration", &self.pre_token_generation),
            ("userMigration", &self.user_migration),
            ("kMSKeyID", &self.kms_key_id),
        ];
        let versioned = [
            (
                "preTokenGenerationConfig",
                &self.pre_token_generation_config,
                &["V1_0", "V2_0", "V3_0"][..],
            ),
            ("customSMSSender", &self.custom_sms_sender, &["V1_0"]),
            ("customEmailSender", &self.custom_email_sender, &["V1_0"]),
            ("inboundFederation", &self.inbound_federation, &["V1_0"]),
        ];
        let checks = plain.iter().fold(Checks::new(), |checks, (name, arn)| {
            checks.optional(&format!("lambdaConfig.{name}"), arn.as_deref(), &LAMBDA_ARN)
        });
        let checks = versioned.iter().fold(checks, |checks, (name, function, versions)| {
            let arn = function.as_ref().map(|function| function.lambda_arn.as_str());
            let version = function.as_ref().map(|function| function.lambda_version.as_str());
            checks
                .one_of(&format!("lambdaConfig.{name}.lambdaVersion"), version, versions)
                .optional(&format!("lambdaConfig.{name}.lambdaArn"), arn, &LAMBDA_ARN)
        });
        checks.finish()
    }
}

/// Refuses tags that AWS refuses.
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    let is_bad = |(key, value): (&String, &String)| {
        key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256
    };
    if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(tagging("aws: prefixed tag key names are not allowed for external use."));
    }
    if tags.len() > 50 {
        return Err(tagging("A resource can have at most 50 tags."));
    }
    if tags.iter().any(is_bad) {
        return Err(tagging("A tag's key has 1 to 128 characters, its value at most 256."));
    }
    Ok(())
}

fn tagging(message: &str) -> AwsError {
    AwsError::bad_request("UserPoolTaggingException", message)
}

/// A member that is not set is not there.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
