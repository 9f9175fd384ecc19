//! Messages back from a dead-letter queue to where they came from.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::error::parameter;
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::protocol::timestamp::epoch_millis;
use crate::server::modelled::Context;

/// A move that has been made.
#[derive(Debug, Clone)]
pub(super) struct Move {
    handle: String,
    source: String,
    destination: Option<String>,
    moved: usize,
    to_move: usize,
    started: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    source_arn: String,
    destination_arn: Option<String>,
}

fn no_resource() -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
    )
}

/// `StartMessageMoveTask`: what the queue holds now is moved at once.
pub(super) fn start(context: Context<'_>, input: &Start) -> Result<Value, AwsError> {
    let now = context.now();
    let mut state = context.account.state::<State>();
    if !state.queues.values().any(|queue| queue.arn == input.source_arn) {
        return Err(no_resource());
    }
    let is_dead_letter = state.queues.values().any(|queue| {
        queue
            .settings
            .redrive
            .as_ref()
            .is_some_and(|redrive| redrive.target_arn == input.source_arn)
    });
    if !is_dead_letter {
        return Err(parameter("Source queue must be configured as a Dead Letter Queue."));
    }
    if let Some(destination) = &input.destination_arn
        && !state.queues.values().any(|queue| queue.arn == *destination)
    {
        return Err(AwsError::bad_request(
            "ResourceNotFoundException",
            "The resource that you specified for the DestinationArn parameter doesn't exist.",
        ));
    }
    let source = state.queues.values_mut().find(|queue| queue.arn == input.source_arn);
    let taken = source.map(|queue| queue.take_all(now)).unwrap_or_default();
    let to_move = taken.len();
    let mut moved = 0;
    let mut left = BTreeMap::new();
    for message in taken {
        let target = input.destination_arn.as_ref().or(message.source_arn.as_ref());
        let target =
            target.and_then(|arn| state.queues.values_mut().find(|queue| queue.arn == *arn));
        if let Some(target) = target {
            target.take_over(message, None, now);
            moved += 1;
        } else {
            left.insert(message.id.clone(), message);
        }
    }
    let source = state.queues.values_mut().find(|queue| queue.arn == input.source_arn);
    if let Some(source) = source {
        for (_, message) in left {
            let from = message.source_arn.clone();
            source.take_over(message, from.as_deref(), now);
        }
    }
    let handle = uuid();
    state.moves.push(Move {
        handle: handle.clone(),
        source: input.source_arn.clone(),
        destination: input.destination_arn.clone(),
        moved,
        to_move,
        started: epoch_millis(now),
    });
    Ok(json!({"TaskHandle": handle}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    source_arn: String,
    max_results: Option<usize>,
}

/// `ListMessageMoveTasks`, the last one first.
pub(super) fn list(context: Context<'_>, input: &List) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    if !state.queues.values().any(|queue| queue.arn == input.source_arn) {
        return Err(no_resource());
    }
    let moves = state.moves.iter().rev().filter(|one| one.source == input.source_arn);
    let shown: Vec<Value> = moves
        .take(input.max_results.unwrap_or(1))
        .map(|one| {
            let mut shown = json!({
                "Status": if one.moved == one.to_move { "COMPLETED" } else { "FAILED" },
                "SourceArn": one.source,
                "ApproximateNumberOfMessagesMoved": one.moved,
                "ApproximateNumberOfMessagesToMove": one.to_move,
                "StartedTimestamp": one.started,
            });
            if let Some(destination) = &one.destination {
                shown["DestinationArn"] = json!(destination);
            }
            shown
        })
        .collect();
    Ok(json!({"Results": shown}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cancel {
    task_handle: String,
}

/// `CancelMessageMoveTask`: a move here is over before anybody can cancel it.
pub(super) fn cancel(context: Context<'_>, input: &Cancel) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    if !state.moves.iter().any(|one| one.handle == input.task_handle) {
        let message = "The resource that you specified doesn't exist.";
        return Err(AwsError::bad_request("ResourceNotFoundException", message));
    }
    Err(AwsError::bad_request("UnsupportedOperation", "Only active tasks can be cancelled."))
}
