//! `create-user-pool`: a Cognito user pool.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::operation::create_user_pool::builders::CreateUserPoolFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, AliasAttributeType, AttributeDataType, DeletionProtectionType,
    NumberAttributeConstraintsType, PasswordPolicyType, SchemaAttributeType,
    StringAttributeConstraintsType, UserPoolMfaType, UserPoolPolicyType, UsernameAttributeType,
    UsernameConfigurationType, VerifiedAttributeType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user_pool::{self, UserPool};
use engine::step::{Context, StepError, StepKind};

/// `create-user-pool`.
pub struct CreateUserPool;

/// Creates a Cognito user pool. With `mfa_configuration`, its users have authenticator apps as second factors.
///
/// Several pools may have one name: a pool of that name that is there already is no error, and is never touched. The pool
/// is deleted with all its users and app clients when the run is over, even where `deletion_protection` was on.
///
/// The request is never repeated by itself: each one would make another pool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's name.
    #[schemars(extend("x-stored" = true, "x-form" = "user-pool-name"))]
    pool_name: String,
    /// What passwords must be like; Cognito's own policy when absent.
    password_policy: Option<PasswordPolicy>,
    /// What Cognito has users verify by itself: `email`, `phone_number`.
    #[serde(default)]
    auto_verified_attributes: Vec<String>,
    /// What users sign in with in place of a name: `email`, `phone_number`.
    #[serde(default)]
    username_attributes: Vec<String>,
    /// What users may sign in with beside their name: `email`, `phone_number`, `preferred_username`.
    #[serde(default)]
    alias_attributes: Vec<String>,
    /// The attributes of its own that the pool has, and what it says of standard ones.
    #[serde(default)]
    schema: Vec<Attribute>,
    /// Whether `Ann` and `ann` are two users, and two e-mail addresses; Cognito's own answer is yes when absent.
    case_sensitive: Option<bool>,
    /// Whether a code of an authenticator app is asked for at sign-in: `OPTIONAL` of users who have set one up, `ON` of
    /// all.
    mfa_configuration: Option<MfaConfiguration>,
    /// Whether only administrators may make users.
    #[serde(default)]
    allow_admin_create_user_only: bool,
    /// Whether the pool refuses to be deleted, by others than this run.
    #[serde(default)]
    deletion_protection: bool,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
}

/// When a second factor is asked for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum MfaConfiguration {
    /// Of users who have one.
    Optional,
    /// Of all users.
    On,
}

impl MfaConfiguration {
    fn of_sdk(self) -> UserPoolMfaType {
        match self {
            Self::Optional => UserPoolMfaType::Optional,
            Self::On => UserPoolMfaType::On,
        }
    }
}

/// An attribute that users have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attribute {
    /// The name: of a standard attribute, such as `email`, or of one of the pool's own, which is called `custom:NAME` then.
    #[schemars(length(min = 1, max = 20))]
    name: String,
    /// The type of one of the pool's own; `String` when absent.
    attribute_data_type: Option<DataType>,
    /// Whether it can be changed once it is set; Cognito's own answer is yes when absent.
    mutable: Option<bool>,
    /// Whether people have to give it who sign up: standard attributes alone.
    required: Option<bool>,
    /// The fewest characters of a text.
    #[schemars(range(min = 0, max = 2048))]
    min_length: Option<i32>,
    /// The most characters of a text.
    #[schemars(range(min = 0, max = 2048))]
    max_length: Option<i32>,
    /// The least number.
    min_value: Option<i64>,
    /// The greatest number.
    max_value: Option<i64>,
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum DataType {
    /// A text.
    String,
    /// A whole number.
    Number,
    /// A point in time.
    DateTime,
    /// True or false.
    Boolean,
}

impl DataType {
    fn of_sdk(self) -> AttributeDataType {
        match self {
            Self::String => AttributeDataType::String,
            Self::Number => AttributeDataType::Number,
            Self::DateTime => AttributeDataType::Datetime,
            Self::Boolean => AttributeDataType::Boolean,
        }
    }
}

impl Attribute {
    fn of_sdk(&self) -> SchemaAttributeType {
        let text = |bound: Option<i32>| bound.map(|bound| bound.to_string());
        let number = |bound: Option<i64>| bound.map(|bound| bound.to_string());
        let lengths = StringAttributeConstraintsType::builder()
            .set_min_length(text(self.min_length))
            .set_max_length(text(self.max_length))
            .build();
        let values = NumberAttributeConstraintsType::builder()
            .set_min_value(number(self.min_value))
            .set_max_value(number(self.max_value))
            .build();
        let has_lengths = self.min_length.or(self.max_length).is_some();
        let has_values = self.min_value.or(self.max_value).is_some();
        let guessed = if has_values { DataType::Number } else { DataType::String };
        let is_standard = STANDARD.contains(&self.name.as_str());
        let data_type =
            self.attribute_data_type.or((!is_standard || has_lengths).then_some(guessed));
        SchemaAttributeType::builder()
            .name(&self.name)
            .set_attribute_data_type(data_type.map(DataType::of_sdk))
            .set_mutable(self.mutable)
            .set_required(self.required)
            .set_string_attribute_constraints(has_lengths.then_some(lengths))
            .set_number_attribute_constraints(has_values.then_some(values))
            .build()
    }
}

/// The attributes that every pool has, whose types are not for a playbook to say.
const STANDARD: [&str; 20] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "sub",
    "updated_at",
    "website",
    "zoneinfo",
];

/// What passwords must be like.
#[allow(clippy::struct_excessive_bools, reason = "these are Cognito's own switches")]
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordPolicy {
    /// The fewest characters.
    #[schemars(range(min = 6, max = 99))]
    minimum_length: Option<i32>,
    /// Whether a capital letter is needed.
    #[serde(default)]
    require_uppercase: bool,
    /// Whether a small letter is needed.
    #[serde(default)]
    require_lowercase: bool,
    /// Whether a digit is needed.
    #[serde(default)]
    require_numbers: bool,
    /// Whether a special character is needed.
    #[serde(default)]
    require_symbols: bool,
    /// For how many days the password that an administrator gives is good.
    #[schemars(range(min = 0, max = 365))]
    temporary_password_validity_days: Option<i32>,
}

impl PasswordPolicy {
    fn of_sdk(&self) -> UserPoolPolicyType {
        let policy = PasswordPolicyType::builder()
            .set_minimum_length(self.minimum_length)
            .require_uppercase(self.require_uppercase)
            .require_lowercase(self.require_lowercase)
            .require_numbers(self.require_numbers)
            .require_symbols(self.require_symbols)
            .set_temporary_password_validity_days(self.temporary_password_validity_days);
        UserPoolPolicyType::builder().password_policy(policy.build()).build()
    }
}

/// What the pool is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-from" = "cognito-idp:CreateUserPool UserPool.Id"))]
    user_pool_id: String,
    /// The pool's ARN.
    #[schemars(extend("x-from" = "cognito-idp:CreateUserPool UserPool.Arn"))]
    arn: String,
    /// The pool's name.
    #[schemars(extend("x-known" = true))]
    pool_name: String,
}

impl StepKind for CreateUserPool {
    const NAME: &'static str = "create-user-pool";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:CreateUserPool", "cognito-idp:SetUserPoolMfaConfig"];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:CreateUserPool",
        "cognito-idp:TagResource",
        "cognito-idp:SetUserPoolMfaConfig",
    ];
    const EXAMPLE: &'static str = "\
- id: pool
  create-user-pool:
    pool_name: playbook-{{ run.id }}
    password_policy: {minimum_length: 8}
    auto_verified_attributes: [email]
";

    type Input = Input;
    type Output = Output;
    type Created = UserPool;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = request(&cx, &input);
        let tags = input.tags.into_iter().collect();
        let (user_pool_id, arn) = user_pool::create(&cx, &input.pool_name, tags, request).await?;
        if let Some(mode) = input.mfa_configuration {
            user_pool::set_mfa(&cx, &user_pool_id, mode.of_sdk()).await?;
        }
        Ok(Output { user_pool_id, arn, pool_name: input.pool_name })
    }
}

fn request(cx: &Context, input: &Input) -> CreateUserPoolFluentBuilder {
    fn some<T>(names: &[String], of: impl Fn(&str) -> T) -> Option<Vec<T>> {
        (!names.is_empty()).then(|| names.iter().map(|name| of(name)).collect())
    }
    let by_admin = AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build();
    let case = |sensitive| UsernameConfigurationType::builder().case_sensitive(sensitive).build();
    let schema: Vec<_> = input.schema.iter().map(Attribute::of_sdk).collect();
    cx.aws
        .cognito()
        .create_user_pool()
        .set_schema(Some(schema).filter(|schema| !schema.is_empty()))
        .set_username_configuration(input.case_sensitive.map(case).transpose().ok().flatten())
        .set_policies(input.password_policy.as_ref().map(PasswordPolicy::of_sdk))
        .set_auto_verified_attributes(some(&input.auto_verified_attributes, |name| {
            VerifiedAttributeType::from(name)
        }))
        .set_username_attributes(some(&input.username_attributes, |name| {
            UsernameAttributeType::from(name)
        }))
        .set_alias_attributes(some(&input.alias_attributes, |name| AliasAttributeType::from(name)))
        .set_admin_create_user_config(input.allow_admin_create_user_only.then_some(by_admin))
        .set_deletion_protection(
            input.deletion_protection.then_some(DeletionProtectionType::Active),
        )
}
