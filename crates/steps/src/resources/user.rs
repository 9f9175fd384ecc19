//! Users of a pool: looking one up, and taking away those that the run made.

pub(crate) mod claims;
pub(crate) mod migration;
pub(crate) mod secret_hash;

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::operation::admin_delete_user::AdminDeleteUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, CodeDeliveryDetailsType};
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::planned::Planned;
use super::scalar::Variable;
use super::user_pool;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::owner::made_again;
use engine::step::{Context, Entry, Resource, StepError, Undone};
use migration::Elsewhere;

/// A user that the run made.
#[allow(clippy::struct_field_names, reason = "these are Cognito's own names")]
#[derive(Serialize, Deserialize)]
pub struct User {
    pub(crate) user_pool_id: String,
    pub(crate) username: String,
    /// The user who had that name when the run was about to make one.
    previous_sub: Option<String>,
    /// Where a trigger may bring the user under another name: since when, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
}

/// Who made a user of the name that the run was about to give to one.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    /// The one who had the name before.
    Previous,
    /// Somebody who came after ours.
    MadeAgain,
    /// Nobody knows: a user comes without a tag, and when it came says nothing of who made it.
    Unproven,
}

/// What tells this user from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct UserIds {
    sub: String,
    /// The pool's own name for the user, where it is not the one that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
}

/// Attributes of a user by name, as a playbook gives them. Numbers and booleans become text.
pub(crate) type Attributes = BTreeMap<String, Variable>;

/// Where Cognito has sent a code.
#[derive(Serialize, JsonSchema)]
pub struct CodeDelivery {
    /// The address or number, partly hidden.
    destination: String,
    /// `EMAIL` or `SMS`.
    medium: String,
    /// The attribute that the code is for, such as `email`.
    attribute: String,
}

impl CodeDelivery {
    pub(crate) fn of_sdk(details: &CodeDeliveryDetailsType) -> Self {
        Self {
            destination: details.destination().unwrap_or_default().to_owned(),
            medium: details.delivery_medium().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            attribute: details.attribute_name().unwrap_or_default().to_owned(),
        }
    }
}

/// Attributes, as the SDK wants them.
pub(crate) fn attributes(given: &Attributes) -> Result<Vec<AttributeType>, StepError> {
    let attribute = |(name, Variable(value)): (&String, &Variable)| {
        AttributeType::builder().name(name).value(value).build()
    };
    let built: Result<_, BuildError> = given.iter().map(attribute).collect();
    built.map_err(|error| StepError::failed("InvalidInput", error.to_string()))
}

/// Attributes by name, as the SDK has them.
pub(crate) fn by_name(attributes: &[AttributeType]) -> BTreeMap<String, String> {
    let pair =
        |it: &AttributeType| (it.name().to_owned(), it.value().unwrap_or_default().to_owned());
    attributes.iter().map(pair).collect()
}

/// The attribute that no two users ever share.
pub(crate) fn sub_of(attributes: &[AttributeType]) -> String {
    by_name(attributes).remove("sub").unwrap_or_default()
}

/// Looks a user up.
pub(crate) async fn look(
    cx: &Context,
    user_pool_id: &str,
    username: &str,
    planned: Planned,
) -> Result<Option<AdminGetUserOutput>, CallError> {
    let request = cx.aws.cognito().admin_get_user().user_pool_id(user_pool_id).username(username);
    let mut there = true;
    let placeholder = || {
        there = matches!(planned, Planned::There);
        let sub = AttributeType::builder().name("sub").value(cx.later("user_sub")).build()?;
        AdminGetUserOutput::builder().username(username).user_attributes(sub).build()
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(user) => Ok(there.then_some(user)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// No user of that name, or no pool to have one.
pub(crate) fn is_missing(error: &CallError) -> bool {
    error.is("UserNotFoundException") || error.is("ResourceNotFoundException")
}

impl User {
    /// The user of that name that the run is about to make, in place of whoever has it now.
    pub(crate) fn to_be(
        user_pool_id: &str,
        username: &str,
        now: Option<&AdminGetUserOutput>,
    ) -> Self {
        Self {
            user_pool_id: user_pool_id.to_owned(),
            username: username.to_owned(),
            previous_sub: now.map(|user| sub_of(user.user_attributes())),
            since: None,
        }
    }

    /// Whether this is the user whom the run made, as far as the user alone tells.
    fn whose(&self, cx: &Context, found: &AdminGetUserOutput, ids: Option<&UserIds>) -> Whose {
        let sub = sub_of(found.user_attributes());
        match ids {
            Some(ids) if ids.sub == sub => Whose::Ours,
            Some(_) => Whose::MadeAgain,
            None if self.previous_sub.as_ref() == Some(&sub) => Whose::Previous,
            None if cx.is_unknown(&sub) || tells(cx, found.username(), found.user_attributes()) => {
                Whose::Ours
            }
            None => Whose::Unproven,
        }
    }

    /// The same, by the pool where the user does not tell: all users of a pool that the run made go with it.
    async fn owner(
        &self,
        cx: &Context,
        found: &AdminGetUserOutput,
        ids: Option<&UserIds>,
    ) -> Result<Whose, StepError> {
        match self.whose(cx, found, ids) {
            Whose::Unproven if user_pool::is_ours(cx, &self.user_pool_id).await? => Ok(Whose::Ours),
            whose => Ok(whose),
        }
    }

    /// Closes the entry of a user that was made.
    pub(crate) fn done(entry: Entry, sub: &str) -> Result<(), StepError> {
        Self::done_as(entry, sub, None)
    }

    /// Closes the entry of a user that was made under another name than was given.
    fn done_as(entry: Entry, sub: &str, username: Option<String>) -> Result<(), StepError> {
        // Without it nothing tells this user from a later one: the entry stays open.
        if sub.is_empty() {
            return Ok(());
        }
        entry.done(&UserIds { sub: sub.to_owned(), username })
    }

    /// Closes the entry of a call that failed, by looking whether there is a user all the same: one is there when only its
    /// code could not be delivered, when a trigger failed once it was made, or when the request arrived twice. The user, if
    /// its reply alone was lost.
    pub(crate) async fn after(
        &self,
        cx: &Context,
        entry: Entry,
        error: CallError,
    ) -> Result<AdminGetUserOutput, StepError> {
        let exists = error.is("UsernameExistsException");
        let refused = error.outcome == Outcome::Refused;
        if refused && !exists && !may_have_made(&error) {
            return Err(entry.error(error));
        }
        let user = match look(cx, &self.user_pool_id, &self.username, Planned::There).await {
            Ok(Some(user)) => user,
            // What is not seen, or cannot be looked up, may be there all the same.
            Ok(None) => return Err(entry.unsure(error)),
            Err(unseen) => {
                entry.unsure(unseen);
                return Err(error.into());
            }
        };
        // A refusal that comes after the user was made is proof enough: where the name was taken, it would have said so.
        let whose = match self.owner(cx, &user, None).await {
            Ok(Whose::Unproven) if refused && !exists => Whose::Ours,
            Ok(whose) => whose,
            Err(unseen) => {
                entry.unsure(unseen);
                return Err(error.into());
            }
        };
        match whose {
            Whose::Ours => {
                Self::done(entry, &sub_of(user.user_attributes()))?;
                let lost = exists || error.code.is_none();
                if lost { Ok(user) } else { Err(error.into()) }
            }
            Whose::Previous if refused => Err(entry.error(error)),
            Whose::Previous | Whose::MadeAgain | Whose::Unproven => Err(entry.unsure(error)),
        }
    }
}

/// Whether nobody but this run can have made a user with that name and those attributes.
fn tells(cx: &Context, username: &str, attributes: &[AttributeType]) -> bool {
    let run = cx.run.id.as_str();
    username.contains(run)
        || attributes.iter().any(|it| it.value().is_some_and(|it| it.contains(run)))
}

/// Refusals that may come after the user was made. The trigger `PreSignUp` is called before.
fn may_have_made(error: &CallError) -> bool {
    !error.message.contains(": PreSignUp ")
        && error.code.as_deref().is_some_and(|code| {
            code == "CodeDeliveryFailureException"
                || code.contains("Lambda")
                || code.contains("Role")
        })
}

/// Deletes a user; whether it was there.
pub(crate) async fn delete(
    cx: &Context,
    user_pool_id: &str,
    username: &str,
) -> Result<bool, CallError> {
    let request =
        cx.aws.cognito().admin_delete_user().user_pool_id(user_pool_id).username(username);
    match cx.aws.call(request.send(), || Ok(AdminDeleteUserOutput::builder().build())).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(error.outcome == Outcome::Unknown),
        Err(error) => Err(error),
    }
}

impl Resource for User {
    const TYPE: &'static str = "AWS::Cognito::UserPoolUser";
    const UNDO: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:ListUsers",
        "cognito-idp:AdminDeleteUser",
    ];
    type Ids = UserIds;

    fn label(&self) -> String {
        format!("{} of {}", self.username, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<UserIds>) -> Result<Undone, StepError> {
        let pool = &self.user_pool_id;
        let own_name = ids.as_ref().and_then(|ids| ids.username.clone());
        let username = own_name.as_ref().unwrap_or(&self.username);
        let Some(found) = look(&cx, pool, username, Planned::There).await? else {
            return match ids {
                None => self.undo_elsewhere(&cx).await,
                Some(_) => Ok(Undone::AlreadyGone),
            };
        };
        match self.owner(&cx, &found, ids.as_ref()).await? {
            Whose::Ours => {}
            Whose::Previous => return Ok(Undone::AlreadyGone),
            Whose::MadeAgain => return Ok(made_again()),
            Whose::Unproven => {
                let reason = "a user bears no mark of who has made it".to_owned();
                return Ok(Undone::Unproven { reason });
            }
        }
        // Where people sign in with an e-mail address, the pool has a name of its own for each of them.
        self.remove(&cx, found.username()).await
    }
}

impl User {
    /// Undoes what a trigger may have brought under another name than was typed.
    async fn undo_elsewhere(&self, cx: &Context) -> Result<Undone, StepError> {
        match migration::elsewhere(cx, self).await? {
            Elsewhere::Nobody => Ok(Undone::AlreadyGone),
            Elsewhere::Ours(username) => self.remove(cx, &username).await,
            Elsewhere::Unproven(reason) => Ok(Undone::Unproven { reason }),
        }
    }

    /// Deletes the user whom the pool calls so, and waits until they are gone.
    async fn remove(&self, cx: &Context, username: &str) -> Result<Undone, StepError> {
        let pool = &self.user_pool_id;
        if !delete(cx, pool, username).await? {
            return Ok(Undone::AlreadyGone);
        }
        let what = format!("the deletion of the user {}", self.username);
        cx.until(&what, Backoff::seconds(30), || async {
            let left = look(cx, pool, username, Planned::Gone).await?;
            Ok(left.is_none().then_some(()))
        })
        .await?;
        Ok(Undone::Deleted)
    }
}

/// How a step fails that needs a user who is not there.
pub(crate) fn missing(username: &str, user_pool_id: &str) -> StepError {
    StepError::failed(
        "UserNotFoundException",
        format!("there is no user {username} in the user pool {user_pool_id}"),
    )
}
