use std::collections::HashSet;

use aws_sdk_cognitoidentityprovider::types::*;
use aws_smithy_types::DateTime;

use super::*;

/// A pool in which nothing is as it is by default.
#[allow(clippy::too_many_lines, reason = "every setting that there is")]
fn pool_with_every_setting() -> UserPoolType {
    let verified = [VerifiedAttributeType::Email, VerifiedAttributeType::PhoneNumber];
    UserPoolType::builder()
        .id("eu-central-1_a")
        .name("people")
        .arn("arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a")
        .creation_date(DateTime::from_secs(1))
        .last_modified_date(DateTime::from_secs(2))
        .estimated_number_of_users(7)
        .domain("people")
        .custom_domain("people.example.com")
        .policies(policies_with_everything())
        .deletion_protection(DeletionProtectionType::Active)
        .lambda_config(LambdaConfigType::builder().pre_sign_up("theirs").build())
        .schema_attributes(SchemaAttributeType::builder().name("email").required(true).build())
        .set_auto_verified_attributes(Some(verified.to_vec()))
        .alias_attributes(AliasAttributeType::PreferredUsername)
        .username_attributes(UsernameAttributeType::Email)
        .sms_verification_message("verify {####}")
        .email_verification_message("verify {####}")
        .email_verification_subject("verify")
        .verification_message_template(template())
        .sms_authentication_message("sign in with {####}")
        .user_attribute_update_settings(
            UserAttributeUpdateSettingsType::builder()
                .attributes_require_verification_before_update(VerifiedAttributeType::Email)
                .build(),
        )
        .mfa_configuration(UserPoolMfaType::Optional)
        .device_configuration(
            DeviceConfigurationType::builder().challenge_required_on_new_device(true).build(),
        )
        .email_configuration(
            EmailConfigurationType::builder()
                .source_arn("arn:aws:ses:eu-central-1:123456789012:identity/people.example.com")
                .email_sending_account(EmailSendingAccountType::Developer)
                .reply_to_email_address("people@example.com")
                .build(),
        )
        .sms_configuration(
            SmsConfigurationType::builder()
                .sns_caller_arn("arn:aws:iam::123456789012:role/sms")
                .external_id("7")
                .build(),
        )
        .sms_configuration_failure("none")
        .email_configuration_failure("none")
        .user_pool_tags("team", "people")
        .user_pool_tags("aws:cloudformation:stack-name", "people")
        .admin_create_user_config(
            AdminCreateUserConfigType::builder()
                .allow_admin_create_user_only(true)
                .unused_account_validity_days(3)
                .invite_message_template(
                    MessageTemplateType::builder().email_subject("welcome").build(),
                )
                .build(),
        )
        .user_pool_add_ons(
            UserPoolAddOnsType::builder()
                .advanced_security_mode(AdvancedSecurityModeType::Audit)
                .build()
                .expect("complete"),
        )
        .username_configuration(
            UsernameConfigurationType::builder().case_sensitive(false).build().expect("complete"),
        )
        .account_recovery_setting(
            AccountRecoverySettingType::builder()
                .recovery_mechanisms(
                    RecoveryOptionType::builder()
                        .priority(1)
                        .name(RecoveryOptionNameType::VerifiedEmail)
                        .build()
                        .expect("complete"),
                )
                .build(),
        )
        .user_pool_tier(UserPoolTierType::Plus)
        .key_configuration(KeyConfigurationType::builder().kms_key_arn("key").build())
        .issuer_configuration(IssuerConfigurationType::builder().build())
        .acr_configuration(
            "PHISHING_RESISTANT",
            AcrLevelConfigType::builder().acr_value("urn:strong").build().expect("complete"),
        )
        .build()
}

fn policies_with_everything() -> UserPoolPolicyType {
    UserPoolPolicyType::builder()
        .password_policy(
            PasswordPolicyType::builder()
                .minimum_length(12)
                .require_lowercase(true)
                .password_history_size(4)
                .temporary_password_validity_days(3)
                .build(),
        )
        .sign_in_policy(
            SignInPolicyType::builder()
                .allowed_first_auth_factors(AuthFactorType::Password)
                .build(),
        )
        .build()
}

fn template() -> VerificationMessageTemplateType {
    VerificationMessageTemplateType::builder()
        .sms_message("verify {####}")
        .email_message("verify {####}")
        .email_subject("verify")
        .email_message_by_link("{##verify##}")
        .email_subject_by_link("verify")
        .default_email_option(DefaultEmailOptionType::ConfirmWithLink)
        .build()
}

fn ours() -> LambdaConfigType {
    LambdaConfigType::builder().pre_sign_up("ours").build()
}

/// The names of the fields of a struct, and which of them are set, from how it is printed.
fn fields(printed: &str) -> Vec<(&str, bool)> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .filter(|line| !line.starts_with([' ', '}', ']', ')']))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, value.trim_end_matches(',') != "None"))
        .collect()
}

#[test]
fn an_update_leaves_no_setting_to_its_default() {
    let input = carry_over(&pool_with_every_setting(), ours()).build().expect("complete");
    let printed = format!("{input:#?}");
    let fields = fields(&printed);
    assert_eq!(fields.len(), 24, "the SDK knows other settings than it did: {fields:?}");
    let unset: Vec<_> = fields.iter().filter(|(_, set)| !set).collect();
    assert!(unset.is_empty(), "{unset:?}");
}

#[test]
fn every_setting_is_sent_as_it_is() {
    let pool = pool_with_every_setting();
    let input = carry_over(&pool, ours()).build().expect("complete");
    macro_rules! same {
        ($($field:ident)*) => {$( assert_eq!(input.$field, pool.$field); )*};
    }
    same! {
        policies deletion_protection auto_verified_attributes sms_verification_message
        email_verification_message email_verification_subject verification_message_template
        sms_authentication_message user_attribute_update_settings mfa_configuration
        device_configuration email_configuration sms_configuration user_pool_add_ons
        account_recovery_setting user_pool_tier key_configuration issuer_configuration
        acr_configuration
    }
    assert_eq!(input.pool_name, pool.name);
    assert_eq!(input.user_pool_id, pool.id);
    assert_eq!(input.lambda_config, Some(ours()));
}

#[test]
fn how_long_an_invitation_is_good_for_is_sent_once() {
    let mut pool = pool_with_every_setting();
    let days = |pool: &UserPoolType| {
        let input = carry_over(pool, ours()).build().expect("complete");
        let config = input.admin_create_user_config.expect("a configuration");
        assert!(config.allow_admin_create_user_only);
        assert!(config.invite_message_template.is_some());
        config.unused_account_validity_days
    };
    assert_eq!(days(&pool), 0);
    pool.policies = None;
    assert_eq!(days(&pool), 3);
}

#[test]
fn tags_of_aws_are_not_sent() {
    let mut pool = pool_with_every_setting();
    let tags =
        |pool: &UserPoolType| carry_over(pool, ours()).build().expect("complete").user_pool_tags;
    assert_eq!(tags(&pool), Some(HashMap::from([("team".to_owned(), "people".to_owned())])));
    pool.user_pool_tags = Some(HashMap::from([("aws:a".to_owned(), String::new())]));
    assert_eq!(tags(&pool), None);
}

#[test]
fn a_pool_of_the_lite_tier_is_not_given_what_only_others_may_have() {
    let mut pool = pool_with_every_setting();
    pool.user_pool_tier = Some(UserPoolTierType::Lite);
    let input = carry_over(&pool, ours()).build().expect("complete");
    assert_eq!(input.acr_configuration, None);
    let policies = input.policies.expect("policies");
    assert_eq!(
        (policies.sign_in_policy.is_some(), policies.password_policy.is_some()),
        (false, true)
    );
}

#[test]
fn nothing_is_made_up_for_a_pool_with_nothing() {
    let pool = UserPoolType::builder().id("eu-central-1_a").build();
    let input = carry_over(&pool, LambdaConfigType::builder().build()).build().expect("complete");
    let printed = format!("{input:#?}");
    let set: HashSet<_> =
        fields(&printed).into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
    assert_eq!(set, HashSet::from(["user_pool_id", "lambda_config"]));
}

#[test]
fn a_changed_setting_is_named() {
    let before = pool_with_every_setting();
    let mut after = before.clone();
    after.lambda_config = Some(ours());
    after.last_modified_date = Some(DateTime::from_secs(3));
    after.estimated_number_of_users = 8;
    after.auto_verified_attributes.as_mut().expect("attributes").reverse();
    after
        .admin_create_user_config
        .as_mut()
        .expect("a configuration")
        .unused_account_validity_days = 0;
    assert_eq!(differences(&before, &after), Vec::<String>::new());
    after.deletion_protection = Some(DeletionProtectionType::Inactive);
    after.device_configuration = None;
    let named: Vec<_> = differences(&before, &after)
        .iter()
        .filter_map(|difference| difference.split_once(':'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(named, ["DeletionProtection", "DeviceConfiguration"]);
}

/// Whoever adds a field to the SDK's description of a pool makes this fail: is it writable? Then it must be carried.
#[test]
fn every_setting_that_the_sdk_describes_is_known_here() {
    let printed = format!("{:#?}", pool_with_every_setting());
    let fields = fields(&printed);
    assert_eq!(fields.len(), 37, "{fields:?}");
    let unset: Vec<_> = fields.iter().filter(|(_, set)| !set).map(|(name, _)| *name).collect();
    // Cognito has not used this one for years; the SDK marks it as deprecated.
    assert_eq!(unset, ["status"]);
}
