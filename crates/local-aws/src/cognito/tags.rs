//! Tags of user pools.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::error::no_pool;
use super::pools::Pool;
use super::settings::check_tags;
use super::{Context, Output, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagRequest {
    resource_arn: String,
    tags: BTreeMap<String, String>,
    tag_keys: Vec<String>,
}

impl State {
    pub(super) fn tag_resource(&mut self, body: &[u8], _: &Context) -> Output {
        let input: TagRequest = parse(body)?;
        check_tags(&input.tags)?;
        let tags = &mut self.pool_of_arn(&input.resource_arn)?.settings.user_pool_tags;
        let mut together = tags.clone();
        together.extend(input.tags);
        check_tags(&together)?;
        *tags = together;
        Ok(json!({}))
    }

    pub(super) fn untag_resource(&mut self, body: &[u8], _: &Context) -> Output {
        let input: TagRequest = parse(body)?;
        let tags = &mut self.pool_of_arn(&input.resource_arn)?.settings.user_pool_tags;
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&mut self, body: &[u8], _: &Context) -> Output {
        let input: TagRequest = parse(body)?;
        let pool = self.pool_of_arn(&input.resource_arn)?;
        Ok(json!({"Tags": pool.settings.user_pool_tags}))
    }

    fn pool_of_arn(&mut self, arn: &str) -> Result<&mut Pool, AwsError> {
        self.pools
            .values_mut()
            .find(|pool| pool.arn == arn)
            .ok_or_else(|| no_pool(arn.rsplit_once('/').map_or(arn, |(_, id)| id)))
    }
}
