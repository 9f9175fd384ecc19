//! Tags of log groups, by ARN and (as it was done before 2022) by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::{INVALID_PARAMETER, invalid_parameter, not_found};
use super::{Context, State, names};
use crate::protocol::{AwsError, Constraints};

const LIMIT: usize = 50;

/// A request about the tags of what an ARN or a name stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TagRequest {
    /// The group's ARN.
    pub resource_arn: Option<String>,
    /// The group's name, of the older operations.
    pub log_group_name: Option<String>,
    /// The tags to set.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A request to remove tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UntagRequest {
    /// The group's ARN.
    pub resource_arn: Option<String>,
    /// The group's name, of the older operation.
    pub log_group_name: Option<String>,
    /// The keys; the older operation calls them `tags`.
    #[serde(alias = "tags")]
    pub tag_keys: Option<Vec<String>>,
}

/// The tags of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagsOutput {
    /// By key.
    pub tags: BTreeMap<String, String>,
}

impl State {
    /// `TagResource`, `TagLogGroup`
    pub fn tag(&mut self, input: &TagRequest, context: &Context) -> Result<(), AwsError> {
        let given = names::required("tags", input.tags.as_ref())?;
        let name =
            tagged(input.resource_arn.as_ref(), input.log_group_name.as_ref(), context)?.to_owned();
        set(&mut self.group_mut(&name)?.tags, given)
    }

    /// `UntagResource`, `UntagLogGroup`; keys that are not there are no error.
    pub fn untag(&mut self, input: &UntagRequest, context: &Context) -> Result<(), AwsError> {
        let keys = names::required("tagKeys", input.tag_keys.as_ref())?;
        let name =
            tagged(input.resource_arn.as_ref(), input.log_group_name.as_ref(), context)?.to_owned();
        let group = self.group_mut(&name)?;
        group.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    /// `ListTagsForResource`, `ListTagsLogGroup`
    pub fn tags(&self, input: &TagRequest, context: &Context) -> Result<TagsOutput, AwsError> {
        let name = tagged(input.resource_arn.as_ref(), input.log_group_name.as_ref(), context)?;
        Ok(TagsOutput { tags: self.group(name)?.tags.clone() })
    }
}

fn tagged<'r>(
    arn: Option<&'r String>,
    name: Option<&'r String>,
    context: &Context,
) -> Result<&'r str, AwsError> {
    if name.is_some() {
        return names::group_name(name);
    }
    let arn = names::required("resourceArn", arn)?;
    if !arn.starts_with("arn:") {
        return Err(invalid_parameter(format!("Invalid resource ARN: {arn}")));
    }
    names::group_of_arn(arn, context).ok_or_else(|| not_found("resource"))
}

pub(super) fn set(
    tags: &mut BTreeMap<String, String>,
    given: &BTreeMap<String, String>,
) -> Result<(), AwsError> {
    let mut constraints = Constraints::new().count("tags", "{...}", given.len(), 1, LIMIT);
    for (key, value) in given {
        let (is_key, is_value) = (key.chars().all(is_allowed), value.chars().all(is_allowed));
        constraints = constraints
            .length("tags", key, 1, 128)
            .pattern("tags", key, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", is_key)
            .length("tags", value, 0, 256)
            .pattern("tags", value, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", is_value);
    }
    constraints.check(INVALID_PARAMETER)?;
    if given.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(invalid_parameter(
            "aws: prefixed tag key names are not allowed for external use.",
        ));
    }
    let added = given.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + added > LIMIT {
        let message = format!("A resource can have no more than {LIMIT} tags.");
        return Err(AwsError::bad_request("TooManyTagsException", message));
    }
    tags.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(())
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}
