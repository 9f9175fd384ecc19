//! `add-to-group`: a user in a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::group_membership::{self, GroupMembership};
use engine::step::{Context, StepError, StepKind};

/// `add-to-group`.
pub struct AddToGroup;

/// Puts a user into a group of their user pool.
///
/// The user is taken out again when the run is over; one who is in it already stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The group's name.
    group_name: String,
    /// The user's name.
    username: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The group's name.
    #[schemars(extend("x-known" = true))]
    group_name: String,
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
}

impl StepKind for AddToGroup {
    const NAME: &'static str = "add-to-group";
    const CALLS: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminListGroupsForUser",
        "cognito-idp:AdminAddUserToGroup",
    ];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- add-to-group:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    group_name: \"{{ steps.readers.group_name }}\"
    username: \"{{ steps.user.username }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = GroupMembership;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { user_pool_id, group_name, username } = input;
        group_membership::add(&cx, &user_pool_id, &group_name, &username).await?;
        Ok(Output { group_name, username })
    }
}
