//! IAM roles.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::operation::create_role::CreateRoleOutput;
use aws_sdk_iam::operation::delete_role::DeleteRoleOutput;
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{Role as IamRole, Tag};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::creation::{self, Creation, Unique};
use super::ownership::{run_tag, run_tags, spared};
use super::{role_policy, role_policy_attachment};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Place, Resource, RunFacts, StepError, Undone};

/// A role that the run made.
#[derive(Serialize, Deserialize)]
pub struct Role {
    pub(crate) role_name: String,
    /// Its path, which is part of its ARN.
    #[serde(default = "root")]
    path: String,
}

fn root() -> String {
    "/".to_owned()
}

/// What tells this role from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct RoleIds {
    role_id: String,
}

/// IAM tells Lambda of a new role within seconds, and at times within a minute.
pub(crate) const ROLE_BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(8),
    limit: Duration::from_mins(2),
};

/// What a role is to be like.
pub(crate) struct Wanted<'a> {
    pub(crate) role_name: &'a str,
    pub(crate) trust: &'a Value,
    pub(crate) description: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) permissions_boundary: Option<&'a str>,
    pub(crate) max_session_duration: Option<i32>,
    pub(crate) tags: &'a BTreeMap<String, String>,
}

/// Creates a role.
pub(crate) async fn create(
    cx: &Context,
    wanted: &Wanted<'_>,
) -> Result<Creation<IamRole, IamRole>, StepError> {
    let Wanted { role_name, description, .. } = *wanted;
    let trust = wanted.trust.to_string();
    let request = cx
        .aws
        .iam()
        .create_role()
        .role_name(role_name)
        .assume_role_policy_document(&trust)
        .set_description(description.map(str::to_owned))
        .set_path(wanted.path.map(str::to_owned))
        .set_permissions_boundary(wanted.permissions_boundary.map(str::to_owned))
        .set_max_session_duration(wanted.max_session_duration)
        .set_tags(Some(tags(cx, wanted.tags)?));
    let names_own = names_role_of(cx, &trust, role_name);
    let passes = |error: &CallError| names_own && principal_is_unknown(error);
    let call = cx.while_refused(ROLE_BACKOFF, passes, || {
        cx.aws.call(request.clone().send(), || {
            Ok(CreateRoleOutput::builder().set_role(placeholder(cx, role_name)).build())
        })
    });
    let path = wanted.path.map_or_else(root, str::to_owned);
    let role = Role { role_name: role_name.to_owned(), path };
    let ids = |output: &CreateRoleOutput| output.role().map(Role::ids);
    match creation::create(cx, &role, call, ids).await? {
        Creation::Created(output) => match output.role {
            Some(role) => Ok(Creation::Created(role)),
            None => Err(StepError::failed("InvalidOutput", "CreateRole returned no role")),
        },
        Creation::Found(role) => Ok(Creation::Found(role)),
        Creation::Taken(error, found) => Ok(Creation::Taken(error, found)),
    }
}

impl Unique for Role {
    type Found = IamRole;

    fn is_taken(error: &CallError) -> bool {
        error.is("EntityAlreadyExists")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.role_name == other.role_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<IamRole>, StepError> {
        Ok(look(cx, &self.role_name).await?)
    }

    async fn whose(&self, cx: &Context, found: &IamRole) -> Result<Owner, StepError> {
        Ok(owner(cx, found))
    }

    fn ids(found: &IamRole) -> RoleIds {
        RoleIds { role_id: found.role_id().to_owned() }
    }
}

impl Resource for Role {
    const TYPE: &'static str = "AWS::IAM::Role";
    const UNDO: &'static [&'static str] = &[
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:DetachRolePolicy",
        "iam:ListRolePolicies",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ];
    type Ids = RoleIds;

    fn label(&self) -> String {
        self.role_name.clone()
    }

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(place.global_arn("iam", &format!("role{}{}", self.path, self.role_name)))
    }

    async fn undo(self, cx: Context, ids: Option<RoleIds>) -> Result<Undone, StepError> {
        let Some(role) = look(&cx, &self.role_name).await? else {
            return Ok(Undone::AlreadyGone);
        };
        // No two roles ever have the same id.
        let known = ids.map(|ids| ids.role_id == role.role_id());
        if let Some(spared) = spared(&cx, known, owner(&cx, &role)) {
            return Ok(spared);
        }
        empty_and_delete(&cx, &self.role_name).await
    }
}

/// Whether a text names another role that the run has made, by its ARN.
pub(crate) fn names_role_of(cx: &Context, text: &str, aside: &str) -> bool {
    cx.made::<Role>().iter().filter(|role| role.role_name != aside).any(|role| {
        let end = format!(":role/{}", role.role_name);
        text.match_indices(&end).any(|(at, _)| {
            // Another role's name may begin with this one's.
            let next = text[at + end.len()..].chars().next();
            !next.is_some_and(|next| next.is_ascii_alphanumeric() || "+=,.@_-".contains(next))
        })
    })
}

/// Whether IAM has not heard of a principal yet. It says as much of one that does not exist.
fn principal_is_unknown(error: &CallError) -> bool {
    error.is("MalformedPolicyDocument") && error.message.contains("Invalid principal")
}

/// Whether IAM has not heard of a role yet, where one was just made.
pub(crate) fn role_is_missing(error: &CallError) -> bool {
    error.is("NoSuchEntity") && error.message.to_lowercase().contains("the role with name")
}

/// Whether the run has made a role of that name.
pub(crate) fn made_role(cx: &Context, role_name: &str) -> bool {
    cx.made::<Role>().iter().any(|role| role.role_name == role_name)
}

fn tags(cx: &Context, given: &BTreeMap<String, String>) -> Result<Vec<Tag>, StepError> {
    given
        .clone()
        .into_iter()
        .chain(run_tags(cx))
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| StepError::failed("InvalidInput", error.to_string()))
}

/// Describes a role; a dry run sees one that the run has made.
pub(crate) async fn look(cx: &Context, role_name: &str) -> Result<Option<IamRole>, CallError> {
    let request = cx.aws.iam().get_role().role_name(role_name);
    let placeholder = || Ok(GetRoleOutput::builder().set_role(placeholder(cx, role_name)).build());
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.role),
        Err(error) if error.is("NoSuchEntity") => Ok(None),
        Err(error) => Err(error),
    }
}

fn placeholder(cx: &Context, role_name: &str) -> Option<IamRole> {
    let (key, value) = run_tag(cx);
    let tag = Tag::builder().key(key).value(value).build().ok()?;
    IamRole::builder()
        .path("/")
        .role_name(role_name)
        .role_id(cx.later("role_id"))
        .arn(cx.later("arn"))
        .create_date(DateTime::from_secs(0))
        .tags(tag)
        .build()
        .ok()
}

/// Whose it is.
pub(crate) fn owner(cx: &Context, role: &IamRole) -> Owner {
    let tag = role.tags().iter().find(|tag| tag.key() == RunFacts::TAG_KEY);
    Owner::of(cx, tag.map(Tag::value))
}

/// Takes everything off a role that keeps it from being deleted, in the order that IAM wants, and deletes it.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>
pub(crate) async fn empty_and_delete(cx: &Context, role_name: &str) -> Result<Undone, StepError> {
    let emptied = empty(cx, role_name).await;
    if matches!(&emptied, Err(error) if error.is("NoSuchEntity")) {
        return Ok(Undone::AlreadyGone);
    }
    emptied?;
    let request = cx.aws.iam().delete_role().role_name(role_name);
    match cx.aws.call(request.send(), || Ok(DeleteRoleOutput::builder().build())).await {
        Ok(_) => Ok(Undone::Deleted),
        // It was there a moment ago: a request that arrives twice finds nothing any more.
        Err(error) if error.is("NoSuchEntity") => Ok(Undone::Deleted),
        Err(error) => Err(error.into()),
    }
}

async fn empty(cx: &Context, role_name: &str) -> Result<(), StepError> {
    for policy_arn in role_policy_attachment::attached(cx, role_name).await? {
        role_policy_attachment::detach(cx, role_name, &policy_arn).await?;
    }
    for policy_name in role_policy::names(cx, role_name).await? {
        role_policy::delete(cx, role_name, &policy_name).await?;
    }
    Ok(())
}

pub(crate) fn missing(role_name: &str) -> StepError {
    StepError::failed("NoSuchEntity", format!("there is no role {role_name} to delete"))
}

/// A policy as IAM returns it (JSON in percent-encoding, as RFC 3986 has it), as data.
pub(crate) fn document(text: &str) -> Value {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&decoded)
        .or_else(|_| serde_json::from_str(text))
        .unwrap_or_else(|_| Value::from(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_become_data_however_they_are_written() {
        let expected = json!({"Version": "2012-10-17", "Statement": []});
        let encoded = "%7B%22Version%22%3A%20%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
        assert_eq!(document(encoded), expected);
        assert_eq!(document(&expected.to_string()), expected);
        assert_eq!(document("⟨later⟩"), json!("⟨later⟩"));
    }
}
