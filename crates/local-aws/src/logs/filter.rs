//! Log events, searched for across the streams of a group.

use serde::{Deserialize, Serialize};

use super::error::{INVALID_PARAMETER, invalid_parameter, not_found};
use super::events::{Event, Key, PAGE_BYTES, Token, check_times, page_limit};
use super::groups::Group;
use super::pattern::Pattern;
use super::{Context, State, names};
use crate::protocol::{AwsError, Constraints};

/// A search gives up for this page after that many events, as AWS's does after some time: a page may be empty and not
/// be the last.
const SEARCHED_PER_PAGE: usize = 1000;

/// 2024-01-01: reading backwards from before then is not supported.
const BACKWARD_SINCE: i64 = 1_704_067_200_000;

/// What `FilterLogEvents` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilterLogEvents {
    /// The group, by its name.
    pub log_group_name: Option<String>,
    /// The group, by its name or ARN.
    pub log_group_identifier: Option<String>,
    /// These streams alone.
    pub log_stream_names: Option<Vec<String>>,
    /// Streams whose names begin so.
    pub log_stream_name_prefix: Option<String>,
    /// From then on.
    pub start_time: Option<i64>,
    /// Until then, included.
    pub end_time: Option<i64>,
    /// What the text must contain.
    pub filter_pattern: Option<String>,
    /// Where to go on; its direction counts.
    pub next_token: Option<String>,
    /// At most that many.
    pub limit: Option<i64>,
    /// The earliest first, unless this is false.
    pub start_from_head: Option<bool>,
}

/// What `FilterLogEvents` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilteredLogEvents {
    /// Of all streams, in the order of their times.
    pub events: Vec<FilteredLogEvent>,
    /// Always empty, as AWS has had it since 2020.
    pub searched_log_streams: [(); 0],
    /// Set where there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An event that was found; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilteredLogEvent {
    /// Its stream.
    pub log_stream_name: String,
    /// When it happened.
    pub timestamp: i64,
    /// The text.
    pub message: String,
    /// When it was written.
    pub ingestion_time: i64,
    /// Unique.
    pub event_id: String,
}

struct Found<'e> {
    key: Key,
    stream: &'e str,
    event: &'e Event,
}

impl State {
    /// `FilterLogEvents`
    pub fn filter_log_events(
        &self,
        input: &FilterLogEvents,
        context: &Context,
    ) -> Result<FilteredLogEvents, AwsError> {
        let identifier = input.log_group_identifier.as_ref();
        let group_name = names::group_of(input.log_group_name.as_ref(), identifier, context)?;
        let limit = page_limit(input.limit)?;
        check_times(input.start_time, input.end_time)?;
        let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
        let token = starting_point(input)?;
        let group = self.group(group_name)?;
        check_streams(input, group)?;
        let mut candidates = candidates(input, group, context);
        match token {
            Token::Forward(from) => {
                candidates.retain(|found| found.key >= from);
                candidates.sort_by_key(|found| found.key);
            }
            Token::Backward(until) => {
                candidates.retain(|found| found.key < until);
                candidates.sort_by_key(|found| std::cmp::Reverse(found.key));
            }
        }
        Ok(search(&candidates, &pattern, limit, token))
    }
}

fn starting_point(input: &FilterLogEvents) -> Result<Token, AwsError> {
    if let Some(token) = &input.next_token {
        return Token::parse(token);
    }
    if input.start_from_head != Some(false) {
        return Ok(Token::Forward(Key::MIN));
    }
    if input.start_time.unwrap_or_default() < BACKWARD_SINCE {
        return Err(invalid_parameter(
            "startFromHead can be false only where startTime is on or after 2024-01-01T00:00:00Z.",
        ));
    }
    Ok(Token::Backward(Key::first_at(i64::MAX)))
}

fn check_streams(input: &FilterLogEvents, group: &Group) -> Result<(), AwsError> {
    let Some(wanted) = &input.log_stream_names else {
        return Ok(());
    };
    if input.log_stream_name_prefix.is_some() {
        return Err(invalid_parameter(
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
        ));
    }
    Constraints::new()
        .count("logStreamNames", "[...]", wanted.len(), 1, 100)
        .check(INVALID_PARAMETER)?;
    if wanted.iter().all(|name| group.streams.contains_key(name)) {
        return Ok(());
    }
    Err(not_found("log stream"))
}

/// Every event of the streams and the time that were asked for.
fn candidates<'e>(input: &FilterLogEvents, group: &'e Group, context: &Context) -> Vec<Found<'e>> {
    let expiry = group.expiry(context);
    let times = input.start_time.unwrap_or_default()..=input.end_time.unwrap_or(i64::MAX);
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let is_wanted = |name: &String| {
        name.starts_with(prefix)
            && input.log_stream_names.as_ref().is_none_or(|names| names.contains(name))
    };
    let mut found = Vec::new();
    for (name, stream) in group.streams.iter().filter(|(name, _)| is_wanted(name)) {
        let readable = stream.readable(expiry, context);
        let in_time = readable.filter(|(key, _)| times.contains(&key.timestamp));
        found.extend(in_time.map(|(key, event)| Found { key, stream: name, event }));
    }
    found
}

fn search(
    candidates: &[Found<'_>],
    pattern: &Pattern,
    limit: usize,
    token: Token,
) -> FilteredLogEvents {
    let mut events = Vec::new();
    let (mut bytes, mut searched) = (0, 0);
    for found in candidates {
        let is_full = events.len() >= limit
            || (bytes > 0 && bytes + found.event.size() > PAGE_BYTES)
            || (searched >= SEARCHED_PER_PAGE && !pattern.is_empty());
        if is_full {
            break;
        }
        searched += 1;
        if pattern.matches(&found.event.message) {
            bytes += found.event.size();
            events.push(found.to_output());
        }
    }
    let next = candidates.get(searched).map(|next| match token {
        Token::Forward(_) => Token::Forward(next.key),
        Token::Backward(_) => Token::Backward(next.key.next()),
    });
    let next_token = next.map(|token| token.to_string());
    FilteredLogEvents { events, searched_log_streams: [], next_token }
}

impl Found<'_> {
    fn to_output(&self) -> FilteredLogEvent {
        FilteredLogEvent {
            log_stream_name: self.stream.to_owned(),
            timestamp: self.key.timestamp,
            message: self.event.message.clone(),
            ingestion_time: self.event.ingested(),
            event_id: self.key.to_string(),
        }
    }
}
