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
use super::create_function::ROLE_BACKOFF;
use super::{attach_role_policy, delete_role};
use engine::aws::{CallError, Outcome};
use engine::step::owner::made_again;
use engine::step::{
    Context, Creates, Entry, Owner, Resource, RunFacts, StepError, StepKind, Undone, creates,
};

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
    const CALLS: &'static [&'static str] =
        &["iam:CreateRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const PERMISSIONS: &'static [&'static str] = &[
        "iam:CreateRole",
        "iam:TagRole",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:AttachRolePolicy",
    ];
    const ALSO_CREATES: &'static [Creates] = &[creates::<RolePolicyAttachment>()];
    const EXAMPLE: &'static str = "\
- id: role
  create-role:
    role_name: playbook-{{ run.id }}
    trust_service: lambda.amazonaws.com
    managed_policies: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
";

    type Input = Input;
    type Output = Output;
    type Created = Role;

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
    let names_own = names_role_of(cx, &trust.to_string(), &input.role_name);
    let passes = |error: &CallError| names_own && principal_is_unknown(error);
    let created = cx
        .while_refused(ROLE_BACKOFF, passes, || {
            cx.aws.call(request.clone().send(), || {
                Ok(CreateRoleOutput::builder().set_role(placeholder(cx, &input.role_name)).build())
            })
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
        Err(StepError::Call(error)) if error.is("EntityAlreadyExists") => {
            match get_role(cx, &input.role_name).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(role))
                    if owner(cx, &role).is_this_run()
                        && !cx.made_before(&entry, |other: &Role| {
                            other.role_name == input.role_name
                        }) =>
                {
                    entry.done(&RoleIds { role_id: role.role_id().to_owned() })?;
                    Ok((role, false))
                }
                Ok(Some(role)) if input.if_exists == IfExists::Adopt => {
                    there_already(entry, &error)?;
                    Ok((role, true))
                }
                Ok(Some(_)) => {
                    there_already(entry, &error)?;
                    Err(exists(error))
                }
                Ok(None) | Err(_) => Err(entry.error(error)),
            }
        }
        Err(error) => Err(entry.error(error)),
    }
}

/// Closes the entry of something that is there already, unless a reply was lost and the run may have made it all the same:
/// tags that are not seen yet do not tell otherwise.
pub(super) fn there_already(entry: Entry, error: &CallError) -> Result<(), StepError> {
    match error.outcome {
        Outcome::Refused => entry.refused(error.code.as_deref().unwrap_or_default()),
        Outcome::Unknown => match entry.unsure(error.clone()) {
            StepError::Ledger(unwritten) => Err(unwritten.into()),
            _ => Ok(()),
        },
    }
}

/// Whether a text names another role that the run has made, by its ARN.
pub(super) fn names_role_of(cx: &Context, text: &str, aside: &str) -> bool {
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
pub(super) fn role_is_missing(error: &CallError) -> bool {
    error.is("NoSuchEntity") && error.message.to_lowercase().contains("the role with name")
}

/// Whether the run has made a role of that name.
pub(super) fn made_role(cx: &Context, role_name: &str) -> bool {
    cx.made::<Role>().iter().any(|role| role.role_name == role_name)
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

/// Whose it is.
pub(super) fn owner(cx: &Context, role: &IamRole) -> Owner {
    let tag = role.tags().iter().find(|tag| tag.key() == RunFacts::TAG_KEY);
    Owner::of(cx, tag.map(Tag::value))
}

/// The tag on everything that the run makes.
pub(super) fn run_tag(cx: &Context) -> (String, String) {
    (RunFacts::TAG_KEY.to_owned(), cx.run.id.clone())
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

    async fn undo(self, cx: Context, ids: Option<RoleIds>) -> Result<Undone, StepError> {
        let Some(role) = get_role(&cx, &self.role_name).await? else {
            return Ok(Undone::AlreadyGone);
        };
        // No two roles ever have the same id; where it is not known, the tag tells.
        match ids {
            Some(ids) if ids.role_id != role.role_id() => return Ok(made_again()),
            Some(_) => {}
            None => {
                if let Some(spared) = owner(&cx, &role).spared(&cx) {
                    return Ok(spared);
                }
            }
        }
        delete_role::empty_and_delete(&cx, &self.role_name).await
    }
}
