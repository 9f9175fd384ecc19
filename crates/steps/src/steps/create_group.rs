//! `create-group`: a group of a user pool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user_group::{self, UserGroup};
use engine::step::{Context, StepError, StepKind};

/// `create-group`.
pub struct CreateGroup;

/// Creates a group in a user pool. Tokens of its users name it in `cognito:groups`.
///
/// The group is deleted when the run is over; its users stay. A group of that name that is there already is an error.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The group's name.
    group_name: String,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// Which group goes first for a user who is in several: the lowest number.
    #[schemars(range(min = 0))]
    precedence: Option<i32>,
    /// The ARN of the role that its users may take.
    role_arn: Option<String>,
}

/// What the group is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-known" = true))]
    user_pool_id: String,
    /// The group's name.
    #[schemars(extend("x-known" = true))]
    group_name: String,
}

impl StepKind for CreateGroup {
    const NAME: &'static str = "create-group";
    const CALLS: &'static [&'static str] = &["cognito-idp:CreateGroup"];
    const CALLS_ON_FAILURE: &'static [&'static str] =
        &["cognito-idp:GetGroup", "cognito-idp:DescribeUserPool"];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:CreateGroup",
        "cognito-idp:GetGroup",
        "cognito-idp:DescribeUserPool",
        "iam:PassRole",
    ];
    const EXAMPLE: &'static str = "\
- id: readers
  create-group:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    group_name: readers-{{ run.id }}
    precedence: 5
";

    type Input = Input;
    type Output = Output;
    type Created = UserGroup;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { user_pool_id, group_name, description, precedence, role_arn } = input;
        let request = cx
            .aws
            .cognito()
            .create_group()
            .set_description(description)
            .set_precedence(precedence)
            .set_role_arn(role_arn);
        let group = UserGroup { user_pool_id, group_name };
        user_group::create(&cx, &group, request).await?;
        Ok(Output { user_pool_id: group.user_pool_id, group_name: group.group_name })
    }
}
