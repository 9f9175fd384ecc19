//! `create-user-pool`: a Cognito user pool.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool::CreateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool::builders::CreateUserPoolFluentBuilder;
use aws_sdk_cognitoidentityprovider::operation::delete_user_pool::DeleteUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool::DescribeUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pools::ListUserPoolsOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, AliasAttributeType, DeletionProtectionType, LambdaConfigType,
    PasswordPolicyType, UserPoolDescriptionType, UserPoolPolicyType, UserPoolType,
    UsernameAttributeType, VerifiedAttributeType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::Planned;
use super::create_role::run_tag;
use super::update_triggers::carry_over::carry_over;
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Resource, StepError, StepKind, Undone};

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
    #[schemars(extend("x-stored" = true))]
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

/// A pool that the run made.
#[derive(Serialize, Deserialize)]
pub struct UserPool {
    pool_name: String,
    /// What no other pool is tagged with, since names prove nothing.
    token: String,
}

/// The pool's id.
#[derive(Serialize, Deserialize)]
pub struct UserPoolIds {
    user_pool_id: String,
}

/// The key of the tag that tells one pool of a run from another.
const TOKEN_KEY: &str = "playbook:token";

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
        let nth = cx.made::<UserPool>().len();
        let made = UserPool {
            pool_name: input.pool_name.clone(),
            token: format!("{}/{}/{nth}", cx.run.id, cx.step),
        };
        let entry = cx.intend(&made)?;
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = request(&cx, &input, &made.token).customize().config_override(once);
        let placeholder = || {
            let pool = UserPoolType::builder().id(cx.later("user_pool_id")).arn(cx.later("arn"));
            Ok(CreateUserPoolOutput::builder().user_pool(pool.build()).build())
        };
        let pool = match cx.aws.call(request.send(), placeholder).await {
            Ok(output) => output.user_pool,
            Err(error) => return Err(entry.error(error)),
        };
        let Some(UserPoolType { id: Some(user_pool_id), arn, .. }) = pool else {
            let error = StepError::failed("InvalidOutput", "CreateUserPool returned no user pool");
            return Err(entry.error(error));
        };
        entry.done(&UserPoolIds { user_pool_id: user_pool_id.clone() })?;
        Ok(Output { user_pool_id, arn: arn.unwrap_or_default(), pool_name: input.pool_name })
    }
}

fn request(cx: &Context, input: &Input, token: &str) -> CreateUserPoolFluentBuilder {
    fn some<T>(names: &[String], of: impl Fn(&str) -> T) -> Option<Vec<T>> {
        (!names.is_empty()).then(|| names.iter().map(|name| of(name)).collect())
    }
    let own = [run_tag(cx), (TOKEN_KEY.to_owned(), token.to_owned())];
    let tags: HashMap<_, _> = input.tags.clone().into_iter().chain(own).collect();
    let by_admin = AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build();
    cx.aws
        .cognito()
        .create_user_pool()
        .pool_name(&input.pool_name)
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
        .set_user_pool_tags(Some(tags))
}

/// Describes a pool, if it is there; a dry run sees the one that the run has made.
async fn look(
    cx: &Context,
    user_pool_id: &str,
    token: &str,
    planned: Planned,
) -> Result<Option<UserPoolType>, CallError> {
    let request = cx.aws.cognito().describe_user_pool().user_pool_id(user_pool_id);
    let placeholder = || {
        let pool =
            UserPoolType::builder().id(user_pool_id).user_pool_tags(TOKEN_KEY, token).build();
        let pool = matches!(planned, Planned::There).then_some(pool);
        Ok(DescribeUserPoolOutput::builder().set_user_pool(pool).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.user_pool),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ids of all pools of that name.
async fn named(cx: &Context, pool_name: &str) -> Result<Vec<String>, CallError> {
    let (mut ids, mut next_token) = (Vec::new(), None);
    loop {
        let request = cx.aws.cognito().list_user_pools().max_results(60).set_next_token(next_token);
        let placeholder = || {
            let id = cx.later("user_pool_id");
            let pool = UserPoolDescriptionType::builder().id(id).name(pool_name).build();
            Ok(ListUserPoolsOutput::builder().user_pools(pool).build())
        };
        let page = cx.aws.call(request.send(), placeholder).await?;
        let pools = page.user_pools.unwrap_or_default().into_iter();
        ids.extend(pools.filter(|pool| pool.name() == Some(pool_name)).filter_map(|pool| pool.id));
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(ids);
        }
    }
}

impl UserPool {
    fn is(&self, pool: &UserPoolType) -> bool {
        pool.user_pool_tags().and_then(|tags| tags.get(TOKEN_KEY)) == Some(&self.token)
    }

    /// The pool that the run made, as it is now. No two pools ever have the same id; where it is not known, the token
    /// tells.
    async fn found(
        &self,
        cx: &Context,
        ids: Option<UserPoolIds>,
    ) -> Result<Option<UserPoolType>, CallError> {
        let known = ids.is_some();
        let candidates = match ids {
            Some(ids) => vec![ids.user_pool_id],
            None => named(cx, &self.pool_name).await?,
        };
        for id in candidates {
            match look(cx, &id, &self.token, Planned::There).await? {
                Some(pool) if known || self.is(&pool) => return Ok(Some(pool)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl Resource for UserPool {
    const TYPE: &'static str = "AWS::Cognito::UserPool";
    const UNDO: &'static [&'static str] = &[
        "cognito-idp:ListUserPools",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:TagResource",
        "cognito-idp:DeleteUserPool",
    ];
    type Ids = UserPoolIds;

    fn label(&self) -> String {
        self.pool_name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<UserPoolIds>) -> Result<Undone, StepError> {
        let Some(pool) = self.found(&cx, ids).await? else {
            return Ok(Undone::AlreadyGone);
        };
        if pool.deletion_protection() == Some(&DeletionProtectionType::Active) {
            unprotect(&cx, &pool).await?;
        }
        let id = pool.id().unwrap_or_default();
        let request = cx.aws.cognito().delete_user_pool().user_pool_id(id);
        let placeholder = || Ok(DeleteUserPoolOutput::builder().build());
        match cx.aws.call(request.send(), placeholder).await {
            Err(error) if error.is("ResourceNotFoundException") => {}
            deleted => deleted.map(drop)?,
        }
        let what = format!("the deletion of the user pool {}", self.pool_name);
        cx.until(&what, Backoff::seconds(60), || async {
            let left = look(&cx, id, &self.token, Planned::Gone).await?;
            Ok(left.is_none().then_some(()))
        })
        .await?;
        Ok(Undone::Deleted)
    }
}

/// Lets a pool be deleted. It keeps its tags, which prove whose it is should the deletion not follow.
async fn unprotect(cx: &Context, pool: &UserPoolType) -> Result<(), StepError> {
    let triggers =
        pool.lambda_config().cloned().unwrap_or_else(|| LambdaConfigType::builder().build());
    let request = carry_over(pool, triggers)
        .deletion_protection(DeletionProtectionType::Inactive)
        .send_with(cx.aws.cognito());
    cx.aws.call(request, || Ok(UpdateUserPoolOutput::builder().build())).await?;
    Ok(())
}
