//! What CloudFormation says happened to a stack.

use aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput;
use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent};

use engine::aws::CallError;
use engine::step::{Context, StepError};

/// Reasons that stand in the events of those who did not fail themselves.
const CANCELLED: &str = "cancelled";

/// The latest event, in a few words.
pub(super) async fn latest(cx: &Context, stack_id: &str) -> Result<Option<String>, StepError> {
    let (events, _) = page(cx, stack_id, None).await?;
    Ok(events.first().map(|event| {
        let status = event.resource_status().map(ResourceStatus::as_str).unwrap_or_default();
        format!("{} {status}", event.logical_resource_id().unwrap_or_default())
    }))
}

/// Each resource that failed, with the reason that it gave, in order.
pub(super) async fn failures(cx: &Context, stack_id: &str) -> Result<Vec<String>, StepError> {
    Ok(failed(&of_last_operation(cx, stack_id).await?))
}

/// The resources that were kept when their stack was deleted, or rolled back before.
pub(super) async fn kept(cx: &Context, stack_id: &str) -> Result<Vec<String>, StepError> {
    let events = since(cx, stack_id, |_| false).await?;
    let skipped =
        |event: &&StackEvent| event.resource_status() == Some(&ResourceStatus::DeleteSkipped);
    let mut kept: Vec<_> = events.iter().filter(skipped).map(name_of_kept).collect();
    kept.sort();
    kept.dedup();
    Ok(kept)
}

async fn page(
    cx: &Context,
    stack_id: &str,
    next_token: Option<String>,
) -> Result<(Vec<StackEvent>, Option<String>), CallError> {
    let request = cx
        .aws
        .cloudformation()
        .describe_stack_events()
        .stack_name(stack_id)
        .set_next_token(next_token);
    let placeholder = || Ok(DescribeStackEventsOutput::builder().build());
    let output = cx.aws.call(request.send(), placeholder).await?;
    Ok((output.stack_events.unwrap_or_default(), output.next_token))
}

/// The events since somebody last asked for something, oldest first.
async fn of_last_operation(cx: &Context, stack_id: &str) -> Result<Vec<StackEvent>, CallError> {
    since(cx, stack_id, is_start).await
}

/// The events since the last that is the start, oldest first. AWS returns the latest first.
async fn since(
    cx: &Context,
    stack_id: &str,
    is_start: impl Fn(&StackEvent) -> bool,
) -> Result<Vec<StackEvent>, CallError> {
    let (mut events, mut next_token) = (Vec::new(), None);
    loop {
        let (found, next) = page(cx, stack_id, next_token).await?;
        let start = found.iter().position(&is_start);
        let end = start.map_or(found.len(), |at| at + 1);
        events.extend(found.into_iter().take(end));
        next_token = next;
        if start.is_some() || next_token.is_none() {
            events.reverse();
            return Ok(events);
        }
    }
}

/// The first event of a stack's creation or deletion.
fn is_start(event: &StackEvent) -> bool {
    event.physical_resource_id() == event.stack_id()
        && matches!(
            event.resource_status(),
            Some(ResourceStatus::CreateInProgress | ResourceStatus::DeleteInProgress)
        )
}

fn failed(events: &[StackEvent]) -> Vec<String> {
    let is_failure = |event: &&StackEvent| {
        let status = event.resource_status().map(ResourceStatus::as_str).unwrap_or_default();
        let reason = event.resource_status_reason().unwrap_or_default().to_lowercase();
        status.ends_with("_FAILED") && !reason.contains(CANCELLED)
    };
    let own = |event: &&StackEvent| event.physical_resource_id() != event.stack_id();
    let failures = || events.iter().filter(is_failure);
    // The stack only repeats what its resources say, unless none of them says anything.
    if failures().any(|event| own(&event)) {
        failures().filter(own).map(told).collect()
    } else {
        failures().map(told).collect()
    }
}

fn told(event: &StackEvent) -> String {
    let reason = event.resource_status_reason().unwrap_or("it gave no reason");
    format!("{}: {reason}", name(event))
}

fn name(event: &StackEvent) -> String {
    format!(
        "{} ({})",
        event.logical_resource_id().unwrap_or_default(),
        event.resource_type().unwrap_or_default()
    )
}

/// By what it can be found once the stack is gone.
fn name_of_kept(event: &StackEvent) -> String {
    match event.physical_resource_id().filter(|id| !id.is_empty()) {
        Some(id) => format!(
            "{}: {} {id}",
            event.logical_resource_id().unwrap_or_default(),
            event.resource_type().unwrap_or_default()
        ),
        None => name(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, status: ResourceStatus, reason: &str) -> StackEvent {
        let physical = if id == "people" { "stack/people" } else { id };
        StackEvent::builder()
            .stack_id("stack/people")
            .physical_resource_id(physical)
            .logical_resource_id(id)
            .resource_type("AWS::IAM::Role")
            .resource_status(status)
            .resource_status_reason(reason)
            .build()
    }

    #[test]
    fn the_reason_is_that_of_the_resource_that_failed() {
        let events = [
            event("people", ResourceStatus::CreateInProgress, "User Initiated"),
            event("Role", ResourceStatus::CreateFailed, "MalformedPolicyDocument"),
            event("Pool", ResourceStatus::CreateFailed, "Resource creation cancelled"),
            event("people", ResourceStatus::RollbackFailed, "The following … [Role]"),
        ];
        assert_eq!(failed(&events), ["Role (AWS::IAM::Role): MalformedPolicyDocument"]);
        assert_eq!(
            failed(&[events[0].clone(), events[3].clone()]),
            ["people (AWS::IAM::Role): The following … [Role]"]
        );
        assert!(failed(&events[..1]).is_empty());
    }

    #[test]
    fn an_operation_starts_with_the_stack_and_not_with_what_is_in_it() {
        assert!(is_start(&event("people", ResourceStatus::DeleteInProgress, "")));
        assert!(!is_start(&event("Role", ResourceStatus::DeleteInProgress, "")));
        assert!(!is_start(&event("people", ResourceStatus::CreateComplete, "")));
    }
}
