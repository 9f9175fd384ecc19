//! `get-caller-identity`: whose credentials the run uses.

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-caller-identity`.
pub struct GetCallerIdentity;

/// Says whose credentials the run uses.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// Who the caller is.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The account's twelve digits.
    #[schemars(extend("x-from" = "sts:GetCallerIdentity Account"))]
    account: String,
    /// The ARN of the user or role.
    #[schemars(extend("x-from" = "sts:GetCallerIdentity Arn"))]
    arn: String,
    /// Its unique id.
    #[schemars(extend("x-from" = "sts:GetCallerIdentity UserId"))]
    user_id: String,
}

impl StepKind for GetCallerIdentity {
    const NAME: &'static str = "get-caller-identity";
    const CALLS: &'static [&'static str] = &["sts:GetCallerIdentity"];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: caller
  get-caller-identity:
- print: This is {{ steps.caller.arn }}.
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, _input: Input) -> Result<Output, StepError> {
        let request = cx.aws.sts().get_caller_identity();
        let placeholder = || Ok(GetCallerIdentityOutput::builder().build());
        let caller = cx.aws.call(request.send(), placeholder).await?;
        Ok(Output {
            account: caller.account.unwrap_or_default(),
            arn: caller.arn.unwrap_or_default(),
            user_id: caller.user_id.unwrap_or_default(),
        })
    }
}
