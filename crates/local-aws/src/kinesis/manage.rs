//! Streams themselves.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Value, json};

use super::records::{hash_range, sequence, shard_id};
use super::{Named, STREAM, State, Stream};
use crate::protocol::AwsError;
use crate::server::modelled::Context;
use crate::stream_log::{RETENTION, Shard};

/// How long AWS takes to make a stream, and to delete one.
const CREATION: Duration = Duration::from_secs(10);
const ON_DEMAND_SHARDS: usize = 4;
const MOST_SHARDS: usize = 1000;

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::modelled("InvalidArgumentException", message)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    stream_name: String,
    shard_count: Option<usize>,
    stream_mode_details: Option<Value>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn create(context: Context<'_>, input: &Create) -> Result<Value, AwsError> {
    let now = context.now();
    let name = &input.stream_name;
    let mode = input.stream_mode_details.as_ref().and_then(|mode| mode["StreamMode"].as_str());
    let on_demand = mode == Some("ON_DEMAND");
    let count = match (on_demand, input.shard_count) {
        (true, Some(_)) => {
            return Err(invalid("ShardCount must not be provided in ON_DEMAND mode."));
        }
        (true, None) => ON_DEMAND_SHARDS,
        (false, Some(count)) if count <= MOST_SHARDS => count,
        (false, Some(_)) => {
            return Err(AwsError::modelled(
                "LimitExceededException",
                format!(
                    "This request would exceed the shard limit of {MOST_SHARDS} for the account {}.",
                    context.account.id
                ),
            ));
        }
        (false, None) => return Err(invalid("ShardCount must be provided in PROVISIONED mode.")),
    };
    let mut state = context.account.state::<State>();
    state.forget_deleted(now);
    if state.streams.contains_key(name) {
        return Err(AwsError::modelled(
            "ResourceInUseException",
            format!("Stream {name} under account {} already exists.", context.account.id),
        ));
    }
    let stream = Stream {
        arn: context.arn("kinesis", &format!("stream/{name}")),
        created: now,
        active_at: now + context.account.latency().scale(CREATION),
        deleted_at: None,
        on_demand,
        retention: RETENTION,
        tags: input.tags.clone(),
        shards: std::iter::repeat_with(Shard::default).take(count).collect(),
    };
    state.streams.insert(name.clone(), stream);
    state.outbox.created(STREAM, name);
    Ok(json!({}))
}

pub(super) fn delete(context: Context<'_>, input: &Named) -> Result<Value, AwsError> {
    let now = context.now();
    let mut state = context.account.state::<State>();
    let until = now + context.account.latency().scale(CREATION);
    let stream = input.of(&mut state, context)?;
    if stream.deleted_at.is_none() {
        stream.deleted_at = Some(until);
        let name = input.name()?.to_owned();
        state.outbox.deleted(STREAM, name);
    }
    state.forget_deleted(now);
    Ok(json!({}))
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn described(name: &str, stream: &Stream, now: SystemTime) -> Value {
    let mode = if stream.on_demand { "ON_DEMAND" } else { "PROVISIONED" };
    json!({
        "StreamName": name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status(now),
        "StreamModeDetails": {"StreamMode": mode},
        "RetentionPeriodHours": stream.retention.as_secs() / 3600,
        "StreamCreationTimestamp": seconds(stream.created),
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
    })
}

fn shards(stream: &Stream) -> Vec<Value> {
    let count = stream.shards.len();
    let shown = (0..count).map(|index| {
        let (first, last) = hash_range(index, count);
        json!({
            "ShardId": shard_id(index),
            "HashKeyRange": {"StartingHashKey": first.to_string(), "EndingHashKey": last.to_string()},
            "SequenceNumberRange": {"StartingSequenceNumber": sequence(index, 0)},
        })
    });
    shown.collect()
}

pub(super) fn describe(context: Context<'_>, input: &Named) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.of(&mut state, context)?;
    let mut shown = described(input.name()?, stream, context.now());
    let is_new = context.now() < stream.active_at;
    shown["Shards"] = json!(if is_new { Vec::new() } else { shards(stream) });
    shown["HasMoreShards"] = json!(false);
    Ok(json!({"StreamDescription": shown}))
}

pub(super) fn summary(context: Context<'_>, input: &Named) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.of(&mut state, context)?;
    let mut shown = described(input.name()?, stream, context.now());
    shown["OpenShardCount"] = json!(stream.shards.len());
    shown["ConsumerCount"] = json!(0);
    Ok(json!({"StreamDescriptionSummary": shown}))
}

pub(super) fn list_shards(context: Context<'_>, input: &Named) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    Ok(json!({"Shards": shards(input.active(&mut state, context)?)}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    limit: Option<usize>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

pub(super) fn list(context: Context<'_>, input: &List) -> Value {
    let now = context.now();
    let mut state = context.account.state::<State>();
    state.forget_deleted(now);
    let after = input.next_token.as_ref().or(input.exclusive_start_stream_name.as_ref());
    let mut found =
        state.streams.iter().filter(|(name, _)| after.is_none_or(|after| *name > after));
    let page: Vec<(&String, &Stream)> = found.by_ref().take(input.limit.unwrap_or(100)).collect();
    let more = found.next().is_some();
    let summaries: Vec<Value> = page
        .iter()
        .map(|(name, stream)| {
            let mut shown = described(name, stream, now);
            if let Some(members) = shown.as_object_mut() {
                for member in ["RetentionPeriodHours", "EnhancedMonitoring", "EncryptionType"] {
                    members.remove(member);
                }
            }
            shown
        })
        .collect();
    let names: Vec<&String> = page.iter().map(|(name, _)| *name).collect();
    let mut output =
        json!({"StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries});
    if let (Some(last), true) = (names.last(), more) {
        output["NextToken"] = json!(last);
    }
    output
}

pub(super) fn limits(context: Context<'_>) -> Value {
    let state = context.account.state::<State>();
    let open: usize = state.streams.values().map(|stream| stream.shards.len()).sum();
    let on_demand = state.streams.values().filter(|stream| stream.on_demand).count();
    json!({
        "ShardLimit": MOST_SHARDS,
        "OpenShardCount": open,
        "OnDemandStreamCount": on_demand,
        "OnDemandStreamCountLimit": 50,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Retention {
    #[serde(flatten)]
    named: Named,
    retention_period_hours: u64,
}

pub(super) fn set_retention(context: Context<'_>, input: &Retention) -> Result<Value, AwsError> {
    let hours = input.retention_period_hours;
    if !(24..=8760).contains(&hours) {
        return Err(invalid(format!(
            "Retention period must be from 24 to 8760 hours, not {hours}."
        )));
    }
    let mut state = context.account.state::<State>();
    input.named.active(&mut state, context)?.retention = Duration::from_secs(hours * 3600);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tags {
    #[serde(flatten)]
    named: Named,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag(context: Context<'_>, input: Tags) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.named.of(&mut state, context)?;
    let mut tags = stream.tags.clone();
    tags.extend(input.tags);
    if tags.len() > 50 {
        return Err(invalid("Failed to add tags to stream: there can be 50 of them."));
    }
    stream.tags = tags;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Untag {
    #[serde(flatten)]
    named: Named,
    tag_keys: Vec<String>,
}

pub(super) fn untag(context: Context<'_>, input: &Untag) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.named.of(&mut state, context)?;
    stream.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn tags(context: Context<'_>, input: &Named) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let tags = input.of(&mut state, context)?.tags.iter();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags, "HasMoreTags": false}))
}
