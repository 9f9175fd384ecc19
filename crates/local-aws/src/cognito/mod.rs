//! Cognito user pools: people sign up, are confirmed, sign in, forget their passwords; functions are called on the way.
//!
//! | module | what it is |
//! |---|---|
//! | `operations` | an operation's name → what does it |
//! | `pools`, `settings`, `schema`, `clients`, `tags` | what a pool is told |
//! | `users`, `passwords`, `listing` | who is in it |
//! | `sign_up`, `auth`, `recovery`, `account`, `admin`, `migration` | what happens to users |
//! | `triggers` | the functions that a pool calls |
//! | `messages`, [`inbox`] | the mail that AWS would send |
//! | `tokens`, `claims`, `keys`, `pages` | JSON web tokens, and the public half of the key that signs them |
//!
//! The state changes in plain functions of a request and a time. Functions are called, and mail is written, while nothing
//! is locked; whoever comes back from there looks everything up again.

mod account;
mod admin;
mod auth;
mod checks;
mod claims;
mod clients;
mod error;
mod ids;
pub mod inbox;
mod keys;
mod listing;
mod messages;
mod migration;
mod operations;
mod pages;
mod passwords;
mod pools;
mod recovery;
mod schema;
mod settings;
mod sign_up;
mod tags;
#[cfg(test)]
mod tests;
mod tokens;
mod triggers;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use self::pools::Pool;
use super::http::{BoxFuture, Request, Response};
use super::protocol::{AwsError, Protocol, json};
use super::server;
use super::world::World;

pub use self::inbox::Message;
pub use self::operations::is_public;
pub use self::pages::page;
pub use self::triggers::Functions;

/// What an operation answers.
type Output = Result<Value, AwsError>;

/// User pools, and the mail that they have sent.
#[derive(Debug, Default)]
pub struct State {
    pools: BTreeMap<String, Pool>,
    /// The oldest first. Mail is no resource: no snapshot holds it.
    pub inbox: Vec<Message>,
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone)]
struct Context {
    account_id: String,
    region: String,
    now: SystemTime,
}

impl Context {
    fn pool_arn(&self, id: &str) -> String {
        let Self { account_id, region, .. } = self;
        format!("arn:aws:cognito-idp:{region}:{account_id}:userpool/{id}")
    }
}

impl State {
    /// Every pool with its clients and users; of passwords there is a salted hash.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.pools.iter().map(|(id, pool)| (id.clone(), pool.snapshot())).collect()
    }
}

/// Cognito, behind the listener. Clones are the same Cognito.
#[derive(Clone)]
pub struct Service {
    world: Arc<World>,
    functions: Arc<dyn Functions>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// Cognito of that account; triggers are called through `functions`.
    #[must_use]
    pub fn new(world: Arc<World>, functions: Arc<dyn Functions>) -> Self {
        Self { world, functions }
    }

    fn context(&self) -> Context {
        Context {
            account_id: self.world.account_id.clone(),
            region: self.world.region.clone(),
            now: self.world.now(),
        }
    }

    /// Looks at, or changes, the state; for as long as `act` runs, nobody else does.
    fn with<T>(&self, act: impl FnOnce(&mut State, &Context) -> T) -> T {
        let context = self.context();
        act(&mut self.world.state().cognito, &context)
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "cognito-idp"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json11
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            let output = match json::operation(request) {
                Ok(operation) => self.call(operation, &request.body).await,
                Err(error) => Err(error),
            };
            match output {
                Ok(output) => json::reply(json::Version::V1_1, &output),
                Err(error) => json::error(json::Version::V1_1, &error),
            }
        })
    }
}
