//! Users in groups.

use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::AdminAddUserToGroupOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_list_groups_for_user::AdminListGroupsForUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_remove_user_from_group::AdminRemoveUserFromGroupOutput;
use aws_sdk_cognitoidentityprovider::types::GroupType;
use serde::{Deserialize, Serialize};

use super::planned::Planned;
use super::user;
use super::user_pool;
use engine::aws::CallError;
use engine::step::{Context, Resource, StepError, Undone};

/// A user whom the run has put into a group.
#[derive(Serialize, Deserialize)]
pub struct GroupMembership {
    user_pool_id: String,
    group_name: String,
    username: String,
    /// The id that no other user ever has.
    sub: String,
}

/// Puts a user into a group, unless they are in it already.
pub(crate) async fn add(
    cx: &Context,
    user_pool_id: &str,
    group_name: &str,
    username: &str,
) -> Result<(), StepError> {
    let Some(found) = user::look(cx, user_pool_id, username, Planned::There).await? else {
        return Err(user::missing(username, user_pool_id));
    };
    let membership = GroupMembership {
        user_pool_id: user_pool_id.to_owned(),
        group_name: group_name.to_owned(),
        username: username.to_owned(),
        sub: user::sub_of(found.user_attributes()),
    };
    if membership.stands(cx).await? {
        return Ok(());
    }
    let entry = cx.intend(&membership)?;
    let request = cx
        .aws
        .cognito()
        .admin_add_user_to_group()
        .user_pool_id(user_pool_id)
        .group_name(group_name)
        .username(username);
    let placeholder = || Ok(AdminAddUserToGroupOutput::builder().build());
    match cx.aws.call(request.send(), placeholder).await {
        Ok(_) => entry.done(&()),
        Err(error) => Err(entry.error(error)),
    }
}

impl GroupMembership {
    fn is_same(&self, other: &Self) -> bool {
        self.user_pool_id == other.user_pool_id
            && self.group_name == other.group_name
            && self.username == other.username
    }

    /// Whether the user is in the group; a dry run sees what the run has made of it.
    async fn stands(&self, cx: &Context) -> Result<bool, CallError> {
        let mut next_token = None;
        loop {
            let request = cx
                .aws
                .cognito()
                .admin_list_groups_for_user()
                .user_pool_id(&self.user_pool_id)
                .username(&self.username)
                .set_next_token(next_token);
            let placeholder = || {
                let made = cx.made::<Self>().iter().any(|made| made.is_same(self));
                let group = GroupType::builder().group_name(&self.group_name).build();
                let groups = Some(made.then_some(group).into_iter().collect());
                Ok(AdminListGroupsForUserOutput::builder().set_groups(groups).build())
            };
            let page = match cx.aws.call(request.send(), placeholder).await {
                Err(error) if user::is_missing(&error) => return Ok(false),
                page => page?,
            };
            if page.groups().iter().any(|group| group.group_name() == Some(&self.group_name)) {
                return Ok(true);
            }
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(false);
            }
        }
    }
}

impl Resource for GroupMembership {
    const TYPE: &'static str = "AWS::Cognito::UserPoolUserToGroupAttachment";
    const UNDO: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminListGroupsForUser",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:AdminRemoveUserFromGroup",
    ];
    type Ids = ();

    fn label(&self) -> String {
        format!("{} in {} of {}", self.username, self.group_name, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<()>) -> Result<Undone, StepError> {
        let found = user::look(&cx, &self.user_pool_id, &self.username, Planned::There).await?;
        // Somebody who came later is none of the run's.
        let is_same = found.is_some_and(|it| {
            let sub = user::sub_of(it.user_attributes());
            cx.is_unknown(&sub) || sub == self.sub
        });
        if !is_same || !self.stands(&cx).await? {
            return Ok(Undone::AlreadyGone);
        }
        if ids.is_none() && !user_pool::is_ours(&cx, &self.user_pool_id).await? {
            let reason = "nothing shows who has put the user into the group".to_owned();
            return Ok(Undone::Unproven { reason });
        }
        let request = cx
            .aws
            .cognito()
            .admin_remove_user_from_group()
            .user_pool_id(&self.user_pool_id)
            .group_name(&self.group_name)
            .username(&self.username);
        let placeholder = || Ok(AdminRemoveUserFromGroupOutput::builder().build());
        match cx.aws.call(request.send(), placeholder).await {
            Ok(_) => Ok(Undone::Deleted),
            Err(error) if user::is_missing(&error) => Ok(Undone::AlreadyGone),
            Err(error) => Err(error.into()),
        }
    }
}
