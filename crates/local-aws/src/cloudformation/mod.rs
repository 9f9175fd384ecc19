//! CloudFormation: stacks.
//!
//! | module | what it is |
//! |---|---|
//! | `operations`, `describe` | requests → operations → XML |
//! | `syntax`, [`template`], `references` | text → template, and what it refers to |
//! | [`parameters`], [`intrinsics`] | values: given, evaluated |
//! | [`plan`] | which resources, in which order |
//! | [`resources`] | one file per type of resource |
//! | [`peers`] | the services that make resources |
//! | [`stack`], `executor` | stacks, and what works on them |

mod describe;
mod error;
mod executor;
pub mod intrinsics;
mod operations;
pub mod parameters;
pub mod peers;
pub mod plan;
pub mod references;
pub mod resources;
pub mod stack;
mod syntax;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use self::peers::Peers;
use self::stack::Stack;
use super::http::{BoxFuture, Request, Response};
use super::protocol::Protocol;
use super::protocol::query::{self, Params};
use super::server;
use super::world::World;

const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// Stacks by their ARN, also those that have been deleted.
#[derive(Debug, Default)]
pub struct State {
    stacks: BTreeMap<String, Stack>,
    /// How many there ever were.
    serial: u64,
}

impl State {
    /// Every stack that is not deleted.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let stacks: BTreeMap<&String, Value> = self
            .stacks
            .values()
            .filter(|stack| stack.exists())
            .map(|stack| (&stack.name, stack.snapshot()))
            .collect();
        let stacks: Map<String, Value> =
            stacks.into_iter().map(|(name, stack)| (name.clone(), stack)).collect();
        Value::Object(stacks)
    }

    /// A stack by its ARN, or by its name where it is not deleted.
    fn find(&self, name: &str) -> Option<&Stack> {
        self.stacks
            .get(name)
            .or_else(|| self.stacks.values().find(|stack| stack.exists() && stack.name == name))
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut Stack> {
        let id = self.find(name)?.id.clone();
        self.stacks.get_mut(&id)
    }
}

/// CloudFormation, as the listener sees it.
#[derive(Debug)]
pub struct Service {
    peers: Peers,
    working: Mutex<JoinSet<()>>,
}

impl Service {
    /// CloudFormation of that account. `services` make the resources: Logs, Lambda, DynamoDB, Cognito; IAM is
    /// changed directly.
    #[must_use]
    pub fn new(world: Arc<World>, services: Vec<Arc<dyn server::Service>>) -> Self {
        Self { peers: Peers::new(world, services), working: Mutex::default() }
    }

    fn world(&self) -> &World {
        &self.peers.world
    }

    fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Goes on with something when the request has been answered.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        while working.try_join_next().is_some() {}
        working.spawn(work);
    }

    fn newest_first(&self) -> Vec<Stack> {
        let state = self.world().state();
        let mut stacks: Vec<Stack> = state.cloudformation.stacks.values().cloned().collect();
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.serial));
        stacks
    }

    fn pseudo_parameters(&self, stack_name: &str, stack_id: &str) -> BTreeMap<String, Value> {
        [
            ("AWS::AccountId", json!(self.world().account_id)),
            ("AWS::NotificationARNs", json!([])),
            ("AWS::Partition", json!("aws")),
            ("AWS::Region", json!(self.world().region)),
            ("AWS::StackId", json!(stack_id)),
            ("AWS::StackName", json!(stack_name)),
            ("AWS::URLSuffix", json!("amazonaws.com")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn answer(&self, request: &Request) -> Response {
        let params = Params::of(request);
        match operations::call(self, &params) {
            Ok((action, result)) => query::reply(NAMESPACE, action, result, &request.request_id),
            Err(error) => query::error(NAMESPACE, &error, &request.request_id),
        }
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "cloudformation"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: NAMESPACE }
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(request)))
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        let mut working =
            std::mem::take(&mut *self.working.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move { working.shutdown().await })
    }
}

/// A new identifier, as version 4 of UUIDs is written.
fn uuid() -> String {
    let bits = fastrand::u128(..);
    let bits = bits & !(0xf000_u128 << 64) | (0x4000_u128 << 64);
    let bits = bits & !(0xc000_u128 << 48) | (0x8000_u128 << 48);
    let hex = format!("{bits:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
