//! CloudWatch Logs: groups, streams, events.

mod error;
mod events;
mod filter;
mod groups;
mod names;
mod operations;
mod paging;
mod pattern;
mod resource_types;
mod streams;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
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
use super::account::feed::{ChangeEvent, Outbox};
use super::account::latency::LatencyProfile;
use super::account::{self, Account};
use super::cloudformation::ResourceType;
use super::http::{BoxFuture, Request, Response};
use super::protocol::json;
use super::protocol::timestamp::epoch_millis;
use super::server::{self, Comparison, Interface};

/// What log groups are called among the types of resources.
const GROUP: &str = "AWS::Logs::LogGroup";

/// Log groups, streams and events.
#[derive(Debug, Default)]
pub struct State {
    groups: BTreeMap<String, Group>,
    /// How many events were ever written: the order of those of the same time.
    written: u64,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "logs";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
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
    pub latency: LatencyProfile,
}

impl State {
    /// Makes a stream, and its group, where they are missing, as Lambda does.
    pub fn ensure_stream(&mut self, group: &str, stream: &str, now: SystemTime) {
        let now = epoch_millis(now);
        if !self.groups.contains_key(group) {
            self.outbox.created(GROUP, group);
        }
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
pub struct Service;

fn answer(account: &Account, request: &Request) -> Response {
    let context = Context {
        account_id: account.id.clone(),
        region: account.region.clone(),
        now: account.now(),
        latency: account.latency(),
    };
    let result = json::operation(request).and_then(|operation| {
        operations::call(&mut account.state::<State>(), operation, &request.body, &context)
    });
    match result {
        Ok(Some(output)) => json::reply(json::Version::V1_1, &output),
        Ok(None) => json::reply_empty(json::Version::V1_1),
        Err(error) => json::error(json::Version::V1_1, &error),
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn interface(&self) -> Interface {
        Interface::json11("Logs_20140328")
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(answer(account, request)))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::log_group::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let state = account.state::<State>();
        let groups = state.groups.iter().map(|(name, group)| server::Tagged {
            arn: format!("arn:aws:logs:{}:{}:log-group:{name}", account.region, account.id),
            tags: group.tags.clone(),
        });
        groups.collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        account.state::<State>().snapshot()
    }

    fn comparison(&self) -> Comparison {
        // What a function logs into a group that was there before it belongs to that group.
        Comparison { growing: &["streams"], ..Comparison::default() }
    }
}
