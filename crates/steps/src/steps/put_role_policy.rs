//! `put-role-policy`: an inline policy of a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::allows_everything;
use crate::resources::role_policy::{self, RolePolicy};
use engine::step::{Context, StepError, StepKind};

/// `put-role-policy`.
pub struct PutRolePolicy;

/// Gives a role an inline policy.
///
/// A policy of that name that the role has already is replaced, and put back when the run is over, unless somebody has
/// changed it since.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    role_name: String,
    /// The policy's name, unique in the role.
    policy_name: String,
    /// The policy, as data or as JSON text.
    #[schemars(extend("x-stored" = true))]
    policy_document: Value,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The role's name.
    #[schemars(extend("x-known" = true))]
    role_name: String,
    /// The policy's name.
    #[schemars(extend("x-known" = true))]
    policy_name: String,
}

impl StepKind for PutRolePolicy {
    const NAME: &'static str = "put-role-policy";
    const CALLS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy"];
    const PERMISSIONS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy"];
    const EXAMPLE: &'static str = "\
- put-role-policy:
    role_name: \"{{ steps.role.role_name }}\"
    policy_name: read-table
    policy_document:
      Version: \"2012-10-17\"
      Statement:
        - {Effect: Allow, Action: [dynamodb:GetItem, dynamodb:Scan], Resource: \"{{ steps.table.arn }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = RolePolicy;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { role_name, policy_name, policy_document } = input;
        let policy_document = role_policy::as_data(policy_document);
        cx.check_policy(allows_everything(&policy_document))?;
        role_policy::change(&cx, &role_name, &policy_name, policy_document).await?;
        Ok(Output { role_name, policy_name })
    }
}
