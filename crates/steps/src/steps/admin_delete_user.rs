//! `admin-delete-user`: the end of a user, by an administrator.

use aws_sdk_cognitoidentityprovider::operation::describe_user_pool::DescribeUserPoolOutput;
use aws_sdk_cognitoidentityprovider::types::UserPoolType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin_get_user::missing;
use super::create_function::Planned;
use super::create_role::run_tag;
use super::delete_role::{IfForeign, foreign};
use super::sign_up::user::{self, User};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `admin-delete-user`.
pub struct AdminDeleteUser;

/// Deletes a user of a user pool, as an administrator.
///
/// A user who is not there is the error `UserNotFoundException`. One whom this run did not make, in a pool that it did not make
/// either, is an error, and left alone, unless `if_foreign: delete` says that the user may be lost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The user's name.
    username: String,
    /// What to do when this run made neither the user nor the pool.
    #[serde(default)]
    if_foreign: IfForeign,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
}

impl StepKind for AdminDeleteUser {
    const NAME: &'static str = "admin-delete-user";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:DescribeUserPool", "cognito-idp:AdminDeleteUser"];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminDeleteUser",
    ];
    const EXAMPLE: &'static str = "\
- admin-delete-user:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: \"{{ steps.user.username }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.if_foreign == IfForeign::Fail {
            check_ours(&cx, &input).await?;
        }
        if !user::delete(&cx, &input.user_pool_id, &input.username).await? {
            return Err(missing(&input.username, &input.user_pool_id));
        }
        cx.settle::<User>(|user| {
            user.user_pool_id == input.user_pool_id && user.username == input.username
        })?;
        Ok(Output { username: input.username })
    }
}

/// The journal names the users whom the run made, and a tag the pools.
async fn check_ours(cx: &Context, input: &Input) -> Result<(), StepError> {
    let (user_pool_id, username) = (&input.user_pool_id, &input.username);
    let mut made = cx.made::<User>().into_iter();
    if made.any(|user| user.user_pool_id == *user_pool_id && user.username == *username)
        || is_pool_ours(cx, user_pool_id).await?
    {
        return Ok(());
    }
    match user::look(cx, user_pool_id, username, Planned::There).await? {
        None => Err(missing(username, user_pool_id)),
        Some(_) => {
            let what = format!("the user {username}, nor the user pool {user_pool_id}");
            Err(foreign(cx, "ForeignUser", &what))
        }
    }
}

async fn is_pool_ours(cx: &Context, user_pool_id: &str) -> Result<bool, StepError> {
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
