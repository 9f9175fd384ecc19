//! Log streams.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{INVALID_PARAMETER, already_exists, invalid_parameter, not_found};
use super::events::{Event, Key};
use super::{Context, State, names, paging};
use crate::protocol::timestamp::epoch_millis;
use crate::protocol::{AwsError, Constraints};

/// A log stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    created: i64,
    pub(super) events: BTreeMap<Key, Event>,
}

/// A request that names a stream and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StreamRequest {
    /// Its group.
    pub log_group_name: Option<String>,
    /// The stream.
    pub log_stream_name: Option<String>,
}

/// What `DescribeLogStreams` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DescribeLogStreams {
    /// The group, by its name.
    pub log_group_name: Option<String>,
    /// The group, by its name or ARN.
    pub log_group_identifier: Option<String>,
    /// How the names begin.
    pub log_stream_name_prefix: Option<String>,
    /// `LogStreamName` or `LastEventTime`.
    pub order_by: Option<String>,
    /// The other way round.
    pub descending: Option<bool>,
    /// At most that many.
    pub limit: Option<i64>,
    /// Where the page before ended.
    pub next_token: Option<String>,
}

/// What `DescribeLogStreams` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStreams {
    /// In the order that was asked for.
    pub log_streams: Vec<LogStream>,
    /// Set where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A log stream as it is described; times in milliseconds, of events that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStream {
    /// Its name.
    pub log_stream_name: String,
    /// When it was made.
    pub creation_time: i64,
    /// The earliest event's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event_timestamp: Option<i64>,
    /// The latest event's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_timestamp: Option<i64>,
    /// When the latest event was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ingestion_time: Option<i64>,
    /// Ignored by `PutLogEvents` since 2023, and still there.
    pub upload_sequence_token: String,
    /// With the group's.
    pub arn: String,
    /// Always 0, as AWS has had it since 2019.
    pub stored_bytes: u64,
}

impl Stream {
    pub(super) fn new(created: i64) -> Self {
        Self { created, events: BTreeMap::new() }
    }

    /// The events that readers can see by now.
    pub(super) fn readable(
        &self,
        expiry: i64,
        context: &Context,
    ) -> impl DoubleEndedIterator<Item = (Key, &Event)> {
        let from = Key::first_at(expiry);
        self.events
            .range(from..)
            .filter(|(_, event)| event.is_visible(context))
            .map(|(key, event)| (*key, event))
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({"creationTime": self.created, "events": self.events.len()})
    }

    fn describe(&self, group: &str, name: &str, expiry: i64, context: &Context) -> LogStream {
        let first = self.readable(expiry, context).next().map(|(key, _)| key.timestamp);
        let last = self.readable(expiry, context).next_back().map(|(key, _)| key);
        let ingested = self.readable(expiry, context).map(|(_, event)| event.ingested()).max();
        LogStream {
            log_stream_name: name.to_owned(),
            creation_time: self.created,
            first_event_timestamp: first,
            last_event_timestamp: last.map(|key| key.timestamp),
            last_ingestion_time: ingested,
            upload_sequence_token: last.unwrap_or(Key::MIN).next().to_string(),
            arn: names::stream_arn(group, name, context),
            stored_bytes: 0,
        }
    }
}

impl State {
    /// `CreateLogStream`
    pub fn create_log_stream(
        &mut self,
        input: &StreamRequest,
        context: &Context,
    ) -> Result<(), AwsError> {
        let name = names::stream_name(input.log_stream_name.as_ref())?;
        let group = self.group_mut(names::group_name(input.log_group_name.as_ref())?)?;
        if group.streams.contains_key(name) {
            return Err(already_exists("log stream"));
        }
        group.streams.insert(name.to_owned(), Stream::new(epoch_millis(context.now)));
        Ok(())
    }

    /// `DeleteLogStream`
    pub fn delete_log_stream(&mut self, input: &StreamRequest) -> Result<(), AwsError> {
        let name = names::stream_name(input.log_stream_name.as_ref())?;
        let group = self.group_mut(names::group_name(input.log_group_name.as_ref())?)?;
        group.streams.remove(name).map(drop).ok_or_else(|| not_found("log stream"))
    }

    /// `DescribeLogStreams`
    pub fn describe_log_streams(
        &self,
        input: &DescribeLogStreams,
        context: &Context,
    ) -> Result<LogStreams, AwsError> {
        let identifier = input.log_group_identifier.as_ref();
        let group_name = names::group_of(input.log_group_name.as_ref(), identifier, context)?;
        let order = input.order_by.as_deref().unwrap_or("LogStreamName");
        Constraints::new()
            .one_of("orderBy", order, &["LogStreamName", "LastEventTime"])
            .check(INVALID_PARAMETER)?;
        let by_time = order == "LastEventTime";
        if by_time && input.log_stream_name_prefix.is_some() {
            return Err(invalid_parameter(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        let group = self.group(group_name)?;
        let expiry = group.expiry(context);
        let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
        let mut found: Vec<(String, LogStream)> = group
            .streams
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, stream)| {
                let described = stream.describe(group_name, name, expiry, context);
                (sort_key(&described, by_time), described)
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        let descending = input.descending == Some(true);
        if descending {
            found.reverse();
        }
        let is_after = |key: &str, last: &str| if descending { key < last } else { key > last };
        let token = input.next_token.as_deref();
        let (log_streams, next_token) = paging::cut(found, input.limit, token, is_after)?;
        Ok(LogStreams { log_streams, next_token })
    }
}

/// Text that sorts as asked; streams without events come before all others.
fn sort_key(stream: &LogStream, by_time: bool) -> String {
    let name = &stream.log_stream_name;
    match stream.last_event_timestamp {
        Some(timestamp) if by_time => format!("{timestamp:020}/{name}"),
        None if by_time => format!("/{name}"),
        _ => name.clone(),
    }
}
