//! Cognito user pools: people sign up, are confirmed, sign in, forget their passwords; functions are called on the way.
//!
//! | module | what it is |
//! |---|---|
//! | `operations` | an operation's name → what does it |
//! | `pools`, `settings`, `schema`, `clients`, `tags` | what a pool is told |
//! | `users`, `passwords`, `listing`, `groups` | who is in it |
//! | `sign_up`, `auth`, `recovery`, `account`, `admin`, `migration` | what happens to users |
//! | `challenges`, `answers`, `custom`, `mfa` | what is asked of somebody who signs in |
//! | `srp`, `totp` | passwords that are proved and not sent; codes of authenticator apps |
//! | `triggers` | the functions that a pool calls |
//! | `messages`, [`inbox`] | the mail that AWS would send |
//! | `tokens`, `claims`, `keys`, `pages` | JSON web tokens, and the public half of the key that signs them |
//!
//! The state changes in plain functions of a request and a time. Functions are called, and mail is written, while nothing
//! is locked; whoever comes back from there looks everything up again.

mod account;
mod admin;
mod answers;
mod auth;
#[cfg(test)]
mod challenge_tests;
mod challenges;
mod checks;
mod claims;
mod clients;
mod custom;
mod error;
mod groups;
mod ids;
pub mod inbox;
mod keys;
mod listing;
mod messages;
mod mfa;
mod migration;
mod operations;
mod pages;
mod passwords;
mod pools;
mod recovery;
mod resource_types;
mod schema;
mod settings;
mod sign_up;
mod srp;
mod tags;
#[cfg(test)]
mod tests;
mod tokens;
mod totp;
mod triggers;
mod users;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

use self::pools::Pool;
use super::account::feed::{ChangeEvent, Outbox};
use super::account::{self as accounts, Account};
use super::cloudformation::ResourceType;
use super::http::{BoxFuture, Request, Response};
use super::protocol::{AwsError, json};
use super::server::{self, Comparison, Interface};

pub use self::inbox::Message;

/// What an operation answers.
type Output = Result<Value, AwsError>;

/// User pools, and the mail that they have sent.
#[derive(Debug, Default)]
pub struct State {
    pools: BTreeMap<String, Pool>,
    /// The oldest first. Mail is no resource: no snapshot holds it.
    pub inbox: Vec<Message>,
    outbox: Outbox,
}

impl accounts::State for State {
    const SERVICE: &'static str = "cognito-idp";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
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

/// The claims of a token that a user pool has signed, whatever they say.
pub(crate) fn verified_claims(token: &str) -> Option<Value> {
    keys::verified(token).ok()
}

/// Whether a URL is that of a user pool of the account, as an issuer of tokens.
pub(crate) fn is_issuer(account: &Account, url: &str) -> bool {
    let pool_id = url.rsplit('/').next().unwrap_or_default();
    let region = pool_id.split('_').next().unwrap_or_default();
    claims::issuer(pool_id, region) == url
        && account.at(&account.id, region).state::<State>().pools.contains_key(pool_id)
}

/// Cognito in one region of an account. Clones are the same.
#[derive(Debug, Clone)]
struct Cognito {
    account: Account,
}

impl Cognito {
    fn context(&self) -> Context {
        Context {
            account_id: self.account.id.clone(),
            region: self.account.region.clone(),
            now: self.account.now(),
        }
    }

    /// Looks at, or changes, the state; for as long as `act` runs, nobody else does.
    fn with<T>(&self, act: impl FnOnce(&mut State, &Context) -> T) -> T {
        let context = self.context();
        act(&mut self.account.state::<State>(), &context)
    }
}

/// Cognito, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "cognito-idp"
    }

    fn interface(&self) -> Interface {
        Interface::json11("AWSCognitoIdentityProviderService")
    }

    fn is_public(&self, operation: &str) -> bool {
        operations::is_public(operation)
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        let cognito = Cognito { account: account.clone() };
        Box::pin(async move {
            let output = match json::operation(request) {
                Ok(operation) => cognito.call(operation, &request.body).await,
                Err(error) => Err(error),
            };
            match output {
                Ok(output) => json::reply(json::Version::V1_1, &output),
                Err(error) => json::error(json::Version::V1_1, &error),
            }
        })
    }

    fn page<'a>(
        &'a self,
        account: &'a Account,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Box::pin(pages::page(account, request))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::user_pool::TYPE, &resource_types::user_pool_client::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let state = account.state::<State>();
        let pools = state.pools.values();
        pools
            .map(|pool| server::Tagged {
                arn: pool.arn.clone(),
                tags: pool.settings.user_pool_tags.clone(),
            })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        account.state::<State>().snapshot()
    }

    fn comparison(&self) -> Comparison {
        // What a pool and its users say of when they were last changed, for putting back what was there is a change too;
        // and how many users a pool has, for they are compared themselves.
        let volatile = &["EstimatedNumberOfUsers", "LastModifiedDate", "modified"];
        Comparison { volatile, ..Comparison::default() }
    }
}
