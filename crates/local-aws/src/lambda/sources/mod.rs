//! Event source mappings: what is polled for a function, and how it gets it.
//!
//! | module | what it is |
//! |---|---|
//! | `mapping` | a mapping: what it was told, how it is shown, which state it is in |
//! | `operations` | the operations |
//! | `checks` | what has to be there before anything is polled |
//! | `poller` | the task of a mapping: it waits, polls, stops |
//! | `queue` | batches from queues |
//! | `stream` | batches from streams, shard by shard |
//! | `response` | which records of a batch a function says have failed |

mod checks;
mod mapping;
mod operations;
mod poller;
mod queue;
mod response;
mod stream;
#[cfg(test)]
mod tests;

use crate::server::Tagged;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::mapping::Mapping;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};

pub(super) use operations::OPERATIONS;

/// What mappings are called among the types of resources.
pub(super) const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// Mappings by identifier.
#[derive(Debug, Default)]
pub struct State {
    mappings: BTreeMap<String, Mapping>,
    outbox: Outbox,
}

impl State {
    /// Every mapping with its tags.
    pub(super) fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let Account { id, region, .. } = account;
        let mappings = self.mappings.values().map(|mapping| Tagged {
            arn: format!("arn:aws:lambda:{region}:{id}:event-source-mapping:{}", mapping.uuid),
            tags: mapping.tags.clone(),
        });
        mappings.collect()
    }
}

impl account::State for State {
    const SERVICE: &'static str = "lambda";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

impl State {
    /// Every mapping, by identifier.
    pub(super) fn snapshot(&self) -> Map<String, Value> {
        let mappings = self.mappings.values();
        mappings
            .map(|mapping| (format!("event source mapping {}", mapping.uuid), mapping.snapshot()))
            .collect()
    }

    /// Whether no mapping is on its way into another state.
    pub(super) fn is_stable(&self, now: std::time::SystemTime) -> bool {
        self.mappings.values().all(|mapping| now >= mapping.settles)
    }
}
