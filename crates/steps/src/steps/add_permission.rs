//! `add-permission`: somebody else's right to invoke a Lambda function.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::permission::{self, Permission};
use crate::resources::planned::Planned;
use engine::step::{Context, StepError, StepKind};

/// `add-permission`.
pub struct AddPermission;

/// Allows a service or an account to invoke a Lambda function.
///
/// A user pool that is to call a function as a trigger needs this, with the pool's ARN as `source_arn`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// Who may: a service such as `cognito-idp.amazonaws.com`, an account's number, or an ARN.
    #[schemars(extend("x-form" = "principal"))]
    principal: String,
    /// What it may do.
    #[serde(default = "invoke_function")]
    action: String,
    /// The ARN of what it may do so for, such as that of a user pool.
    source_arn: Option<String>,
    /// The number of the account that this must belong to.
    source_account: Option<String>,
    /// The statement's name in the function's policy; made from the run's id, the step and its round when absent.
    statement_id: Option<String>,
}

fn invoke_function() -> String {
    "lambda:InvokeFunction".to_owned()
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// The statement's name in the function's policy.
    #[schemars(extend("x-known" = true))]
    statement_id: String,
    /// The statement, as Lambda keeps it.
    statement: Value,
}

impl StepKind for AddPermission {
    const NAME: &'static str = "add-permission";
    const CALLS: &'static [&'static str] = &["lambda:GetPolicy", "lambda:AddPermission"];
    const PERMISSIONS: &'static [&'static str] = &["lambda:GetPolicy", "lambda:AddPermission"];
    const EXAMPLE: &'static str = "\
- add-permission:
    function_name: \"{{ steps.function.function_name }}\"
    principal: cognito-idp.amazonaws.com
    source_arn: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_EXAMPLE
";

    type Input = Input;
    type Output = Output;
    type Created = Permission;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let named = input.statement_id.is_some();
        let permission = Permission {
            statement_id: input.statement_id.unwrap_or_else(|| cx.own_name(100)),
            function_name: input.function_name,
            principal: input.principal,
            action: input.action,
            source_arn: input.source_arn,
            source_account: input.source_account,
        };
        // A name without the run's id proves nothing afterwards, so it must be free now.
        if named && permission::look(&cx, &permission, Planned::Gone).await?.is_some() {
            return Err(permission::exists(&permission));
        }
        let statement = permission::add(&cx, &permission).await?;
        let Permission { function_name, statement_id, .. } = permission;
        Ok(Output { function_name, statement_id, statement })
    }
}
