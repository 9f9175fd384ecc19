//! `admin-delete-user`: the end of a user, by an administrator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::ownership::{IfForeign, foreign};
use crate::resources::planned::Planned;
use crate::resources::user::{self, User};
use crate::resources::user_pool;
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
        let is_that = |user: &User| {
            user.user_pool_id == input.user_pool_id && user.username == input.username
        };
        // A request that arrives twice finds nothing any more.
        let made = cx.made::<User>().iter().any(is_that);
        if !user::delete(&cx, &input.user_pool_id, &input.username).await? && !made {
            return Err(user::missing(&input.username, &input.user_pool_id));
        }
        cx.settle::<User>(is_that)?;
        Ok(Output { username: input.username })
    }
}

/// The journal names the users whom the run made, and a tag the pools.
async fn check_ours(cx: &Context, input: &Input) -> Result<(), StepError> {
    let (user_pool_id, username) = (&input.user_pool_id, &input.username);
    let mut made = cx.made::<User>().into_iter();
    if made.any(|user| user.user_pool_id == *user_pool_id && user.username == *username)
        || user_pool::is_ours(cx, user_pool_id).await?
    {
        return Ok(());
    }
    match user::look(cx, user_pool_id, username, Planned::There).await? {
        None => Err(user::missing(username, user_pool_id)),
        Some(_) => {
            let what = format!("the user {username}, nor the user pool {user_pool_id}");
            Err(foreign(cx, "ForeignUser", &what))
        }
    }
}
