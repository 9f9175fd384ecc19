//! `resend-code`: another code for a user who has signed up.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::resend_confirmation_code::ResendConfirmationCodeOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::CodeDelivery;
use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `resend-code`.
pub struct ResendCode;

/// Has Cognito send another code to a user who has signed up and is not confirmed. The code that was sent before is void.
///
/// The request is never repeated by itself: each one sends a message.
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
    /// The pool's id, to look for the log of a function of its that fails. Without it, the pool is known where this run
    /// has made the client or set the pool's triggers.
    user_pool_id: Option<String>,
}

/// Where the code went.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// Where the code was sent.
    code_delivery: Option<CodeDelivery>,
}

impl StepKind for ResendCode {
    const NAME: &'static str = "resend-code";
    const CALLS: &'static [&'static str] = &["cognito-idp:ResendConfirmationCode"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:ResendConfirmationCode",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- resend-code:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ steps.user.username }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let secret = input.client_secret.as_deref();
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = cx
            .aws
            .cognito()
            .resend_confirmation_code()
            .client_id(&input.client_id)
            .set_secret_hash(secret_hash(secret, &input.client_id, &input.username))
            .username(&input.username)
            .customize()
            .config_override(once);
        let placeholder = || Ok(ResendConfirmationCodeOutput::builder().build());
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        let resend = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
        let sent = occasion.through(resend).await?;
        Ok(Output {
            code_delivery: sent.code_delivery_details().map(CodeDelivery::of_sdk),
            username: input.username,
        })
    }
}
