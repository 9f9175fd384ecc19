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
mod key_condition;
pub mod keys;
mod names;
pub mod number;
mod operations;
mod reads;
mod table;
mod tables;
mod tags;
#[cfg(test)]
mod tests;
mod transact;
pub mod value;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;
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
use super::http::{BoxFuture, Request, Response};
use super::protocol::{Protocol, json};
use super::server;
use super::world::{Pace, World};

/// Tables by name.
#[derive(Debug, Default)]
pub struct State {
    tables: BTreeMap<String, Table>,
    tokens: BTreeMap<String, transact::Token>,
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
    pub pace: Pace,
}

impl Context {
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
pub struct Service {
    world: Arc<World>,
}

impl Service {
    /// DynamoDB of that account.
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
            let dynamodb = &mut self.world.state().dynamodb;
            operations::call(dynamodb, operation, &request.body, &context)
        });
        match result {
            Ok(output) => json::reply(json::Version::V1_0, &output),
            Err(error) => json::error(json::Version::V1_0, &error),
        }
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json10
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}

/// A new identifier, as version 4 of UUIDs is written.
fn uuid() -> String {
    let bits = fastrand::u128(..);
    let bits = bits & !(0xf000_u128 << 64) | (0x4000_u128 << 64);
    let bits = bits & !(0xc000_u128 << 48) | (0x8000_u128 << 48);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
