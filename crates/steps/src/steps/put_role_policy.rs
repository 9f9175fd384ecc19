//! `put-role-policy`: an inline policy of a role.

use aws_sdk_iam::operation::get_role_policy::GetRolePolicyOutput;
use aws_sdk_iam::operation::put_role_policy::PutRolePolicyOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::create_function::ROLE_BACKOFF;
use super::get_role::document;
use super::{create_role, delete_role};
use crate::policy::allows_everything;
use engine::aws::CallError;
use engine::step::{Context, Disposition, Resource, StepError, StepKind, Undone};

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

/// An inline policy that the run made or replaced.
#[derive(Serialize, Deserialize)]
pub struct RolePolicy {
    pub(super) role_name: String,
    pub(super) policy_name: String,
    policy_document: Value,
    /// What was there before, if anything.
    previous: Option<Value>,
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
        let policy_document = as_data(policy_document);
        cx.check_policy(allows_everything(&policy_document))?;
        let previous = look(&cx, &role_name, &policy_name, None).await?;
        if previous.as_ref() != Some(&policy_document) {
            let policy = RolePolicy { role_name, policy_name, policy_document, previous };
            let entry = cx.intend(&policy)?;
            let made_role = create_role::made_role(&cx, &policy.role_name);
            let passes = |error: &CallError| made_role && create_role::role_is_missing(error);
            let was_put = cx
                .while_refused(ROLE_BACKOFF, passes, || {
                    put(&cx, &policy.role_name, &policy.policy_name, &policy.policy_document)
                })
                .await;
            match was_put {
                Ok(()) => entry.done(&())?,
                Err(error) => return Err(entry.error(error)),
            }
            return Ok(Output { role_name: policy.role_name, policy_name: policy.policy_name });
        }
        Ok(Output { role_name, policy_name })
    }
}

/// A policy that is given as JSON text, as data.
fn as_data(policy_document: Value) -> Value {
    match &policy_document {
        Value::String(text) => serde_json::from_str(text).unwrap_or(policy_document),
        _ => policy_document,
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
        Ok(output) => Ok(Some(document(&output.policy_document))),
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

impl Resource for RolePolicy {
    const TYPE: &'static str = "AWS::IAM::RolePolicy";
    const UNDO: &'static [&'static str] =
        &["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];
    const DISPOSITION: Disposition = Disposition::RemovedOrRestored;
    type Ids = ();

    fn label(&self) -> String {
        format!("{} of {}", self.policy_name, self.role_name)
    }

    async fn undo(self, cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        let current =
            look(&cx, &self.role_name, &self.policy_name, Some(&self.policy_document)).await?;
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
                None if delete_role::delete_inline_policy(
                    &cx,
                    &self.role_name,
                    &self.policy_name,
                )
                .await? =>
                {
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
