//! What a service is to all that is not the service itself.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use serde_json::Value;

use crate::account::Account;
use crate::cloudformation::ResourceType;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::query::Params;
use crate::protocol::{Protocol, json};

/// How clients reach a service, as its API model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// How it speaks; refusals that are not the service's own are written so.
    pub protocol: Protocol,
    /// What precedes the operation in `X-Amz-Target`, such as `Logs_20140328`; empty where there is no such header.
    pub target: &'static str,
    /// The `Version` that requests of the query protocol carry; empty for others.
    pub version: &'static str,
    /// What the paths of requests begin with, where the service can be told by that.
    pub paths: &'static [&'static str],
}

impl Interface {
    /// Of a service that speaks JSON 1.1, with that prefix of its targets.
    #[must_use]
    pub const fn json11(target: &'static str) -> Self {
        Self { protocol: Protocol::Json11, target, version: "", paths: &[] }
    }
}

/// How two snapshots of a service's resources are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Whether the snapshot holds several types of resources, each with its names, and not the names themselves.
    pub has_types: bool,
    /// Members, wherever they stand, that change although nobody has changed anything.
    pub volatile: &'static [&'static str],
    /// Members that hold what may come without being a change of the resource that it comes to.
    pub growing: &'static [&'static str],
}

/// A resource with its tags, as the Resource Groups Tagging API tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its ARN.
    pub arn: String,
    /// Its tags, of which there may be none.
    pub tags: BTreeMap<String, String>,
}

/// A service of AWS: all that the listener, other services and those who compare accounts know of it.
///
/// A service has no state of its own: it is the same for all accounts and regions, and keeps what it knows in the
/// [`Account`] that it is handed.
pub trait Service: Send + Sync + 'static {
    /// The name in the credential scope, such as `lambda`.
    fn name(&self) -> &'static str;

    /// How clients reach it.
    fn interface(&self) -> Interface;

    /// How it speaks.
    fn protocol(&self) -> Protocol {
        self.interface().protocol
    }

    /// Whether it answers requests that were signed for any region, as IAM does.
    fn is_global(&self) -> bool {
        false
    }

    /// Whether people call this operation without credentials of AWS.
    fn is_public(&self, _operation: &str) -> bool {
        false
    }

    /// The operation that a request asks for, such as `CreateRole`; the method and the path where it is none.
    fn operation(&self, request: &Request) -> String {
        let named = match self.protocol() {
            Protocol::Query { .. } => Params::of(request).action().map(str::to_owned),
            Protocol::Json10 | Protocol::Json11 => json::operation(request).ok().map(str::to_owned),
            Protocol::RestJson | Protocol::RestXml => None,
        };
        named.unwrap_or_else(|| format!("{} /{}", request.method, request.path.join("/")))
    }

    /// Answers a request. The future is dropped when the client goes away.
    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response>;

    /// Whether a request is for something that AWS lets the whole world ask, pages in browsers included, as it does with APIs.
    /// Only [`page`](Self::page) sees such a request: no operation is reached by it.
    fn is_open_to_all(&self, _headers: &HeaderMap, _path: &str) -> bool {
        false
    }

    /// Answers what is no request to AWS, such as that of a browser, where the page is one of the service's.
    fn page<'a>(
        &'a self,
        _account: &'a Account,
        _request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Box::pin(std::future::ready(None))
    }

    /// Every resource of an account in its region, by name; null for a service that has none.
    fn snapshot(&self, _account: &Account) -> Value {
        Value::Null
    }

    /// The resources of an account in its region that take tags, with their tags.
    fn tagged(&self, _account: &Account) -> Vec<Tagged> {
        Vec::new()
    }

    /// How its snapshots are compared.
    fn comparison(&self) -> Comparison {
        Comparison::default()
    }

    /// Whether no resource is on its way to becoming something else by itself.
    fn is_stable(&self, _account: &Account) -> bool {
        true
    }

    /// The types of resources that stacks can have of it.
    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[]
    }

    /// Ends what the service runs for an account beside its background tasks.
    fn shutdown<'a>(&'a self, _account: &'a Account) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
