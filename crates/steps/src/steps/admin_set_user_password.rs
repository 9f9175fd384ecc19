//! `admin-set-user-password`: a user's password, set by an administrator.

use aws_sdk_cognitoidentityprovider::operation::admin_set_user_password::AdminSetUserPasswordOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `admin-set-user-password`.
pub struct AdminSetUserPassword;

/// Sets a user's password, as an administrator.
///
/// A password that the pool's policy refuses is the error `InvalidPasswordException`. The password that a user had before
/// is known to nobody and cannot be put back: use this on users that the run has made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The user's name.
    username: String,
    /// The password.
    #[schemars(extend("x-secret" = true))]
    password: String,
    /// Whether it is for good, and not to be changed at the next sign-in.
    #[serde(default = "yes")]
    permanent: bool,
}

fn yes() -> bool {
    true
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
}

impl StepKind for AdminSetUserPassword {
    const NAME: &'static str = "admin-set-user-password";
    const CALLS: &'static [&'static str] = &["cognito-idp:AdminSetUserPassword"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- admin-set-user-password:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: \"{{ steps.user.username }}\"
    password: \"{{ inputs.password }}\"
  retry: {on: InvalidPasswordException, ask: password}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = cx
            .aws
            .cognito()
            .admin_set_user_password()
            .user_pool_id(input.user_pool_id)
            .username(&input.username)
            .password(input.password)
            .permanent(input.permanent);
        let placeholder = || Ok(AdminSetUserPasswordOutput::builder().build());
        cx.aws.call(request.send(), placeholder).await?;
        Ok(Output { username: input.username })
    }
}
