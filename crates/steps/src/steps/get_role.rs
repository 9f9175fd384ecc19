//! `get-role`: what IAM knows of a role.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::role;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-role`.
pub struct GetRole;

/// Describes an IAM role.
///
/// A role that is not there is the error `NoSuchEntity`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    role_name: String,
}

/// What IAM knows of the role.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The role's name.
    #[schemars(extend("x-known" = true))]
    role_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "iam:GetRole Role.Arn"))]
    arn: String,
    /// Its unique id.
    #[schemars(extend("x-from" = "iam:GetRole Role.RoleId"))]
    role_id: String,
    /// Its path, `/` unless it was given another.
    #[schemars(extend("x-from" = "iam:GetRole Role.Path"))]
    path: String,
    /// What it is for.
    #[schemars(extend("x-from" = "iam:GetRole Role.Description"))]
    description: Option<String>,
    /// How long a session may last, in seconds.
    #[schemars(extend("x-from" = "iam:GetRole Role.MaxSessionDuration"))]
    max_session_duration: Option<i32>,
    /// The trust policy, as data.
    assume_role_policy_document: Value,
    /// Its tags.
    tags: BTreeMap<String, String>,
}

impl StepKind for GetRole {
    const NAME: &'static str = "get-role";
    const CALLS: &'static [&'static str] = &["iam:GetRole"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: described
  get-role: {role_name: \"{{ steps.role.role_name }}\"}
  assert: result.path == '/'
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let role = role::look(&cx, &input.role_name).await?.ok_or_else(|| StepError::Failed {
            code: "NoSuchEntity".to_owned(),
            message: format!("there is no role {}", input.role_name),
            help: Some("make it with `create-role`".to_owned()),
            details: Vec::new(),
        })?;
        Ok(Output {
            role_name: input.role_name,
            tags: role
                .tags()
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect(),
            assume_role_policy_document: role
                .assume_role_policy_document()
                .map(role::document)
                .unwrap_or_default(),
            arn: role.arn,
            role_id: role.role_id,
            path: role.path,
            description: role.description,
            max_session_duration: role.max_session_duration,
        })
    }
}
