//! STS: who is calling.

mod sessions;

use std::sync::Arc;

pub use sessions::{SessionCredentials, State};

use super::http::{BoxFuture, Request, Response};
use super::protocol::query::{self, Params};
use super::protocol::xml::Element;
use super::protocol::{AwsError, Protocol};
use super::server;
use super::world::World;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// STS, as the listener sees it.
#[derive(Debug)]
pub struct Service {
    world: Arc<World>,
}

impl Service {
    /// STS of that account.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    fn call(&self, request: &Request) -> Result<Response, AwsError> {
        let params = Params::of(request);
        match params.action() {
            Some("GetCallerIdentity") => Ok(self.caller_identity(request)),
            other => Err(query::unknown_action(other, &params, &["GetCallerIdentity"])),
        }
    }

    fn caller_identity(&self, request: &Request) -> Response {
        let access_key =
            request.credential.as_ref().map_or("", |credential| &credential.access_key);
        let account = &self.world.account_id;
        let state = self.world.state();
        let identity = state.sts.identity(access_key, account, &state.iam);
        let result = Element::new("GetCallerIdentityResult")
            .text("Arn", identity.arn)
            .text("UserId", identity.user_id)
            .text("Account", account);
        query::reply(NAMESPACE, "GetCallerIdentity", Some(result), &request.request_id)
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "sts"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: NAMESPACE }
    }

    fn is_global(&self) -> bool {
        true
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        let response = self.call(request).unwrap_or_else(|error| {
            server::Service::protocol(self).error(&error, &request.request_id)
        });
        Box::pin(std::future::ready(response))
    }
}
