//! The functions that a user pool calls.

pub(crate) mod carry_over;
pub(crate) mod failure;
pub(crate) mod triggers;

use aws_sdk_cognitoidentityprovider::operation::describe_user_pool::DescribeUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::get_user_pool_mfa_config::GetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::types::{UserPoolMfaType, UserPoolType};
use serde::{Deserialize, Serialize};

use carry_over::{carry_over, differences};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Disposition, Resource, StepError, Undone};
use triggers::{Changes, Standing, Triggers, names_of};

/// Triggers that the run changed.
#[derive(Serialize, Deserialize)]
pub struct UserPoolTriggers {
    pub(crate) user_pool_id: String,
    previous: Triggers,
    changes: Changes,
}

/// All triggers, as Cognito described them once they were changed.
#[derive(Serialize, Deserialize)]
pub struct TriggersIds {
    after: Triggers,
}

/// What came of changing triggers.
pub(crate) struct Changed {
    /// The pool as it was.
    pub(crate) previous: Triggers,
    /// The pool as it is.
    pub(crate) pool: UserPoolType,
}

/// Changes triggers of a pool, and nothing else of it.
pub(crate) async fn update(
    cx: &Context,
    user_pool_id: &str,
    changes: Changes,
) -> Result<Changed, StepError> {
    let planned = described(cx, user_pool_id, &Triggers::new());
    let pool = describe(cx, user_pool_id, planned).await?;
    let previous = triggers::of_sdk(pool.lambda_config());
    let user_pool_id = user_pool_id.to_owned();
    let made = UserPoolTriggers { user_pool_id, previous, changes };
    let entry = cx.intend(&made)?;
    let wanted = match change(cx, &pool, &made.changes).await {
        Ok(wanted) => wanted,
        Err(error) => return Err(entry.error(error)),
    };
    let after = match changed(cx, &made.user_pool_id, &wanted).await {
        Ok(after) => after,
        Err(unseen) => return Err(entry.unsure(unseen)),
    };
    // What somebody else has made of it since is not the run's own.
    let now = triggers::of_sdk(after.lambda_config());
    let is_ours = made
        .changes
        .keys()
        .all(|name| triggers::standing(name, &now, &wanted, &made.changes) != Standing::Foreign);
    entry.done(&TriggersIds { after: if is_ours { now } else { wanted } })?;
    unharmed(cx, &pool, &after).await?;
    Ok(Changed { previous: made.previous, pool: after })
}

/// What a dry run sees of a pool: the settings that it has are not known.
pub(crate) fn described(cx: &Context, user_pool_id: &str, triggers: &Triggers) -> UserPoolType {
    UserPoolType::builder()
        .id(user_pool_id)
        .arn(cx.later("arn"))
        .name(engine::step::marker("the pool's name and all its other settings"))
        .set_lambda_config(triggers::to_sdk(triggers).ok())
        .build()
}

pub(crate) async fn describe(
    cx: &Context,
    user_pool_id: &str,
    planned: UserPoolType,
) -> Result<UserPoolType, StepError> {
    let request = cx.aws.cognito().describe_user_pool().user_pool_id(user_pool_id);
    let placeholder = || Ok(DescribeUserPoolOutput::builder().user_pool(planned).build());
    cx.aws
        .call(request.send(), placeholder)
        .await?
        .user_pool
        .ok_or_else(|| StepError::failed("InvalidOutput", "DescribeUserPool returned no user pool"))
}

/// Changes triggers. What they all are then, as far as that was asked for.
async fn change(
    cx: &Context,
    pool: &UserPoolType,
    changes: &Changes,
) -> Result<Triggers, StepError> {
    let wanted = triggers::apply(&triggers::of_sdk(pool.lambda_config()), changes);
    let config = triggers::to_sdk(&wanted)
        .map_err(|error| StepError::failed("InvalidInput", error.to_string()))?;
    cx.while_refused(Backoff::seconds(30), is_passing, || async {
        let request = carry_over(pool, config.clone()).send_with(cx.aws.cognito());
        cx.aws.call(request, || Ok(UpdateUserPoolOutput::builder().build())).await
    })
    .await?;
    Ok(wanted)
}

/// Describes a pool whose triggers were just changed.
async fn changed(
    cx: &Context,
    user_pool_id: &str,
    wanted: &Triggers,
) -> Result<UserPoolType, StepError> {
    describe(cx, user_pool_id, described(cx, user_pool_id, wanted)).await
}

/// Another change of the pool is under way.
fn is_passing(error: &CallError) -> bool {
    error.is("ConcurrentModificationException")
}

/// Fails if anything but the triggers has changed.
async fn unharmed(
    cx: &Context,
    before: &UserPoolType,
    after: &UserPoolType,
) -> Result<(), StepError> {
    let mut details = differences(before, after);
    if matches!(before.mfa_configuration(), Some(UserPoolMfaType::On | UserPoolMfaType::Optional)) {
        details.extend(factors_lost(cx, after).await?);
    }
    if details.is_empty() {
        return Ok(());
    }
    Err(StepError::Failed {
        code: "UserPoolChanged".to_owned(),
        message: format!(
            "Cognito changed more of the user pool {} than its triggers",
            after.id().unwrap_or_default()
        ),
        help: Some("set these back to what they were".to_owned()),
        details,
    })
}

/// A pool that asks for a second factor must still have one to ask for. Which ones it has stands elsewhere than the
/// rest, and an update cannot carry it.
async fn factors_lost(cx: &Context, pool: &UserPoolType) -> Result<Option<String>, CallError> {
    let user_pool_id = pool.id().unwrap_or_default();
    let request = cx.aws.cognito().get_user_pool_mfa_config().user_pool_id(user_pool_id);
    let placeholder = || Ok(GetUserPoolMfaConfigOutput::builder().build());
    let config = cx.aws.call(request.send(), placeholder).await?;
    let by_token = config.software_token_mfa_configuration().is_some_and(|token| token.enabled);
    let any = by_token
        || config.sms_mfa_configuration().is_some()
        || config.email_mfa_configuration().is_some()
        || config.web_authn_configuration().is_some();
    Ok((!any).then(|| "MfaConfiguration: the pool has no second factor any more".to_owned()))
}

impl Resource for UserPoolTriggers {
    const TYPE: &'static str = "AWS::Cognito::UserPoolTriggers";
    const UNDO: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:GetUserPoolMfaConfig",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:TagResource",
        "iam:PassRole",
    ];
    const DISPOSITION: Disposition = Disposition::Restored;
    type Ids = TriggersIds;

    fn label(&self) -> String {
        let names: Vec<_> = self.changes.keys().map(String::as_str).collect();
        format!("{} of {}", names.join(", "), self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<TriggersIds>) -> Result<Undone, StepError> {
        let planned = triggers::apply(&self.previous, &self.changes);
        let planned = described(&cx, &self.user_pool_id, &planned);
        let pool = match describe(&cx, &self.user_pool_id, planned).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Undone::AlreadyGone),
            pool => pool?,
        };
        let (restoring, foreign) = self.restoring(&triggers::of_sdk(pool.lambda_config()), ids);
        if !restoring.is_empty() {
            let wanted = change(&cx, &pool, &restoring).await?;
            let after = changed(&cx, &self.user_pool_id, &wanted).await?;
            unharmed(&cx, &pool, &after).await?;
        }
        match (foreign.is_empty(), restoring.is_empty()) {
            (false, _) => Ok(Undone::Changed {
                reason: format!("somebody has changed {} since", foreign.join(", ")),
            }),
            (true, false) => Ok(Undone::Restored),
            (true, true) => Ok(Undone::AlreadyGone),
        }
    }
}

impl UserPoolTriggers {
    /// What to put back, and the names of what somebody else has changed since.
    fn restoring(&self, now: &Triggers, ids: Option<TriggersIds>) -> (Changes, Vec<&str>) {
        let ours = match ids {
            Some(TriggersIds { after }) => self
                .changes
                .keys()
                .flat_map(|name| names_of(name))
                .map(|name| (name.to_owned(), after.get(name).cloned()))
                .collect(),
            None => self.changes.clone(),
        };
        let (mut restoring, mut foreign) = (Changes::new(), Vec::new());
        for name in self.changes.keys() {
            match triggers::standing(name, now, &self.previous, &ours) {
                Standing::AsBefore => {}
                Standing::Ours => restoring.extend(triggers::restoring(name, &self.previous)),
                Standing::Foreign => foreign.push(name.as_str()),
            }
        }
        (restoring, foreign)
    }
}
