//! Tags of roles and policies.

use std::collections::BTreeMap;

use super::error::{VALIDATION, invalid_input, limit_exceeded};
use super::paging::{Page, PageRequest};
use crate::protocol::query::Params;
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints};

const LIMIT: usize = 50;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Keeps its case; compared without it.
    pub key: String,
    /// May be empty.
    pub value: String,
}

impl Tag {
    pub(super) fn to_xml(&self) -> Element {
        Element::new("member").text("Key", &self.key).text("Value", &self.value)
    }
}

/// Reads `Tags.member.N.Key` and `.Value`.
pub(super) fn read(params: &Params) -> Result<Vec<Tag>, AwsError> {
    let structures = params.structures("Tags");
    let mut tags = Vec::with_capacity(structures.len());
    for (index, structure) in structures.iter().enumerate() {
        let member = |name: &str| format!("tags.{}.member.{name}", index + 1);
        let (key, value) = (structure.get("Key"), structure.get("Value"));
        Constraints::new()
            .present(&member("key"), key.is_some())
            .present(&member("value"), value.is_some())
            .check(VALIDATION)?;
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        Constraints::new()
            .length(&member("key"), key, 1, 128)
            .pattern(
                &member("key"),
                key,
                r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+",
                key.chars().all(is_allowed),
            )
            .length(&member("value"), value, 0, 256)
            .pattern(
                &member("value"),
                value,
                r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
                value.chars().all(is_allowed),
            )
            .check(VALIDATION)?;
        tags.push(Tag { key: key.to_owned(), value: value.to_owned() });
    }
    Ok(tags)
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}

/// The tags of one entity; keys that differ in case alone are the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, Tag>);

impl Tags {
    /// The tags that a new entity gets.
    pub(super) fn new(tags: Vec<Tag>) -> Result<Self, AwsError> {
        let mut new = Self::default();
        new.set(tags)?;
        Ok(new)
    }

    /// Adds tags, and replaces those whose keys are there already.
    pub(super) fn set(&mut self, tags: Vec<Tag>) -> Result<(), AwsError> {
        Constraints::new().count("tags", "[...]", tags.len(), 0, LIMIT).check(VALIDATION)?;
        let mut given = BTreeMap::new();
        for tag in tags {
            if tag.key.to_lowercase().starts_with("aws:") {
                return Err(invalid_input(
                    "Caller is an end user and not allowed to mutate system tags.",
                ));
            }
            if given.insert(tag.key.to_lowercase(), tag).is_some() {
                return Err(invalid_input(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
        }
        let added = given.keys().filter(|key| !self.0.contains_key(*key)).count();
        if self.0.len() + added > LIMIT {
            return Err(limit_exceeded("TagsPerResource", LIMIT));
        }
        self.0.extend(given);
        Ok(())
    }

    /// Removes tags; those that are not there are no error.
    pub(super) fn unset(&mut self, keys: &[String]) {
        for key in keys {
            self.0.remove(&key.to_lowercase());
        }
    }

    /// In the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.values()
    }

    pub(super) fn page(&self, request: &PageRequest) -> Page<Tag> {
        Page::cut(self.0.iter().map(|(key, tag)| (key.as_str(), tag.clone())), request)
    }

    /// `<Tags>`, where there are any.
    pub(super) fn to_xml(&self) -> Option<Element> {
        let list = || Element::new("Tags").children(self.iter().map(Tag::to_xml));
        (!self.0.is_empty()).then(list)
    }

    pub(super) fn snapshot(&self) -> serde_json::Value {
        self.iter()
            .map(|tag| (tag.key.clone(), serde_json::Value::from(tag.value.as_str())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn keys_are_compared_without_case() {
        let mut tags = Tags::new(vec![tag("Owner", "a")]).expect("one tag");
        tags.set(vec![tag("owner", "b")]).expect("the same tag");
        assert_eq!(tags.iter().collect::<Vec<_>>(), [&tag("owner", "b")]);
        let twice = tags.set(vec![tag("x", "1"), tag("X", "2")]).expect_err("twice");
        assert_eq!(twice.code, "InvalidInput");
        tags.unset(&["OWNER".to_owned(), "missing".to_owned()]);
        assert_eq!(tags, Tags::default());
    }

    #[test]
    fn there_are_fifty_at_most() {
        let many =
            |prefix: &str, count| (0..count).map(|n| tag(&format!("{prefix}{n}"), "")).collect();
        let mut tags = Tags::new(many("a", 50)).expect("fifty");
        assert_eq!(tags.set(many("a", 50)), Ok(()));
        assert_eq!(tags.set(many("b", 1)).expect_err("too many").code, "LimitExceeded");
        assert_eq!(tags.set(many("c", 51)).expect_err("too many").code, "ValidationError");
    }

    #[test]
    fn system_tags_belong_to_aws() {
        assert_eq!(Tags::new(vec![tag("aws:x", "")]).expect_err("refused").code, "InvalidInput");
    }
}
