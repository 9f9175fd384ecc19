//! Lambda: functions that are kept as AWS keeps them, and that really execute.
//!
//! | module | what it is |
//! |---|---|
//! | `routes` | requests → operations |
//! | [`state`], `functions`, `versions`, `permissions`, `tags` | the control plane, pure over state and time |
//! | `configuration`, `variables`, `names`, `package`, `errors` | what is checked, and how it is refused |
//! | `render` | state → responses |
//! | [`invoke`] | invocations, for requests and for other services |
//! | [`runtime`] | environments, processes, the Runtime API |
//! | [`launch`], `supervisor` | how a process becomes a handler that ends with this one, and all that it starts with it |

mod configuration;
mod errors;
pub mod functions;
pub mod invoke;
pub mod launch;
pub mod names;
pub mod package;
pub mod permissions;
mod render;
mod routes;
pub mod runtime;
pub mod state;
mod supervisor;
pub mod tags;
mod variables;
pub mod versions;

#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::SystemTime;

use crate::http::{BoxFuture, Request, Response};
use crate::iam;
use crate::protocol::{Protocol, rest};
use crate::server;
use crate::world::World;

pub use invoke::Invocation;
pub use launch::become_handler;
pub use permissions::Caller;
pub use state::State;

use invoke::Running;
use names::Place;
use runtime::{Fleet, Host};
use state::Context;

const PRINCIPAL: &str = "lambda.amazonaws.com";

/// Lambda, behind the listener. Clones are the same Lambda.
#[derive(Debug, Clone)]
pub struct Service {
    world: Arc<World>,
    fleet: Arc<Fleet>,
    running: Running,
}

impl Service {
    /// Lambda in that account. `launcher` is the command, and its first arguments, that becomes a handler.
    #[must_use]
    pub fn new(world: Arc<World>, launcher: Vec<OsString>) -> Self {
        let host: Arc<dyn Host> = Arc::<World>::clone(&world);
        Self { world, fleet: Arc::new(Fleet::new(launcher, host)), running: Running::default() }
    }

    fn place(&self) -> Place<'_> {
        Place { account_id: &self.world.account_id, region: &self.world.region }
    }

    fn context(&self) -> Context<'_> {
        Context { place: self.place(), now: self.world.now(), pace: self.world.pace }
    }

    fn can_assume(&self, iam: &iam::State, role_arn: &str) -> bool {
        iam.assumable(role_arn, PRINCIPAL, self.world.now(), self.world.pace).is_ok()
    }

    /// Whether a function's role is gone, or trusts Lambda no more.
    fn has_lost(&self, role_arn: &str) -> bool {
        let state = self.world.state();
        let assumable = state.iam.assumable(role_arn, PRINCIPAL, self.world.now(), self.world.pace);
        matches!(assumable, Err(iam::NotAssumable::NoSuchRole | iam::NotAssumable::NotTrusted))
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestJson
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(
            async move { self.route(request).await.unwrap_or_else(|error| rest::error(&error)) },
        )
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.fleet.shutdown())
    }
}

impl Host for World {
    fn append_log(&self, group: &str, stream: &str, events: Vec<(SystemTime, String)>) {
        let now = self.now();
        self.state().logs.append(group, stream, events, now);
    }

    fn aws_variables(&self, role_arn: &str, function_name: &str) -> Vec<(String, String)> {
        let credentials = self.state().sts.open_session(role_arn, function_name);
        [
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ENDPOINT_URL", self.endpoint_url.clone()),
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
            ("AWS_SESSION_TOKEN", credentials.session_token),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
