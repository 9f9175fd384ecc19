//! `confirm-sign-up`: the code that a user was sent.

use aws_sdk_cognitoidentityprovider::operation::confirm_sign_up::ConfirmSignUpOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `confirm-sign-up`.
pub struct ConfirmSignUp;

/// Confirms a user who has signed up, with the code that Cognito has sent.
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

impl StepKind for ConfirmSignUp {
    const NAME: &'static str = "confirm-sign-up";
    const CALLS: &'static [&'static str] = &["cognito-idp:ConfirmSignUp"];
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
- confirm-sign-up:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ steps.user.username }}\"
    confirmation_code: \"{{ steps.code.answer }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let secret = input.client_secret.as_deref();
        let request = cx
            .aws
            .cognito()
            .confirm_sign_up()
            .client_id(&input.client_id)
            .set_secret_hash(secret_hash(secret, &input.client_id, &input.username))
            .username(&input.username)
            .confirmation_code(input.confirmation_code);
        let placeholder = || Ok(ConfirmSignUpOutput::builder().build());
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        let confirm = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
        occasion.through(confirm).await?;
        Ok(Output { username: input.username })
    }
}
