//! `create-role`: an IAM role that a service can assume.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::creation::Creation;
use crate::resources::role::{self, Role, Wanted};
use crate::resources::role_policy_attachment::{self, RolePolicyAttachment};
use engine::aws::CallError;
use engine::step::{Context, Creates, StepError, StepKind, creates};

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
    #[schemars(extend("x-name" = true, "x-form" = "role-name"))]
    role_name: String,
    /// The service that may assume it, such as `lambda.amazonaws.com`.
    #[schemars(extend("x-form" = "service-principal"))]
    trust_service: Option<String>,
    /// The trust policy as a whole, instead of `trust_service`.
    assume_role_policy_document: Option<Value>,
    /// ARNs of managed policies to attach.
    #[serde(default)]
    #[schemars(extend("x-form" = "policy-arn"))]
    managed_policies: Vec<String>,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// Its path, such as `/services/`; `/` when absent.
    #[schemars(length(max = 512), regex(pattern = r"^/([!-~]*/)?$"))]
    path: Option<String>,
    /// The ARN of the policy that its rights do not go beyond.
    #[schemars(extend("x-form" = "policy-arn"))]
    permissions_boundary: Option<String>,
    /// How long a session may last, in seconds; 3600 when absent.
    #[schemars(range(min = 3600, max = 43200))]
    max_session_duration: Option<i32>,
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

impl StepKind for CreateRole {
    const NAME: &'static str = "create-role";
    const CALLS: &'static [&'static str] =
        &["iam:CreateRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:AttachRolePolicy"];
    const PERMISSIONS: &'static [&'static str] = &[
        "iam:CreateRole",
        "iam:TagRole",
        "iam:PutRolePermissionsBoundary",
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
        let trust = trust_policy(&input)?;
        let wanted = Wanted {
            role_name: &input.role_name,
            trust: &trust,
            description: input.description.as_deref(),
            path: input.path.as_deref(),
            permissions_boundary: input.permissions_boundary.as_deref(),
            max_session_duration: input.max_session_duration,
            tags: &input.tags,
        };
        let (role, adopted) = match role::create(&cx, &wanted).await? {
            Creation::Created(role) | Creation::Found(role) => (role, false),
            Creation::Taken(_, Some(role)) if input.if_exists == IfExists::Adopt => (role, true),
            Creation::Taken(error, Some(_)) => return Err(exists(error)),
            Creation::Taken(error, None) => return Err(error.into()),
        };
        for policy_arn in &input.managed_policies {
            role_policy_attachment::attach(&cx, &input.role_name, policy_arn, !adopted).await?;
        }
        Ok(Output {
            role_name: input.role_name,
            arn: role.arn().to_owned(),
            role_id: role.role_id().to_owned(),
            adopted,
        })
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
