//! Batches from streams: shard by shard, in order, again and again until a batch is through.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::destinations;
use super::super::invoke::Invocation;
use super::super::{Lambda, State as Functions};
use super::mapping::{Configuration, SourceKind, Start};
use super::poller::note;
use super::response::failures;
use crate::account::Account;
use crate::ids::uuid;
use crate::protocol::timestamp::iso8601_zulu;
use crate::stream_log::{Record, Shard};
use crate::{dynamodb, kinesis};

/// What AWS waits before a batch that has failed is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// How far each shard has been read; it outlives that a mapping is changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions(Arc<Mutex<BTreeMap<usize, u64>>>);

impl Positions {
    fn get(&self, shard: usize) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&shard).copied()
    }

    fn set(&self, shard: usize, place: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shard, place);
    }
}

/// Polls until it is dropped, or until there is nothing more to poll.
pub(super) async fn poll(
    account: &Account,
    id: &str,
    configuration: &Arc<Configuration>,
    positions: &mut Positions,
) {
    let count = match configuration.kind {
        SourceKind::Kinesis => kinesis::shard_count(account, &configuration.source_arn),
        _ => 1,
    };
    // They end with this set.
    let mut shards = JoinSet::new();
    for shard in 0..count {
        let reader = Reader {
            account: account.clone(),
            id: id.to_owned(),
            configuration: Arc::clone(configuration),
            shard,
        };
        let positions = positions.clone();
        shards.spawn(async move { reader.run(&positions).await });
    }
    while shards.join_next().await.is_some() {}
    note(account, id, "PROBLEM: The stream is gone");
    std::future::pending::<()>().await;
}

/// Where a mapping begins to read a shard.
pub(super) fn begin(account: &Account, configuration: &Configuration, positions: &Positions) {
    let count = match configuration.kind {
        SourceKind::Kinesis => kinesis::shard_count(account, &configuration.source_arn),
        _ => 1,
    };
    for shard in 0..count {
        let start = |shard: &Shard| match configuration.start {
            Start::Oldest => shard.start(),
            Start::Latest => shard.end(),
            Start::At(time) => shard.since(time),
        };
        if let Some((place, _)) = look(account, configuration, shard, start) {
            positions.set(shard, place);
        }
    }
}

fn look<T>(
    account: &Account,
    configuration: &Configuration,
    shard: usize,
    read: impl FnOnce(&Shard) -> T,
) -> Option<(T, Arc<tokio::sync::Notify>)> {
    match configuration.kind {
        SourceKind::Kinesis => kinesis::poll(account, &configuration.source_arn, shard, read),
        _ => dynamodb::streams::poll(account, &configuration.source_arn, read),
    }
}

/// Reads one shard for a mapping.
struct Reader {
    account: Account,
    id: String,
    configuration: Arc<Configuration>,
    shard: usize,
}

/// Records that go to the function together, and how often they have been there.
struct Batch {
    records: Vec<Record>,
    tries: u32,
}

impl Reader {
    async fn run(&self, positions: &Positions) {
        let mut place = positions.get(self.shard).unwrap_or_default();
        while let Some(records) = self.gather(place).await {
            let Some(last) = records.last() else { continue };
            let next = last.place + 1;
            let wanted: Vec<Record> = records
                .into_iter()
                .filter(|record| self.configuration.wants(&self.filterable(record)))
                .collect();
            if !wanted.is_empty() {
                self.process(wanted).await;
            }
            place = next;
            positions.set(self.shard, place);
        }
    }

    /// Waits for a batch: what there is, or what comes until it is full or its time is over. Nothing where the shard is gone.
    async fn gather(&self, place: u64) -> Option<Vec<Record>> {
        let size = self.configuration.batch_size;
        let mut end: Option<SystemTime> = None;
        loop {
            let ((), bell) = look(&self.account, &self.configuration, self.shard, |_| ())?;
            let ring = bell.notified();
            tokio::pin!(ring);
            // From here on it is heard, also while nobody waits yet.
            ring.as_mut().enable();
            let (records, _) = look(&self.account, &self.configuration, self.shard, |shard| {
                shard.read(place, size)
            })?;
            let now = self.account.now();
            let until = *end.get_or_insert(now + self.configuration.window);
            if records.is_empty() {
                end = None;
                ring.await;
                continue;
            }
            if records.len() >= size || now >= until {
                return Some(records);
            }
            let left = until.duration_since(now).unwrap_or_default();
            tokio::select! {
                () = ring => {}
                () = self.account.clock().sleep(left) => {}
            }
        }
    }

    /// Brings a batch to its end: through the function, or given up.
    async fn process(&self, records: Vec<Record>) {
        let mut left = VecDeque::from([Batch { records, tries: 0 }]);
        let mut pause = FIRST_PAUSE;
        while let Some(batch) = left.pop_front() {
            let Some(batch) = self.without_old(batch).await else { continue };
            let outcome = self.invoke(&batch.records).await;
            let rest = match &outcome {
                Ok(invocation) => self.unprocessed(&batch.records, invocation),
                Err(_) => Some(0),
            };
            let Some(from) = rest else {
                note(&self.account, &self.id, "OK");
                pause = FIRST_PAUSE;
                continue;
            };
            note(&self.account, &self.id, "PROBLEM: Function call failed");
            let mut records = batch.records;
            let records = records.split_off(from.min(records.len()));
            // Where some of it is through, what is left is a batch of its own.
            let tries = if from > 0 { 0 } else { batch.tries };
            if self.configuration.bisects && records.len() > 1 {
                let mut first = records;
                let second = first.split_off(first.len() / 2);
                left.push_front(Batch { records: second, tries });
                left.push_front(Batch { records: first, tries });
            } else if self.configuration.most_retries.is_some_and(|most| tries >= most) {
                self.give_up(&records, "RetryAttemptsExhausted", tries + 1, outcome.ok()).await;
                continue;
            } else {
                left.push_front(Batch { records, tries: tries + 1 });
            }
            self.account.pause(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// A batch without the records that are too old for another try.
    async fn without_old(&self, batch: Batch) -> Option<Batch> {
        let Some(most) = self.configuration.most_age else { return Some(batch) };
        let now = self.account.now();
        let is_old = |record: &Record| now.duration_since(record.at).unwrap_or_default() > most;
        let (old, records): (Vec<Record>, Vec<Record>) =
            batch.records.into_iter().partition(is_old);
        if !old.is_empty() {
            self.give_up(&old, "RecordAgeExceeded", batch.tries, None).await;
        }
        (!records.is_empty()).then_some(Batch { records, tries: batch.tries })
    }

    async fn invoke(&self, records: &[Record]) -> Result<Invocation, crate::protocol::AwsError> {
        let role = self.role();
        let records: Vec<Value> =
            records.iter().map(|record| self.as_event(record, &role)).collect();
        let payload = Bytes::from(json!({"Records": records}).to_string());
        Lambda::of(&self.account).invoke_with(&self.configuration.function, uuid(), payload).await
    }

    fn role(&self) -> String {
        let lambda = Lambda::of(&self.account);
        let target = &self.configuration.function;
        let functions = self.account.state::<Functions>();
        let found = functions.find(target, &target.arn(lambda.place()));
        found.map(|(_, version)| version.configuration.role.clone()).unwrap_or_default()
    }

    /// Where the part of a batch begins that is not through; nothing where all of it is.
    fn unprocessed(&self, records: &[Record], invocation: &Invocation) -> Option<usize> {
        if invocation.function_error.is_some() {
            return Some(0);
        }
        if !self.configuration.reports_failures {
            return None;
        }
        let ids: Vec<String> = records.iter().map(|record| self.sequence(record)).collect();
        let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        match failures(&invocation.payload, &known) {
            Some(failed) => ids.iter().position(|id| failed.contains(id)),
            None => Some(0),
        }
    }

    fn sequence(&self, record: &Record) -> String {
        match self.configuration.kind {
            SourceKind::Kinesis => kinesis::sequence(self.shard, record.place),
            _ => dynamodb::streams::sequence(record.place),
        }
    }

    fn shard_id(&self) -> String {
        match self.configuration.kind {
            SourceKind::Kinesis => kinesis::shard_id(self.shard),
            _ => dynamodb::streams::shard_id().to_owned(),
        }
    }

    /// A record as functions get it.
    fn as_event(&self, record: &Record, role: &str) -> Value {
        let source = &self.configuration.source_arn;
        if self.configuration.kind != SourceKind::Kinesis {
            let mut event = record.data.clone();
            event["eventSourceARN"] = json!(source);
            return event;
        }
        let sequence = self.sequence(record);
        let since = record.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Readers of events take what stands behind the point for milliseconds.
        let arrival = format!("{}.{:03}", since.as_secs(), since.subsec_millis());
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.data["partitionKey"],
                "sequenceNumber": sequence,
                "data": record.data["data"],
                "approximateArrivalTimestamp": arrival.parse::<f64>().unwrap_or_default(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("{}:{sequence}", self.shard_id()),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role,
            "awsRegion": self.account.region,
            "eventSourceARN": source,
        })
    }

    /// What filters look at: data that is JSON counts as what it says.
    fn filterable(&self, record: &Record) -> Value {
        let event = self.as_event(record, "");
        if self.configuration.kind != SourceKind::Kinesis {
            return event;
        }
        let mut shown = event["kinesis"].clone();
        let bytes = record.data["data"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.unwrap_or_default();
        shown["data"] = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        shown
    }

    /// Lets records go, and says so where the mapping has a destination for that.
    async fn give_up(
        &self,
        records: &[Record],
        condition: &str,
        tries: u32,
        invocation: Option<Invocation>,
    ) {
        let (Some(target), Some(first), Some(last)) =
            (&self.configuration.on_failure, records.first(), records.last())
        else {
            return;
        };
        let lambda = Lambda::of(&self.account);
        let member = match self.configuration.kind {
            SourceKind::Kinesis => "KinesisBatchInfo",
            _ => "DDBStreamBatchInfo",
        };
        let mut said = json!({
            "version": "1.0",
            "timestamp": iso8601_zulu(self.account.now()),
            "requestContext": {
                "requestId": uuid(),
                "functionArn": self.configuration.function.arn(lambda.place()),
                "condition": condition,
                "approximateInvokeCount": tries,
            },
            member: {
                "shardId": self.shard_id(),
                "startSequenceNumber": self.sequence(first),
                "endSequenceNumber": self.sequence(last),
                "approximateArrivalOfFirstRecord": iso8601_zulu(first.at),
                "approximateArrivalOfLastRecord": iso8601_zulu(last.at),
                "batchSize": records.len(),
                "streamArn": self.configuration.source_arn,
            },
        });
        if let Some(invocation) = invocation {
            said["responseContext"] = destinations::response_context(&invocation);
        }
        let outcome = destinations::send(&lambda, &self.role(), target, &said, Vec::new()).await;
        if let Err(error) = outcome {
            note(&self.account, &self.id, &format!("PROBLEM: {}", error.message));
        }
    }
}
