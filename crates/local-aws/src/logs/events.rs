//! Log events: written, and read stream by stream.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::{INVALID_PARAMETER, invalid_parameter, invalid_token, not_found};
use super::{Context, State, names};
use crate::account::feed::ChangeEvent;
use crate::protocol::timestamp::epoch_millis;
use crate::protocol::{AwsError, Constraints};

/// How long an event that was written cannot be read yet.
const VISIBILITY_DELAY: Duration = Duration::from_secs(2);

const HOUR: i64 = 60 * 60 * 1000;
const BATCH_EVENTS: usize = 10_000;
const BATCH_BYTES: usize = 1_048_576;
/// What AWS counts for an event beside its text.
const EVENT_OVERHEAD: usize = 26;
const PAGE_EVENTS: i64 = 10_000;
pub(super) const PAGE_BYTES: usize = 1_048_576;

/// A place in the order of all events: by time, then as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) timestamp: i64,
    sequence: u64,
}

impl Key {
    pub(super) const MIN: Self = Self::first_at(0);

    pub(super) const fn first_at(timestamp: i64) -> Self {
        Self { timestamp, sequence: 0 }
    }

    /// The place right behind this one.
    pub(super) fn next(self) -> Self {
        Self { sequence: self.sequence.saturating_add(1), ..self }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.len() != 56 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (timestamp, sequence) = text.split_at_checked(20)?;
        Some(Self { timestamp: timestamp.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

/// Fifty-six digits, as AWS's event identifiers have them.
impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:020}{:036}", self.timestamp, self.sequence)
    }
}

/// Where to go on reading, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// At that place, towards later events.
    Forward(Key),
    /// Before that place, towards earlier events.
    Backward(Key),
}

impl Token {
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        let key = |text: &str| text.strip_suffix("/s").and_then(Key::parse);
        let forward = text.strip_prefix("f/").and_then(key).map(Self::Forward);
        let backward = || text.strip_prefix("b/").and_then(key).map(Self::Backward);
        forward.or_else(backward).ok_or_else(invalid_token)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward(key) => write!(formatter, "f/{key}/s"),
            Self::Backward(key) => write!(formatter, "b/{key}/s"),
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) message: String,
    written: SystemTime,
}

impl Event {
    pub(super) fn size(&self) -> usize {
        self.message.len() + EVENT_OVERHEAD
    }

    pub(super) fn ingested(&self) -> i64 {
        epoch_millis(self.written)
    }

    pub(super) fn is_visible(&self, context: &Context) -> bool {
        let age = context.now.duration_since(self.written).unwrap_or_default();
        age >= context.latency.scale(VISIBILITY_DELAY)
    }
}

/// What `PutLogEvents` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PutLogEvents {
    /// The group.
    pub log_group_name: Option<String>,
    /// The stream.
    pub log_stream_name: Option<String>,
    /// In the order of their times.
    pub log_events: Option<Vec<InputLogEvent>>,
}

/// An event to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct InputLogEvent {
    /// In milliseconds.
    pub timestamp: Option<i64>,
    /// The text.
    pub message: Option<String>,
}

/// What `PutLogEvents` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PutLogEventsOutput {
    /// Not needed since 2023, and still there.
    pub next_sequence_token: String,
    /// Which events were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_log_events_info: Option<RejectedLogEvents>,
}

/// Which events of a batch were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedLogEvents {
    /// From here on, they lie too far in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_new_log_event_start_index: Option<usize>,
    /// Up to here, not included, they are older than two weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_old_log_event_end_index: Option<usize>,
    /// Up to here, not included, the group would not have kept them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_log_event_end_index: Option<usize>,
}

/// What `GetLogEvents` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetLogEvents {
    /// The group, by its name.
    pub log_group_name: Option<String>,
    /// The group, by its name or ARN.
    pub log_group_identifier: Option<String>,
    /// The stream.
    pub log_stream_name: Option<String>,
    /// From then on.
    pub start_time: Option<i64>,
    /// Until before then.
    pub end_time: Option<i64>,
    /// Where to go on; its direction counts.
    pub next_token: Option<String>,
    /// At most that many.
    pub limit: Option<i64>,
    /// The earliest first; otherwise the latest page first.
    pub start_from_head: Option<bool>,
}

/// What `GetLogEvents` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEvents {
    /// In the order of their times, whatever the direction.
    pub events: Vec<OutputLogEvent>,
    /// Never missing; the one that was sent, at the end.
    pub next_forward_token: String,
    /// Never missing; the one that was sent, at the beginning.
    pub next_backward_token: String,
}

/// An event that was read; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputLogEvent {
    /// When it happened.
    pub timestamp: i64,
    /// The text.
    pub message: String,
    /// When it was written.
    pub ingestion_time: i64,
}

impl State {
    /// `PutLogEvents`
    pub fn put_log_events(
        &mut self,
        input: &PutLogEvents,
        context: &Context,
    ) -> Result<PutLogEventsOutput, AwsError> {
        let group_name = names::group_name(input.log_group_name.as_ref())?;
        let stream_name = names::stream_name(input.log_stream_name.as_ref())?;
        let batch = check_batch(names::required("logEvents", input.log_events.as_ref())?)?;
        let group = self.group(group_name)?;
        if !group.streams.contains_key(stream_name) {
            return Err(not_found("log stream"));
        }
        let rejected = rejections(&batch, group.expiry(context), epoch_millis(context.now));
        let from = rejected
            .too_old_log_event_end_index
            .max(rejected.expired_log_event_end_index)
            .unwrap_or_default();
        let until = rejected.too_new_log_event_start_index.unwrap_or(batch.len());
        let accepted = batch.get(from..until).unwrap_or_default();
        let last = self.write(group_name, stream_name, accepted.iter().copied(), context.now);
        Ok(PutLogEventsOutput {
            next_sequence_token: last.next().to_string(),
            rejected_log_events_info: (accepted.len() < batch.len()).then_some(rejected),
        })
    }

    /// Writes events into a stream that is there; returns the place of the last.
    pub(super) fn write(
        &mut self,
        group: &str,
        stream: &str,
        events: impl IntoIterator<Item = (i64, impl Into<String>)>,
        now: SystemTime,
    ) -> Key {
        let mut last = Key::first_at(epoch_millis(now));
        let found = self.groups.get_mut(group).and_then(|group| group.streams.get_mut(stream));
        let Some(place) = found else { return last };
        let mut lines = Vec::new();
        for (timestamp, message) in events {
            self.written = self.written.saturating_add(1);
            last = Key { timestamp: timestamp.max(0), sequence: self.written };
            let message: String = message.into();
            lines.push((last.timestamp, message.clone()));
            place.events.insert(last, Event { message, written: now });
        }
        let (group, stream) = (group.to_owned(), stream.to_owned());
        self.outbox.push(ChangeEvent::LogWritten { group, stream, lines });
        last
    }

    /// `GetLogEvents`
    pub fn get_log_events(
        &self,
        input: &GetLogEvents,
        context: &Context,
    ) -> Result<LogEvents, AwsError> {
        let identifier = input.log_group_identifier.as_ref();
        let group_name = names::group_of(input.log_group_name.as_ref(), identifier, context)?;
        let stream_name = names::stream_name(input.log_stream_name.as_ref())?;
        let limit = page_limit(input.limit)?;
        check_times(input.start_time, input.end_time)?;
        let group = self.group(group_name)?;
        let stream = group.streams.get(stream_name).ok_or_else(|| not_found("log stream"))?;
        let start = Key::first_at(input.start_time.unwrap_or_default());
        let end = Key::first_at(input.end_time.unwrap_or(i64::MAX));
        let readable = || {
            stream
                .readable(group.expiry(context), context)
                .filter(move |(key, _)| (start..end).contains(key))
        };
        let after_last = || readable().next_back().map_or(start, |(key, _)| key.next());
        let token = match input.next_token.as_deref() {
            Some(token) => Token::parse(token)?,
            None if input.start_from_head == Some(true) => Token::Forward(start),
            None => Token::Backward(after_last()),
        };
        let (place, page) = match token {
            Token::Forward(from) => (from, page(readable().filter(|(key, _)| *key >= from), limit)),
            Token::Backward(until) => {
                let earlier = readable().rev().filter(|(key, _)| *key < until);
                let mut latest_first = page(earlier, limit);
                latest_first.reverse();
                (until, latest_first)
            }
        };
        let forward = page.last().map_or(place, |(key, _)| key.next());
        let backward = page.first().map_or(place, |(key, _)| *key);
        Ok(LogEvents {
            events: page.into_iter().map(output).collect(),
            next_forward_token: Token::Forward(forward).to_string(),
            next_backward_token: Token::Backward(backward).to_string(),
        })
    }
}

/// As many events as fit on a page, and at least one where there is one.
fn page<'e>(events: impl Iterator<Item = (Key, &'e Event)>, limit: usize) -> Vec<(Key, &'e Event)> {
    let mut bytes = 0;
    events
        .take(limit)
        .take_while(|(_, event)| {
            let is_first = bytes == 0;
            bytes += event.size();
            is_first || bytes <= PAGE_BYTES
        })
        .collect()
}

fn output((key, event): (Key, &Event)) -> OutputLogEvent {
    OutputLogEvent {
        timestamp: key.timestamp,
        message: event.message.clone(),
        ingestion_time: event.ingested(),
    }
}

pub(super) fn page_limit(limit: Option<i64>) -> Result<usize, AwsError> {
    let limit = limit.unwrap_or(PAGE_EVENTS);
    Constraints::new().range("limit", limit, 1, PAGE_EVENTS).check(INVALID_PARAMETER)?;
    Ok(usize::try_from(limit).unwrap_or_default())
}

pub(super) fn check_times(start: Option<i64>, end: Option<i64>) -> Result<(), AwsError> {
    Constraints::new()
        .range("startTime", start.unwrap_or_default(), 0, i64::MAX)
        .range("endTime", end.unwrap_or_default(), 0, i64::MAX)
        .check(INVALID_PARAMETER)
}

/// The batch as times and texts, if AWS would take it.
fn check_batch(events: &[InputLogEvent]) -> Result<Vec<(i64, &str)>, AwsError> {
    let mut constraints =
        Constraints::new().count("logEvents", "[...]", events.len(), 1, BATCH_EVENTS);
    let mut batch = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let member = |name: &str| format!("logEvents.{}.member.{name}", index + 1);
        let message = event.message.as_deref();
        constraints = constraints
            .present(&member("timestamp"), event.timestamp.is_some())
            .range(&member("timestamp"), event.timestamp.unwrap_or_default(), 0, i64::MAX)
            .present(&member("message"), message.is_some());
        if let Some(message) = message {
            constraints = constraints.length(&member("message"), message, 1, usize::MAX);
        }
        batch.push((event.timestamp.unwrap_or_default(), message.unwrap_or_default()));
    }
    constraints.check(INVALID_PARAMETER)?;
    let size: usize = batch.iter().map(|(_, message)| message.len() + EVENT_OVERHEAD).sum();
    if size > BATCH_BYTES {
        return Err(invalid_parameter(format!(
            "Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}"
        )));
    }
    if !batch.is_sorted_by_key(|(timestamp, _)| *timestamp) {
        return Err(invalid_parameter(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    let span = batch.last().zip(batch.first()).map_or(0, |(last, first)| last.0 - first.0);
    if span > 24 * HOUR {
        return Err(invalid_parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(batch)
}

fn rejections(batch: &[(i64, &str)], expiry: i64, now: i64) -> RejectedLogEvents {
    let before = |limit: i64| batch.partition_point(|(timestamp, _)| *timestamp < limit);
    let too_new = batch.partition_point(|(timestamp, _)| *timestamp <= now + 2 * HOUR);
    let too_old = before(now - 14 * 24 * HOUR);
    let expired = before(expiry);
    RejectedLogEvents {
        too_new_log_event_start_index: Some(too_new).filter(|index| *index < batch.len()),
        too_old_log_event_end_index: Some(too_old).filter(|index| *index > 0),
        expired_log_event_end_index: Some(expired).filter(|index| *index > 0),
    }
}
