//! `update-attributes`: attributes of a user.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::Attributes;
use crate::resources::user_attributes::{self, UserAttributes};
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, StepError, StepKind};

/// `update-attributes`.
pub struct UpdateAttributes;

/// Changes attributes of a user, as an administrator.
///
/// When the run is over, each is what it was before, unless somebody else has changed it since. An address that changes is
/// not verified any more, and Cognito may send a code to it; `email_verified: true` beside it vouches for it.
///
/// The request is never repeated by itself: each one may send a message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The user's name.
    username: String,
    /// The attributes, such as `email` or `custom:level`. An empty one is taken away.
    #[schemars(extend("x-stored" = true))]
    attributes: Attributes,
}

/// What the attributes were.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// What the attributes were before; null where there was none.
    previous: BTreeMap<String, Option<String>>,
}

impl StepKind for UpdateAttributes {
    const NAME: &'static str = "update-attributes";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:AdminUpdateUserAttributes"];
    const CALLS_ON_FAILURE: &'static [&'static str] =
        &["cognito-idp:DescribeUserPool", "logs:FilterLogEvents"];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminUpdateUserAttributes",
        "cognito-idp:DescribeUserPool",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- update-attributes:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: \"{{ steps.user.username }}\"
    attributes: {email: new@example.com, email_verified: true}
";

    type Input = Input;
    type Output = Output;
    type Created = UserAttributes;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { user_pool_id, username, attributes } = input;
        let occasion = Occasion::new(&cx, Some(&user_pool_id), None);
        let update = user_attributes::update(&cx, &user_pool_id, &username, &attributes);
        let previous = occasion.through(update).await?;
        Ok(Output { username, previous })
    }
}
