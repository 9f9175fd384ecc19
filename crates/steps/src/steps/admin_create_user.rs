//! `admin-create-user`: a user, made by an administrator.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::operation::admin_create_user::AdminCreateUserOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, DeliveryMediumType, MessageActionType, UserStatusType, UserType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::planned::Planned;
use crate::resources::user::{self, Attributes, User};
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, StepError, StepKind};

/// `admin-create-user`.
pub struct AdminCreateUser;

/// Creates a user in a user pool, as an administrator.
///
/// The user gets a temporary password and is in the state `FORCE_CHANGE_PASSWORD`; `admin-set-user-password` sets one
/// for good. The user is deleted when the run is over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The user's name.
    username: String,
    /// The password to begin with; Cognito makes one when absent.
    #[schemars(extend("x-secret" = true))]
    temporary_password: Option<String>,
    /// The user's attributes, such as `email`.
    #[serde(default)]
    attributes: Attributes,
    /// `suppress` to send no invitation.
    message_action: Option<MessageAction>,
    /// Where the invitation goes: `EMAIL`, `SMS` or both; `SMS` when absent.
    #[serde(default)]
    desired_delivery_mediums: Vec<String>,
    /// What is handed on to the pool's triggers.
    client_metadata: Option<HashMap<String, String>>,
}

/// What becomes of the invitation.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MessageAction {
    /// None is sent.
    Suppress,
}

/// What the user is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-known" = true))]
    user_pool_id: String,
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// The id that no other user ever has.
    #[schemars(extend("x-from" = "cognito-idp:AdminCreateUser User.Attributes[?Name=='sub'].Value|[0]"))]
    user_sub: String,
    /// `FORCE_CHANGE_PASSWORD`.
    #[schemars(extend("x-from" = "cognito-idp:AdminCreateUser User.UserStatus"))]
    status: String,
}

impl StepKind for AdminCreateUser {
    const NAME: &'static str = "admin-create-user";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:AdminCreateUser"];
    const CALLS_ON_FAILURE: &'static [&'static str] =
        &["cognito-idp:DescribeUserPool", "logs:FilterLogEvents"];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminCreateUser",
        "cognito-idp:DescribeUserPool",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- id: user
  admin-create-user:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    username: test_user_1
    attributes: {email: test_email_1@example.com, email_verified: true}
    message_action: suppress
";

    type Input = Input;
    type Output = Output;
    type Created = User;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let user_pool_id = input.user_pool_id.clone();
        let occasion = Occasion::new(&cx, Some(&user_pool_id), None);
        occasion.through(create(&cx, input)).await
    }
}

async fn create(cx: &Context, input: Input) -> Result<Output, StepError> {
    let attributes = user::attributes(&input.attributes)?;
    let now = user::look(cx, &input.user_pool_id, &input.username, Planned::Gone).await?;
    let user = User::to_be(&input.user_pool_id, &input.username, now.as_ref());
    let entry = cx.intend(&user)?;
    let mediums: Vec<_> = input
        .desired_delivery_mediums
        .iter()
        .map(|medium| DeliveryMediumType::from(medium.as_str()))
        .collect();
    let request = cx
        .aws
        .cognito()
        .admin_create_user()
        .user_pool_id(&input.user_pool_id)
        .username(&input.username)
        .set_temporary_password(input.temporary_password)
        .set_user_attributes(Some(attributes).filter(|given| !given.is_empty()))
        .set_message_action(input.message_action.map(|_| MessageActionType::Suppress))
        .set_desired_delivery_mediums(Some(mediums).filter(|given| !given.is_empty()))
        .set_client_metadata(input.client_metadata);
    let (user_sub, status) = match cx.aws.call(request.send(), || placeholder(cx)).await {
        Ok(made) => {
            let made = made.user;
            let sub = made.as_ref().map(|it| user::sub_of(it.attributes())).unwrap_or_default();
            User::done(entry, &sub)?;
            (sub, made.and_then(|user| user.user_status))
        }
        Err(error) => {
            let user = user.after(cx, entry, error).await?;
            (user::sub_of(user.user_attributes()), user.user_status)
        }
    };
    Ok(Output {
        user_pool_id: input.user_pool_id,
        username: input.username,
        user_sub,
        status: status.as_ref().map(UserStatusType::as_str).unwrap_or_default().to_owned(),
    })
}

fn placeholder(
    cx: &Context,
) -> Result<AdminCreateUserOutput, aws_smithy_types::error::operation::BuildError> {
    let sub = AttributeType::builder().name("sub").value(cx.later("user_sub")).build()?;
    let user = UserType::builder().attributes(sub).build();
    Ok(AdminCreateUserOutput::builder().user(user).build())
}
