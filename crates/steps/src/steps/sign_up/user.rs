//! Users of a pool: looking one up, and taking away those that the run made.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cognitoidentityprovider::operation::admin_delete_user::AdminDeleteUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, CodeDeliveryDetailsType};
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::steps::create_function::{Planned, Variable};
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::{Context, Entry, Resource, StepError, Undone};

/// A user that the run made.
#[allow(clippy::struct_field_names, reason = "these are Cognito's own names")]
#[derive(Serialize, Deserialize)]
pub struct User {
    pub(in crate::steps) user_pool_id: String,
    pub(in crate::steps) username: String,
    /// The user who had that name when the run was about to make one.
    previous_sub: Option<String>,
    /// When the run was about to make it, in seconds since 1970.
    intended_at: Option<i64>,
}

/// Within how many seconds of its intent a user was made whom the run made: AWS's clock is not this machine's, and a call
/// may be tried several times.
const CLOCKS_DIFFER: u64 = 5 * 60;

/// Who made a user of the name that the run was about to give to one.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    /// The one who had the name before.
    Previous,
    /// Somebody who came after ours.
    MadeAgain,
    /// Somebody who came when the run did nothing.
    OfAnotherTime,
}

/// What tells this user from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct UserIds {
    sub: String,
}

/// Attributes of a user by name, as a playbook gives them. Numbers and booleans become text.
pub(in crate::steps) type Attributes = BTreeMap<String, Variable>;

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
    pub(in crate::steps) fn of_sdk(details: &CodeDeliveryDetailsType) -> Self {
        Self {
            destination: details.destination().unwrap_or_default().to_owned(),
            medium: details.delivery_medium().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            attribute: details.attribute_name().unwrap_or_default().to_owned(),
        }
    }
}

/// Attributes, as the SDK wants them.
pub(in crate::steps) fn attributes(given: &Attributes) -> Result<Vec<AttributeType>, StepError> {
    let attribute = |(name, Variable(value)): (&String, &Variable)| {
        AttributeType::builder().name(name).value(value).build()
    };
    let built: Result<_, BuildError> = given.iter().map(attribute).collect();
    built.map_err(|error| StepError::failed("InvalidInput", error.to_string()))
}

/// Attributes by name, as the SDK has them.
pub(in crate::steps) fn by_name(attributes: &[AttributeType]) -> BTreeMap<String, String> {
    let pair =
        |it: &AttributeType| (it.name().to_owned(), it.value().unwrap_or_default().to_owned());
    attributes.iter().map(pair).collect()
}

/// The attribute that no two users ever share.
pub(in crate::steps) fn sub_of(attributes: &[AttributeType]) -> String {
    by_name(attributes).remove("sub").unwrap_or_default()
}

/// Looks a user up.
pub(in crate::steps) async fn look(
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
fn is_missing(error: &CallError) -> bool {
    error.is("UserNotFoundException") || error.is("ResourceNotFoundException")
}

impl User {
    /// The user of that name that the run is about to make, in place of whoever has it now.
    pub(in crate::steps) fn to_be(
        user_pool_id: &str,
        username: &str,
        now: Option<&AdminGetUserOutput>,
    ) -> Self {
        Self {
            user_pool_id: user_pool_id.to_owned(),
            username: username.to_owned(),
            previous_sub: now.map(|user| sub_of(user.user_attributes())),
            intended_at: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_secs()).ok()),
        }
    }

    /// Whether this is the user whom the run made; nobody knows the `sub` of one whose making got no answer.
    fn whose(&self, found: &AdminGetUserOutput, ids: Option<&UserIds>) -> Whose {
        let sub = sub_of(found.user_attributes());
        match ids {
            Some(ids) if ids.sub == sub => Whose::Ours,
            Some(_) => Whose::MadeAgain,
            None if self.previous_sub.as_ref() == Some(&sub) => Whose::Previous,
            None if self.is_of_that_time(found) => Whose::Ours,
            None => Whose::OfAnotherTime,
        }
    }

    /// Whether the user was made when the run was about to make one. A dry run's users were never made.
    fn is_of_that_time(&self, found: &AdminGetUserOutput) -> bool {
        match (found.user_create_date(), self.intended_at) {
            (Some(made), Some(intended)) => made.secs().abs_diff(intended) <= CLOCKS_DIFFER,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// The user, if the run has made it by now, with a call that has just ended: there is no need to compare clocks.
    async fn made(&self, cx: &Context) -> Result<Option<AdminGetUserOutput>, CallError> {
        let found = look(cx, &self.user_pool_id, &self.username, Planned::There).await?;
        Ok(found.filter(|user| self.whose(user, None) != Whose::Previous))
    }

    /// Closes the entry of a user that was made.
    pub(in crate::steps) fn done(entry: Entry, sub: &str) -> Result<(), StepError> {
        // Without it nothing tells this user from a later one: the entry stays open.
        if sub.is_empty() {
            return Ok(());
        }
        entry.done(&UserIds { sub: sub.to_owned() })
    }

    /// Closes the entry of a call that failed, by looking whether there is a user all the same: one is there when only its
    /// code could not be delivered, or when a trigger failed once it was made. The user, if its reply alone was lost.
    pub(in crate::steps) async fn after(
        &self,
        cx: &Context,
        entry: Entry,
        error: CallError,
    ) -> Result<AdminGetUserOutput, StepError> {
        if error.outcome == Outcome::Refused && !may_have_made(&error) {
            return Err(entry.error(error));
        }
        match self.made(cx).await {
            Ok(Some(user)) => {
                Self::done(entry, &sub_of(user.user_attributes()))?;
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                let lost = error.outcome == Outcome::Unknown
                    && (error.is("UsernameExistsException") || error.code.is_none());
                if lost { Ok(user) } else { Err(error.into()) }
            }
            // What is not seen, or cannot be looked up, may be there all the same.
            Ok(None) => Err(entry.unsure(error)),
            Err(unseen) => {
                entry.unsure(unseen);
                Err(error.into())
            }
        }
    }
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

/// A user that a trigger may bring into the pool during a call.
pub(in crate::steps) struct Migration {
    user: User,
    entry: Entry,
}

impl Migration {
    /// Looks whether the pool has the user, before a call that may bring it there: where it has not, that is written
    /// down first.
    pub(in crate::steps) async fn ahead(
        cx: &Context,
        user_pool_id: Option<&str>,
        username: &str,
    ) -> Result<Option<Self>, StepError> {
        let Some(user_pool_id) = user_pool_id else {
            return Ok(None);
        };
        let mut made = cx.made::<User>().into_iter();
        let made = made.any(|it| it.user_pool_id == user_pool_id && it.username == username);
        let planned = if made { Planned::There } else { Planned::Gone };
        if look(cx, user_pool_id, username, planned).await?.is_some() {
            return Ok(None);
        }
        let user = User::to_be(user_pool_id, username, None);
        let entry = cx.intend(&user)?;
        Ok(Some(Self { user, entry }))
    }

    /// Looks again after the call, however it ended. Whether the pool has the user now.
    pub(in crate::steps) async fn over<T>(
        self,
        cx: &Context,
        result: &Result<T, CallError>,
    ) -> Result<bool, StepError> {
        match self.user.made(cx).await {
            Ok(Some(user)) => {
                User::done(self.entry, &sub_of(user.user_attributes()))?;
                Ok(true)
            }
            Ok(None) => {
                // Otherwise it is not seen yet, perhaps: the entry stays open.
                if let Err(error) = result
                    && says_there_is_no_user(error)
                {
                    self.entry.refused(error.code.as_deref().unwrap_or_default())?;
                }
                Ok(false)
            }
            Err(unseen) => Err(self.entry.unsure(unseen)),
        }
    }
}

/// Refusals that no call ends with once a trigger has brought the user.
fn says_there_is_no_user(error: &CallError) -> bool {
    const CODES: [&str; 4] = [
        "NotAuthorizedException",
        "ResourceNotFoundException",
        "TooManyRequestsException",
        "UserNotFoundException",
    ];
    error.outcome == Outcome::Refused && CODES.iter().any(|code| error.is(code))
}

/// Deletes a user; whether it was there.
pub(in crate::steps) async fn delete(
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
    const UNDO: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:AdminDeleteUser"];
    type Ids = UserIds;

    fn label(&self) -> String {
        format!("{} of {}", self.username, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<UserIds>) -> Result<Undone, StepError> {
        let pool = &self.user_pool_id;
        let Some(found) = look(&cx, pool, &self.username, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        match self.whose(&found, ids.as_ref()) {
            Whose::Ours => {}
            Whose::Previous => return Ok(Undone::AlreadyGone),
            Whose::MadeAgain => {
                let reason = "it was deleted and made again since".to_owned();
                return Ok(Undone::NotOurs { reason });
            }
            Whose::OfAnotherTime => {
                let reason = "it was not made when this run was about to make it".to_owned();
                return Ok(Undone::NotOurs { reason });
            }
        }
        // Where people sign in with an e-mail address, the pool has a name of its own for each of them.
        if !delete(&cx, pool, found.username()).await? {
            return Ok(Undone::AlreadyGone);
        }
        let what = format!("the deletion of the user {}", self.username);
        cx.until(&what, Backoff::seconds(30), || async {
            let left = look(&cx, pool, found.username(), Planned::Gone).await?;
            Ok(left.is_none().then_some(()))
        })
        .await?;
        Ok(Undone::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cognitoidentityprovider::primitives::DateTime;

    const INTENDED: i64 = 1_795_000_000;

    fn user(previous_sub: Option<&str>) -> User {
        User {
            user_pool_id: "eu-central-1_a".to_owned(),
            username: "alice".to_owned(),
            previous_sub: previous_sub.map(str::to_owned),
            intended_at: Some(INTENDED),
        }
    }

    fn found(sub: &str, made_at: i64) -> AdminGetUserOutput {
        let sub = AttributeType::builder().name("sub").value(sub).build().expect("an attribute");
        let made_at = DateTime::from_secs(made_at);
        let found = AdminGetUserOutput::builder().username("alice").user_create_date(made_at);
        found.user_attributes(sub).build().expect("a user")
    }

    #[test]
    fn a_user_of_whom_nobody_knows_is_ours_only_when_made_at_that_time() {
        let whose = |made_at| user(None).whose(&found("1", made_at), None);
        for near in [INTENDED, INTENDED + 299, INTENDED - 299] {
            assert_eq!(whose(near), Whose::Ours, "{near}");
        }
        for far in [INTENDED + 301, INTENDED - 301, 0, i64::MAX / 2] {
            assert_eq!(whose(far), Whose::OfAnotherTime, "{far}");
        }
        let timeless = User { intended_at: None, ..user(None) };
        assert_eq!(timeless.whose(&found("1", INTENDED), None), Whose::OfAnotherTime);
    }

    #[test]
    fn a_user_whose_sub_is_known_is_known_by_it() {
        let ids = UserIds { sub: "1".to_owned() };
        assert_eq!(user(None).whose(&found("1", 0), Some(&ids)), Whose::Ours);
        assert_eq!(user(None).whose(&found("2", INTENDED), Some(&ids)), Whose::MadeAgain);
        assert_eq!(user(Some("1")).whose(&found("1", INTENDED), None), Whose::Previous);
        assert_eq!(user(Some("1")).whose(&found("2", INTENDED), None), Whose::Ours);
    }
}
