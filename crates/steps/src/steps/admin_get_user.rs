//! `admin-get-user`: what a pool knows of a user.

use crate::resources::planned::Planned;
use crate::resources::user;
use aws_sdk_cognitoidentityprovider::primitives::DateTimeFormat;
use aws_sdk_cognitoidentityprovider::types::UserStatusType;
use engine::step::{Context, Nothing, StepError, StepKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `admin-get-user`.
pub struct AdminGetUser;

/// Describes a user of a user pool, as an administrator.
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

/// What the pool knows of the user.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name, as the pool has it.
    #[schemars(extend("x-from" = "cognito-idp:AdminGetUser Username"))]
    username: String,
    /// The id that no other user ever has.
    #[schemars(extend("x-from" = "cognito-idp:AdminGetUser UserAttributes[?Name=='sub'].Value|[0]"))]
    user_sub: String,
    /// Such as `CONFIRMED`, `UNCONFIRMED`, `FORCE_CHANGE_PASSWORD` or `RESET_REQUIRED`.
    #[schemars(extend("x-from" = "cognito-idp:AdminGetUser UserStatus"))]
    status: String,
    /// Whether the user may sign in.
    #[schemars(extend("x-from" = "cognito-idp:AdminGetUser Enabled"))]
    enabled: bool,
    /// The user's attributes, by name.
    attributes: BTreeMap<String, String>,
    /// When the user was made.
    created: Option<String>,
    /// When the user was changed.
    last_modified: Option<String>,
}

impl StepKind for AdminGetUser {
    const NAME: &'static str = "admin-get-user";
    const CALLS: &'static [&'static str] = &["cognito-idp:AdminGetUser"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: user
  admin-get-user:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: test_user_1
  assert: result.attributes.email_verified == 'true'
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let found = user::look(&cx, &input.user_pool_id, &input.username, Planned::There).await?;
        let Some(user) = found else {
            return Err(user::missing(&input.username, &input.user_pool_id));
        };
        let time = |time: Option<&aws_sdk_cognitoidentityprovider::primitives::DateTime>| {
            time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok())
        };
        Ok(Output {
            user_sub: user::sub_of(user.user_attributes()),
            status: user.user_status().map(UserStatusType::as_str).unwrap_or_default().to_owned(),
            enabled: user.enabled,
            attributes: user::by_name(user.user_attributes()),
            created: time(user.user_create_date()),
            last_modified: time(user.user_last_modified_date()),
            username: user.username,
        })
    }
}
