//! Events in log groups.

use std::collections::VecDeque;

use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use engine::step::{Context, StepError};

/// One event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    /// When it was logged.
    pub(crate) timestamp: String,
    /// What was logged.
    pub(crate) message: String,
    /// The log stream.
    pub(crate) stream: String,
}

/// Which events to read.
pub(crate) struct Wanted<'a> {
    pub(crate) log_group: &'a str,
    /// From when on, in milliseconds since 1970.
    pub(crate) start: i64,
    pub(crate) filter_pattern: Option<&'a str>,
    /// How many at most: the latest ones.
    pub(crate) limit: usize,
}

/// The latest events, oldest first. AWS returns the oldest first, so all pages are read and the last events kept.
pub(crate) async fn latest(cx: &Context, wanted: &Wanted<'_>) -> Result<Vec<Event>, StepError> {
    let mut kept = VecDeque::new();
    let mut token: Option<String> = None;
    loop {
        let request = cx
            .aws
            .logs()
            .filter_log_events()
            .log_group_name(wanted.log_group)
            .start_time(wanted.start)
            .set_filter_pattern(wanted.filter_pattern.map(str::to_owned))
            .set_next_token(token.clone());
        let page = match cx
            .aws
            .call(request.send(), || Ok(FilterLogEventsOutput::builder().build()))
            .await
        {
            Ok(page) => page,
            Err(error) if error.is("ResourceNotFoundException") => break,
            Err(error) => return Err(error.into()),
        };
        for event in page.events.unwrap_or_default() {
            kept.push_back(event);
            if kept.len() > wanted.limit {
                kept.pop_front();
            }
        }
        // An empty page is not the end; no token, or the same one again, is.
        if page.next_token.is_none() || page.next_token == token {
            break;
        }
        token = page.next_token;
        if cx.interrupt.requested() {
            return Err(StepError::Interrupted);
        }
    }
    let mut kept = Vec::from(kept);
    kept.sort_by_key(|event| event.timestamp);
    Ok(kept.into_iter().map(event).collect())
}

fn event(found: FilteredLogEvent) -> Event {
    let moment =
        Timestamp::from_millisecond(found.timestamp.unwrap_or_default()).unwrap_or_default();
    Event {
        timestamp: format!("{moment:.3}"),
        message: found.message.unwrap_or_default().trim_end().to_owned(),
        stream: found.log_stream_name.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_without_its_line_end() {
        let found = FilteredLogEvent::builder()
            .timestamp(1_795_420_800_007)
            .message("adding\n")
            .log_stream_name("2026/11/23/[$LATEST]0")
            .build();
        let shown = event(found);
        assert_eq!(shown.timestamp, "2026-11-23T08:00:00.007Z");
        assert_eq!(shown.message, "adding");
        assert_eq!(
            event(FilteredLogEvent::builder().build()).timestamp,
            "1970-01-01T00:00:00.000Z"
        );
    }
}
