//! Users whom a trigger brings into a pool, while somebody signs in or has forgotten a password.

use aws_sdk_cognitoidentityprovider::operation::list_users::ListUsersOutput;

use super::claims::Claims;
use super::{User, Whose, look, sub_of};
use crate::resources::planned::Planned;
use engine::aws::{CallError, Outcome};
use engine::step::{Context, Entry, StepError};

/// A user that a trigger may bring into the pool during a call.
pub(crate) struct Migration {
    user: User,
    entry: Entry,
}

impl Migration {
    /// Looks whether the pool has the user, before a call that may bring it there: where it has not, that is written
    /// down first.
    pub(crate) async fn ahead(
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

    /// Looks again after the call, however it ended. Whether the pool has the user now. `claims` are what a token says of who
    /// has signed in: a trigger may give the user another name than the one that was typed.
    pub(crate) async fn over<T>(
        self,
        cx: &Context,
        result: &Result<T, CallError>,
        claims: Option<&Claims>,
    ) -> Result<bool, StepError> {
        let Self { user, entry } = self;
        let found = match look(cx, &user.user_pool_id, &user.username, Planned::There).await {
            Ok(found) => found,
            Err(unseen) => return Err(entry.unsure(unseen)),
        };
        match (found, result) {
            // Whoever is there now came from elsewhere.
            (_, Err(error)) if says_there_is_no_user(error) => {
                entry.refused(error.code.as_deref().unwrap_or_default())?;
                Ok(false)
            }
            // Nobody knows who has brought it.
            (Some(found), Err(error)) if error.outcome == Outcome::Unknown => {
                match user.owner(cx, &found, None).await {
                    Ok(Whose::Ours) => User::done(entry, &sub_of(found.user_attributes()))?,
                    Ok(_) => drop(entry.unsure(error.clone())),
                    Err(unseen) => drop(entry.unsure(unseen)),
                }
                Ok(true)
            }
            (Some(found), _) => {
                User::done(entry, &sub_of(found.user_attributes()))?;
                Ok(true)
            }
            (None, _) => match claims {
                // What was typed named nobody before, and somebody has signed in with it.
                Some(claims) => {
                    User::done_as(entry, &claims.sub, Some(claims.username.clone()))?;
                    Ok(true)
                }
                // It is not seen yet, perhaps: the entry stays open.
                None => Ok(false),
            },
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

/// Says of users whom a trigger may have brought under another name than was typed, where there are any. A pool that the run
/// made takes them with it.
pub(super) async fn under_another_name(
    cx: &Context,
    user: &User,
) -> Result<Option<String>, StepError> {
    let attribute = match user.username.as_str() {
        typed if typed.contains(['"', '\\']) => return Ok(None),
        typed if typed.contains('@') => "email",
        typed if typed.starts_with('+') => "phone_number",
        _ => "preferred_username",
    };
    let request = cx
        .aws
        .cognito()
        .list_users()
        .user_pool_id(&user.user_pool_id)
        .filter(format!("{attribute} = \"{}\"", user.username));
    let found = match cx.aws.call(request.send(), || Ok(ListUsersOutput::builder().build())).await {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
        found => found?,
    };
    let names: Vec<_> = found.users().iter().filter_map(|user| user.username()).collect();
    if names.is_empty() || crate::resources::user_pool::is_ours(cx, &user.user_pool_id).await? {
        return Ok(None);
    }
    Ok(Some(format!("the pool has {} with that {attribute}", names.join(", "))))
}
