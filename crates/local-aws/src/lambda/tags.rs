//! `TagResource`, `UntagResource`, `ListTags`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use super::names::{Place, Target, VALIDATION};
use super::state::State;
use crate::protocol::{AwsError, Constraints};

const MOST_TAGS: usize = 50;
const ARN_PATTERN: &str = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)";

/// The body of `TagResource`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagResource {
    tags: Option<BTreeMap<String, String>>,
}

impl State {
    /// `TagResource`.
    pub fn tag(
        &mut self,
        arn: &str,
        request: TagResource,
        place: Place<'_>,
    ) -> Result<(), AwsError> {
        let target = resource(arn, place)?;
        Constraints::new().present("tags", request.tags.is_some()).check(VALIDATION)?;
        let added = request.tags.unwrap_or_default();
        let function = self.function_mut(&target, place)?;
        if added.is_empty() {
            return Err(invalid("An error occurred and the request cannot be processed."));
        }
        let mut tags = function.tags.clone();
        tags.extend(added);
        check_tags(&tags)?;
        function.tags = tags;
        Ok(())
    }

    /// `UntagResource`.
    pub fn untag(&mut self, arn: &str, keys: &[&str], place: Place<'_>) -> Result<(), AwsError> {
        let target = resource(arn, place)?;
        Constraints::new().present("tagKeys", !keys.is_empty()).check(VALIDATION)?;
        let function = self.function_mut(&target, place)?;
        function.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }

    /// `ListTags`.
    pub fn list_tags(&self, arn: &str, place: Place<'_>) -> Result<Value, AwsError> {
        let target = resource(arn, place)?;
        let (function, _) = self.find(&target, &target.arn(place))?;
        Ok(json!({"Tags": function.tags}))
    }
}

fn resource(arn: &str, place: Place<'_>) -> Result<Target, AwsError> {
    let is_function = arn.starts_with("arn:aws") && arn.contains(":function:");
    let refusal = Constraints::new().pattern("resource", arn, ARN_PATTERN, is_function);
    refusal.check(VALIDATION)?;
    let target = Target::parse(arn, None, place)?;
    if target.qualifier.is_some() {
        return Err(invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    Ok(target)
}

pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > MOST_TAGS {
        return Err(invalid("Number of tags exceeds resource tag limit."));
    }
    for (key, value) in tags {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits {
            return Err(invalid(format!(
                "The tag '{key}' is too long: keys have 1 to 128 characters, values at most 256."
            )));
        }
        if key.starts_with("aws:") {
            return Err(invalid(format!(
                "The tag key '{key}' begins with 'aws:', which is reserved for AWS."
            )));
        }
        let allowed = |text: &str| {
            text.chars().all(|character| {
                character.is_alphanumeric()
                    || character.is_whitespace()
                    || "_.:/=+-@".contains(character)
            })
        };
        if !(allowed(key) && allowed(value)) {
            return Err(invalid(format!(
                "The tag '{key}' has characters that tags may not have: use letters, numbers, spaces and _.:/=+-@"
            )));
        }
    }
    Ok(())
}
