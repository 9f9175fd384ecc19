//! Attributes of users that the run has changed.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::admin_delete_user_attributes::AdminDeleteUserAttributesOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_update_user_attributes::AdminUpdateUserAttributesOutput;
use serde::{Deserialize, Serialize};

use super::planned::Planned;
use super::scalar::Variable;
use super::user::{self, Attributes};
use super::user_pool;
use engine::aws::CallError;
use engine::step::{Context, Disposition, Resource, StepError, Undone};

/// Attributes with what follows them: an address that changes is not verified any more.
const FOLLOWERS: [(&str, &str); 2] =
    [("email", "email_verified"), ("phone_number", "phone_number_verified")];

/// Attributes that the run has changed. One that is null is not there.
#[derive(Serialize, Deserialize)]
pub struct UserAttributes {
    user_pool_id: String,
    username: String,
    sub: String,
    previous: BTreeMap<String, Option<String>>,
    wanted: BTreeMap<String, String>,
}

/// What the attributes were once they were changed.
#[derive(Serialize, Deserialize)]
pub struct UserAttributesIds {
    after: BTreeMap<String, Option<String>>,
}

/// Changes attributes of a user. What they were.
pub(crate) async fn update(
    cx: &Context,
    user_pool_id: &str,
    username: &str,
    given: &Attributes,
) -> Result<BTreeMap<String, Option<String>>, StepError> {
    let names = names_of(given);
    let Some(found) = user::look(cx, user_pool_id, username, Planned::There).await? else {
        return Err(user::missing(username, user_pool_id));
    };
    let made = UserAttributes {
        user_pool_id: user_pool_id.to_owned(),
        username: username.to_owned(),
        sub: user::sub_of(found.user_attributes()),
        previous: picked(&found, &names),
        wanted: given.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
    };
    let entry = cx.intend(&made)?;
    if let Err(error) = set(cx, user_pool_id, username, given).await {
        return Err(entry.error(error));
    }
    let after = match user::look(cx, user_pool_id, username, Planned::There).await {
        Ok(Some(user)) => picked(&user, &names),
        Ok(None) => return Err(user::missing(username, user_pool_id)),
        Err(unseen) => return Err(entry.unsure(unseen)),
    };
    entry.done(&UserAttributesIds { after })?;
    Ok(made.previous)
}

fn names_of(given: &Attributes) -> Vec<String> {
    let followers = FOLLOWERS.iter().filter(|(owner, _)| given.contains_key(*owner));
    let followers = followers.map(|(_, follower)| (*follower).to_owned());
    let mut names: Vec<String> = given.keys().cloned().chain(followers).collect();
    names.sort();
    names.dedup();
    names
}

fn picked(user: &AdminGetUserOutput, names: &[String]) -> BTreeMap<String, Option<String>> {
    let mut all = user::by_name(user.user_attributes());
    names.iter().map(|name| (name.clone(), all.remove(name))).collect()
}

/// Sets attributes. The request is never repeated: each one may send a message.
async fn set(
    cx: &Context,
    user_pool_id: &str,
    username: &str,
    given: &Attributes,
) -> Result<(), StepError> {
    let once = Builder::new().retry_config(RetryConfig::disabled());
    let request = cx
        .aws
        .cognito()
        .admin_update_user_attributes()
        .user_pool_id(user_pool_id)
        .username(username)
        .set_user_attributes(Some(user::attributes(given)?))
        .customize()
        .config_override(once);
    let placeholder = || Ok(AdminUpdateUserAttributesOutput::builder().build());
    cx.aws.call(request.send(), placeholder).await?;
    Ok(())
}

async fn delete(
    cx: &Context,
    user_pool_id: &str,
    username: &str,
    names: Vec<String>,
) -> Result<(), CallError> {
    let request = cx
        .aws
        .cognito()
        .admin_delete_user_attributes()
        .user_pool_id(user_pool_id)
        .username(username)
        .set_user_attribute_names(Some(names));
    let placeholder = || Ok(AdminDeleteUserAttributesOutput::builder().build());
    cx.aws.call(request.send(), placeholder).await.map(drop)
}

/// What undoing does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Way {
    /// What is set to what it was.
    back: BTreeMap<String, String>,
    /// What was not there.
    gone: Vec<String>,
    /// What somebody else has changed since.
    foreign: Vec<String>,
}

impl UserAttributes {
    fn way(
        &self,
        now: &BTreeMap<String, Option<String>>,
        after: Option<&BTreeMap<String, Option<String>>>,
    ) -> Way {
        let mut way = Way::default();
        for (name, previous) in &self.previous {
            let current = now.get(name).cloned().flatten();
            if current == *previous {
                continue;
            }
            let ours = match after {
                Some(after) => after.get(name).cloned().flatten(),
                None => self.wanted.get(name).filter(|value| !value.is_empty()).cloned(),
            };
            // An address is not verified any more once it has changed, whoever was to see that.
            let follows = after.is_none() && !self.wanted.contains_key(name);
            if current != ours && !follows {
                way.foreign.push(name.clone());
            } else if let Some(previous) = previous {
                way.back.insert(name.clone(), previous.clone());
            } else {
                way.gone.push(name.clone());
            }
        }
        // Where somebody else has changed an address, whether it is verified is theirs to say.
        for (owner, follower) in FOLLOWERS {
            if way.foreign.iter().any(|name| name == owner) {
                way.back.remove(follower);
                way.gone.retain(|name| name != follower);
            }
        }
        // What follows an attribute goes with it.
        let lost: Vec<&str> = FOLLOWERS
            .iter()
            .filter(|(owner, _)| way.gone.iter().any(|name| name == owner))
            .map(|(_, follower)| *follower)
            .collect();
        way.gone.retain(|name| !lost.contains(&name.as_str()));
        way
    }
}

impl UserAttributes {
    /// Whether nobody but the run can have written what it was about to write.
    async fn is_proven(&self, cx: &Context) -> Result<bool, StepError> {
        let run = cx.run.id.as_str();
        if self.wanted.values().any(|value| value.contains(run)) {
            return Ok(true);
        }
        user_pool::is_ours(cx, &self.user_pool_id).await
    }
}

impl Resource for UserAttributes {
    const TYPE: &'static str = "AWS::Cognito::UserPoolUserAttributes";
    const UNDO: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:AdminUpdateUserAttributes",
        "cognito-idp:AdminDeleteUserAttributes",
    ];
    const DISPOSITION: Disposition = Disposition::Restored;
    type Ids = UserAttributesIds;

    fn label(&self) -> String {
        let names: Vec<_> = self.wanted.keys().map(String::as_str).collect();
        format!("{} of {} of {}", names.join(", "), self.username, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<UserAttributesIds>) -> Result<Undone, StepError> {
        let (pool, username) = (&self.user_pool_id, &self.username);
        let Some(found) = user::look(&cx, pool, username, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        let sub = user::sub_of(found.user_attributes());
        if sub != self.sub && !cx.is_unknown(&sub) {
            return Ok(Undone::AlreadyGone);
        }
        let names: Vec<String> = self.previous.keys().cloned().collect();
        let after = ids.map(|ids| ids.after);
        let way = self.way(&picked(&found, &names), after.as_ref());
        let restores = !way.gone.is_empty() || !way.back.is_empty();
        // What the run was about to write, somebody else may have written as well.
        if restores && after.is_none() && !self.is_proven(&cx).await? {
            let reason = format!("nothing shows who has written {}", names.join(", "));
            return Ok(Undone::Unproven { reason });
        }
        if !way.gone.is_empty() {
            delete(&cx, pool, username, way.gone.clone()).await?;
        }
        if !way.back.is_empty() {
            let given =
                way.back.iter().map(|(name, value)| (name.clone(), Variable(value.clone())));
            set(&cx, pool, username, &given.collect()).await?;
        }
        if !way.foreign.is_empty() {
            let reason = format!("somebody has changed {} since", way.foreign.join(", "));
            return Ok(Undone::Changed { reason });
        }
        Ok(if restores { Undone::Restored } else { Undone::AlreadyGone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Values<'a> = &'a [(&'a str, Option<&'a str>)];

    fn values(given: Values<'_>) -> BTreeMap<String, Option<String>> {
        given.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    fn changed() -> UserAttributes {
        UserAttributes {
            user_pool_id: "p".to_owned(),
            username: "ann".to_owned(),
            sub: "1".to_owned(),
            previous: values(&[
                ("custom:level", None),
                ("email", Some("a@x.test")),
                ("email_verified", Some("true")),
            ]),
            wanted: BTreeMap::from([
                ("custom:level".to_owned(), "3".to_owned()),
                ("email".to_owned(), "b@x.test".to_owned()),
            ]),
        }
    }

    #[test]
    fn what_is_still_the_runs_goes_back() {
        let after = values(&[
            ("custom:level", Some("3")),
            ("email", Some("b@x.test")),
            ("email_verified", Some("false")),
        ]);
        for known in [Some(&after), None] {
            let way = changed().way(&after, known);
            assert_eq!(way.gone, ["custom:level"]);
            let back: Vec<_> =
                way.back.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(back, ["email=a@x.test", "email_verified=true"]);
            assert_eq!(way.foreign, [""; 0]);
        }
    }

    #[test]
    fn what_somebody_else_has_changed_stays() {
        let after = values(&[
            ("custom:level", Some("3")),
            ("email", Some("b@x.test")),
            ("email_verified", Some("false")),
        ]);
        let now = values(&[
            ("custom:level", None),
            ("email", Some("c@x.test")),
            ("email_verified", Some("false")),
        ]);
        let way = changed().way(&now, Some(&after));
        assert_eq!((way.back.len(), way.gone.len()), (0, 0));
        assert_eq!(way.foreign, ["email"]);
    }
}
