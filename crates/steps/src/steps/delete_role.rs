//! `delete-role`: an IAM role, with everything that keeps it from being deleted.

use aws_sdk_iam::operation::delete_role::DeleteRoleOutput;
use aws_sdk_iam::operation::delete_role_policy::DeleteRolePolicyOutput;
use aws_sdk_iam::operation::list_instance_profiles_for_role::ListInstanceProfilesForRoleOutput;
use aws_sdk_iam::operation::list_role_policies::ListRolePoliciesOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attach_role_policy;
use super::attach_role_policy::RolePolicyAttachment;
use super::create_role::{self, Role, run_tag};
use super::put_role_policy::RolePolicy;
use engine::aws::{CallError, Outcome};
use engine::step::{Context, Nothing, StepError, StepKind, Undone};

/// `delete-role`.
pub struct DeleteRole;

/// Deletes an IAM role, after detaching its managed policies and deleting its inline ones.
///
/// A role that this run did not make is an error, and left alone, unless `if_foreign: delete` says that it may be lost. So is
/// one in an instance profile, which something on EC2 may be using.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    role_name: String,
    /// What to do when this run did not make it.
    #[serde(default)]
    if_foreign: IfForeign,
}

/// What to do when this run did not make what is to be deleted.
#[derive(Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IfForeign {
    /// Fail.
    #[default]
    Fail,
    /// Delete it for good.
    Delete,
}

/// This run did not make what a step was about to delete.
pub(super) fn foreign(cx: &Context, code: &str, what: &str) -> StepError {
    let (key, value) = run_tag(cx);
    StepError::Failed {
        code: code.to_owned(),
        message: format!("this run did not make {what}: it has no tag {key}={value}"),
        help: Some(
            "it could not be made again afterwards; write `if_foreign: delete` where it may be lost"
                .to_owned(),
        ),
        details: Vec::new(),
    }
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
        "iam:GetRole",
        "iam:ListInstanceProfilesForRole",
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
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let role_name = input.role_name;
        if input.if_foreign == IfForeign::Fail {
            let role = create_role::get_role(&cx, &role_name).await?;
            let role = role.ok_or_else(|| missing(&role_name))?;
            if !create_role::owner(&cx, &role).is_this_run() {
                return Err(foreign(&cx, "ForeignRole", &format!("the role {role_name}")));
            }
        }
        check_unused(&cx, &role_name).await?;
        if empty_and_delete(&cx, &role_name).await? == Undone::AlreadyGone {
            return Err(missing(&role_name));
        }
        // What hung on it went with it.
        cx.settle::<RolePolicyAttachment>(|policy| policy.role_name == role_name)?;
        cx.settle::<RolePolicy>(|policy| policy.role_name == role_name)?;
        cx.settle::<Role>(|role| role.role_name == role_name)?;
        Ok(Output { role_name })
    }
}

fn missing(role_name: &str) -> StepError {
    StepError::failed("NoSuchEntity", format!("there is no role {role_name} to delete"))
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

/// IAM would say so only once everything had been taken off the role, and whoever uses it would find it empty.
async fn check_unused(cx: &Context, role_name: &str) -> Result<(), StepError> {
    let profiles = match instance_profiles(cx, role_name).await {
        Err(error) if error.is("NoSuchEntity") => return Err(missing(role_name)),
        profiles => profiles?,
    };
    if profiles.is_empty() {
        return Ok(());
    }
    Err(StepError::Failed {
        code: "DeleteConflict".to_owned(),
        message: format!("the role {role_name} is in the instance profile {}", profiles.join(", ")),
        help: Some(
            "nothing was taken off it; when nothing uses it, take it out with \
             `aws iam remove-role-from-instance-profile`"
                .to_owned(),
        ),
        details: Vec::new(),
    })
}

async fn instance_profiles(cx: &Context, role_name: &str) -> Result<Vec<String>, CallError> {
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let request =
            cx.aws.iam().list_instance_profiles_for_role().role_name(role_name).set_marker(marker);
        let placeholder = || {
            ListInstanceProfilesForRoleOutput::builder()
                .set_instance_profiles(Some(Vec::new()))
                .build()
        };
        let page = cx.aws.call(request.send(), placeholder).await?;
        names.extend(page.instance_profiles.iter().map(|it| it.instance_profile_name.clone()));
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(names);
        }
    }
}

async fn inline_policies(cx: &Context, role_name: &str) -> Result<Vec<String>, StepError> {
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let request = cx.aws.iam().list_role_policies().role_name(role_name).set_marker(marker);
        let placeholder = || {
            let made =
                cx.made::<RolePolicy>().into_iter().filter(|made| made.role_name == role_name);
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
