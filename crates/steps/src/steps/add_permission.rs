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
    principal: String,
    /// What it may do.
    #[serde(default = "invoke_function")]
    action: String,
    /// The ARN of what it may do so for, such as that of a user pool.
    source_arn: Option<String>,
    /// The number of the account that this must belong to.
    source_account: Option<String>,
    /// The statement's name in the function's policy; made from the run's id and the step's when absent.
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
            statement_id: input.statement_id.unwrap_or_else(|| statement_id(&cx.run.id, &cx.step)),
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

/// A name that tells whose the statement is; such names hold letters, digits, `-` and `_` alone.
fn statement_id(run: &str, step: &str) -> String {
    let clean = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }
    };
    format!("playbook-{run}-{step}").chars().map(clean).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_names_hold_only_what_lambda_allows() {
        assert_eq!(statement_id("7f3a", "allow cognito"), "playbook-7f3a-allow-cognito");
        assert_eq!(statement_id("7", &"x".repeat(200)).len(), 100);
    }
}
