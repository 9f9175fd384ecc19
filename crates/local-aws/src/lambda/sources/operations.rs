//! `CreateEventSourceMapping` and its like.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::errors::{conflict, invalid, not_found};
use super::super::names::Target;
use super::super::{Lambda, State as Functions};
use super::mapping::{Configuration, Mapping, Phase, Request};
use super::{MAPPING, State, checks, poller};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::{Context, Operation, typed};

/// How long AWS takes to create a mapping, and to change one.
const CREATION: Duration = Duration::from_secs(10);
const CHANGE: Duration = Duration::from_secs(5);

pub(in crate::lambda) const OPERATIONS: [Operation; 5] = [
    Operation::now("CreateEventSourceMapping", |context, input| create(context, &typed(input)?)),
    Operation::now("DeleteEventSourceMapping", |context, input| delete(context, &typed(input)?)),
    Operation::now("GetEventSourceMapping", |context, input| get(context, &typed(input)?)),
    Operation::now("ListEventSourceMappings", |context, input| list(context, &input)),
    Operation::now("UpdateEventSourceMapping", |context, input| update(context, &typed(input)?)),
];

fn no_mapping() -> AwsError {
    not_found("The resource you requested does not exist.")
}

fn function_of(lambda: &Lambda, name: &str) -> Result<Target, AwsError> {
    let target = Target::parse(name, None, lambda.place())?;
    let arn = target.arn(lambda.place());
    lambda.account.state::<Functions>().find(&target, &arn)?;
    Ok(target)
}

fn create(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let (account, now) = (context.account, context.now());
    let lambda = Lambda::of(account);
    let source = request.event_source_arn.as_deref();
    let source = source.ok_or_else(|| invalid("EventSourceArn is mandatory."))?;
    let function = function_of(&lambda, request.function_name.as_deref().unwrap_or_default())?;
    let configuration = Configuration::new(request, source, function)?;
    checks::check(&lambda, &configuration)?;
    let mut state = account.state::<State>();
    let same = state.mappings.values().find(|other| {
        other.configuration.source_arn == configuration.source_arn
            && other.configuration.function == configuration.function
            && !other.is_gone(now)
    });
    if let Some(same) = same {
        return Err(conflict(format!(
            "The event source arn (\" {source} \") and function (\" {} \") provided mapping already exists. Please update or \
             delete the existing mapping with UUID {}",
            configuration.function.name, same.uuid
        )));
    }
    let mapping = Mapping {
        uuid: uuid(),
        configuration,
        is_enabled: request.enabled.unwrap_or(true),
        phase: Phase::Creating,
        settles: now + account.latency().scale(CREATION),
        modified: now,
        last_result: "No records processed".to_owned(),
        tags: request.tags.clone(),
        changes: watch::Sender::new(0),
    };
    let id = mapping.uuid.clone();
    // What is shown is what was asked for, also where it takes no time.
    let shown = with_state(shown(&lambda, &mapping), "Creating");
    state.outbox.created(MAPPING, &id);
    state.mappings.insert(id.clone(), mapping);
    drop(state);
    poller::start(account, &id);
    Ok(shown)
}

fn with_state(mut shown: Value, state: &str) -> Value {
    shown["State"] = json!(state);
    shown
}

fn shown(lambda: &Lambda, mapping: &Mapping) -> Value {
    let function = mapping.configuration.function.arn(lambda.place());
    let (region, id) = (&lambda.account.region, &lambda.account.id);
    let own = format!("arn:aws:lambda:{region}:{id}:event-source-mapping:{}", mapping.uuid);
    mapping.shown(&function, &own, lambda.account.now())
}

fn get(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    let mapping = found(&state, request, context)?;
    Ok(shown(&Lambda::of(context.account), mapping))
}

fn found<'s>(
    state: &'s State,
    request: &Request,
    context: Context<'_>,
) -> Result<&'s Mapping, AwsError> {
    let mapping = request.uuid.as_ref().and_then(|id| state.mappings.get(id));
    mapping.filter(|mapping| !mapping.is_gone(context.now())).ok_or_else(no_mapping)
}

fn update(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let (account, now) = (context.account, context.now());
    let lambda = Lambda::of(account);
    let name = request.function_name.as_deref();
    let function = name.map(|name| function_of(&lambda, name)).transpose()?;
    let mut configuration = {
        let state = account.state::<State>();
        let mapping = found(&state, request, context)?;
        check_settled(mapping, context)?;
        mapping.configuration.clone()
    };
    if let Some(function) = function {
        configuration.function = function;
    }
    configuration.change(request)?;
    checks::check(&lambda, &configuration)?;
    let mut state = account.state::<State>();
    let id = request.uuid.as_deref().unwrap_or_default();
    let mapping = state.mappings.get_mut(id).ok_or_else(no_mapping)?;
    let wanted = request.enabled.unwrap_or(mapping.is_enabled);
    mapping.phase = match (mapping.is_enabled, wanted) {
        (false, true) => Phase::Enabling,
        (true, false) => Phase::Disabling,
        _ => Phase::Updating,
    };
    mapping.is_enabled = wanted;
    mapping.configuration = configuration;
    mapping.modified = now;
    mapping.settles = now + account.latency().scale(CHANGE);
    mapping.changes.send_modify(|count| *count += 1);
    let phase = match mapping.phase {
        Phase::Enabling => "Enabling",
        Phase::Disabling => "Disabling",
        _ => "Updating",
    };
    Ok(with_state(shown(&lambda, mapping), phase))
}

fn check_settled(mapping: &Mapping, context: Context<'_>) -> Result<(), AwsError> {
    if context.now() >= mapping.settles {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "ResourceInUseException",
        "Cannot update the event source mapping because it is in use.",
    ))
}

fn delete(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let (account, now) = (context.account, context.now());
    let mut state = account.state::<State>();
    let mapping = found(&state, request, context)?;
    if mapping.phase != Phase::Deleting && now < mapping.settles {
        return Err(AwsError::bad_request(
            "ResourceInUseException",
            "Cannot delete the event source mapping because it is in use.",
        ));
    }
    let id = mapping.uuid.clone();
    let mapping = state.mappings.get_mut(&id).ok_or_else(no_mapping)?;
    if mapping.phase != Phase::Deleting {
        mapping.phase = Phase::Deleting;
        mapping.settles = now + account.latency().scale(CHANGE);
        mapping.changes.send_modify(|count| *count += 1);
    }
    let shown = with_state(shown(&Lambda::of(account), mapping), "Deleting");
    if mapping.is_gone(now) {
        state.mappings.remove(&id);
        state.outbox.deleted(MAPPING, id);
    }
    Ok(shown)
}

fn list(context: Context<'_>, input: &Value) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let text = |member: &str| input[member].as_str();
    let function = text("FunctionName").map(|name| Target::parse(name, None, lambda.place()));
    let function = function.transpose()?;
    let state = context.account.state::<State>();
    let mut items = state.mappings.values().filter(|mapping| {
        let configuration = &mapping.configuration;
        !mapping.is_gone(context.now())
            && text("EventSourceArn").is_none_or(|arn| configuration.source_arn == arn)
            && function.as_ref().is_none_or(|function| configuration.function == *function)
            && text("Marker").is_none_or(|marker| mapping.uuid.as_str() > marker)
    });
    let most = input["MaxItems"].as_u64().and_then(|most| usize::try_from(most).ok());
    let page: Vec<&Mapping> = items.by_ref().take(most.unwrap_or(100).clamp(1, 100)).collect();
    let mut output = json!({
        "EventSourceMappings": page.iter().map(|mapping| shown(&lambda, mapping)).collect::<Vec<_>>(),
    });
    if let (Some(last), true) = (page.last(), items.next().is_some()) {
        output["NextMarker"] = json!(last.uuid);
    }
    Ok(output)
}
