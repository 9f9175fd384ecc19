//! Targets of rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, bus_name, input, invalid};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const MOST: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<Value>,
}

/// What has an effect that is not to be had here.
const UNSUPPORTED: [&str; 8] = [
    "RunCommandParameters",
    "EcsParameters",
    "BatchParameters",
    "HttpParameters",
    "RedshiftDataParameters",
    "SageMakerPipelineParameters",
    "AppSyncParameters",
    "KinesisParameters",
];

fn check(target: &Value) -> Result<(), AwsError> {
    let arn = target["Arn"].as_str().unwrap_or_default();
    match arn.split(':').nth(2) {
        Some("lambda" | "sqs" | "sns" | "logs" | "events") if arn.starts_with("arn:") => {}
        _ => {
            return Err(invalid(format!(
                "The local AWS of playbook has no targets such as {arn}: it has functions, queues, topics, log groups and event buses."
            )));
        }
    }
    if let Some(name) = UNSUPPORTED.iter().find(|name| !target[**name].is_null()) {
        return Err(invalid(format!(
            "The local AWS of playbook does not support {name} of a target."
        )));
    }
    if arn.contains(":sqs:")
        && crate::sqs::deliver::is_fifo(arn)
        && target["SqsParameters"]["MessageGroupId"].is_null()
    {
        return Err(invalid(
            "Parameter(s) SqsParameters must be specified for target: a FIFO queue needs a MessageGroupId.",
        ));
    }
    input::check(target).map_err(invalid)
}

pub(super) fn put(context: Context<'_>, request: &Put) -> Result<Value, AwsError> {
    let bus = bus_name(request.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    let rule = state.rule(bus, &request.rule)?;
    let mut targets = rule.targets.clone();
    for target in &request.targets {
        check(target)?;
        targets.insert(target["Id"].as_str().unwrap_or_default().to_owned(), target.clone());
    }
    if targets.len() > MOST {
        return Err(AwsError::modelled(
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    rule.targets = targets;
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Remove {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
}

pub(super) fn remove(context: Context<'_>, request: &Remove) -> Result<Value, AwsError> {
    let bus = bus_name(request.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    state.rule(bus, &request.rule)?.targets.retain(|id, _| !request.ids.contains(id));
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    rule: String,
    event_bus_name: Option<String>,
}

pub(super) fn list(context: Context<'_>, request: &List) -> Result<Value, AwsError> {
    let bus = bus_name(request.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    let targets: Vec<&Value> = state.rule(bus, &request.rule)?.targets.values().collect();
    Ok(json!({"Targets": targets}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfTarget {
    target_arn: String,
    event_bus_name: Option<String>,
}

pub(super) fn rules_of(context: Context<'_>, request: &OfTarget) -> Result<Value, AwsError> {
    let bus = bus_name(request.event_bus_name.as_deref());
    let state = context.account.state::<State>();
    state.check_bus(bus)?;
    let names: Vec<&String> = state
        .rules
        .iter()
        .filter(|((own, _), rule)| {
            own == bus && rule.targets.values().any(|one| one["Arn"] == request.target_arn.as_str())
        })
        .map(|((_, name), _)| name)
        .collect();
    Ok(json!({"RuleNames": names}))
}
