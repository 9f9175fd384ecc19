//! Cognito user pools.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool::CreateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool::builders::CreateUserPoolFluentBuilder;
use aws_sdk_cognitoidentityprovider::operation::delete_user_pool::DeleteUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool::DescribeUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pools::ListUserPoolsOutput;
use aws_sdk_cognitoidentityprovider::operation::set_user_pool_mfa_config::SetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::types::{
    DeletionProtectionType, LambdaConfigType, SoftwareTokenMfaConfigType, UserPoolDescriptionType,
    UserPoolMfaType, UserPoolType,
};
use serde::{Deserialize, Serialize};

use super::ownership::{run_tag, run_tags};
use super::planned::Planned;
use super::user_pool_triggers::carry_over::carry_over;
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Resource, StepError, Undone};

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
pub(crate) const TOKEN_KEY: &str = "playbook:token";

/// Creates a pool, as `request` says; its id and ARN. The request is never repeated: each one would make another pool.
pub(crate) async fn create(
    cx: &Context,
    pool_name: &str,
    mut tags: HashMap<String, String>,
    request: CreateUserPoolFluentBuilder,
) -> Result<(String, String), StepError> {
    let nth = cx.made::<UserPool>().len();
    let token = format!("{}/{}/{nth}", cx.run.id, cx.slug);
    let made = UserPool { pool_name: pool_name.to_owned(), token };
    let entry = cx.intend(&made)?;
    tags.extend(run_tags(cx));
    tags.insert(TOKEN_KEY.to_owned(), made.token);
    let once = Builder::new().retry_config(RetryConfig::disabled());
    let request = request.pool_name(pool_name).set_user_pool_tags(Some(tags));
    let request = request.customize().config_override(once);
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
    Ok((user_pool_id, arn.unwrap_or_default()))
}

/// Has a pool of the run ask for codes of authenticator apps, which no pool can be created with.
pub(crate) async fn set_mfa(
    cx: &Context,
    user_pool_id: &str,
    mode: UserPoolMfaType,
) -> Result<(), StepError> {
    let request = cx
        .aws
        .cognito()
        .set_user_pool_mfa_config()
        .user_pool_id(user_pool_id)
        .software_token_mfa_configuration(
            SoftwareTokenMfaConfigType::builder().enabled(true).build(),
        )
        .mfa_configuration(mode);
    let placeholder = || Ok(SetUserPoolMfaConfigOutput::builder().build());
    cx.aws.call(request.send(), placeholder).await?;
    Ok(())
}

/// Whether the run has made a pool, as its tags say. A dry run supposes so.
pub(crate) async fn is_ours(cx: &Context, user_pool_id: &str) -> Result<bool, StepError> {
    let (key, value) = run_tag(cx);
    let request = cx.aws.cognito().describe_user_pool().user_pool_id(user_pool_id);
    let placeholder = || {
        let pool = UserPoolType::builder().user_pool_tags(&key, &value).build();
        Ok(DescribeUserPoolOutput::builder().user_pool(pool).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output
            .user_pool
            .and_then(|pool| pool.user_pool_tags)
            .is_some_and(|tags| tags.get(&key) == Some(&value))),
        Err(error) if error.is("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(error.into()),
    }
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

    /// The pools that the run made by this entry, as they are now: more than one where the request arrived twice. No two pools
    /// ever have the same id; where it is not known, the token tells. With them the ids of pools of that name without any
    /// tags: those may be missing for a while.
    async fn found(
        &self,
        cx: &Context,
        ids: Option<UserPoolIds>,
    ) -> Result<(Vec<UserPoolType>, Vec<String>), CallError> {
        let known = ids.map(|ids| ids.user_pool_id);
        let others = named(cx, &self.pool_name).await?;
        let others = others.into_iter().filter(|id| Some(id) != known.as_ref());
        let candidates: Vec<String> = known.iter().cloned().chain(others).collect();
        let mut found = Vec::new();
        let mut bare = Vec::new();
        for id in candidates {
            match look(cx, &id, &self.token, Planned::There).await? {
                Some(pool) if known.as_ref() == Some(&id) || self.is(&pool) => found.push(pool),
                Some(pool) if pool.user_pool_tags().is_none_or(HashMap::is_empty) => bare.push(id),
                _ => {}
            }
        }
        Ok((found, bare))
    }

    /// Deletes a pool and waits until it is gone.
    async fn delete(&self, cx: &Context, pool: &UserPoolType) -> Result<(), StepError> {
        if pool.deletion_protection() == Some(&DeletionProtectionType::Active) {
            unprotect(cx, pool).await?;
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
            let left = look(cx, id, &self.token, Planned::Gone).await?;
            Ok(left.is_none().then_some(()))
        })
        .await
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
        let is_known = ids.is_some();
        let (found, bare) = self.found(&cx, ids).await?;
        if found.is_empty() && !is_known && !bare.is_empty() {
            let reason = format!("{} of that name does not carry its token", bare.join(", "));
            return Ok(Undone::Unproven { reason });
        }
        for pool in &found {
            self.delete(&cx, pool).await?;
        }
        Ok(if found.is_empty() { Undone::AlreadyGone } else { Undone::Deleted })
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
