//! `attach-role-policy`: a managed policy on a role.

use aws_sdk_iam::operation::attach_role_policy::AttachRolePolicyOutput;
use aws_sdk_iam::operation::detach_role_policy::DetachRolePolicyOutput;
use aws_sdk_iam::operation::list_attached_role_policies::ListAttachedRolePoliciesOutput;
use aws_sdk_iam::types::AttachedPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::ROLE_BACKOFF;
use super::create_role;
use crate::policy::is_administrator_policy;
use engine::aws::CallError;
use engine::step::{Context, Resource, StepError, StepKind, Undone};

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

/// A policy that the run attached.
#[derive(Serialize, Deserialize)]
pub struct RolePolicyAttachment {
    pub(super) role_name: String,
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
        attach(&cx, &input.role_name, &input.policy_arn, false).await?;
        Ok(Output { role_name: input.role_name, policy_arn: input.policy_arn })
    }
}

/// Attaches a policy, unless it is there already. A role that the run has just made has none: `fresh` saves the look.
pub(super) async fn attach(
    cx: &Context,
    role_name: &str,
    policy_arn: &str,
    fresh: bool,
) -> Result<(), StepError> {
    cx.check_policy(is_administrator_policy(policy_arn))?;
    let made_role = create_role::made_role(cx, role_name);
    let passes = |error: &CallError| made_role && create_role::role_is_missing(error);
    if !fresh && known(cx, role_name, passes).await?.iter().any(|arn| arn == policy_arn) {
        return Ok(());
    }
    let attachment =
        RolePolicyAttachment { role_name: role_name.to_owned(), policy_arn: policy_arn.to_owned() };
    let entry = cx.intend(&attachment)?;
    let attached = cx
        .while_refused(ROLE_BACKOFF, passes, || {
            let request =
                cx.aws.iam().attach_role_policy().role_name(role_name).policy_arn(policy_arn);
            cx.aws.call(request.send(), || Ok(AttachRolePolicyOutput::builder().build()))
        })
        .await;
    match attached {
        Ok(_) => entry.done(&()),
        Err(error) => Err(entry.error(error)),
    }
}

/// The ARNs of the managed policies of a role, once IAM knows of it.
async fn known(
    cx: &Context,
    role_name: &str,
    passes: impl Fn(&CallError) -> bool,
) -> Result<Vec<String>, StepError> {
    cx.while_refused(ROLE_BACKOFF, passes, || attached(cx, role_name)).await
}

/// The ARNs of the managed policies of a role.
pub(super) async fn attached(cx: &Context, role_name: &str) -> Result<Vec<String>, CallError> {
    let mut arns = Vec::new();
    let mut marker = None;
    loop {
        let request =
            cx.aws.iam().list_attached_role_policies().role_name(role_name).set_marker(marker);
        let placeholder = || {
            let policies = attachments(cx, role_name)
                .map(|made| AttachedPolicy::builder().policy_arn(made.policy_arn).build());
            let policies = policies.collect();
            Ok(ListAttachedRolePoliciesOutput::builder()
                .set_attached_policies(Some(policies))
                .build())
        };
        let page = cx.aws.call(request.send(), placeholder).await?;
        arns.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn.clone()));
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(arns);
        }
    }
}

/// The attachments to a role that the run has made.
fn attachments(cx: &Context, role_name: &str) -> impl Iterator<Item = RolePolicyAttachment> {
    let made = cx.made::<RolePolicyAttachment>().into_iter();
    made.filter(move |made| made.role_name == role_name)
}

/// Detaches a policy; whether it was attached.
pub(super) async fn detach(
    cx: &Context,
    role_name: &str,
    policy_arn: &str,
) -> Result<bool, StepError> {
    let request = cx.aws.iam().detach_role_policy().role_name(role_name).policy_arn(policy_arn);
    match cx.aws.call(request.send(), || Ok(DetachRolePolicyOutput::builder().build())).await {
        Ok(_) => Ok(true),
        Err(error) if error.is("NoSuchEntity") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Resource for RolePolicyAttachment {
    const TYPE: &'static str = "AWS::IAM::RolePolicyAttachment";
    const UNDO: &'static [&'static str] = &["iam:DetachRolePolicy"];
    type Ids = ();

    fn label(&self) -> String {
        let policy = self.policy_arn.rsplit('/').next().unwrap_or(&self.policy_arn);
        format!("{policy} on {}", self.role_name)
    }

    async fn undo(self, cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        if detach(&cx, &self.role_name, &self.policy_arn).await? {
            Ok(Undone::Deleted)
        } else {
            Ok(Undone::AlreadyGone)
        }
    }
}
