//! `get-user`: what a pool tells a user who has signed in.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::operation::get_user::GetUserOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-user`.
pub struct GetUser;

/// Describes the user whose access token is given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The user's access token, from `sign-in`.
    #[schemars(extend("x-secret" = true))]
    access_token: String,
}

/// What the pool tells of the user.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name, as the pool has it.
    #[schemars(extend("x-from" = "cognito-idp:GetUser Username"))]
    username: String,
    /// The id that no other user ever has.
    #[schemars(extend("x-from" = "cognito-idp:GetUser UserAttributes[?Name=='sub'].Value|[0]"))]
    user_sub: String,
    /// The user's attributes, by name.
    attributes: BTreeMap<String, String>,
}

impl StepKind for GetUser {
    const NAME: &'static str = "get-user";
    const CALLS: &'static [&'static str] = &["cognito-idp:GetUser"];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: me
  get-user: {access_token: \"{{ steps.signed_in.access_token }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = cx.aws.cognito().get_user().access_token(input.access_token);
        let placeholder = || {
            GetUserOutput::builder()
                .username(cx.later("username"))
                .set_user_attributes(Some(Vec::new()))
                .build()
        };
        let user = cx.aws.call(request.send(), placeholder).await?;
        Ok(Output {
            user_sub: user::sub_of(user.user_attributes()),
            attributes: user::by_name(user.user_attributes()),
            username: user.username,
        })
    }
}
