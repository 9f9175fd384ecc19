//! Tags of buses and rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEFAULT, State, no_resource};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

fn tags_of<'s>(
    state: &'s mut State,
    arn: &str,
) -> Result<&'s mut BTreeMap<String, String>, AwsError> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let missing = || no_resource(format!("{arn} does not exist."));
    if let Some(name) = resource.strip_prefix("event-bus/") {
        return state.buses.get_mut(name).map(|bus| &mut bus.tags).ok_or_else(missing);
    }
    let rule = resource.strip_prefix("rule/").unwrap_or_default();
    let (bus, name) = rule.split_once('/').unwrap_or((DEFAULT, rule));
    let found = state.rules.get_mut(&(bus.to_owned(), name.to_owned()));
    found.map(|rule| &mut rule.tags).ok_or_else(missing)
}

pub(super) fn tag(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let tags = tags_of(&mut state, &input.arn)?;
    tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    Ok(json!({}))
}

pub(super) fn untag(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    tags_of(&mut state, &input.arn)?.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let tags = tags_of(&mut state, &input.arn)?.iter();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}
