//! `create-role`: an IAM role that a service can assume.

use std::collections::BTreeMap;

use aws_sdk_iam::operation::create_role::CreateRoleOutput;
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{Role as IamRole, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attach_role_policy::RolePolicyAttachment;
use super::{attach_role_policy, delete_role};
use crate::aws::CallError;
use crate::step::{Context, Leaves, Resource, RunFacts, StepError, StepKind, Undone};

/// `create-role`.
pub struct CreateRole;

/// Creates an IAM role that a service can assume.
///
/// A role of that name that is there already is an error, unless `if_exists: adopt`: then it is used as it is, gets the
/// managed policies that it lacks, and is never deleted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name, unique in the account.
    #[schemars(extend("x-name" = true))]
    role_name: String,
    /// The service that may assume it, such as `lambda.amazonaws.com`.
    trust_service: Option<String>,
    /// The trust policy as a whole, instead of `trust_service`.
    assume_role_policy_document: Option<Value>,
    /// ARNs of managed policies to attach.
    #[serde(default)]
    managed_policies: Vec<String>,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
    /// What to do when a role of that name is there already.
    #[serde(default)]
    if_exists: IfExists,
}

/// What to do when it is there already.
#[derive(Deserialize, Serialize, JsonSchema, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum IfExists {
    /// Fail.
    #[default]
    Fail,
    /// Use it, and leave it there.
    Adopt,
}

/// What the role is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The role's name.
    #[schemars(extend("x-known" = true))]
    role_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "iam:CreateRole Role.Arn"))]
    arn: String,
    /// Its unique id.
    #[schemars(extend("x-from" = "iam:CreateRole Role.RoleId"))]
    role_id: String,
    /// Whether it was there already.
    adopted: bool,
}

/// A role that the run made.
#[derive(Serialize, Deserialize)]
pub struct Role {
    pub(super) role_name: String,
}

/// What tells this role from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct RoleIds {
    role_id: String,
}

impl StepKind for CreateRole {
    const NAME: &'static str = "create-role";
    const CALLS: &'static [&'static str] = &["iam:CreateRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const PERMISSIONS: &'static [&'static str] = &["iam:CreateRole", "iam:TagRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const BESIDES: &'static [Leaves] = &[Leaves::of::<RolePolicyAttachment>()];
    const EXAMPLE: &'static str = "\
- id: role
  create-role:
    role_name: playbook-{{ run.id }}
    trust_service: lambda.amazonaws.com
    managed_policies: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
";

    type Input = Input;
    type Output = Output;
    type Made = Role;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (role, adopted) = create_or_adopt(&cx, &input).await?;
        for policy_arn in &input.managed_policies {
            attach_role_policy::attach(&cx, &input.role_name, policy_arn, !adopted).await?;
        }
        Ok(Output {
            role_name: input.role_name,
            arn: role.arn().to_owned(),
            role_id: role.role_id().to_owned(),
            adopted,
        })
    }
}

async fn create_or_adopt(cx: &Context, input: &Input) -> Result<(IamRole, bool), StepError> {
    let trust = trust_policy(input)?;
    let role = Role { role_name: input.role_name.clone() };
    let entry = cx.intend(&role)?;
    let request = cx
        .aws
        .iam()
        .create_role()
        .role_name(&input.role_name)
        .assume_role_policy_document(trust.to_string())
        .set_description(input.description.clone())
        .set_tags(Some(tags(cx, &input.tags)?));
    let created = cx
        .aws
        .call(request.send(), || {
            Ok(CreateRoleOutput::builder().set_role(placeholder(cx, &input.role_name)).build())
        })
        .await;
    match created {
        Ok(output) => {
            let role = output
                .role
                .ok_or_else(|| StepError::failed("InvalidOutput", "CreateRole returned no role"))?;
            entry.done(&RoleIds { role_id: role.role_id().to_owned() })?;
            Ok((role, false))
        }
        Err(error) if error.is("EntityAlreadyExists") => {
            match get_role(cx, &input.role_name).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(role))
                    if is_ours(cx, &role)
                        && !cx.made_before(&entry, |other: &Role| {
                            other.role_name == input.role_name
                        }) =>
                {
                    entry.done(&RoleIds { role_id: role.role_id().to_owned() })?;
                    Ok((role, false))
                }
                Ok(Some(role)) if input.if_exists == IfExists::Adopt => {
                    entry.refused("EntityAlreadyExists")?;
                    Ok((role, true))
                }
                Ok(Some(_)) => {
                    entry.refused("EntityAlreadyExists")?;
                    Err(exists(error))
                }
                Ok(None) | Err(_) => Err(entry.error(error)),
            }
        }
        Err(error) => Err(entry.error(error)),
    }
}

fn exists(error: CallError) -> StepError {
    StepError::Failed {
        code: "EntityAlreadyExists".to_owned(),
        message: error.message,
        help: Some(
            "choose another name, or use the role as it is with `if_exists: adopt`".to_owned(),
        ),
        details: Vec::new(),
    }
}

fn trust_policy(input: &Input) -> Result<Value, StepError> {
    match (&input.trust_service, &input.assume_role_policy_document) {
        (Some(service), None) => Ok(json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        })),
        (None, Some(document)) => Ok(document.clone()),
        _ => Err(StepError::input(
            "trust_service",
            "create-role needs either `trust_service` or `assume_role_policy_document`",
            "write `trust_service: lambda.amazonaws.com`",
        )),
    }
}

fn tags(cx: &Context, given: &BTreeMap<String, String>) -> Result<Vec<Tag>, StepError> {
    given
        .clone()
        .into_iter()
        .chain([run_tag(cx)])
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| StepError::failed("InvalidInput", error.to_string()))
}

/// Describes a role; a dry run sees one that the run has made.
pub(super) async fn get_role(cx: &Context, role_name: &str) -> Result<Option<IamRole>, CallError> {
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

fn is_ours(cx: &Context, role: &IamRole) -> bool {
    role.tags().iter().any(|tag| tag.key() == RunFacts::TAG_KEY && tag.value() == cx.run.id)
}

/// The tag on everything that the run makes.
pub(super) fn run_tag(cx: &Context) -> (String, String) {
    (RunFacts::TAG_KEY.to_owned(), cx.run.id.clone())
}

/// How undoing ends where the run's tag is missing.
pub(super) fn untagged(cx: &Context) -> Undone {
    Undone::NotOurs {
        reason: format!("it does not carry the tag {}={}", RunFacts::TAG_KEY, cx.run.id),
    }
}

impl Resource for Role {
    const TYPE: &'static str = "AWS::IAM::Role";
    const UNDO: &'static [&'static str] = &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:DetachRolePolicy", "iam:ListRolePolicies", "iam:DeleteRolePolicy", "iam:DeleteRole"];
    type Ids = RoleIds;

    fn label(&self) -> String {
        self.role_name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<RoleIds>) -> Result<Undone, StepError> {
        let Some(role) = get_role(&cx, &self.role_name).await? else {
            return Ok(Undone::AlreadyGone);
        };
        if !is_ours(&cx, &role) {
            return Ok(untagged(&cx));
        }
        if ids.is_some_and(|ids| ids.role_id != role.role_id()) {
            return Ok(Undone::NotOurs {
                reason: "it was deleted and made again since".to_owned(),
            });
        }
        delete_role::empty_and_delete(&cx, &self.role_name).await
    }
}
