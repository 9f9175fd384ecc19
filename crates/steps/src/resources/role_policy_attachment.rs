//! Managed policies on IAM roles.

use aws_sdk_iam::operation::attach_role_policy::AttachRolePolicyOutput;
use aws_sdk_iam::operation::detach_role_policy::DetachRolePolicyOutput;
use aws_sdk_iam::operation::list_attached_role_policies::ListAttachedRolePoliciesOutput;
use aws_sdk_iam::types::AttachedPolicy;
use serde::{Deserialize, Serialize};

use super::role::{self, ROLE_BACKOFF};
use crate::policy::is_administrator_policy;
use engine::aws::CallError;
use engine::step::{Context, Resource, StepError, Undone};

/// A policy that the run attached.
#[derive(Serialize, Deserialize)]
pub struct RolePolicyAttachment {
    pub(crate) role_name: String,
    policy_arn: String,
}

/// Attaches a policy, unless it is there already. A role that the run has just made has none: `fresh` saves the look.
pub(crate) async fn attach(
    cx: &Context,
    role_name: &str,
    policy_arn: &str,
    fresh: bool,
) -> Result<(), StepError> {
    cx.check_policy(is_administrator_policy(policy_arn))?;
    let made_role = role::made_role(cx, role_name);
    let passes = |error: &CallError| made_role && role::role_is_missing(error);
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
pub(crate) async fn attached(cx: &Context, role_name: &str) -> Result<Vec<String>, CallError> {
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
pub(crate) async fn detach(
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
    const UNDO: &'static [&'static str] =
        &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:DetachRolePolicy"];
    type Ids = ();

    fn label(&self) -> String {
        let policy = self.policy_arn.rsplit('/').next().unwrap_or(&self.policy_arn);
        format!("{policy} on {}", self.role_name)
    }

    async fn undo(self, cx: Context, ids: Option<()>) -> Result<Undone, StepError> {
        if ids.is_none()
            && let Some(spared) = self.spared(&cx).await?
        {
            return Ok(spared);
        }
        if detach(&cx, &self.role_name, &self.policy_arn).await? {
            Ok(Undone::Deleted)
        } else {
            Ok(Undone::AlreadyGone)
        }
    }
}

impl RolePolicyAttachment {
    /// How undoing ends where nobody knows whether the run has attached the policy: an attachment bears no mark, so that
    /// only those on a role of the run's own are its own.
    async fn spared(&self, cx: &Context) -> Result<Option<Undone>, StepError> {
        let Some(role) = role::look(cx, &self.role_name).await? else {
            return Ok(Some(Undone::AlreadyGone));
        };
        if role::owner(cx, &role).is_this_run() {
            return Ok(None);
        }
        if !attached(cx, &self.role_name).await?.contains(&self.policy_arn) {
            return Ok(Some(Undone::AlreadyGone));
        }
        let reason = "nothing shows who has attached it".to_owned();
        Ok(Some(Undone::Unproven { reason }))
    }
}
