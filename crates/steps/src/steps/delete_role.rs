//! `delete-role`: an IAM role, with everything that keeps it from being deleted.

use aws_sdk_iam::operation::list_instance_profiles_for_role::ListInstanceProfilesForRoleOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::ownership::{IfForeign, foreign};
use crate::resources::role::{self, Role};
use crate::resources::role_policy::RolePolicy;
use crate::resources::role_policy_attachment::RolePolicyAttachment;
use engine::aws::CallError;
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
            let role = role::look(&cx, &role_name).await?;
            let role = role.ok_or_else(|| role::missing(&role_name))?;
            if !role::owner(&cx, &role).is_this_run() {
                return Err(foreign(&cx, "ForeignRole", &format!("the role {role_name}")));
            }
        }
        check_unused(&cx, &role_name).await?;
        if role::empty_and_delete(&cx, &role_name).await? == Undone::AlreadyGone {
            return Err(role::missing(&role_name));
        }
        // What hung on it went with it.
        cx.settle::<RolePolicyAttachment>(|policy| policy.role_name == role_name)?;
        cx.settle::<RolePolicy>(|policy| policy.role_name == role_name)?;
        cx.settle::<Role>(|role| role.role_name == role_name)?;
        Ok(Output { role_name })
    }
}

/// IAM would say so only once everything had been taken off the role, and whoever uses it would find it empty.
async fn check_unused(cx: &Context, role_name: &str) -> Result<(), StepError> {
    let profiles = match instance_profiles(cx, role_name).await {
        Err(error) if error.is("NoSuchEntity") => return Err(role::missing(role_name)),
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
