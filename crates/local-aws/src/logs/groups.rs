//! Log groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{INVALID_PARAMETER, already_exists, invalid_parameter, not_found};
use super::streams::Stream;
use super::{Context, GROUP, State, names, paging, tags};
use crate::protocol::timestamp::epoch_millis;
use crate::protocol::{AwsError, Constraints};

const STANDARD: &str = "STANDARD";
const CLASSES: [&str; 4] = [STANDARD, "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];

/// What `PutRetentionPolicy` accepts, in days.
const RETENTIONS: [u16; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A log group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) created: i64,
    class: &'static str,
    retention: Option<u16>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) streams: BTreeMap<String, Stream>,
}

/// What `CreateLogGroup` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CreateLogGroup {
    /// Unique.
    pub log_group_name: Option<String>,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// `STANDARD` unless something else is said.
    pub log_group_class: Option<String>,
    /// Refused: there is no KMS here.
    pub kms_key_id: Option<String>,
    /// Refused where it is true: nothing here could ever take the protection away.
    pub deletion_protection_enabled: Option<bool>,
}

/// What `DescribeLogGroups` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeLogGroups {
    /// How the names begin.
    pub log_group_name_prefix: Option<String>,
    /// What the names contain.
    pub log_group_name_pattern: Option<String>,
    /// These, and no others.
    pub log_group_identifiers: Option<Vec<String>>,
    /// Of that class alone.
    pub log_group_class: Option<String>,
    /// At most that many.
    pub limit: Option<i64>,
    /// Where the page before ended.
    pub next_token: Option<String>,
}

/// What `DescribeLogGroups` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogGroups {
    /// In the order of their names.
    pub log_groups: Vec<LogGroup>,
    /// Set where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A log group as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogGroup {
    /// Its name.
    pub log_group_name: String,
    /// In milliseconds.
    pub creation_time: i64,
    /// Ends in `:*`, as policies want it.
    pub arn: String,
    /// What is left out when groups are searched for by a pattern.
    #[serde(flatten)]
    pub details: Option<LogGroupDetails>,
}

/// The rest of a group's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogGroupDetails {
    /// Where events do not stay for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<u16>,
    /// There are no metric filters here.
    pub metric_filter_count: u32,
    /// Of all visible events.
    pub stored_bytes: usize,
    /// Such as `STANDARD`.
    pub log_group_class: &'static str,
    /// Without `:*`.
    pub log_group_arn: String,
}

/// A request that names a group and nothing else, or a group and its retention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupRequest {
    /// The group.
    pub log_group_name: Option<String>,
    /// Of `PutRetentionPolicy`.
    pub retention_in_days: Option<i64>,
}

impl Group {
    pub(super) fn new(created: i64) -> Self {
        let (tags, streams) = (BTreeMap::new(), BTreeMap::new());
        Self { created, class: STANDARD, retention: None, tags, streams }
    }

    /// The time before which events have expired.
    pub(super) fn expiry(&self, context: &Context) -> i64 {
        self.retention.map_or(0, |days| epoch_millis(context.now) - i64::from(days) * DAY)
    }

    pub(super) fn snapshot(&self) -> Value {
        let streams: Map<String, Value> =
            self.streams.iter().map(|(name, stream)| (name.clone(), stream.snapshot())).collect();
        json!({
            "creationTime": self.created,
            "logGroupClass": self.class,
            "retentionInDays": self.retention,
            "tags": self.tags,
            "streams": streams,
        })
    }

    fn describe(&self, name: &str, in_full: bool, context: &Context) -> LogGroup {
        let log_group_arn = names::group_arn(name, context);
        LogGroup {
            log_group_name: name.to_owned(),
            creation_time: self.created,
            arn: format!("{log_group_arn}:*"),
            details: in_full.then(|| LogGroupDetails {
                retention_in_days: self.retention,
                metric_filter_count: 0,
                stored_bytes: self.stored_bytes(context),
                log_group_class: self.class,
                log_group_arn,
            }),
        }
    }

    fn stored_bytes(&self, context: &Context) -> usize {
        let expiry = self.expiry(context);
        let streams = self.streams.values();
        streams
            .flat_map(|stream| stream.readable(expiry, context))
            .map(|(_, event)| event.size())
            .sum()
    }
}

impl State {
    /// `CreateLogGroup`
    pub fn create_log_group(
        &mut self,
        input: &CreateLogGroup,
        context: &Context,
    ) -> Result<(), AwsError> {
        let name = names::group_name(input.log_group_name.as_ref())?;
        if name.to_ascii_lowercase().starts_with("aws/") {
            return Err(invalid_parameter("Log groups starting with AWS/ are reserved for AWS."));
        }
        let class = input.log_group_class.as_deref().unwrap_or(STANDARD);
        Constraints::new().one_of("logGroupClass", class, &CLASSES).check(INVALID_PARAMETER)?;
        if let Some(key) = &input.kms_key_id {
            return Err(invalid_parameter(format!("The specified KMS key does not exist: {key}")));
        }
        if input.deletion_protection_enabled == Some(true) {
            return Err(invalid_parameter(
                "The local AWS of playbook has no deletionProtectionEnabled. Leave it out.",
            ));
        }
        let mut group = Group::new(epoch_millis(context.now));
        group.class = CLASSES.iter().find(|known| **known == class).copied().unwrap_or(STANDARD);
        if let Some(given) = &input.tags {
            tags::set(&mut group.tags, given)?;
        }
        if self.groups.contains_key(name) {
            return Err(already_exists("log group"));
        }
        self.outbox.created(GROUP, name);
        self.groups.insert(name.to_owned(), group);
        Ok(())
    }

    /// `DeleteLogGroup`
    pub fn delete_log_group(&mut self, input: &GroupRequest) -> Result<(), AwsError> {
        let name = names::group_name(input.log_group_name.as_ref())?;
        self.groups.remove(name).ok_or_else(|| not_found("log group"))?;
        self.outbox.deleted(GROUP, name);
        Ok(())
    }

    /// `DescribeLogGroups`
    pub fn describe_log_groups(
        &self,
        input: &DescribeLogGroups,
        context: &Context,
    ) -> Result<LogGroups, AwsError> {
        let (prefix, pattern) = (&input.log_group_name_prefix, &input.log_group_name_pattern);
        if prefix.is_some() && pattern.is_some() {
            return Err(invalid_parameter(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            ));
        }
        if let Some(class) = &input.log_group_class {
            Constraints::new().one_of("logGroupClass", class, &CLASSES).check(INVALID_PARAMETER)?;
        }
        let wanted = |name: &str, group: &Group| {
            prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
                && pattern.as_ref().is_none_or(|pattern| name.contains(pattern))
                && input.log_group_class.as_ref().is_none_or(|class| group.class == class)
                && input.log_group_identifiers.as_ref().is_none_or(|wanted| {
                    wanted
                        .iter()
                        .any(|one| one == name || names::group_of_arn(one, context) == Some(name))
                })
        };
        let found = self
            .groups
            .iter()
            .filter(|(name, group)| wanted(name, group))
            .map(|(name, group)| (name.clone(), group.describe(name, pattern.is_none(), context)))
            .collect();
        let token = input.next_token.as_deref();
        let (log_groups, next_token) =
            paging::cut(found, input.limit, token, |key, last| key > last)?;
        Ok(LogGroups { log_groups, next_token })
    }

    /// `PutRetentionPolicy`
    pub fn put_retention_policy(&mut self, input: &GroupRequest) -> Result<(), AwsError> {
        let name = names::group_name(input.log_group_name.as_ref())?;
        let days = *names::required("retentionInDays", input.retention_in_days.as_ref())?;
        let allowed = RETENTIONS.map(|days| days.to_string());
        Constraints::new()
            .one_of("retentionInDays", &days.to_string(), &allowed.each_ref().map(String::as_str))
            .check(INVALID_PARAMETER)?;
        self.group_mut(name)?.retention = u16::try_from(days).ok();
        Ok(())
    }

    /// `DeleteRetentionPolicy`
    pub fn delete_retention_policy(&mut self, input: &GroupRequest) -> Result<(), AwsError> {
        self.group_mut(names::group_name(input.log_group_name.as_ref())?)?.retention = None;
        Ok(())
    }

    pub(super) fn group(&self, name: &str) -> Result<&Group, AwsError> {
        self.groups.get(name).ok_or_else(|| not_found("log group"))
    }

    pub(super) fn group_mut(&mut self, name: &str) -> Result<&mut Group, AwsError> {
        self.groups.get_mut(name).ok_or_else(|| not_found("log group"))
    }
}
