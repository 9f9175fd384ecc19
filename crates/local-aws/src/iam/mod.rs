//! IAM: roles and policies.
//!
//! The state machine is [`State`]; `operations` reads its inputs from query parameters and writes its outputs as XML.

pub mod access;
mod document;
mod error;
mod grammar;
pub mod ids;
mod managed;
mod names;
mod operations;
mod paging;
mod policies;
mod resource_types;
mod role_policies;
mod roles;
mod tags;
#[cfg(test)]
mod tests;
pub(crate) mod wildcard;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

pub use paging::{Page, PageRequest};
pub use policies::{CreatePolicy, Policy, PolicyFilter, PolicyView, Scope, Usage};
pub use role_policies::Attached;
pub use roles::{CreateRole, Role};
pub use tags::{Tag, Tags};

use super::account::feed::{ChangeEvent, Outbox};
use super::account::{self, Account};
use super::cloudformation::ResourceType;
use super::http::{BoxFuture, Request, Response};
use super::protocol::Protocol;
use super::protocol::query;
use super::server::{self, Comparison, Interface};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Roles and policies, each under its name in lower case: names are unique whatever their case.
#[derive(Debug, Default)]
pub struct State {
    roles: BTreeMap<String, Role>,
    policies: BTreeMap<String, Policy>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "iam";
    const SCOPE: account::Scope = account::Scope::Account;

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Twelve digits.
    pub account_id: String,
    /// When it is called.
    pub now: SystemTime,
}

/// Somebody of an account who wants to assume a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPrincipal {
    /// Everything that a trust policy can call them.
    pub names: Vec<String>,
    /// What they were told to say.
    pub external_id: Option<String>,
}

/// Why a role cannot be assumed.
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
pub struct Service;

fn answer(account: &Account, request: &Request) -> Response {
    let params = query::Params::of(request);
    let context = Context { account_id: account.id.clone(), now: account.now() };
    match operations::call(&mut account.state::<State>(), &params, &context) {
        Ok((action, result)) => query::reply(NAMESPACE, action, result, &request.request_id),
        Err(error) => query::error(NAMESPACE, &error, &request.request_id),
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "iam"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::Query { namespace: NAMESPACE },
            target: "",
            version: "2010-05-08",
            paths: &[],
        }
    }

    fn is_global(&self) -> bool {
        true
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(answer(account, request)))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[
            &resource_types::managed_policy::TYPE,
            &resource_types::policy::TYPE,
            &resource_types::role::TYPE,
        ]
    }

    fn snapshot(&self, account: &Account) -> Value {
        account.state::<State>().snapshot()
    }

    fn comparison(&self) -> Comparison {
        Comparison { has_types: true, ..Comparison::default() }
    }
}
