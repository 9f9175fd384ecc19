//! `delete-role`: an IAM role, with everything that keeps it from being deleted.

use aws_sdk_iam::operation::delete_role::DeleteRoleOutput;
use aws_sdk_iam::operation::delete_role_policy::DeleteRolePolicyOutput;
use aws_sdk_iam::operation::list_role_policies::ListRolePoliciesOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attach_role_policy;
use super::attach_role_policy::RolePolicyAttachment;
use super::create_role::Role;
use super::put_role_policy::RolePolicy;
use crate::aws::Outcome;
use crate::step::{Context, Nothing, StepError, StepKind, Undone};

/// `delete-role`.
pub struct DeleteRole;

/// Deletes an IAM role, after detaching its managed policies and deleting its inline ones.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    role_name: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The role's name.
    #[schemars(extend("x-known" = true))]
    role_name: String,
}

impl StepKind for DeleteRole {
    const NAME: &'static str = "delete-role";
    const CALLS: &'static [&'static str] = &[
        "iam:ListAttachedRolePolicies",
        "iam:DetachRolePolicy",
        "iam:ListRolePolicies",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- delete-role:
    role_name: \"{{ steps.role.role_name }}\"
";

    type Input = Input;
    type Output = Output;
    type Made = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if empty_and_delete(&cx, &input.role_name).await? == Undone::AlreadyGone {
            return Err(StepError::failed(
                "NoSuchEntity",
                format!("there is no role {} to delete", input.role_name),
            ));
        }
// What hung on it went with it.
        cx.settle::<RolePolicyAttachment>(|policy| policy.role_name == input.role_name)?;
        cx.settle::<RolePolicy>(|policy| policy.role_name == input.role_name)?;
                cx.settle::<Role>(|role| role.role_name == input.role_name)?;
        Ok(Output { role_name: input.role_name })
    }
}

/// Takes everything off a role that keeps it from being deleted, in the order that IAM wants, and deletes it.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>
pub(super) async fn empty_and_delete(cx: &Context, role_name: &str) -> Result<Undone, StepError> {
    let emptied = empty(cx, role_name).await;
    if matches!(&emptied, Err(error) if error.is("NoSuchEntity")) {
        return Ok(Undone::AlreadyGone);
    }
    emptied?;
    let request = cx.aws.iam().delete_role().role_name(role_name);
    match cx.aws.call(request.send(), || Ok(DeleteRoleOutput::builder().build())).await {
        Ok(_) => Ok(Undone::Deleted),
        // The SDK repeats a call whose reply was lost; the repetition then finds nothing any more.
        Err(error) if error.is("NoSuchEntity") && error.outcome == Outcome::Unknown => {
            Ok(Undone::Deleted)
        }
        Err(error) if error.is("NoSuchEntity") => Ok(Undone::AlreadyGone),
        Err(error) => Err(error.into()),
    }
}

async fn empty(cx: &Context, role_name: &str) -> Result<(), StepError> {
    for policy_arn in attach_role_policy::attached(cx, role_name).await? {
        attach_role_policy::detach(cx, role_name, &policy_arn).await?;
    }
    for policy_name in inline_policies(cx, role_name).await? {
        delete_inline_policy(cx, role_name, &policy_name).await?;
    }
    Ok(())
}

async fn inline_policies(cx: &Context, role_name: &str) -> Result<Vec<String>, StepError> {
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let request = cx.aws.iam().list_role_policies().role_name(role_name).set_marker(marker);
        let placeholder = || {
            let made = cx.made::<RolePolicy>().into_iter().filter(|made| made.role_name == role_name);
            let names = made.map(|made| made.policy_name).collect();
            ListRolePoliciesOutput::builder().set_policy_names(Some(names)).build()
        };
        let page = cx.aws.call(request.send(), placeholder).await?;
        names.extend(page.policy_names.iter().cloned());
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(names);
        }
    }
}

/// Deletes an inline policy; whether it was there.
pub(super) async fn delete_inline_policy(
    cx: &Context,
    role_name: &str,
    policy_name: &str,
) -> Result<bool, StepError> {
    let request = cx.aws.iam().delete_role_policy().role_name(role_name).policy_name(policy_name);
    match cx.aws.call(request.send(), || Ok(DeleteRolePolicyOutput::builder().build())).await {
        Ok(_) => Ok(true),
        Err(error) if error.is("NoSuchEntity") => Ok(false),
        Err(error) => Err(error.into()),
    }
}
