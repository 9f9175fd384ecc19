//! DynamoDB: tables and their items.
//!
//! | module | what it is |
//! |---|---|
//! | `operations` | requests → operations |
//! | `creation`, `tables`, `tags` | tables: made, described, changed, deleted |
//! | `writes`, `reads`, `batch`, `transact` | items |
//! | [`expression`] | conditions, projections, updates |
//! | [`value`], [`number`], [`keys`] | what items are made of, and how they sort |

mod batch;
mod capacity;
mod creation;
mod error;
pub mod expression;
mod index_updates;
mod key_condition;
pub mod keys;
mod legacy;
mod names;
pub mod number;
mod operations;
mod readiness;
mod reads;
mod resource_types;
pub(crate) mod streams;
mod table;
mod tables;
mod tags;
#[cfg(test)]
mod tests;
mod transact;
pub mod value;
mod writes;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value};

pub use batch::{BatchGetItem, BatchWriteItem};
pub use creation::CreateTable;
pub use reads::ReadRequest;
pub use tables::{
    ListTables, TableRequest, UpdateContinuousBackups, UpdateTable, UpdateTimeToLive,
};
pub use tags::{Tag, TagRequest};
pub use transact::{TransactGetItems, TransactWriteItems};
pub use writes::WriteRequest;

use self::table::Table;
use super::account::feed::{ChangeEvent, Outbox};
use super::account::latency::LatencyProfile;
use super::account::{self, Account};
use super::cloudformation::ResourceType;
use super::http::{BoxFuture, Request, Response};
use super::protocol::{Protocol, json};
use super::server::{self, Interface, modelled};

/// What tables are called among the types of resources.
const TABLE: &str = "AWS::DynamoDB::Table";
/// What the targets begin with of requests that are for streams of tables.
const STREAMS: &str = "DynamoDBStreams_20120810.";

/// Tables by name.
#[derive(Debug, Default)]
pub struct State {
    tables: BTreeMap<String, Table>,
    tokens: BTreeMap<String, transact::Token>,
    streams: streams::Streams,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "dynamodb";

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
    /// How fast tables come and go.
    pub latency: LatencyProfile,
}

impl Context {
    /// The beginning of the ARNs of a service's resources, here.
    fn arn_of(&self, service: &str) -> String {
        format!("arn:aws:{service}:{}:{}:", self.region, self.account_id)
    }

    fn table_arn(&self, name: &str) -> String {
        let Self { account_id, region, .. } = self;
        format!("arn:aws:dynamodb:{region}:{account_id}:table/{name}")
    }
}

impl State {
    /// Every table with its items.
    #[must_use]
    pub fn snapshot(&self, now: SystemTime) -> Value {
        let tables: Map<String, Value> = self
            .tables
            .iter()
            .filter(|(_, table)| table.deleted_at.is_none_or(|deleted| deleted > now))
            .map(|(name, table)| (name.clone(), table.snapshot()))
            .collect();
        Value::Object(tables)
    }

    fn forget_deleted(&mut self, now: SystemTime) {
        self.tables.retain(|_, table| table.deleted_at.is_none_or(|deleted| deleted > now));
    }
}

/// DynamoDB, as the listener sees it.
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
        let mut state = account.state::<State>();
        let result = operations::call(&mut state, operation, &request.body, &context);
        state.keep_streams(&context);
        result
    });
    match result {
        Ok(output) => json::reply(json::Version::V1_0, &output),
        Err(error) => json::error(json::Version::V1_0, &error),
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::Json10,
            target: "DynamoDB_20120810",
            version: "",
            paths: &[],
        }
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            let target = request.header("x-amz-target").unwrap_or_default();
            if target.starts_with(STREAMS)
                && let Some(response) = modelled::answer(streams::MODELS, account, request).await
            {
                return response;
            }
            answer(account, request)
        })
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::table::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let now = account.now();
        let state = account.state::<State>();
        let is_there = |table: &table::Table| table.deleted_at.is_none_or(|deleted| deleted > now);
        let tables = state.tables.iter().filter(|(_, table)| is_there(table));
        let tags = |table: &table::Table| {
            let seen = now >= table.tags_late_until;
            if seen { table.tags.clone() } else { BTreeMap::new() }
        };
        let tables = tables.map(|(name, table)| server::Tagged {
            arn: format!("arn:aws:dynamodb:{}:{}:table/{name}", account.region, account.id),
            tags: tags(table),
        });
        tables.collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        account.state::<State>().snapshot(account.now())
    }
}
