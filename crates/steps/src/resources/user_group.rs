//! Groups of a user pool.

use aws_sdk_cognitoidentityprovider::operation::create_group::CreateGroupOutput;
use aws_sdk_cognitoidentityprovider::operation::create_group::builders::CreateGroupFluentBuilder;
use aws_sdk_cognitoidentityprovider::operation::delete_group::DeleteGroupOutput;
use aws_sdk_cognitoidentityprovider::operation::get_group::GetGroupOutput;
use aws_sdk_cognitoidentityprovider::types::GroupType;
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::planned::Planned;
use super::user_pool;
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::owner::made_again;
use engine::step::{Context, Owner, Resource, StepError, Undone};

/// A group that the run made.
#[derive(Serialize, Deserialize)]
pub struct UserGroup {
    pub(crate) user_pool_id: String,
    pub(crate) group_name: String,
}

/// What tells a group from a later one of its name: groups have no id.
#[derive(Serialize, Deserialize)]
pub struct UserGroupIds {
    /// When Cognito made it, in milliseconds since 1970.
    created: i64,
}

/// Creates a group, as `request` says.
pub(crate) async fn create(
    cx: &Context,
    group: &UserGroup,
    request: CreateGroupFluentBuilder,
) -> Result<(), StepError> {
    let request = request.user_pool_id(&group.user_pool_id).group_name(&group.group_name);
    let placeholder = || Ok(CreateGroupOutput::builder().group(planned(group)).build());
    let call = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
    let ids = |reply: &CreateGroupOutput| reply.group().map(UserGroup::ids);
    match creation::create(cx, group, call, ids).await? {
        Creation::Created(_) | Creation::Found(_) => Ok(()),
        Creation::Taken(refusal, _) => Err(StepError::Failed {
            code: refusal.code.unwrap_or_default(),
            message: refusal.message,
            help: Some("choose another name; the group that is there was not touched".to_owned()),
            details: Vec::new(),
        }),
    }
}

fn planned(group: &UserGroup) -> GroupType {
    GroupType::builder().group_name(&group.group_name).creation_date(DateTime::from_secs(0)).build()
}

async fn look(
    cx: &Context,
    group: &UserGroup,
    there: Planned,
) -> Result<Option<GroupType>, CallError> {
    let request = cx
        .aws
        .cognito()
        .get_group()
        .user_pool_id(&group.user_pool_id)
        .group_name(&group.group_name);
    let placeholder = || {
        let found = matches!(there, Planned::There).then(|| planned(group));
        Ok(GetGroupOutput::builder().set_group(found).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.group),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

impl Unique for UserGroup {
    type Found = GroupType;

    fn is_taken(refusal: &CallError) -> bool {
        refusal.is("GroupExistsException")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.user_pool_id == other.user_pool_id && self.group_name == other.group_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<GroupType>, StepError> {
        Ok(look(cx, self, Planned::There).await?)
    }

    /// A group bears no tag: the run's id in its name, or the pool, tells.
    async fn whose(&self, cx: &Context, _: &GroupType) -> Result<Owner, StepError> {
        let is_ours = self.group_name.contains(cx.run.id.as_str())
            || user_pool::is_ours(cx, &self.user_pool_id).await?;
        Ok(if is_ours { Owner::ThisRun } else { Owner::Unknown })
    }

    fn ids(found: &GroupType) -> UserGroupIds {
        let created = found.creation_date().and_then(|date| date.to_millis().ok());
        UserGroupIds { created: created.unwrap_or_default() }
    }
}

impl Resource for UserGroup {
    const TYPE: &'static str = "AWS::Cognito::UserPoolGroup";
    const UNDO: &'static [&'static str] =
        &["cognito-idp:GetGroup", "cognito-idp:DescribeUserPool", "cognito-idp:DeleteGroup"];
    type Ids = UserGroupIds;

    fn label(&self) -> String {
        format!("{} of {}", self.group_name, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<UserGroupIds>) -> Result<Undone, StepError> {
        let Some(found) = look(&cx, &self, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        match ids {
            Some(ids) if ids.created != Self::ids(&found).created => return Ok(made_again()),
            Some(_) => {}
            None if self.whose(&cx, &found).await?.is_this_run() => {}
            None => {
                let reason = "a group bears no mark of who has made it".to_owned();
                return Ok(Undone::Unproven { reason });
            }
        }
        let request = cx
            .aws
            .cognito()
            .delete_group()
            .user_pool_id(&self.user_pool_id)
            .group_name(&self.group_name);
        match cx.aws.call(request.send(), || Ok(DeleteGroupOutput::builder().build())).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Undone::AlreadyGone),
            deleted => deleted.map(drop)?,
        }
        let what = format!("the deletion of the group {}", self.group_name);
        cx.until(&what, Backoff::seconds(30), || async {
            Ok(look(&cx, &self, Planned::Gone).await?.is_none().then_some(()))
        })
        .await?;
        Ok(Undone::Deleted)
    }
}
