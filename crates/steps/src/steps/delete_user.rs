//! `delete-user`: a user who leaves.

use aws_sdk_cognitoidentityprovider::operation::delete_user::DeleteUserOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::User;
use crate::resources::user::claims::Claims;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `delete-user`.
pub struct DeleteUser;

/// Deletes the user whose access token is given, as the user does.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The user's access token, from `sign-in`.
    #[schemars(extend("x-secret" = true))]
    access_token: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name, as the token has it.
    username: Option<String>,
}

impl StepKind for DeleteUser {
    const NAME: &'static str = "delete-user";
    const CALLS: &'static [&'static str] = &["cognito-idp:DeleteUser"];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- delete-user: {access_token: \"{{ steps.signed_in.access_token }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let claims = Claims::of(&input.access_token);
        let request = cx.aws.cognito().delete_user().access_token(input.access_token);
        cx.aws.call(request.send(), || Ok(DeleteUserOutput::builder().build())).await?;
        if let Some(claims) = &claims {
            cx.settle::<User>(|user| {
                user.user_pool_id == claims.user_pool_id() && user.username == claims.username
            })?;
        }
        Ok(Output { username: claims.map(|claims| claims.username) })
    }
}
