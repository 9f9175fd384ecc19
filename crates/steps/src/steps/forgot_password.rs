//! `forgot-password`: a code to set a new password with.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::forgot_password::ForgotPasswordOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::migration::Migration;
use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user::{CodeDelivery, User};
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, StepError, StepKind};

/// `forgot-password`.
pub struct ForgotPassword;

/// Has Cognito send a user a code to set a new password with.
///
/// The request is never repeated by itself: each one sends a message. It may bring a user into the pool, where the pool
/// has a `UserMigration` trigger; with `user_pool_id`, such a user is deleted when the run is over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The app client's id.
    client_id: String,
    /// The app client's secret, where it has one.
    #[schemars(extend("x-secret" = true))]
    client_secret: Option<String>,
    /// The user's name.
    username: String,
    /// The pool's id, where a trigger may bring the user into it.
    user_pool_id: Option<String>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// Where the code was sent.
    code_delivery: Option<CodeDelivery>,
    /// Whether a trigger has brought the user into the pool; false without `user_pool_id`.
    migrated: bool,
}

impl StepKind for ForgotPassword {
    const NAME: &'static str = "forgot-password";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:ForgotPassword"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- id: forgotten
  forgot-password:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ inputs.user_name }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = User;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (user_pool_id, client_id) = (input.user_pool_id.clone(), input.client_id.clone());
        let occasion = Occasion::new(&cx, user_pool_id.as_deref(), Some(&client_id));
        occasion.through(send(&cx, input)).await
    }
}

async fn send(cx: &Context, input: Input) -> Result<Output, StepError> {
    let pool = input.user_pool_id.as_deref();
    let migration = Migration::ahead(cx, pool, &input.username).await?;
    let secret = input.client_secret.as_deref();
    let once = Builder::new().retry_config(RetryConfig::disabled());
    let request = cx
        .aws
        .cognito()
        .forgot_password()
        .client_id(&input.client_id)
        .set_secret_hash(secret_hash(secret, &input.client_id, &input.username))
        .username(&input.username)
        .customize()
        .config_override(once);
    let placeholder = || Ok(ForgotPasswordOutput::builder().build());
    let sent = cx.aws.call(request.send(), placeholder).await;
    let migrated = match migration {
        Some(migration) => migration.over(cx, &sent, None).await?,
        None => false,
    };
    Ok(Output {
        code_delivery: sent?.code_delivery_details().map(CodeDelivery::of_sdk),
        username: input.username,
        migrated,
    })
}
