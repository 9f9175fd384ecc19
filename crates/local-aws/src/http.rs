//! Requests and responses as the services see them: whole bodies, decoded paths.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::account::client::ServiceCaller;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request whose body has arrived in full.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: hyper::Method,
    /// The path and the query as they were sent, which signatures are made of.
    pub target: String,
    /// The path, percent-decoded segment by segment, without the query.
    pub path: Vec<String>,
    /// Whether a slash ends the path, which is then no segment: it belongs to the key of an object.
    pub trailing_slash: bool,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: hyper::HeaderMap,
    /// The body.
    pub body: Bytes,
    /// A fresh identifier that AWS would call the request's.
    pub request_id: String,
    /// Who signed the request, and for what.
    pub credential: Option<Credential>,
    /// The service that calls in its own name; none for what comes from a client.
    pub on_behalf_of: Option<ServiceCaller>,
}

/// The `Credential` of a request's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key that signed.
    pub access_key: String,
    /// The region that it was signed for.
    pub region: String,
    /// The service that it was signed for, such as `lambda`.
    pub service: String,
}

impl Request {
    /// A header's value, when it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside those that every response has.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether the connection breaks in the middle of the body.
    pub is_cut: bool,
}

impl Response {
    /// A response with a body of that media type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), is_cut: false }
    }

    /// A response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), is_cut: false }
    }

    /// The response, of which the client gets the head and no more than half of the body.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// The response with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
