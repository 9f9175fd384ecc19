//! `sign-up`: a user who registers with a pool.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::operation::sign_up::SignUpOutput;
use aws_sdk_cognitoidentityprovider::types::UserStatusType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::planned::Planned;
use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user::{self, Attributes, CodeDelivery, User};
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, StepError, StepKind};

/// `sign-up`.
pub struct SignUp;

/// Signs a user up with a user pool, as an app does.
///
/// A password that the pool's policy refuses is the error `InvalidPasswordException`, which `retry: {on:
/// InvalidPasswordException, ask: …}` asks for again. Where a function that the pool calls fails, the error comes with the
/// end of that function's log. The user is deleted when the run is over, whether or not it was
/// ever confirmed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id: only with it can the user be deleted again.
    user_pool_id: String,
    /// The app client's id.
    client_id: String,
    /// The app client's secret, where it has one.
    #[schemars(extend("x-secret" = true))]
    client_secret: Option<String>,
    /// The user's name.
    username: String,
    /// The user's password.
    #[schemars(extend("x-secret" = true))]
    password: String,
    /// The user's attributes, such as `email`.
    #[serde(default)]
    attributes: Attributes,
    /// What is handed on to the pool's triggers.
    client_metadata: Option<HashMap<String, String>>,
}

/// What the user is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-known" = true))]
    user_pool_id: String,
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// The id that no other user ever has.
    #[schemars(extend("x-from" = "cognito-idp:SignUp UserSub"))]
    user_sub: String,
    /// Whether the user is confirmed already, such as by a trigger.
    #[schemars(extend("x-from" = "cognito-idp:SignUp UserConfirmed"))]
    confirmed: bool,
    /// Where the code to confirm with was sent; null when none was.
    code_delivery: Option<CodeDelivery>,
}

impl StepKind for SignUp {
    const NAME: &'static str = "sign-up";
    const CALLS: &'static [&'static str] = &["cognito-idp:AdminGetUser", "cognito-idp:SignUp"];
    const CALLS_ON_FAILURE: &'static [&'static str] =
        &["cognito-idp:DescribeUserPool", "logs:FilterLogEvents"];
    const PERMISSIONS: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:DescribeUserPool", "logs:FilterLogEvents"];
    const EXAMPLE: &'static str = "\
- id: user
  sign-up:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: test_user_1
    password: \"{{ inputs.password }}\"
    attributes: {email: test_email_1@example.com}
  retry: {on: InvalidPasswordException, ask: password}
";

    type Input = Input;
    type Output = Output;
    type Created = User;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (user_pool_id, client_id) = (input.user_pool_id.clone(), input.client_id.clone());
        let occasion = Occasion::new(&cx, Some(&user_pool_id), Some(&client_id));
        occasion.through(sign_up(&cx, input)).await
    }
}

async fn sign_up(cx: &Context, input: Input) -> Result<Output, StepError> {
    let attributes = user::attributes(&input.attributes)?;
    let now = user::look(cx, &input.user_pool_id, &input.username, Planned::Gone).await?;
    let user = User::to_be(&input.user_pool_id, &input.username, now.as_ref());
    let entry = cx.intend(&user)?;
    let secret = input.client_secret.as_deref();
    let request = cx
        .aws
        .cognito()
        .sign_up()
        .client_id(&input.client_id)
        .set_secret_hash(secret_hash(secret, &input.client_id, &input.username))
        .username(&input.username)
        .password(&input.password)
        .set_user_attributes(Some(attributes).filter(|given| !given.is_empty()))
        .set_client_metadata(input.client_metadata);
    let placeholder = || SignUpOutput::builder().user_sub(cx.later("user_sub")).build();
    let made = match cx.aws.call(request.send(), placeholder).await {
        Ok(made) => {
            User::done(entry, made.user_sub())?;
            made
        }
        Err(error) => as_signed_up(&user.after(cx, entry, error).await?)?,
    };
    Ok(Output {
        user_pool_id: input.user_pool_id,
        username: input.username,
        confirmed: made.user_confirmed,
        code_delivery: made.code_delivery_details().map(CodeDelivery::of_sdk),
        user_sub: made.user_sub,
    })
}

/// What was in the reply that was lost, as far as the user shows it.
fn as_signed_up(user: &AdminGetUserOutput) -> Result<SignUpOutput, StepError> {
    SignUpOutput::builder()
        .user_sub(user::sub_of(user.user_attributes()))
        .user_confirmed(user.user_status() == Some(&UserStatusType::Confirmed))
        .build()
        .map_err(|error| StepError::failed("InvalidOutput", error.to_string()))
}
