//! Lambda: functions that are kept as AWS keeps them, and that really execute.
//!
//! | module | what it is |
//! |---|---|
//! | `routes` | requests → operations |
//! | `aliases` | names for versions |
//! | `sources` | event source mappings and what they poll |
//! | `urls` | addresses at which functions answer by themselves |
//! | `asynchronous`, `destinations` | asynchronous invocation, and who is told of it |
//! | [`state`], `functions`, `versions`, `permissions`, `tags` | the control plane, pure over state and time |
//! | `configuration`, `variables`, `names`, `package`, `errors` | what is checked, and how it is refused |
//! | `render` | state → responses |
//! | [`invoke`] | invocations, for requests and for other services |
//! | [`runtime`] | environments, processes, the Runtime API |
//! | [`launch`], `supervisor` | how a process becomes a handler that ends with this one, and all that it starts with it |

mod aliases;
mod asynchronous;
mod code;
mod configuration;
mod destinations;
mod errors;
pub mod functions;
pub mod invoke;
pub mod launch;
pub mod names;
pub mod package;
pub mod permissions;
mod render;
mod resource_types;
mod routes;
pub mod runtime;
mod sources;
pub mod state;
mod supervisor;
pub mod tags;
mod urls;
mod variables;
pub mod versions;

#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use hyper::HeaderMap;
use serde_json::Value;

use crate::account::{Account, WeakAccount};
use crate::cloudformation::ResourceType;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::{Protocol, rest};
use crate::server::modelled::{self, Model, Operation};
use crate::server::{self, Interface};
use crate::{iam, logs, sts};

pub use launch::become_handler;
pub use permissions::Caller;
pub use state::State;

use invoke::Running;
use names::Place;
use runtime::{Host, ProcessPool};
use state::Context;

const PRINCIPAL: &str = "lambda.amazonaws.com";

/// What runs of an account's functions in one region.
#[derive(Debug, Default)]
struct Execution {
    processes: OnceLock<Arc<ProcessPool>>,
    running: Running,
}

/// Lambda in one region of an account. Clones are the same.
#[derive(Debug, Clone)]
pub struct Lambda {
    account: Account,
}

impl Lambda {
    /// Lambda there.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self { account: account.clone() }
    }

    fn execution(&self) -> &Execution {
        self.account.regional()
    }

    fn processes(&self) -> &Arc<ProcessPool> {
        self.execution().processes.get_or_init(|| {
            let host: Arc<dyn Host> = Arc::new(self.account.downgrade());
            Arc::new(ProcessPool::new(self.account.launcher().to_vec(), host))
        })
    }

    fn place(&self) -> Place<'_> {
        Place { account_id: &self.account.id, region: &self.account.region }
    }

    fn context(&self) -> Context<'_> {
        Context { place: self.place(), now: self.account.now(), latency: self.account.latency() }
    }

    fn assumable(&self, role_arn: &str) -> Result<(), iam::NotAssumable> {
        let (now, latency) = (self.account.now(), self.account.latency());
        self.account.state::<iam::State>().assumable(role_arn, PRINCIPAL, now, latency)
    }

    fn can_assume(&self, role_arn: &str) -> bool {
        self.assumable(role_arn).is_ok()
    }

    /// Whether a function's role is gone, or trusts Lambda no more.
    fn has_lost(&self, role_arn: &str) -> bool {
        matches!(
            self.assumable(role_arn),
            Err(iam::NotAssumable::NoSuchRole | iam::NotAssumable::NotTrusted)
        )
    }
}

const MODELS: &[Model] = &[Model {
    name: "lambda",
    operations: &OPERATIONS,
    invalid: modelled::validation_exception,
    query_codes: &[],
}];

const OPERATIONS: [Operation; 20] = {
    let [a, b, c, d, e] = sources::OPERATIONS;
    let [f, g, h, i, j] = asynchronous::OPERATIONS;
    let [k, l, m, n, o] = aliases::OPERATIONS;
    let [p, q, r, s, t] = urls::OPERATIONS;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]
};

/// Whether a request is for what stands on the wire of AWS's model.
fn is_modelled(request: &Request) -> bool {
    let parts = ["event-source-mappings", "event-invoke-config"];
    request.path.iter().any(|part| parts.contains(&part.as_str()))
        || request
            .path
            .get(3)
            .is_some_and(|part| ["aliases", "url", "urls"].contains(&part.as_str()))
}

/// Lambda, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::RestJson,
            target: "",
            version: "",
            paths: &[
                "2015-03-31",
                "2017-03-31",
                "2017-10-31",
                "2018-10-31",
                "2019-09-25",
                "2019-09-30",
                "2021-10-31",
            ],
        }
    }

    fn operation(&self, request: &Request) -> String {
        routes::operation(request)
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        let lambda = Lambda::of(account);
        Box::pin(async move {
            if let Some(response) = urls::answer_signed(account, request).await {
                return response;
            }
            if is_modelled(request)
                && let Some(response) = modelled::answer(MODELS, account, request).await
            {
                return response;
            }
            lambda.route(request).await.unwrap_or_else(|error| rest::error(&error))
        })
    }

    fn is_open_to_all(&self, headers: &HeaderMap, path: &str) -> bool {
        urls::is_for_a_url(headers, path)
    }

    fn page<'a>(
        &'a self,
        account: &'a Account,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Box::pin(urls::page(account, request))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[
            &resource_types::alias::TYPE,
            &resource_types::event_invoke_config::TYPE,
            &resource_types::event_source_mapping::TYPE,
            &resource_types::function::TYPE,
            &resource_types::permission::TYPE,
            &resource_types::url::TYPE,
            &resource_types::version::TYPE,
        ]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let place = Place { account_id: &account.id, region: &account.region };
        let state = account.state::<State>();
        let functions = state.functions.iter().map(|(name, function)| server::Tagged {
            arn: place.function_arn(name, None),
            tags: function.tags.clone(),
        });
        functions.chain(account.state::<sources::State>().tagged(account)).collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let mut snapshot = account.state::<State>().snapshot();
        if let Some(resources) = snapshot.as_object_mut() {
            let invocations = account.state::<asynchronous::State>();
            for (name, function) in resources.iter_mut() {
                if let Some(own) = invocations.snapshot(name) {
                    function["event_invoke_configs"] = own;
                }
            }
            resources.extend(account.state::<sources::State>().snapshot());
        }
        snapshot
    }

    fn is_stable(&self, account: &Account) -> bool {
        account.state::<sources::State>().is_stable(account.now())
    }

    fn shutdown<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Some(processes) = account.regional::<Execution>().processes.get() {
                processes.shutdown().await;
            }
        })
    }
}

// Lines are written by Lambda itself and not in the name of the function: they are no call of a service.
impl Host for WeakAccount {
    fn now(&self) -> SystemTime {
        self.upgrade().map_or_else(SystemTime::now, |account| account.now())
    }

    fn append_log(&self, group: &str, stream: &str, events: Vec<(SystemTime, String)>) {
        if let Some(account) = self.upgrade() {
            let now = account.now();
            account.state::<logs::State>().append(group, stream, events, now);
        }
    }

    fn aws_variables(&self, role_arn: &str, function_name: &str) -> Vec<(String, String)> {
        let Some(account) = self.upgrade() else { return Vec::new() };
        let credentials = account.state::<sts::State>().open_session(role_arn, function_name, None);
        [
            ("AWS_REGION", account.region.clone()),
            ("AWS_DEFAULT_REGION", account.region.clone()),
            ("AWS_ENDPOINT_URL", account.endpoint_url().to_owned()),
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
            ("AWS_SESSION_TOKEN", credentials.session_token),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
