//! What a service is to the listener.

use crate::http::{BoxFuture, Request, Response};
use crate::protocol::Protocol;

/// A service of AWS, behind the listener.
pub trait Service: Send + Sync + 'static {
    /// The name in the credential scope, such as `lambda`.
    fn name(&self) -> &'static str;

    /// How it speaks; refusals that are not the service's own are written so.
    fn protocol(&self) -> Protocol;

    /// Whether it answers requests that were signed for any region, as IAM does.
    fn is_global(&self) -> bool {
        false
    }

    /// Answers a request. The future is dropped when the client goes away.
    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response>;

    /// Ends whatever the service runs outside of the account's state.
    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
