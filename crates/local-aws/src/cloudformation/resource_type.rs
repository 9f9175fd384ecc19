//! What a type of resources is; the types themselves are with their services.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::intrinsics::CreatedResource;
use super::properties;
use crate::account::client::Client;
use crate::http::BoxFuture;
use crate::protocol::AwsError;

/// A type of resources.
pub struct ResourceType {
    /// Such as `AWS::IAM::Role`.
    pub name: &'static str,
    /// As errors of its handler call the service.
    pub service: &'static str,
    /// What `Fn::GetAtt` can ask for.
    pub attributes: &'static [&'static str],
    /// What it can be told.
    pub properties: &'static [&'static str],
    /// What it must be told.
    pub required: &'static [&'static str],
    /// Whether a caller must acknowledge it.
    pub is_iam: bool,
    /// The property that gives an IAM resource a name of its own.
    pub iam_name: Option<&'static str>,
    /// Makes one; what fails leaves nothing behind.
    pub create: for<'a> fn(&'a Order<'a>) -> BoxFuture<'a, Result<CreatedResource, AwsError>>,
    /// Deletes one.
    pub delete: for<'a> fn(&'a Removal<'a>) -> BoxFuture<'a, Result<(), AwsError>>,
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl PartialEq for ResourceType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A resource that is to be made.
#[derive(Debug)]
pub struct Order<'a> {
    /// What makes it, in the name of whoever made the stack.
    pub client: &'a Client,
    /// Of the stack.
    pub stack_name: &'a str,
    /// Of the resource, in the template.
    pub logical_id: &'a str,
    /// Evaluated.
    pub properties: &'a Map<String, Value>,
    /// The stack's.
    pub tags: &'a BTreeMap<String, String>,
}

/// A resource that is to be deleted.
#[derive(Debug)]
pub struct Removal<'a> {
    /// What deletes it, in the name of whoever made the stack.
    pub client: &'a Client,
    /// What it is called.
    pub physical_id: &'a str,
    /// As it was made.
    pub properties: &'a Map<String, Value>,
}

/// A type by its name.
#[must_use]
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    all().find(|one| one.name == name)
}

/// Every type's name.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = all().map(|one| one.name).collect();
    names.sort_unstable();
    names
}

fn all() -> impl Iterator<Item = &'static ResourceType> {
    crate::SERVICES.iter().flat_map(|service| service.resource_types().iter().copied())
}

impl ResourceType {
    /// Checks which properties there are, as the schemas of the registry do.
    pub fn check(&self, logical_id: &str, properties: &Map<String, Value>) -> Result<(), AwsError> {
        let missing = self.required.iter().filter(|name| !properties.contains_key(**name));
        let strange = properties.keys().filter(|name| !self.properties.contains(&name.as_str()));
        let problems: Vec<String> = missing
            .map(|name| format!("#: required key [{name}] not found"))
            .chain(strange.map(|name| {
                let known = self.properties.join(", ");
                format!("#: extraneous key [{name}] is not permitted (the local AWS of playbook has: {known})")
            }))
            .collect();
        if problems.is_empty() {
            return Ok(());
        }
        Err(super::error::invalid(format!(
            "Properties validation failed for resource {logical_id} with message:\n{}",
            problems.join("\n")
        )))
    }
}

impl Order<'_> {
    /// A property that is a text; numbers and booleans are texts, too.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        properties::text(self.properties.get(name)?)
    }

    pub(crate) fn required(&self, name: &str) -> Result<String, AwsError> {
        self.text(name)
            .ok_or_else(|| super::error::invalid(format!("Property {name} must be a string.")))
    }

    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        match self.properties.get(name) {
            Some(Value::Array(items)) => items.clone(),
            Some(single) => vec![single.clone()],
            None => Vec::new(),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(properties::text).collect()
    }

    /// The property's text, or `STACK-LOGICAL-RANDOM`.
    pub(crate) fn name_or_generated(&self, property: &str, longest: usize) -> String {
        self.text(property).unwrap_or_else(|| self.generated_name(longest))
    }

    /// `STACK-LOGICAL-RANDOM`; what is too long loses the ends of its first two parts.
    pub(crate) fn generated_name(&self, longest: usize) -> String {
        let suffix: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
        let room = longest.saturating_sub(suffix.len() + 2);
        let (stack, logical) = (self.stack_name, self.logical_id);
        let excess = (stack.len() + logical.len()).saturating_sub(room);
        let cut = |text: &str, less: usize| -> String {
            text.chars().take(text.len().saturating_sub(less).max(1)).collect()
        };
        let from_logical = excess.min(logical.len().saturating_sub(room / 2));
        let (stack, logical) = (cut(stack, excess - from_logical), cut(logical, from_logical));
        format!("{stack}-{logical}-{suffix}")
    }

    /// The stack's tags, and the resource's own over them.
    pub(crate) fn all_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        for tag in self.list("Tags") {
            let member = |name: &str| tag.get(name).and_then(properties::text);
            if let (Some(key), Some(value)) = (member("Key"), member("Value")) {
                tags.insert(key, value);
            }
        }
        tags
    }

    /// The same, as a list of keys and values.
    pub(crate) fn tag_list(&self) -> Value {
        self.all_tags().iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
    }

    /// The properties of those names, under the same names.
    pub(crate) fn pick(&self, names: &[&str]) -> Map<String, Value> {
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.properties.get(*name)?.clone())))
            .collect()
    }
}

/// What is gone already has been deleted.
pub(crate) fn gone_is_deleted<T>(result: Result<T, AwsError>) -> Result<(), AwsError> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn is_missing(error: &AwsError) -> bool {
    ["NoSuchEntity", "ResourceNotFoundException"].contains(&error.code.as_str())
}
