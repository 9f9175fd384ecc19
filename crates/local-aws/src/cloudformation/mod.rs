//! CloudFormation: stacks.
//!
//! | module | what it is |
//! |---|---|
//! | `operations`, `describe` | requests → operations → XML |
//! | `syntax`, [`template`], `references` | text → template, and what it refers to |
//! | [`parameters`], [`intrinsics`] | values: given, evaluated |
//! | [`plan`] | which resources, in which order |
//! | [`resource_type`], `properties` | what a type of resources is; the types themselves are with their services |
//! | [`stack`], `executor` | stacks, and what works on them |

mod cdk_metadata;
mod describe;
pub(crate) mod error;
mod executor;
pub mod intrinsics;
mod operations;
pub mod parameters;
pub mod plan;
pub(crate) mod properties;
pub mod references;
pub mod resource_type;
mod sam;
pub mod stack;
mod syntax;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use self::resource_type::ResourceType;

use self::stack::Stack;
use super::account::client::{Caller, Client};
use super::account::feed::{ChangeEvent, Outbox, ResourceName};
use super::account::{self, Account};
use super::http::{BoxFuture, Credential, Request, Response};
use super::protocol::Protocol;
use super::protocol::query::{self, Params};
use super::server::{self, Interface};

/// What stacks are called among the types of resources.
const STACK: &str = "AWS::CloudFormation::Stack";
const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// Stacks by their ARN, also those that have been deleted.
#[derive(Debug, Default)]
pub struct State {
    stacks: BTreeMap<String, Stack>,
    /// How many there ever were.
    serial: u64,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "cloudformation";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
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

    /// Notes that a stack has entered another state.
    fn note(&mut self, name: String, state: &str) {
        let resource = ResourceName::new(STACK, name.clone());
        self.outbox.push(ChangeEvent::StateChanged { resource, state: state.to_owned() });
        if state == "DELETE_COMPLETE" {
            self.outbox.deleted(STACK, name);
        }
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut Stack> {
        let id = self.find(name)?.id.clone();
        self.stacks.get_mut(&id)
    }
}

/// The stacks of an account in its region, as somebody works with them.
#[derive(Debug)]
struct Stacks {
    account: Account,
    requester: Option<Credential>,
}

impl Stacks {
    /// What creates and deletes resources, in the name of whoever asked for it.
    fn client(&self) -> Client {
        self.account.client(Caller::Requester(self.requester.clone()))
    }

    fn newest_first(&self) -> Vec<Stack> {
        let mut stacks: Vec<Stack> =
            self.account.state::<State>().stacks.values().cloned().collect();
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.serial));
        stacks
    }

    fn pseudo_parameters(&self, stack_name: &str, stack_id: &str) -> BTreeMap<String, Value> {
        [
            ("AWS::AccountId", json!(self.account.id)),
            ("AWS::NotificationARNs", json!([])),
            ("AWS::Partition", json!("aws")),
            ("AWS::Region", json!(self.account.region)),
            ("AWS::StackId", json!(stack_id)),
            ("AWS::StackName", json!(stack_name)),
            ("AWS::URLSuffix", json!("amazonaws.com")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// CloudFormation, as the listener sees it.
#[derive(Debug)]
pub struct Service;

fn answer(account: &Account, request: &Request) -> Response {
    let stacks = Stacks { account: account.clone(), requester: request.credential.clone() };
    match operations::call(&stacks, &Params::of(request)) {
        Ok((action, result)) => query::reply(NAMESPACE, action, result, &request.request_id),
        Err(error) => query::error(NAMESPACE, &error, &request.request_id),
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "cloudformation"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::Query { namespace: NAMESPACE },
            target: "",
            version: "2010-05-15",
            paths: &[],
        }
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(answer(account, request)))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&cdk_metadata::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let state = account.state::<State>();
        let stacks = state.stacks.values().filter(|stack| stack.exists());
        stacks
            .map(|stack| server::Tagged { arn: stack.id.clone(), tags: stack.tags.clone() })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        account.state::<State>().snapshot()
    }

    fn is_stable(&self, account: &Account) -> bool {
        !account
            .state::<State>()
            .stacks
            .values()
            .any(|stack| stack.status.ends_with("_IN_PROGRESS"))
    }
}
