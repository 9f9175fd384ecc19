//! Buses.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::Tag;
use super::{BUS, DEFAULT, State, bus_arn, bus_name, invalid};
use crate::protocol::AwsError;
use crate::protocol::timestamp::epoch_millis;
use crate::server::modelled::Context;

/// A bus beside the default one.
#[derive(Debug)]
pub(super) struct Bus {
    pub(super) description: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    created: SystemTime,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    description: Option<String>,
    event_source_name: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn create(context: Context<'_>, input: &Create) -> Result<Value, AwsError> {
    let name = &input.name;
    if input.event_source_name.is_some() {
        return Err(invalid("The local AWS of playbook has no partner event sources."));
    }
    if name.contains('/') {
        return Err(invalid("Event bus name must not contain '/'."));
    }
    let mut state = context.account.state::<State>();
    if name == DEFAULT || state.buses.contains_key(name) {
        return Err(AwsError::modelled(
            "ResourceAlreadyExistsException",
            format!("Event bus {name} already exists."),
        ));
    }
    let bus = Bus {
        description: input.description.clone(),
        tags: input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        created: context.now(),
    };
    state.buses.insert(name.clone(), bus);
    state.outbox.created(BUS, name);
    Ok(json!({"EventBusArn": bus_arn(context.account, name), "Description": input.description}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfName {
    name: Option<String>,
}

pub(super) fn delete(context: Context<'_>, input: &OfName) -> Result<Value, AwsError> {
    let name = bus_name(input.name.as_deref());
    if name == DEFAULT {
        return Err(invalid("Cannot delete event bus default."));
    }
    let mut state = context.account.state::<State>();
    if state.rules.keys().any(|(bus, _)| bus == name) {
        return Err(invalid(format!("Cannot delete event bus {name} because it has rules.")));
    }
    if state.buses.remove(name).is_some() {
        state.outbox.deleted(BUS, name);
    }
    Ok(json!({}))
}

fn shown(context: Context<'_>, name: &str, bus: Option<&Bus>) -> Value {
    let mut shown = json!({"Name": name, "Arn": bus_arn(context.account, name)});
    if let Some(bus) = bus {
        let created = epoch_millis(bus.created) / 1000;
        shown["CreationTime"] = json!(created);
        shown["LastModifiedTime"] = json!(created);
        shown["Description"] = json!(bus.description);
    }
    shown
}

pub(super) fn describe(context: Context<'_>, input: &OfName) -> Result<Value, AwsError> {
    let name = bus_name(input.name.as_deref());
    let state = context.account.state::<State>();
    state.check_bus(name)?;
    Ok(shown(context, name, state.buses.get(name)))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    name_prefix: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn list(context: Context<'_>, input: &List) -> Value {
    let state = context.account.state::<State>();
    let mut names: Vec<&str> = state.buses.keys().map(String::as_str).chain([DEFAULT]).collect();
    names.sort_unstable();
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let mut found = names.into_iter().filter(|name| {
        name.starts_with(prefix) && input.next_token.as_deref().is_none_or(|after| *name > after)
    });
    let page: Vec<&str> = found.by_ref().take(input.limit.unwrap_or(100)).collect();
    let buses: Vec<Value> =
        page.iter().map(|name| shown(context, name, state.buses.get(*name))).collect();
    let mut output = json!({"EventBuses": buses});
    if let (Some(last), true) = (page.last(), found.next().is_some()) {
        output["NextToken"] = json!(last);
    }
    output
}
