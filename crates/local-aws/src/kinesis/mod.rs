//! Kinesis: streams of records in shards.
//!
//! | module | what it is |
//! |---|---|
//! | `manage` | streams themselves |
//! | `records` | what is put in and read |
//! | `resource_types` | what stacks can have of it |

mod manage;
mod records;
mod resource_types;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::protocol::AwsError;
use crate::server::Comparison;
use crate::server::Tagged;
use crate::server::modelled::{Context, Model, Modelled, Operation, typed, validation_exception};
use crate::stream_log::Shard;

pub(crate) use records::{sequence, shard_id};

/// What streams are called among the types of resources.
const STREAM: &str = "AWS::Kinesis::Stream";

/// Streams by name.
#[derive(Debug, Default)]
pub struct State {
    streams: BTreeMap<String, Stream>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "kinesis";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// A stream.
#[derive(Debug)]
struct Stream {
    arn: String,
    created: SystemTime,
    active_at: SystemTime,
    deleted_at: Option<SystemTime>,
    on_demand: bool,
    retention: Duration,
    tags: BTreeMap<String, String>,
    shards: Vec<Shard>,
}

impl Stream {
    fn status(&self, now: SystemTime) -> &'static str {
        if self.deleted_at.is_some() {
            "DELETING"
        } else if now < self.active_at {
            "CREATING"
        } else {
            "ACTIVE"
        }
    }
}

impl State {
    fn forget_deleted(&mut self, now: SystemTime) {
        let gone = |stream: &Stream| stream.deleted_at.is_some_and(|at| at <= now);
        let names: Vec<String> = self
            .streams
            .iter()
            .filter(|(_, stream)| gone(stream))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            if let Some(stream) = self.streams.remove(&name) {
                stream.shards.iter().for_each(Shard::close);
            }
        }
    }
}

/// A stream as a request names it: by name, or by ARN.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

impl Named {
    fn name(&self) -> Result<&str, AwsError> {
        let of_arn = self.stream_arn.as_deref().and_then(|arn| arn.rsplit('/').next());
        self.stream_name.as_deref().or(of_arn).ok_or_else(|| {
            AwsError::modelled(
                "InvalidArgumentException",
                "Either StreamName or StreamARN has to be given.",
            )
        })
    }

    /// The stream, whatever its state.
    fn of<'s>(
        &self,
        state: &'s mut State,
        context: Context<'_>,
    ) -> Result<&'s mut Stream, AwsError> {
        let name = self.name()?;
        state.forget_deleted(context.now());
        state.streams.get_mut(name).ok_or_else(|| no_stream(name, context))
    }

    /// The stream, where it can be written and read.
    fn active<'s>(
        &self,
        state: &'s mut State,
        context: Context<'_>,
    ) -> Result<&'s mut Stream, AwsError> {
        let (name, now) = (self.name()?.to_owned(), context.now());
        let stream = self.of(state, context)?;
        match stream.status(now) {
            "CREATING" => Err(no_stream(&name, context)),
            _ => Ok(stream),
        }
    }
}

fn no_stream(name: &str, context: Context<'_>) -> AwsError {
    let id = &context.account.id;
    AwsError::modelled(
        "ResourceNotFoundException",
        format!("Stream {name} under account {id} not found."),
    )
}

/// Whether there is a stream of that ARN, for whoever wants to poll it.
pub(crate) fn is_there(account: &Account, arn: &str) -> bool {
    account.state::<State>().streams.values().any(|stream| stream.arn == arn)
}

/// How many shards a stream has.
pub(crate) fn shard_count(account: &Account, arn: &str) -> usize {
    let state = account.state::<State>();
    state.streams.values().find(|stream| stream.arn == arn).map_or(0, |stream| stream.shards.len())
}

/// What whoever polls a shard reads, and what rings when there is more.
pub(crate) fn poll<T>(
    account: &Account,
    arn: &str,
    shard: usize,
    read: impl FnOnce(&Shard) -> T,
) -> Option<(T, Arc<Notify>)> {
    let state = account.state::<State>();
    let stream = state.streams.values().find(|stream| stream.arn == arn)?;
    let shard = stream.shards.get(shard)?;
    Some((read(shard), shard.bell()))
}

const OPERATIONS: &[Operation] = &[
    Operation::now("AddTagsToStream", |context, input| manage::tag(context, typed(input)?)),
    Operation::now("CreateStream", |context, input| manage::create(context, &typed(input)?)),
    Operation::now("DecreaseStreamRetentionPeriod", |context, input| {
        manage::set_retention(context, &typed(input)?)
    }),
    Operation::now("DeleteStream", |context, input| manage::delete(context, &typed(input)?)),
    Operation::now("DescribeLimits", |context, _| Ok(manage::limits(context))),
    Operation::now("DescribeStream", |context, input| manage::describe(context, &typed(input)?)),
    Operation::now("DescribeStreamSummary", |context, input| {
        manage::summary(context, &typed(input)?)
    }),
    Operation::now("GetRecords", |context, input| records::get(context, &typed(input)?)),
    Operation::now("GetShardIterator", |context, input| records::iterator(context, &typed(input)?)),
    Operation::now("IncreaseStreamRetentionPeriod", |context, input| {
        manage::set_retention(context, &typed(input)?)
    }),
    Operation::now("ListShards", |context, input| manage::list_shards(context, &typed(input)?)),
    Operation::now("ListStreams", |context, input| Ok(manage::list(context, &typed(input)?))),
    Operation::now("ListTagsForStream", |context, input| manage::tags(context, &typed(input)?)),
    Operation::now("PutRecord", |context, input| records::put(context, &typed(input)?)),
    Operation::now("PutRecords", |context, input| records::put_all(context, &typed(input)?)),
    Operation::now("RemoveTagsFromStream", |context, input| manage::untag(context, &typed(input)?)),
];

/// Kinesis, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "kinesis";
    const MODELS: &'static [Model] = &[Model {
        name: "kinesis",
        operations: OPERATIONS,
        invalid: validation_exception,
        query_codes: &[],
    }];

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let mut state = account.state::<State>();
        state.forget_deleted(account.now());
        let streams = state.streams.values();
        streams
            .map(|stream| Tagged { arn: stream.arn.clone(), tags: stream.tags.clone() })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let mut state = account.state::<State>();
        state.forget_deleted(account.now());
        let streams = state.streams.iter().map(|(name, stream)| {
            let records: Vec<u64> = stream.shards.iter().map(Shard::end).collect();
            let shown = json!({
                "shards": stream.shards.len(),
                "on_demand": stream.on_demand,
                "retention_hours": stream.retention.as_secs() / 3600,
                "tags": stream.tags,
                "records": records,
            });
            (name.clone(), shown)
        });
        Value::Object(streams.collect::<Map<_, _>>())
    }

    fn comparison(&self) -> Comparison {
        Comparison { growing: &["records"], ..Comparison::default() }
    }

    fn is_stable(&self, account: &Account) -> bool {
        let (state, now) = (account.state::<State>(), account.now());
        state.streams.values().all(|stream| match stream.deleted_at {
            Some(at) => at <= now,
            None => stream.active_at <= now,
        })
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::stream::TYPE]
    }
}
