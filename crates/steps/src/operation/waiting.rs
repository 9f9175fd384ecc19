//! Waiters of AWS's model, polled by our own poller.

use std::time::Duration;

use serde_json::{Map, Value};

use engine::aws::CallError;
use engine::aws::model::wire::{Failure, Reply};
use engine::aws::model::{Found, Waiter, WaiterState};
use engine::aws::operation::OperationCall;
use engine::step::context::Backoff;
use engine::step::{Context, StepError};

/// Waits until a waiter says that it is over. `facts` is what is known of the thing: input, output, ids.
pub(super) async fn wait(
    cx: &Context,
    found: &Found,
    name: &str,
    input: Option<&Value>,
    facts: &[&Value],
) -> Result<(), StepError> {
    let Some(waiter) = found.service.waiter(name) else {
        return Err(StepError::failed("UnknownWaiter", format!("there is no waiter {name}")));
    };
    let Some(operation) = found.service.operation(waiter.operation) else {
        return Err(StepError::failed("UnknownWaiter", format!("{name} looks with no operation")));
    };
    let looking = Found { service: found.service, operation };
    let input = match input {
        Some(input) => input.clone(),
        None => derived(&looking, found, facts).ok_or_else(|| StepError::Failed {
            code: "WaiterInput".to_owned(),
            message: format!("nothing tells what {name} is to look at"),
            help: Some(format!("write `wait: {{{name}: {{<the input of {}>}}}}`", operation.name)),
            details: Vec::new(),
        })?,
    };
    let backoff = backoff(cx, waiter);
    cx.until(name, backoff, || look(cx, waiter, &looking, &input)).await
}

fn backoff(cx: &Context, waiter: &Waiter) -> Backoff {
    let delay = Duration::from_secs(waiter.delay.max(1).into());
    let first =
        if cx.run.on_this_machine { Duration::from_millis(50) } else { Duration::from_secs(1) };
    let longest = if cx.run.on_this_machine { Duration::from_secs(1) } else { delay };
    Backoff { first, longest, limit: delay * waiter.max_attempts.max(1) }
}

async fn look(
    cx: &Context,
    waiter: &Waiter,
    looking: &Found,
    input: &Value,
) -> Result<Option<()>, StepError> {
    let call = OperationCall { found: *looking, input, shown: None, once: false };
    let answer = cx.aws.operation(call, || Value::Null).await;
    // A dry run has seen the call, and that is all.
    if matches!(answer, Ok(Value::Null)) {
        return Ok(Some(()));
    }
    let (status, reply, error) = match answer {
        Ok(output) => (200, Reply::Output(output), None),
        Err(error) => (error.status.unwrap_or_default(), failure(&error), Some(error)),
    };
    let judged = waiter.judge(status, &reply);
    match (judged, error) {
        (Ok(Some(WaiterState::Success)), _) => Ok(Some(())),
        (Ok(Some(WaiterState::Retry)), _) | (Ok(None), None) => Ok(None),
        (Ok(Some(WaiterState::Failure)), error) => Err(StepError::Failed {
            code: "WaiterFailed".to_owned(),
            message: match error {
                Some(error) => format!("{} can no more come true: {}", waiter.name, error.message),
                None => format!("{} can no more come true", waiter.name),
            },
            help: None,
            details: Vec::new(),
        }),
        (Ok(None), Some(error)) => Err(error.into()),
        (Err(error), _) => Err(StepError::failed("WaiterFailed", error.to_string())),
    }
}

fn failure(error: &CallError) -> Reply {
    Reply::Failure(Failure {
        code: error.code.clone().unwrap_or_default(),
        message: error.message.clone(),
        status: error.status.unwrap_or_default(),
        ..Failure::default()
    })
}

/// The input of the operation that a waiter looks with: as the undo table fills it, else members of the same name.
fn derived(looking: &Found, found: &Found, facts: &[&Value]) -> Option<Value> {
    let read = found.operation.undo.as_ref().and_then(|undo| undo.read.as_ref());
    if let (Some(read), [given, output, ..]) = (read, facts)
        && read.operation == looking.operation.name
        && let Some(input) = read.input(given, Some(output))
    {
        return Some(Value::Object(input));
    }
    let members = looking.service.input_of(looking.operation);
    let mut input = Map::new();
    for member in members {
        let value = facts.iter().find_map(|facts| value_of(facts, member.name, 3));
        match value {
            Some(value) => drop(input.insert(member.name.to_owned(), value)),
            None if member.required => return None,
            None => {}
        }
    }
    (!input.is_empty()).then_some(Value::Object(input))
}

/// The value of that name, or the one of its list: `InstanceIds` is a list of `InstanceId`.
fn value_of(facts: &Value, name: &str, depth: usize) -> Option<Value> {
    let map = facts.as_object()?;
    if let Some(value) = map.get(name).filter(|value| !value.is_null()) {
        return Some(value.clone());
    }
    if let Some(one) = name.strip_suffix('s').and_then(|one| map.get(one)) {
        return Some(Value::Array(vec![one.clone()]));
    }
    let depth = depth.checked_sub(1)?;
    map.values().find_map(|value| value_of(value, name, depth))
}
