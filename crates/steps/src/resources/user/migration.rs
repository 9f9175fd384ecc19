//! Users whom a trigger brings into a pool, while somebody signs in or has forgotten a password.

use aws_sdk_cognitoidentityprovider::operation::list_users::ListUsersOutput;
use aws_sdk_cognitoidentityprovider::types::UserType;
use jiff::Timestamp;

use super::claims::Claims;
use super::{User, Whose, look, sub_of, tells};
use crate::resources::planned::Planned;
use engine::aws::{CallError, Outcome};
use engine::step::{Context, Entry, StepError};

/// By how many seconds AWS's clock may be behind.
const CLOCKS_DIFFER: i64 = 60;
/// How many pages of users are looked through, of 60 each.
const MOST_PAGES: usize = 50;

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
        let since = Timestamp::now().as_second() - CLOCKS_DIFFER;
        let user = User { since: Some(since), ..User::to_be(user_pool_id, username, None) };
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
    // A trigger that fails brings nobody, and a client that may not be used so is refused before it is called.
    let is_before = error.message.starts_with("UserMigration ") || is_about_the_client(error);
    error.outcome == Outcome::Refused && (is_before || CODES.iter().any(|code| error.is(code)))
}

fn is_about_the_client(error: &CallError) -> bool {
    error.is("InvalidParameterException") && error.message.contains("enabled for th")
}

/// Whom a trigger may have brought under another name than was typed.
pub(super) enum Elsewhere {
    Nobody,
    /// The run's id is in their name or attributes: what the pool calls them.
    Ours(String),
    /// There is somebody who may be the one: who that is.
    Unproven(String),
}

/// Looks for users whom a trigger may have brought under another name than was typed. A pool that the run made takes them
/// with it. By when they came nobody is known to be the run's: they are named, and stay.
pub(super) async fn elsewhere(cx: &Context, user: &User) -> Result<Elsewhere, StepError> {
    let Some(since) = user.since else { return Ok(Elsewhere::Nobody) };
    let pool = &user.user_pool_id;
    let mut candidates: Vec<String> = Vec::new();
    let mut why = format!("came while {} signed in", user.username);
    if let Some((attribute, filter)) = filter(&user.username) {
        let Some(found) = list(cx, pool, Some(filter), None).await? else {
            return Ok(Elsewhere::Nobody);
        };
        candidates = found.users().iter().filter_map(|it| it.username.clone()).collect();
        if !candidates.is_empty() {
            why = format!("with that {attribute}");
        }
    }
    let mut token = None;
    for page in 0.. {
        if !candidates.is_empty() {
            break;
        }
        if page == MOST_PAGES {
            let reason = "the pool has more users than are looked through".to_owned();
            return Ok(Elsewhere::Unproven(reason));
        }
        let Some(found) = list(cx, pool, None, token).await? else { return Ok(Elsewhere::Nobody) };
        let newer = |it: &&UserType| it.user_create_date().is_some_and(|at| at.secs() >= since);
        for newcomer in found.users().iter().filter(newer) {
            let name = newcomer.username().unwrap_or_default();
            if tells(cx, name, newcomer.attributes()) {
                return Ok(Elsewhere::Ours(name.to_owned()));
            }
            candidates.push(name.to_owned());
        }
        token = found.pagination_token;
        if token.is_none() {
            break;
        }
    }
    if candidates.is_empty() || crate::resources::user_pool::is_ours(cx, pool).await? {
        return Ok(Elsewhere::Nobody);
    }
    Ok(Elsewhere::Unproven(format!("the pool has {}, {why}", candidates.join(", "))))
}

/// The attribute that the typed name may be a value of, and a filter for it.
fn filter(typed: &str) -> Option<(&'static str, String)> {
    let attribute = match typed {
        typed if typed.contains(['"', '\\']) => return None,
        typed if typed.contains('@') => "email",
        typed if typed.starts_with('+') => "phone_number",
        _ => "preferred_username",
    };
    Some((attribute, format!("{attribute} = \"{typed}\"")))
}

/// A page of users; nothing where there is no such pool.
async fn list(
    cx: &Context,
    user_pool_id: &str,
    filter: Option<String>,
    token: Option<String>,
) -> Result<Option<ListUsersOutput>, CallError> {
    let request = cx
        .aws
        .cognito()
        .list_users()
        .user_pool_id(user_pool_id)
        .set_filter(filter)
        .set_pagination_token(token);
    match cx.aws.call(request.send(), || Ok(ListUsersOutput::builder().build())).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}
