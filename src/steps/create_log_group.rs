//! `create-log-group`: a group of log streams.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::delete_log_group::DeleteLogGroupOutput;
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::DescribeLogGroupsOutput;
use aws_sdk_cloudwatchlogs::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::PutRetentionPolicyOutput;
use aws_sdk_cloudwatchlogs::types::LogGroup as Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::Planned;
use super::create_role::{run_tag, untagged};
use crate::aws::CallError;
use crate::step::context::Patience;
use crate::step::{Context, Resource, StepError, StepKind, Undone};

/// `create-log-group`.
pub struct CreateLogGroup;

/// Creates a log group.
///
/// One of that name that is there already is an error. The log group of a function that `create-function` makes is
/// created by that step.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The log group's name, such as `/aws/lambda/NAME`.
    #[schemars(extend("x-name" = true))]
    log_group_name: String,
    /// After how many days events are deleted; never when absent. One of the numbers that AWS knows, such
    /// as 1, 7 or 30.
    retention_in_days: Option<i32>,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
}

/// What the log group is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The log group's name.
    #[schemars(extend("x-known" = true))]
    log_group_name: String,
}

/// A log group that the run made.
#[derive(Serialize, Deserialize)]
pub struct LogGroup {
    log_group_name: String,
}

impl StepKind for CreateLogGroup {
    const NAME: &'static str = "create-log-group";
    const CALLS: &'static [&'static str] = &["logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:PutRetentionPolicy"];
    const PERMISSIONS: &'static [&'static str] = &["logs:CreateLogGroup", "logs:TagResource", "logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:PutRetentionPolicy"];
    const EXAMPLE: &'static str = "\
- create-log-group:
    log_group_name: /playbook/{{ run.id }}
    retention_in_days: 1
";

    type Input = Input;
    type Output = Output;
    type Made = LogGroup;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        match create(&cx, &input.log_group_name, input.retention_in_days, &input.tags).await? {
            Created::Ours => Ok(Output { log_group_name: input.log_group_name }),
            Created::ThereAlready(error) => Err(StepError::Failed {
                code: "ResourceAlreadyExistsException".to_owned(),
                message: error.message,
                help: Some(
                    "choose another name, or leave the step out to use the group as it is"
                        .to_owned(),
                ),
                details: Vec::new(),
            }),
        }
    }
}

/// What came of creating a log group.
pub(super) enum Created {
    /// The run made it.
    Ours,
    /// It was there before the run.
    ThereAlready(CallError),
}

/// Creates a log group, unless it is there already; then it stays as it is.
pub(super) async fn create(
    cx: &Context,
    log_group_name: &str,
    retention_in_days: Option<i32>,
    tags: &BTreeMap<String, String>,
) -> Result<Created, StepError> {
    let entry = cx.intend(&LogGroup { log_group_name: log_group_name.to_owned() })?;
    let tags: HashMap<_, _> = tags.clone().into_iter().chain([run_tag(cx)]).collect();
    let request =
        cx.aws.logs().create_log_group().log_group_name(log_group_name).set_tags(Some(tags));
    match cx.aws.call(request.send(), || Ok(CreateLogGroupOutput::builder().build())).await {
        Ok(_) => entry.done(&())?,
        Err(error) if error.is("ResourceAlreadyExistsException") => {
            match look(cx, log_group_name, Planned::There).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(group))
                    if !cx.made_before(&entry, |other: &LogGroup| {
                        other.log_group_name == log_group_name
                    }) && is_ours(cx, &group).await.unwrap_or(false) =>
                {
                    entry.done(&())?;
                }
                Ok(Some(_)) => {
                    entry.refused("ResourceAlreadyExistsException")?;
                    return Ok(Created::ThereAlready(error));
                }
                Ok(None) | Err(_) => return Err(entry.error(error)),
            }
        }
        Err(error) => return Err(entry.error(error)),
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
    Ok(Created::Ours)
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
    Ok(cx.aws.call(request.send(), placeholder).await?.tags.unwrap_or_default())
}

async fn is_ours(cx: &Context, group: &Described) -> Result<bool, CallError> {
    let (key, value) = run_tag(cx);
    Ok(tags(cx, group).await?.get(&key) == Some(&value))
}

/// Deletes a log group; whether it was there.
async fn delete(cx: &Context, log_group_name: &str) -> Result<bool, StepError> {
    // Another operation on the group is still under way.
    let passes = |error: &CallError| error.is("OperationAbortedException");
    let deleted = cx
        .while_refused(Patience::seconds(30), passes, || async {
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
    const UNDO: &'static [&'static str] = &["logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:DeleteLogGroup"];
    type Ids = ();

    fn label(&self) -> String {
        self.log_group_name.clone()
    }

    async fn undo(self, cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        let Some(group) = look(&cx, &self.log_group_name, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        match is_ours(&cx, &group).await {
            Ok(true) => {}
            Ok(false) => return Ok(untagged(&cx)),
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Undone::AlreadyGone),
            Err(error) => return Err(error.into()),
        }
        delete(&cx, &self.log_group_name).await?;
        if self.log_group_name.starts_with("/aws/lambda/") {
            return stay_gone(&cx, &self.log_group_name, &group).await;
        }
        Ok(Undone::Deleted)
    }
}

/// What a function still had to log when it was deleted arrives late, and Lambda makes the group again for it: without
/// tags, but after ours. That is looked out for until it is quiet.
async fn stay_gone(
    cx: &Context,
    log_group_name: &str,
    group: &Described,
) -> Result<Undone, StepError> {
    let what = format!("late log events of {log_group_name}");
    let quiet = Patience {
        first: Duration::from_millis(25),
        longest: Duration::from_secs(1),
        limit: if cx.run.on_this_machine { QUIET_HERE } else { QUIET_AT_AWS },
    };
    for _ in 0..MOST_REAPPEARANCES {
        let again = || async { Ok(look(cx, log_group_name, Planned::Gone).await?) };
        match cx.until(&what, quiet, again).await {
            Ok(again) if made_after(&again, group) && tags(cx, &again).await?.is_empty() => {
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

/// Log events arrive within seconds of an invocation.
const QUIET_AT_AWS: Duration = Duration::from_secs(5);
/// The embedded AWS has no more than tens of milliseconds of such delay, unless told otherwise.
const QUIET_HERE: Duration = Duration::from_millis(300);
const MOST_REAPPEARANCES: usize = 10;

fn made_after(again: &Described, group: &Described) -> bool {
    again.creation_time() > group.creation_time()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_made_again_is_told_by_its_time() {
        let made_at = |millis| Described::builder().creation_time(millis).build();
        assert!(made_after(&made_at(2), &made_at(1)));
        assert!(!made_after(&made_at(1), &made_at(1)));
    }
}
