//! `create-user-pool`: a Cognito user pool.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::operation::create_user_pool::builders::CreateUserPoolFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, AliasAttributeType, DeletionProtectionType, PasswordPolicyType,
    UserPoolPolicyType, UsernameAttributeType, VerifiedAttributeType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user_pool::{self, UserPool};
use engine::step::{Context, StepError, StepKind};

/// `create-user-pool`.
pub struct CreateUserPool;

/// Creates a Cognito user pool, without second factors.
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
    const CALLS: &'static [&'static str] = &["cognito-idp:CreateUserPool"];
    const PERMISSIONS: &'static [&'static str] =
        &["cognito-idp:CreateUserPool", "cognito-idp:TagResource"];
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
        Ok(Output { user_pool_id, arn, pool_name: input.pool_name })
    }
}

fn request(cx: &Context, input: &Input) -> CreateUserPoolFluentBuilder {
    fn some<T>(names: &[String], of: impl Fn(&str) -> T) -> Option<Vec<T>> {
        (!names.is_empty()).then(|| names.iter().map(|name| of(name)).collect())
    }
    let by_admin = AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build();
    cx.aws
        .cognito()
        .create_user_pool()
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
