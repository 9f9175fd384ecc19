//! `admin-delete-user`: the end of a user, by an administrator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin_get_user::missing;
use super::sign_up::user::{self, User};
use crate::step::{Context, Nothing, StepError, StepKind};

/// `admin-delete-user`.
pub struct AdminDeleteUser;

/// Deletes a user of a user pool, as an administrator.
///
/// A user who is not there is the error `UserNotFoundException`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The user's name.
    username: String,
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
    const CALLS: &'static [&'static str] = &["cognito-idp:AdminDeleteUser"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- admin-delete-user:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: \"{{ steps.user.username }}\"
";

    type Input = Input;
    type Output = Output;
    type Made = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if !user::delete(&cx, &input.user_pool_id, &input.username).await? {
            return Err(missing(&input.username, &input.user_pool_id));
        }
        cx.settle::<User>(|user| {
            user.user_pool_id == input.user_pool_id && user.username == input.username
        })?;
        Ok(Output { username: input.username })
    }
}
