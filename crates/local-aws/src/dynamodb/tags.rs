//! `TagResource`, `UntagResource`, `ListTagsOfResource`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{VALIDATION, no_table, validation};
use super::table::Table;
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

const MOST: usize = 50;
const PAGE: usize = 10;

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tag {
    /// Unique on its table.
    pub key: String,
    /// May be empty.
    pub value: String,
}

/// What the operations on tags are asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagRequest {
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
    next_token: Option<String>,
}

impl State {
    /// `TagResource`
    pub fn tag(&mut self, request: TagRequest, context: &Context) -> Result<(), AwsError> {
        Constraints::new().present("tags", request.tags.is_some()).check(VALIDATION)?;
        let table = self.tagged(request.resource_arn.as_deref(), context)?;
        table.tags = check_tags(table.tags.clone(), request.tags.unwrap_or_default())?;
        Ok(())
    }

    /// `UntagResource`
    pub fn untag(&mut self, request: TagRequest, context: &Context) -> Result<(), AwsError> {
        Constraints::new().present("tagKeys", request.tag_keys.is_some()).check(VALIDATION)?;
        let table = self.tagged(request.resource_arn.as_deref(), context)?;
        let keys = request.tag_keys.unwrap_or_default();
        table.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    /// `ListTagsOfResource`
    pub fn list_tags(
        &mut self,
        request: &TagRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let table = self.tagged(request.resource_arn.as_deref(), context)?;
        let after = request.next_token.as_deref().unwrap_or_default();
        let seen = context.now >= table.tags_late_until;
        let mut rest = table.tags.iter().filter(|(key, _)| seen && key.as_str() > after);
        let page: Vec<Tag> = rest
            .by_ref()
            .take(PAGE)
            .map(|(key, value)| Tag { key: key.clone(), value: value.clone() })
            .collect();
        let mut shown = json!({"Tags": page});
        if let (Some(last), true) = (page.last(), rest.next().is_some()) {
            shown["NextToken"] = json!(last.key);
        }
        Ok(shown)
    }

    fn tagged(&mut self, arn: Option<&str>, context: &Context) -> Result<&mut Table, AwsError> {
        Constraints::new().present("resourceArn", arn.is_some()).check(VALIDATION)?;
        let arn = arn.unwrap_or_default();
        let Some(name) = arn.strip_prefix(context.table_arn("").as_str()) else {
            return Err(validation(format!(
                "Invalid TableArn: Invalid ResourceArn provided as input {arn}"
            )));
        };
        self.tables.get_mut(name).ok_or_else(|| {
            let missing = no_table(name);
            AwsError {
                message: format!("Requested resource not found: ResourcArn: {arn} not found"),
                ..missing
            }
        })
    }
}

/// The tags with those added, where all of them may be.
pub(super) fn check_tags(
    mut tags: BTreeMap<String, String>,
    added: Vec<Tag>,
) -> Result<BTreeMap<String, String>, AwsError> {
    for (index, Tag { key, value }) in added.into_iter().enumerate() {
        let member = |name: &str| format!("tags.{}.member.{name}", index + 1);
        Constraints::new()
            .length(&member("key"), &key, 1, 128)
            .length(&member("value"), &value, 0, 256)
            .check(VALIDATION)?;
        if key.starts_with("aws:") {
            return Err(validation(
                "One or more parameter values were invalid: Tag keys starting with 'aws:' are reserved for system use",
            ));
        }
        tags.insert(key, value);
    }
    if tags.len() > MOST {
        return Err(validation(
            "One or more parameter values were invalid: Too many tags, a resource can have at most 50 tags",
        ));
    }
    Ok(tags)
}
