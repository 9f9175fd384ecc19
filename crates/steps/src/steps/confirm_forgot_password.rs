//! `confirm-forgot-password`: a new password, with the code that a user was sent.

use aws_sdk_cognitoidentityprovider::operation::confirm_forgot_password::ConfirmForgotPasswordOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `confirm-forgot-password`.
pub struct ConfirmForgotPassword;

/// Sets a user's new password, with the code that Cognito has sent.
///
/// A password that the pool's policy refuses is the error `InvalidPasswordException`, a wrong code
/// `CodeMismatchException`.
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
    /// The code.
    #[schemars(extend("x-secret" = true))]
    confirmation_code: String,
    /// The new password.
    #[schemars(extend("x-secret" = true))]
    password: String,
    /// The pool's id, to look for the log of a function of its that fails. Without it, the pool is known where this run
    /// has made the client or set the pool's triggers.
    user_pool_id: Option<String>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
}

impl StepKind for ConfirmForgotPassword {
    const NAME: &'static str = "confirm-forgot-password";
    const CALLS: &'static [&'static str] = &["cognito-idp:ConfirmForgotPassword"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- confirm-forgot-password:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ inputs.user_name }}\"
    confirmation_code: \"{{ steps.code.answer }}\"
    password: \"{{ inputs.password }}\"
  retry: {on: InvalidPasswordException, ask: password}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let secret = input.client_secret.as_deref();
        let request = cx
            .aws
            .cognito()
            .confirm_forgot_password()
            .client_id(&input.client_id)
            .set_secret_hash(secret_hash(secret, &input.client_id, &input.username))
            .username(&input.username)
            .confirmation_code(input.confirmation_code)
            .password(input.password);
        let placeholder = || Ok(ConfirmForgotPasswordOutput::builder().build());
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        let confirm = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
        occasion.through(confirm).await?;
        Ok(Output { username: input.username })
    }
}
