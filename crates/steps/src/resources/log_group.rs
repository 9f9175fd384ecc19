//! Log groups.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::delete_log_group::DeleteLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::DescribeLogGroupsOutput;
use aws_sdk_cloudwatchlogs::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::PutRetentionPolicyOutput;
use aws_sdk_cloudwatchlogs::types::LogGroup as Described;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::function;
use super::ownership::{run_tag, run_tags};
use super::planned::Planned;
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Place, Resource, RunFacts, StepError, Undone};

/// The numbers of days after which `CloudWatch` deletes events.
pub(crate) const RETENTION: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// A log group that the run made.
#[derive(Serialize, Deserialize)]
pub struct LogGroup {
    log_group_name: String,
    /// When the group was made that clean-up has deleted, or is about to: one of that name without tags that is made later
    /// is what a function still had to log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted: Option<i64>,
}

/// Creates a log group, unless it is there already; then it stays as it is, and the refusal comes back.
pub(crate) async fn create(
    cx: &Context,
    log_group_name: &str,
    retention_in_days: Option<i32>,
    tags: &BTreeMap<String, String>,
) -> Result<Option<CallError>, StepError> {
    let tags: HashMap<_, _> = tags.clone().into_iter().chain(run_tags(cx)).collect();
    let request =
        cx.aws.logs().create_log_group().log_group_name(log_group_name).set_tags(Some(tags));
    let call = async {
        let placeholder = || Ok(CreateLogGroupOutput::builder().build());
        Ok(cx.aws.call(request.send(), placeholder).await?)
    };
    let group = LogGroup { log_group_name: log_group_name.to_owned(), deleted: None };
    match creation::create(cx, &group, call, |_| Some(())).await? {
        Creation::Created(_) | Creation::Found(_) => {}
        Creation::Taken(error, _) => return Ok(Some(error)),
    }
    if let Some(days) = retention_in_days {
        let request = cx
            .aws
            .logs()
            .put_retention_policy()
            .log_group_name(log_group_name)
            .retention_in_days(days);
        cx.aws.call(request.send(), || Ok(PutRetentionPolicyOutput::builder().build())).await?;
    }
    Ok(None)
}

impl Unique for LogGroup {
    type Found = Described;

    fn is_taken(error: &CallError) -> bool {
        error.is("ResourceAlreadyExistsException")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.log_group_name == other.log_group_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<Described>, StepError> {
        Ok(look(cx, &self.log_group_name, Planned::There).await?)
    }

    async fn whose(&self, cx: &Context, found: &Described) -> Result<Owner, StepError> {
        Ok(owner(cx, &tags(cx, found).await?))
    }

    fn ids(_: &Described) {}
}

/// Describes a log group, if it is there.
async fn look(
    cx: &Context,
    log_group_name: &str,
    planned: Planned,
) -> Result<Option<Described>, CallError> {
    let mut next_token = None;
    loop {
        let request = cx
            .aws
            .logs()
            .describe_log_groups()
            .log_group_name_prefix(log_group_name)
            .set_next_token(next_token);
        let page =
            cx.aws.call(request.send(), || Ok(placeholder(cx, log_group_name, planned))).await?;
        next_token = page.next_token;
        let found = page
            .log_groups
            .unwrap_or_default()
            .into_iter()
            .find(|group| group.log_group_name() == Some(log_group_name));
        if found.is_some() || next_token.is_none() {
            return Ok(found);
        }
    }
}

fn placeholder(cx: &Context, log_group_name: &str, planned: Planned) -> DescribeLogGroupsOutput {
    let group = Described::builder()
        .log_group_name(log_group_name)
        .log_group_arn(cx.later("log_group_arn"));
    let groups = match planned {
        Planned::There => vec![group.build()],
        Planned::Gone => Vec::new(),
    };
    DescribeLogGroupsOutput::builder().set_log_groups(Some(groups)).build()
}

async fn tags(cx: &Context, group: &Described) -> Result<HashMap<String, String>, CallError> {
    // `arn` ends in `:*`, which ListTagsForResource does not take; `log_group_arn` does not.
    let arn = group.log_group_arn().or(group.arn()).unwrap_or_default();
    let request = cx.aws.logs().list_tags_for_resource().resource_arn(arn.trim_end_matches(":*"));
    let (key, value) = run_tag(cx);
    let placeholder = || Ok(ListTagsForResourceOutput::builder().tags(key, value).build());
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.tags.unwrap_or_default()),
        // Whoever lists tags may be behind those who describe groups.
        Err(error) if error.is("ResourceNotFoundException") => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

fn owner(cx: &Context, tags: &HashMap<String, String>) -> Owner {
    Owner::of(cx, tags.get(RunFacts::TAG_KEY).map(String::as_str))
}

/// Deletes a log group; whether it was there.
async fn delete(cx: &Context, log_group_name: &str) -> Result<bool, StepError> {
    // Another operation on the group is still under way.
    let passes = |error: &CallError| error.is("OperationAbortedException");
    let deleted = cx
        .while_refused(Backoff::seconds(30), passes, || async {
            let request = cx.aws.logs().delete_log_group().log_group_name(log_group_name);
            cx.aws.call(request.send(), || Ok(DeleteLogGroupOutput::builder().build())).await
        })
        .await;
    match deleted {
        Ok(_) => Ok(true),
        Err(error) if error.is("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(error),
    }
}

impl Resource for LogGroup {
    const TYPE: &'static str = "AWS::Logs::LogGroup";
    const UNDO: &'static [&'static str] = &[
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:DeleteLogGroup",
        "lambda:GetFunction",
    ];
    type Ids = ();

    fn label(&self) -> String {
        self.log_group_name.clone()
    }

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(place.arn("logs", &format!("log-group:{}", self.log_group_name)))
    }

    async fn undo(self, cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        let Self { log_group_name, deleted } = self;
        let Some(group) = look(&cx, &log_group_name, Planned::There).await? else {
            return match deleted {
                Some(deleted) => stay_gone(&cx, &log_group_name, deleted).await,
                None => Ok(Undone::AlreadyGone),
            };
        };
        let tags = tags(&cx, &group).await?;
        if let Some(deleted) = deleted.filter(|deleted| is_late(&group, &tags, *deleted)) {
            return stay_gone(&cx, &log_group_name, deleted).await;
        }
        if let Some(spared) = owner(&cx, &tags).spared(&cx) {
            return Ok(spared);
        }
        if function_of(&log_group_name).is_none() {
            delete(&cx, &log_group_name).await?;
            return Ok(Undone::Deleted);
        }
        let made = group.creation_time().unwrap_or_default();
        // Where the disk is full, the group goes all the same: whoever cleans up again may find a late one, and say so.
        let _ = cx.amend(&Self { log_group_name: log_group_name.clone(), deleted: Some(made) });
        delete(&cx, &log_group_name).await?;
        stay_gone(&cx, &log_group_name, made).await
    }
}

/// The function that Lambda keeps a log group for.
fn function_of(log_group_name: &str) -> Option<&str> {
    let is_name =
        |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    log_group_name.strip_prefix("/aws/lambda/").filter(is_name)
}

/// What a function still had to log when it was deleted arrives late, and Lambda makes the group again for it: without
/// tags, but after ours, which was made at `made`. That is looked out for until it is quiet. Where there is such a
/// function, the group is its own.
async fn stay_gone(cx: &Context, log_group_name: &str, made: i64) -> Result<Undone, StepError> {
    let function_name = function_of(log_group_name).unwrap_or_default();
    let what = format!("late log events of {log_group_name}");
    let quiet = Backoff {
        first: Duration::from_millis(25),
        longest: Duration::from_secs(1),
        limit: if cx.run.on_this_machine { QUIET_HERE } else { QUIET_AT_AWS },
    };
    for _ in 0..MOST_REAPPEARANCES {
        let again = || async { Ok(look(cx, log_group_name, Planned::Gone).await?) };
        match cx.until(&what, quiet, again).await {
            Ok(again) if is_late(&again, &tags(cx, &again).await?, made) => {
                if function::look(cx, function_name, Planned::Gone).await?.is_some() {
                    return Ok(Undone::Deleted);
                }
                delete(cx, log_group_name).await?;
            }
            Ok(_) => {
                let reason = "somebody made it again at once".to_owned();
                return Ok(Undone::Changed { reason });
            }
            Err(StepError::TimedOut { .. }) => return Ok(Undone::Deleted),
            Err(error) => return Err(error),
        }
    }
    Err(StepError::failed(
        "StillLogging",
        format!("the log group {log_group_name} comes back whenever it is deleted"),
    ))
}

/// Sees to it that the log group which Lambda made for a function that is gone is gone too, and stays so. One that was there
/// at that time is left as it is.
pub(crate) async fn take_away_late(
    cx: &Context,
    log_group_name: &str,
    since_millis: i64,
) -> Result<Undone, StepError> {
    stay_gone(cx, log_group_name, since_millis).await
}

/// Log events arrive within seconds of an invocation.
const QUIET_AT_AWS: Duration = Duration::from_secs(5);

/// The embedded AWS has no more than tens of milliseconds of such delay, unless told otherwise.
const QUIET_HERE: Duration = Duration::from_millis(300);

const MOST_REAPPEARANCES: usize = 10;

/// Whether this is a group that Lambda has made since the one that was made at `made`.
fn is_late(group: &Described, tags: &HashMap<String, String>, made: i64) -> bool {
    tags.is_empty() && group.creation_time() > Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_made_again_is_told_by_its_time() {
        let (none, some) = (HashMap::new(), HashMap::from([("team".to_owned(), "a".to_owned())]));
        let made_at = |millis| Described::builder().creation_time(millis).build();
        assert!(is_late(&made_at(2), &none, 1));
        assert!(!is_late(&made_at(1), &none, 1));
        assert!(!is_late(&made_at(2), &some, 1));
        assert!(!is_late(&Described::builder().build(), &none, 1));
    }
}
