//! An injector between the listener and the services: where faults are injected and calls are counted.

use super::Service;
use crate::account::Account;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::AwsError;

/// Stands between every AWS request and its service. It may take its time: a call that hangs is a `before` that waits.
pub trait Middleware: Send + Sync + 'static {
    /// The account is open, and no request has come yet.
    fn opened(&self, _account: &Account) {}

    /// Before the service sees the request.
    fn before<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before>;

    /// After the service has acted, before the client hears of it.
    fn after<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
        response: &'a Response,
    ) -> BoxFuture<'a, After>;
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Before {
    /// The service sees it.
    Proceed,
    /// The service never sees it; the client gets this error in the service's own protocol.
    Refuse(AwsError),
    /// The service never sees it; the client gets this.
    Respond(Response),
    /// The service never sees it; the connection is closed.
    Drop,
}

/// What becomes of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// The client gets it.
    Deliver,
    /// The client gets this instead.
    Replace(Response),
    /// The connection breaks after the head of the reply, before the end of its body. One without a body arrives.
    Cut,
    /// The reply is lost: the connection is closed.
    Drop,
}
