//! Inline policies of IAM roles.

use aws_sdk_iam::operation::delete_role_policy::DeleteRolePolicyOutput;
use aws_sdk_iam::operation::get_role_policy::GetRolePolicyOutput;
use aws_sdk_iam::operation::list_role_policies::ListRolePoliciesOutput;
use aws_sdk_iam::operation::put_role_policy::PutRolePolicyOutput;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::role::{self, ROLE_BACKOFF};
use engine::aws::CallError;
use engine::step::{Context, Disposition, Resource, StepError, Undone};

/// An inline policy that the run made or replaced.
#[derive(Serialize, Deserialize)]
pub struct RolePolicy {
    pub(crate) role_name: String,
    pub(crate) policy_name: String,
    policy_document: Value,
    /// What was there before, if anything.
    previous: Option<Value>,
}

/// A policy that is given as JSON text, as data.
pub(crate) fn as_data(policy_document: Value) -> Value {
    match &policy_document {
        Value::String(text) => serde_json::from_str(text).unwrap_or(policy_document),
        _ => policy_document,
    }
}

/// Gives a role an inline policy, unless it has that very one already.
pub(crate) async fn change(
    cx: &Context,
    role_name: &str,
    policy_name: &str,
    policy_document: Value,
) -> Result<(), StepError> {
    let previous = look(cx, role_name, policy_name, None).await?;
    if previous.as_ref() == Some(&policy_document) {
        return Ok(());
    }
    let (role_name, policy_name) = (role_name.to_owned(), policy_name.to_owned());
    let policy = RolePolicy { role_name, policy_name, policy_document, previous };
    let entry = cx.intend(&policy)?;
    let made_role = role::made_role(cx, &policy.role_name);
    let passes = |error: &CallError| made_role && role::role_is_missing(error);
    let was_put = cx
        .while_refused(ROLE_BACKOFF, passes, || {
            put(cx, &policy.role_name, &policy.policy_name, &policy.policy_document)
        })
        .await;
    match was_put {
        Ok(()) => entry.done(&()),
        Err(error) => Err(entry.error(error)),
    }
}

/// The role's inline policy of that name; a dry run sees what is `planned`.
async fn look(
    cx: &Context,
    role_name: &str,
    policy_name: &str,
    planned: Option<&Value>,
) -> Result<Option<Value>, CallError> {
    let request = cx.aws.iam().get_role_policy().role_name(role_name).policy_name(policy_name);
    let placeholder = || {
        GetRolePolicyOutput::builder()
            .role_name(role_name)
            .policy_name(policy_name)
            .policy_document(planned.map(Value::to_string).unwrap_or_default())
            .build()
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) if output.policy_document.is_empty() => Ok(None),
        Ok(output) => Ok(Some(role::document(&output.policy_document))),
        Err(error) if error.is("NoSuchEntity") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn put(
    cx: &Context,
    role_name: &str,
    policy_name: &str,
    policy_document: &Value,
) -> Result<(), CallError> {
    let text = match policy_document {
        Value::String(text) => text.clone(),
        data => data.to_string(),
    };
    let request = cx
        .aws
        .iam()
        .put_role_policy()
        .role_name(role_name)
        .policy_name(policy_name)
        .policy_document(text);
    cx.aws.call(request.send(), || Ok(PutRolePolicyOutput::builder().build())).await.map(drop)
}

/// The names of the inline policies of a role.
pub(crate) async fn names(cx: &Context, role_name: &str) -> Result<Vec<String>, StepError> {
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
pub(crate) async fn delete(
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

impl Resource for RolePolicy {
    const TYPE: &'static str = "AWS::IAM::RolePolicy";
    const UNDO: &'static [&'static str] =
        &["iam:GetRolePolicy", "iam:GetRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];
    const DISPOSITION: Disposition = Disposition::RemovedOrRestored;
    type Ids = ();

    fn label(&self) -> String {
        format!("{} of {}", self.policy_name, self.role_name)
    }

    async fn undo(self, cx: Context, ids: Option<()>) -> Result<Undone, StepError> {
        let current =
            look(&cx, &self.role_name, &self.policy_name, Some(&self.policy_document)).await?;
        let is_same = current.as_ref() == Some(&self.policy_document);
        if ids.is_none() && is_same && current != self.previous && !self.is_proven(&cx).await? {
            let reason = "nothing shows who has written it".to_owned();
            return Ok(Undone::Unproven { reason });
        }
        match (current, self.previous) {
            (None, None) => Ok(Undone::AlreadyGone),
            (None, Some(_)) => {
                Ok(Undone::Changed { reason: "somebody has deleted it since".to_owned() })
            }
            (Some(current), Some(previous)) if current == previous => Ok(Undone::AlreadyGone),
            (Some(current), previous) if current == self.policy_document => match previous {
                Some(previous) => {
                    put(&cx, &self.role_name, &self.policy_name, &previous).await?;
                    Ok(Undone::Restored)
                }
                None if delete(&cx, &self.role_name, &self.policy_name).await? => {
                    Ok(Undone::Deleted)
                }
                None => Ok(Undone::AlreadyGone),
            },
            (Some(_), _) => {
                Ok(Undone::Changed { reason: "somebody has changed it since".to_owned() })
            }
        }
    }
}

impl RolePolicy {
    /// Whether nobody but this run can have written the policy: it names the run, or stands on a role of the run's own.
    async fn is_proven(&self, cx: &Context) -> Result<bool, StepError> {
        if self.policy_document.to_string().contains(cx.run.id.as_str()) {
            return Ok(true);
        }
        let role = role::look(cx, &self.role_name).await?;
        Ok(role.is_some_and(|role| role::owner(cx, &role).is_this_run()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_may_be_given_as_text() {
        let policy = json!({"Version": "2012-10-17", "Statement": []});
        assert_eq!(as_data(Value::from(policy.to_string())), policy);
        assert_eq!(as_data(policy.clone()), policy);
        assert_eq!(as_data(json!("⟨steps.policy.text⟩")), json!("⟨steps.policy.text⟩"));
    }
}
