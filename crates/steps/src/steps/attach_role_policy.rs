//! `attach-role-policy`: a managed policy on a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::role_policy_attachment::{self, RolePolicyAttachment};
use engine::step::{Context, StepError, StepKind};

/// `attach-role-policy`.
pub struct AttachRolePolicy;

/// Attaches a managed policy to a role.
///
/// One that is attached already stays attached when the run is over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    role_name: String,
    /// The policy's ARN.
    #[schemars(extend("x-form" = "policy-arn"))]
    policy_arn: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The role's name.
    #[schemars(extend("x-known" = true))]
    role_name: String,
    /// The policy's ARN.
    #[schemars(extend("x-known" = true))]
    policy_arn: String,
}

impl StepKind for AttachRolePolicy {
    const NAME: &'static str = "attach-role-policy";
    const CALLS: &'static [&'static str] =
        &["iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const PERMISSIONS: &'static [&'static str] =
        &["iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const EXAMPLE: &'static str = "\
- attach-role-policy:
    role_name: \"{{ steps.role.role_name }}\"
    policy_arn: arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess
";

    type Input = Input;
    type Output = Output;
    type Created = RolePolicyAttachment;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        role_policy_attachment::attach(&cx, &input.role_name, &input.policy_arn, false).await?;
        Ok(Output { role_name: input.role_name, policy_arn: input.policy_arn })
    }
}
