//! Every setting of a user pool that an update would otherwise reset.
//!
//! `UpdateUserPool` sets whatever it is not given to its default:
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html>

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolInput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::builders::UpdateUserPoolInputBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, LambdaConfigType, UserPoolPolicyType, UserPoolTierType, UserPoolType,
};

/// An update of a pool that changes nothing but its triggers.
pub(crate) fn carry_over(
    pool: &UserPoolType,
    triggers: LambdaConfigType,
) -> UpdateUserPoolInputBuilder {
    let pool = pool.clone();
    let acr =
        pool.acr_configuration.filter(|_| pool.user_pool_tier != Some(UserPoolTierType::Lite));
    UpdateUserPoolInput::builder()
        .set_user_pool_id(pool.id)
        .set_pool_name(pool.name)
        .lambda_config(triggers)
        .set_admin_create_user_config(admin_create_user(
            pool.admin_create_user_config,
            pool.policies.as_ref(),
        ))
        .set_policies(policies(pool.policies, pool.user_pool_tier.as_ref()))
        .set_deletion_protection(pool.deletion_protection)
        .set_auto_verified_attributes(pool.auto_verified_attributes)
        .set_sms_verification_message(pool.sms_verification_message)
        .set_email_verification_message(pool.email_verification_message)
        .set_email_verification_subject(pool.email_verification_subject)
        .set_verification_message_template(pool.verification_message_template)
        .set_sms_authentication_message(pool.sms_authentication_message)
        .set_user_attribute_update_settings(pool.user_attribute_update_settings)
        .set_mfa_configuration(pool.mfa_configuration)
        .set_device_configuration(pool.device_configuration)
        .set_email_configuration(pool.email_configuration)
        .set_sms_configuration(pool.sms_configuration)
        .set_user_pool_tags(tags(pool.user_pool_tags))
        .set_user_pool_add_ons(pool.user_pool_add_ons)
        .set_account_recovery_setting(pool.account_recovery_setting)
        .set_user_pool_tier(pool.user_pool_tier)
        .set_key_configuration(pool.key_configuration)
        .set_issuer_configuration(pool.issuer_configuration)
        .set_acr_configuration(acr)
}

/// A pool describes how long an invitation is good for in two places, and takes it in the newer one alone: with both, it
/// answers "Please use `TemporaryPasswordValidityDays` in `PasswordPolicy` instead of `UnusedAccountValidityDays`". Zero
/// counts as none.
fn admin_create_user(
    config: Option<AdminCreateUserConfigType>,
    policies: Option<&UserPoolPolicyType>,
) -> Option<AdminCreateUserConfigType> {
    let mut config = config?;
    if counts_in_the_policy(policies) {
        config.unused_account_validity_days = 0;
    }
    Some(config)
}

fn counts_in_the_policy(policies: Option<&UserPoolPolicyType>) -> bool {
    policies
        .and_then(UserPoolPolicyType::password_policy)
        .is_some_and(|policy| policy.temporary_password_validity_days > 0)
}

/// A pool of the Lite tier describes sign-in policy and ACR names, but only other tiers may be given them.
fn policies(
    policies: Option<UserPoolPolicyType>,
    tier: Option<&UserPoolTierType>,
) -> Option<UserPoolPolicyType> {
    let mut policies = policies?;
    if tier == Some(&UserPoolTierType::Lite) {
        policies.sign_in_policy = None;
    }
    Some(policies)
}

/// Tags of AWS's own, such as those of a stack, stay without being sent, and are refused when they are.
///
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
fn tags(tags: Option<HashMap<String, String>>) -> Option<HashMap<String, String>> {
    let mut tags = tags?;
    tags.retain(|key, _| !key.starts_with("aws:"));
    (!tags.is_empty()).then_some(tags)
}

/// What differs between two descriptions of a pool, triggers and what changes by itself aside.
pub(crate) fn differences(before: &UserPoolType, after: &UserPoolType) -> Vec<String> {
    let (before, after) = (settled(before), settled(after));
    let mut differences = Vec::new();
    macro_rules! compare {
        ($($name:literal $field:ident,)*) => {$(
            if before.$field != after.$field {
                differences.push(format!("{}: {:?} → {:?}", $name, before.$field, after.$field));
            }
        )*};
    }
    compare! {
        "Id" id,
        "Name" name,
        "Arn" arn,
        "CreationDate" creation_date,
        "Policies" policies,
        "DeletionProtection" deletion_protection,
        "SchemaAttributes" schema_attributes,
        "AutoVerifiedAttributes" auto_verified_attributes,
        "AliasAttributes" alias_attributes,
        "UsernameAttributes" username_attributes,
        "SmsVerificationMessage" sms_verification_message,
        "EmailVerificationMessage" email_verification_message,
        "EmailVerificationSubject" email_verification_subject,
        "VerificationMessageTemplate" verification_message_template,
        "SmsAuthenticationMessage" sms_authentication_message,
        "UserAttributeUpdateSettings" user_attribute_update_settings,
        "MfaConfiguration" mfa_configuration,
        "DeviceConfiguration" device_configuration,
        "EmailConfiguration" email_configuration,
        "SmsConfiguration" sms_configuration,
        "UserPoolTags" user_pool_tags,
        "Domain" domain,
        "CustomDomain" custom_domain,
        "AdminCreateUserConfig" admin_create_user_config,
        "UserPoolAddOns" user_pool_add_ons,
        "UsernameConfiguration" username_configuration,
        "AccountRecoverySetting" account_recovery_setting,
        "UserPoolTier" user_pool_tier,
        "KeyConfiguration" key_configuration,
        "IssuerConfiguration" issuer_configuration,
        "AcrConfiguration" acr_configuration,
    }
    differences
}

/// A description whose order and whose repetitions mean nothing any more.
fn settled(pool: &UserPoolType) -> UserPoolType {
    let mut pool = pool.clone();
    for attributes in pool.auto_verified_attributes.iter_mut().chain(
        pool.user_attribute_update_settings
            .iter_mut()
            .filter_map(|settings| settings.attributes_require_verification_before_update.as_mut()),
    ) {
        attributes.sort();
    }
    if let Some(schema) = &mut pool.schema_attributes {
        schema.sort_by(|one, other| one.name.cmp(&other.name));
    }
    pool.user_pool_tags = pool.user_pool_tags.filter(|tags| !tags.is_empty());
    pool.admin_create_user_config =
        admin_create_user(pool.admin_create_user_config, pool.policies.as_ref());
    pool
}

#[cfg(test)]
mod tests;
