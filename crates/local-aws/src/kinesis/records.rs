//! Records: put in by partition key, read by iterator.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Named, State, Stream};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// How long an iterator is good for.
const ITERATOR: Duration = Duration::from_mins(5);
const LARGEST_READ: usize = 10 * 1024 * 1024;

/// What a shard is called.
pub(crate) fn shard_id(index: usize) -> String {
    format!("shardId-{index:012}")
}

/// What a record is called: the numbers of a shard grow, and all are equally long.
pub(crate) fn sequence(shard: usize, place: u64) -> String {
    format!("4967{shard:06}0000000000000000000000000000{place:018}")
}

fn place_of(sequence: &str) -> Option<u64> {
    sequence.get(sequence.len().checked_sub(18)?..)?.parse().ok()
}

/// The first and the last hash of a shard.
pub(super) fn hash_range(index: usize, count: usize) -> (u128, u128) {
    let width = u128::MAX / (count.max(1) as u128);
    let first = width * (index as u128);
    let last = if index + 1 == count { u128::MAX } else { width * (index as u128 + 1) - 1 };
    (first, last)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    record: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: String,
    partition_key: String,
    explicit_hash_key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutAll {
    #[serde(flatten)]
    named: Named,
    records: Vec<Entry>,
}

impl Entry {
    fn shard(&self, count: usize) -> Result<usize, AwsError> {
        let hash = match &self.explicit_hash_key {
            Some(text) => text.parse::<u128>().map_err(|_| {
                AwsError::modelled(
                    "InvalidArgumentException",
                    format!("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"),
                )
            })?,
            None => u128::from_be_bytes(Md5::digest(self.partition_key.as_bytes()).into()),
        };
        let width = u128::MAX / (count.max(1) as u128);
        Ok(usize::try_from(hash / width).unwrap_or(count).min(count.saturating_sub(1)))
    }

    fn put(&self, stream: &mut Stream, now: SystemTime) -> Result<Value, AwsError> {
        let index = self.shard(stream.shards.len())?;
        let arrival = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let record = json!({
            "partitionKey": self.partition_key,
            "data": self.data,
            "arrival": u64::try_from(arrival).unwrap_or(u64::MAX),
        });
        let keep = stream.retention;
        let Some(shard) = stream.shards.get_mut(index) else {
            return Err(AwsError::modelled(
                "InternalFailureException",
                "The stream has no shards.",
            ));
        };
        shard.expire(now, keep);
        let place = shard.push(now, record);
        Ok(json!({"ShardId": shard_id(index), "SequenceNumber": sequence(index, place)}))
    }
}

pub(super) fn put(context: Context<'_>, input: &Put) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.named.active(&mut state, context)?;
    let mut output = input.record.put(stream, context.now())?;
    output["EncryptionType"] = json!("NONE");
    Ok(output)
}

pub(super) fn put_all(context: Context<'_>, input: &PutAll) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let stream = input.named.active(&mut state, context)?;
    let put = |entry: &Entry| entry.put(stream, context.now());
    let records = input.records.iter().map(put).collect::<Result<Vec<Value>, _>>()?;
    Ok(json!({"FailedRecordCount": 0, "Records": records, "EncryptionType": "NONE"}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IteratorOf {
    #[serde(flatten)]
    named: Named,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<Value>,
}

pub(super) fn iterator(context: Context<'_>, input: &IteratorOf) -> Result<Value, AwsError> {
    let name = input.named.name()?.to_owned();
    let mut state = context.account.state::<State>();
    let stream = input.named.active(&mut state, context)?;
    let index = (0..stream.shards.len()).find(|index| shard_id(*index) == input.shard_id);
    let shard = index.and_then(|index| stream.shards.get(index));
    let (Some(index), Some(shard)) = (index, shard) else {
        return Err(AwsError::modelled(
            "ResourceNotFoundException",
            format!(
                "Shard {} in stream {name} under account {} does not exist",
                input.shard_id, context.account.id
            ),
        ));
    };
    let invalid = |what: &str| AwsError::modelled("InvalidArgumentException", what);
    let given = || {
        let number = input.starting_sequence_number.as_deref();
        let number = number.ok_or_else(|| {
            invalid("StartingSequenceNumber must be given for this type of iterator.")
        })?;
        place_of(number).ok_or_else(|| invalid("StartingSequenceNumber is none of this shard's."))
    };
    let place = match input.shard_iterator_type.as_str() {
        "TRIM_HORIZON" => shard.start(),
        "LATEST" => shard.end(),
        "AT_SEQUENCE_NUMBER" => given()?,
        "AFTER_SEQUENCE_NUMBER" => given()? + 1,
        _ => {
            let at = input.timestamp.as_ref().and_then(moment);
            let at = at.ok_or_else(|| {
                invalid(
                    "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.",
                )
            })?;
            shard.since(at)
        }
    };
    Ok(json!({"ShardIterator": written(&name, index, place, context.now())}))
}

fn moment(at: &Value) -> Option<SystemTime> {
    if let Some(seconds) = at.as_f64() {
        return Some(UNIX_EPOCH + Duration::try_from_secs_f64(seconds).ok()?);
    }
    let time: jiff::Timestamp = at.as_str()?.parse().ok()?;
    Some(SystemTime::from(time))
}

fn written(name: &str, shard: usize, place: u64, now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    STANDARD.encode(format!("{name}\n{shard}\n{place}\n{since}"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    shard_iterator: String,
    limit: Option<usize>,
}

fn read(text: &str) -> Option<(String, usize, u64, SystemTime)> {
    let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let mut parts = plain.split('\n');
    let (name, shard) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let (place, since) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((name, shard, place, UNIX_EPOCH + Duration::from_secs(since)))
}

pub(super) fn get(context: Context<'_>, input: &Get) -> Result<Value, AwsError> {
    let now = context.now();
    let invalid = || AwsError::modelled("InvalidArgumentException", "Invalid ShardIterator.");
    let (name, index, place, issued) = read(&input.shard_iterator).ok_or_else(invalid)?;
    if now.duration_since(issued).unwrap_or_default() > ITERATOR {
        return Err(AwsError::modelled(
            "ExpiredIteratorException",
            "Iterator expired. The iterator was created more than 5 minutes ago, which exceeds the maximum iterator age.",
        ));
    }
    let mut state = context.account.state::<State>();
    let named = Named { stream_name: Some(name.clone()), ..Named::default() };
    let stream = named.active(&mut state, context)?;
    let keep = stream.retention;
    let shard = stream.shards.get_mut(index).ok_or_else(invalid)?;
    shard.expire(now, keep);
    let mut size = 0;
    let found = shard.read(place, input.limit.unwrap_or(10_000).clamp(1, 10_000)).into_iter();
    let found: Vec<_> = found
        .take_while(|record| {
            let is_first = size == 0;
            size += record.data["data"].as_str().map_or(0, str::len) * 3 / 4;
            is_first || size <= LARGEST_READ
        })
        .collect();
    let next = found.last().map_or(place.max(shard.start()), |record| record.place + 1);
    let behind = shard
        .read(next, 1)
        .first()
        .map_or(Duration::ZERO, |record| now.duration_since(record.at).unwrap_or_default());
    let shown: Vec<Value> = found
        .iter()
        .map(|record| {
            let since = record.at.duration_since(UNIX_EPOCH).unwrap_or_default();
            json!({
                "SequenceNumber": sequence(index, record.place),
                "ApproximateArrivalTimestamp": since.as_secs_f64(),
                "Data": record.data["data"],
                "PartitionKey": record.data["partitionKey"],
                "EncryptionType": "NONE",
            })
        })
        .collect();
    Ok(json!({
        "Records": shown,
        "NextShardIterator": written(&name, index, next, now),
        "MillisBehindLatest": u64::try_from(behind.as_millis()).unwrap_or(u64::MAX),
    }))
}
