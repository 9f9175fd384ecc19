//! Tags of topics.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, place};
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
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

fn missing(error: AwsError) -> AwsError {
    AwsError::new(404, "ResourceNotFound", "Resource does not exist").with("Detail", error.message)
}

pub(super) fn tag(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let account = place(context, &input.resource_arn);
    let mut state = account.state::<State>();
    let topic = state.topic(&input.resource_arn).map_err(missing)?;
    let mut tags = topic.tags.clone();
    tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    if tags.len() > 50 {
        return Err(AwsError::bad_request(
            "TagLimitExceeded",
            "Could not complete request: tag quota of per resource exceeded",
        ));
    }
    topic.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let account = place(context, &input.resource_arn);
    let mut state = account.state::<State>();
    let topic = state.topic(&input.resource_arn).map_err(missing)?;
    topic.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(context: Context<'_>, input: &Request) -> Result<Value, AwsError> {
    let account = place(context, &input.resource_arn);
    let mut state = account.state::<State>();
    let tags = state.topic(&input.resource_arn).map_err(missing)?.tags.iter();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}
