//! IAM: roles and policies.
//!
//! The state machine is [`State`]; `operations` reads its inputs from query parameters and writes its outputs as XML.

mod document;
mod error;
pub mod ids;
mod managed;
mod names;
mod operations;
mod paging;
mod policies;
mod role_policies;
mod roles;
mod tags;
#[cfg(test)]
mod tests;
mod wildcard;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

pub use paging::{Page, PageRequest};
pub use policies::{CreatePolicy, Policy, PolicyFilter, PolicyView, Scope, Usage};
pub use role_policies::Attached;
pub use roles::{CreateRole, Role};
pub use tags::{Tag, Tags};

use super::http::{BoxFuture, Request, Response};
use super::protocol::Protocol;
use super::protocol::query;
use super::server;
use super::world::World;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Roles and policies, each under its name in lower case: names are unique whatever their case.
#[derive(Debug, Default)]
pub struct State {
    roles: BTreeMap<String, Role>,
    policies: BTreeMap<String, Policy>,
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Twelve digits.
    pub account_id: String,
    /// When it is called.
    pub now: SystemTime,
}

/// Why a service cannot assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAssumable {
    /// There is no such role.
    NoSuchRole,
    /// The role, or its trust policy, has not reached every corner of AWS yet.
    TooNew,
    /// Its trust policy does not let the service in.
    NotTrusted,
}

impl State {
    /// Every role and policy of the account's own.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let roles: Map<String, Value> =
            self.roles.values().map(|role| (role.name.clone(), role.snapshot())).collect();
        let policies: Map<String, Value> =
            self.policies.values().map(|policy| (policy.name.clone(), policy.snapshot())).collect();
        json!({"policies": policies, "roles": roles})
    }
}

/// IAM, as the listener sees it.
#[derive(Debug)]
pub struct Service {
    world: Arc<World>,
}

impl Service {
    /// IAM of that account.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    fn answer(&self, request: &Request) -> Response {
        let params = query::Params::of(request);
        let context = Context { account_id: self.world.account_id.clone(), now: self.world.now() };
        let result = operations::call(&mut self.world.state().iam, &params, &context);
        match result {
            Ok((action, result)) => query::reply(NAMESPACE, action, result, &request.request_id),
            Err(error) => query::error(NAMESPACE, &error, &request.request_id),
        }
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "iam"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: NAMESPACE }
    }

    fn is_global(&self) -> bool {
        true
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}
