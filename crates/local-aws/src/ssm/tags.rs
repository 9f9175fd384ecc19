//! Tags of parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{VALIDATION, no_resource, unsupported, validation};
use super::names::Reference;
use super::parameter::Parameter;
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

const LIMIT: usize = 50;

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tag {
    key: String,
    value: String,
}

/// The bodies of all operations on tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagRequest {
    resource_type: Option<String>,
    resource_id: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

/// Tags that a parameter can have.
pub(super) fn checked(tags: &[Tag]) -> Result<BTreeMap<String, String>, AwsError> {
    let mut found = BTreeMap::new();
    for Tag { key, value } in tags {
        Constraints::new()
            .length("tags.key", key, 1, 128)
            .length("tags.value", value, 0, 256)
            .check(VALIDATION)?;
        if key.to_lowercase().starts_with("aws:") {
            return Err(validation(
                "aws: prefixed tag key names are not allowed for external use.",
            ));
        }
        found.insert(key.clone(), value.clone());
    }
    check_count(found.len())?;
    Ok(found)
}

fn check_count(count: usize) -> Result<(), AwsError> {
    if count <= LIMIT {
        return Ok(());
    }
    let message = "The Targets parameter includes too many tags. Remove one or more tags and try the command again.";
    Err(AwsError::bad_request("TooManyTagsError", message))
}

impl State {
    fn tagged(
        &mut self,
        request: &TagRequest,
        context: &Context,
    ) -> Result<&mut Parameter, AwsError> {
        let (kind, id) = (request.resource_type.as_deref(), request.resource_id.as_deref());
        Constraints::new()
            .present("resourceType", kind.is_some())
            .present("resourceId", id.is_some())
            .check(VALIDATION)?;
        if let Some(other) = kind.filter(|kind| *kind != "Parameter") {
            return Err(unsupported(&format!("resources of the type {other}")));
        }
        let reference = Reference::read(id.unwrap_or_default(), context);
        self.parameters.get_mut(&reference.name).ok_or_else(no_resource)
    }

    /// `AddTagsToResource`
    pub fn add_tags(&mut self, request: &TagRequest, context: &Context) -> Result<Value, AwsError> {
        Constraints::new().present("tags", request.tags.is_some()).check(VALIDATION)?;
        let given = checked(request.tags.as_deref().unwrap_or_default())?;
        let parameter = self.tagged(request, context)?;
        let mut all = parameter.tags.clone();
        all.extend(given);
        check_count(all.len())?;
        parameter.tags = all;
        Ok(json!({}))
    }

    /// `RemoveTagsFromResource`; keys that are not there are no error.
    pub fn remove_tags(
        &mut self,
        request: &TagRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        Constraints::new().present("tagKeys", request.tag_keys.is_some()).check(VALIDATION)?;
        let keys = request.tag_keys.as_deref().unwrap_or_default();
        self.tagged(request, context)?.tags.retain(|key, _| !keys.contains(key));
        Ok(json!({}))
    }

    /// `ListTagsForResource`
    pub fn list_tags(
        &mut self,
        request: &TagRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let tags = self.tagged(request, context)?.tags.iter();
        let tags: Vec<Value> =
            tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        Ok(json!({"TagList": tags}))
    }
}
