//! The streams of tables: every change of an item, in order, and the API that reads them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::error::{not_found, validation};
use super::{Context as Place, State};
use crate::account::Account;
use crate::account::feed::ChangeEvent;
use crate::protocol::AwsError;
use crate::server::modelled::{Context, Model, Operation, typed, validation_exception};
use crate::stream_log::{RETENTION, Record, Shard};

/// How long an iterator is good for.
const ITERATOR: Duration = Duration::from_mins(15);
/// What goes before the place of a record in its sequence number.
const FIRST: u128 = 100_000_000_000_000_000_000;
const SHARD: &str = "shardId-00000001800000000000-00000001";

/// The API of streams.
pub(super) const MODELS: &[Model] = &[Model {
    name: "dynamodbstreams",
    operations: &[
        Operation::now("DescribeStream", |context, input| describe(context, &typed(input)?)),
        Operation::now("GetRecords", |context, input| records(context, &typed(input)?)),
        Operation::now("GetShardIterator", |context, input| iterator(context, &typed(input)?)),
        Operation::now("ListStreams", |context, input| Ok(list(context, &typed(input)?))),
    ],
    invalid: validation_exception,
    query_codes: &[],
}];

/// A table's stream, which stays for a while where the table has none any more.
#[derive(Debug)]
pub(super) struct Stream {
    table: String,
    view: String,
    created: SystemTime,
    is_open: bool,
    keys: Value,
    shard: Shard,
}

/// Streams by ARN.
pub(super) type Streams = BTreeMap<String, Stream>;

impl State {
    /// Opens and closes streams as tables have them, and notes what has been written.
    pub(super) fn keep_streams(&mut self, place: &Place) {
        let has_one = |table: &super::table::Table| table.settings.stream.is_some();
        if self.streams.is_empty() && !self.tables.values().any(has_one) {
            return;
        }
        let mut open = BTreeMap::new();
        for (name, table) in &self.tables {
            if let Some(view) = &table.settings.stream
                && table.deleted_at.is_none()
            {
                let arn = format!("{}/stream/{}", place.table_arn(name), table.stream_label());
                open.insert(name.as_str(), arn.clone());
                self.streams.entry(arn).or_insert_with(|| Stream {
                    table: name.clone(),
                    view: view.clone(),
                    created: place.now,
                    is_open: true,
                    keys: super::table::key_schema(&table.key),
                    shard: Shard::default(),
                });
            }
        }
        for change in self.outbox.pending() {
            let ChangeEvent::ItemWritten { table, key, old, new } = change else { continue };
            let stream = open.get(table.as_str()).and_then(|arn| self.streams.get_mut(arn));
            if let Some(stream) = stream.filter(|_| old != new) {
                stream.note(key, old.as_ref(), new.as_ref(), place);
            }
        }
        for (arn, stream) in &mut self.streams {
            if stream.is_open && !open.values().any(|one| one == arn) {
                stream.is_open = false;
                stream.shard.close();
            }
            stream.shard.expire(place.now, RETENTION);
        }
    }
}

impl Stream {
    fn note(&mut self, key: &Value, old: Option<&Value>, new: Option<&Value>, place: &Place) {
        let name = match (old, new) {
            (None, _) => "INSERT",
            (_, Some(_)) => "MODIFY",
            (_, None) => "REMOVE",
        };
        let since = place.now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut shown = json!({
            "ApproximateCreationDateTime": since.as_secs(),
            "Keys": key,
            "SequenceNumber": sequence(self.shard.end()),
            "SizeBytes": 0,
            "StreamViewType": self.view,
        });
        let mut size = key.to_string().len();
        for (member, image, views) in [
            ("NewImage", new, ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"]),
            ("OldImage", old, ["OLD_IMAGE", "NEW_AND_OLD_IMAGES"]),
        ] {
            if let Some(image) = image.filter(|_| views.contains(&self.view.as_str())) {
                size += image.to_string().len();
                shown[member] = image.clone();
            }
        }
        shown["SizeBytes"] = json!(size);
        let record = json!({
            "eventID": crate::ids::uuid().replace('-', ""),
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": place.region,
            "dynamodb": shown,
        });
        self.shard.push(place.now, record);
    }
}

pub(crate) fn sequence(place: u64) -> String {
    (FIRST + u128::from(place)).to_string()
}

fn place_of(sequence: &str) -> Option<u64> {
    u64::try_from(sequence.parse::<u128>().ok()?.checked_sub(FIRST)?).ok()
}

/// Whether there is a stream of that ARN, for whoever wants to poll it.
pub(crate) fn is_there(account: &Account, arn: &str) -> bool {
    account.state::<State>().streams.contains_key(arn)
}

/// What whoever polls a shard reads: the records from a place on, and what rings when there are more.
pub(crate) fn poll<T>(
    account: &Account,
    arn: &str,
    read: impl FnOnce(&Shard) -> T,
) -> Option<(T, Arc<Notify>)> {
    let state = account.state::<State>();
    let stream = state.streams.get(arn)?;
    Some((read(&stream.shard), stream.shard.bell()))
}

/// The one shard of each stream.
pub(crate) fn shard_id() -> &'static str {
    SHARD
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    table_name: Option<String>,
    limit: Option<usize>,
    exclusive_start_stream_arn: Option<String>,
}

fn list(context: Context<'_>, input: &List) -> Value {
    let state = context.account.state::<State>();
    let mut found = state.streams.iter().filter(|(arn, stream)| {
        input.table_name.as_ref().is_none_or(|table| stream.table == *table)
            && input.exclusive_start_stream_arn.as_ref().is_none_or(|after| *arn > after)
    });
    let page: Vec<(&String, &Stream)> = found.by_ref().take(input.limit.unwrap_or(100)).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|(arn, stream)| {
            json!({"StreamArn": arn, "TableName": stream.table, "StreamLabel": label(arn)})
        })
        .collect();
    let mut output = json!({"Streams": shown});
    if let (Some((last, _)), true) = (page.last(), found.next().is_some()) {
        output["LastEvaluatedStreamArn"] = json!(last);
    }
    output
}

fn label(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

fn no_stream(arn: &str) -> AwsError {
    let error = not_found();
    AwsError { message: format!("Requested resource not found: Stream: {arn} not found"), ..error }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    stream_arn: String,
}

fn describe(context: Context<'_>, input: &Describe) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    let arn = &input.stream_arn;
    let stream = state.streams.get(arn).ok_or_else(|| no_stream(arn))?;
    let mut range = json!({"StartingSequenceNumber": sequence(0)});
    if !stream.is_open {
        range["EndingSequenceNumber"] = json!(sequence(stream.shard.end()));
    }
    let created = stream.created.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(json!({"StreamDescription": {
        "StreamArn": arn,
        "StreamLabel": label(arn),
        "StreamStatus": if stream.is_open { "ENABLED" } else { "DISABLED" },
        "StreamViewType": stream.view,
        "CreationRequestDateTime": created.as_secs(),
        "TableName": stream.table,
        "KeySchema": stream.keys,
        "Shards": [{"ShardId": SHARD, "SequenceNumberRange": range}],
    }}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IteratorOf {
    stream_arn: String,
    shard_id: String,
    shard_iterator_type: String,
    sequence_number: Option<String>,
}

fn iterator(context: Context<'_>, input: &IteratorOf) -> Result<Value, AwsError> {
    let state = context.account.state::<State>();
    let arn = &input.stream_arn;
    let stream = state.streams.get(arn).ok_or_else(|| no_stream(arn))?;
    if input.shard_id != SHARD {
        let message =
            format!("Requested resource not found: Shard does not exist: {}", input.shard_id);
        return Err(AwsError { message, ..not_found() });
    }
    let given = || {
        let number = input.sequence_number.as_deref().and_then(place_of);
        number.ok_or_else(|| validation("Invalid SequenceNumber"))
    };
    let place = match input.shard_iterator_type.as_str() {
        "TRIM_HORIZON" => stream.shard.start(),
        "LATEST" => stream.shard.end(),
        "AT_SEQUENCE_NUMBER" => given()?,
        _ => given()? + 1,
    };
    Ok(json!({"ShardIterator": written(arn, place, context.now())}))
}

fn written(arn: &str, place: u64, now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{arn}|1|{}", STANDARD.encode(format!("{place}|{since}")))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Records {
    shard_iterator: String,
    limit: Option<usize>,
}

fn records(context: Context<'_>, input: &Records) -> Result<Value, AwsError> {
    let invalid = || validation("Invalid ShardIterator");
    let mut parts = input.shard_iterator.split('|');
    let arn = parts.next().unwrap_or_default();
    let plain = parts.nth(1).and_then(|text| STANDARD.decode(text).ok()).ok_or_else(invalid)?;
    let plain = String::from_utf8(plain).map_err(|_| invalid())?;
    let (place, since) = plain.split_once('|').ok_or_else(invalid)?;
    let place: u64 = place.parse().map_err(|_| invalid())?;
    let issued = UNIX_EPOCH + Duration::from_secs(since.parse().map_err(|_| invalid())?);
    if context.now().duration_since(issued).unwrap_or_default() > ITERATOR {
        return Err(AwsError::bad_request(
            "ExpiredIteratorException",
            "Iterator expired. The iterator was created more than 15 minutes ago.",
        ));
    }
    let state = context.account.state::<State>();
    let stream = state.streams.get(arn).ok_or_else(|| no_stream(arn))?;
    if place < stream.shard.start() && stream.shard.start() < stream.shard.end() {
        return Err(AwsError::bad_request(
            "TrimmedDataAccessException",
            "The record is beyond the trim horizon.",
        ));
    }
    let found: Vec<Record> = stream.shard.read(place, input.limit.unwrap_or(1000).clamp(1, 1000));
    let next = found.last().map_or(place, |record| record.place + 1);
    let is_over = !stream.is_open && next >= stream.shard.end();
    let shown: Vec<Value> = found.into_iter().map(|record| record.data).collect();
    let mut output = json!({"Records": shown});
    if !is_over {
        output["NextShardIterator"] = json!(written(arn, next, context.now()));
    }
    Ok(output)
}
