//! CloudWatch Logs: groups, streams, events.

mod error;
mod events;
mod filter;
mod groups;
mod names;
mod operations;
mod paging;
mod pattern;
mod streams;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

pub use events::{
    GetLogEvents, InputLogEvent, LogEvents, OutputLogEvent, PutLogEvents, PutLogEventsOutput,
    RejectedLogEvents,
};
pub use filter::{FilterLogEvents, FilteredLogEvent, FilteredLogEvents};
pub use groups::{
    CreateLogGroup, DescribeLogGroups, GroupRequest, LogGroup, LogGroupDetails, LogGroups,
};
pub use streams::{DescribeLogStreams, LogStream, LogStreams, StreamRequest};
pub use tags::{TagRequest, TagsOutput, UntagRequest};

use self::groups::Group;
use self::streams::Stream;
use super::http::{BoxFuture, Request, Response};
use super::protocol::timestamp::epoch_millis;
use super::protocol::{Protocol, json};
use super::server;
use super::world::{Pace, World};

/// Log groups, streams and events.
#[derive(Debug, Default)]
pub struct State {
    groups: BTreeMap<String, Group>,
    /// How many events were ever written: the order of those of the same time.
    written: u64,
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Twelve digits.
    pub account_id: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// When it is called.
    pub now: SystemTime,
    /// How soon events can be read.
    pub pace: Pace,
}

impl State {
    /// Makes a stream, and its group, where they are missing, as Lambda does.
    pub fn ensure_stream(&mut self, group: &str, stream: &str, now: SystemTime) {
        let now = epoch_millis(now);
        let group = self.groups.entry(group.to_owned()).or_insert_with(|| Group::new(now));
        group.streams.entry(stream.to_owned()).or_insert_with(|| Stream::new(now));
    }

    /// Writes events, as Lambda does: where the stream or its group is missing, it is made.
    pub fn append(
        &mut self,
        group: &str,
        stream: &str,
        events: impl IntoIterator<Item = (SystemTime, String)>,
        now: SystemTime,
    ) {
        self.ensure_stream(group, stream, now);
        let events = events.into_iter().map(|(time, message)| (epoch_millis(time), message));
        self.write(group, stream, events, now);
    }

    /// Every group and stream, and how many events there are.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.groups.iter().map(|(name, group)| (name.clone(), group.snapshot())).collect()
    }
}

/// Logs, as the listener sees it.
#[derive(Debug)]
pub struct Service {
    world: Arc<World>,
}

impl Service {
    /// Logs of that account.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    fn answer(&self, request: &Request) -> Response {
        let context = Context {
            account_id: self.world.account_id.clone(),
            region: self.world.region.clone(),
            now: self.world.now(),
            pace: self.world.pace,
        };
        let result = json::operation(request).and_then(|operation| {
            operations::call(&mut self.world.state().logs, operation, &request.body, &context)
        });
        match result {
            Ok(Some(output)) => json::reply(json::Version::V1_1, &output),
            Ok(None) => json::reply_empty(json::Version::V1_1),
            Err(error) => json::error(json::Version::V1_1, &error),
        }
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json11
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}
