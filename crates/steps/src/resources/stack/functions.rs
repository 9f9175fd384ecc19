//! The log groups that Lambda makes for the functions of a stack: they are in no template, and stay when the stack goes.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::operation::list_stack_resources::ListStackResourcesOutput;
use aws_sdk_cloudformation::primitives::DateTime;
use aws_sdk_cloudformation::types::{ResourceStatus, StackResourceSummary};
use tokio::task::JoinSet;

use crate::resources::function::log_group_of;
use crate::resources::log_group;
use engine::aws::CallError;
use engine::step::{Context, StepError};

const FUNCTION: &str = "AWS::Lambda::Function";
const LOG_GROUP: &str = "AWS::Logs::LogGroup";
const STACK: &str = "AWS::CloudFormation::Stack";

/// Deletes what the functions of a stack that is gone have left of their logs. A log group that is older than the stack is
/// somebody else's, as is that of a function which the stack has left behind.
pub(super) async fn take_logs_away(
    cx: &Context,
    stack_id: &str,
    created: Option<&DateTime>,
) -> Result<(), StepError> {
    let Some(since) = created.and_then(|time| time.to_millis().ok()) else {
        return Ok(());
    };
    let mut following = JoinSet::new();
    for log_group_name in abandoned(cx, stack_id).await? {
        let cx = cx.clone();
        following
            .spawn(async move { log_group::take_away_late(&cx, &log_group_name, since).await });
    }
    let mut ended = Ok(());
    while let Some(joined) = following.join_next().await {
        let undone = joined
            .unwrap_or_else(|error| Err(StepError::failed("LogsNotDeleted", error.to_string())));
        ended = ended.and(undone.map(drop));
    }
    ended
}

/// The log groups of the functions that went with a stack, and with the stacks in it, but for those that a template keeps.
async fn abandoned(cx: &Context, stack_id: &str) -> Result<BTreeSet<String>, CallError> {
    let (mut abandoned, mut kept) = (BTreeSet::new(), BTreeSet::new());
    let mut stacks = vec![stack_id.to_owned()];
    while let Some(stack_id) = stacks.pop() {
        for resource in resources(cx, &stack_id).await? {
            let is_deleted = resource.resource_status() == Some(&ResourceStatus::DeleteComplete);
            let kind = resource.resource_type.unwrap_or_default();
            match (kind.as_str(), resource.physical_resource_id) {
                (FUNCTION, Some(name)) if is_deleted => {
                    abandoned.insert(log_group_of(&name));
                }
                (LOG_GROUP, Some(name)) if !is_deleted => {
                    kept.insert(name);
                }
                (STACK, Some(nested)) if is_deleted && nested != stack_id => stacks.push(nested),
                _ => {}
            }
        }
    }
    Ok(&abandoned - &kept)
}

async fn resources(cx: &Context, stack_id: &str) -> Result<Vec<StackResourceSummary>, CallError> {
    let (mut resources, mut next_token) = (Vec::new(), None);
    loop {
        let request = cx
            .aws
            .cloudformation()
            .list_stack_resources()
            .stack_name(stack_id)
            .set_next_token(next_token);
        let placeholder = || Ok(ListStackResourcesOutput::builder().build());
        let page = cx.aws.call(request.send(), placeholder).await?;
        resources.extend(page.stack_resource_summaries.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(resources);
        }
    }
}
