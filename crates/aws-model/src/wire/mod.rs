//! Requests and responses of every protocol, in both directions, as pure functions over JSON values.
//!
//! A [`Call`] is an operation in one protocol. A client writes requests and reads responses, a server the other way round.
//! Values are [`serde_json::Value`], as the model spells members; what JSON has no word for is written so:
//!
//! - bytes are base64, also where they are a whole body;
//! - a timestamp is RFC 3339 text when read; RFC 3339 text, an HTTP date or seconds since 1970 when written;
//! - the decimals that JSON does not know are `"NaN"`, `"Infinity"` and `"-Infinity"`;
//! - nothing (`null`) as a member of a structure is a member that is not there.
//!
//! Integers keep all their 64 bits, or are refused: nothing is rounded.
//!
//! Why not the SDK's own crates for protocols: `aws-smithy-schema` wants a type of its own for each structure, serialises
//! in one direction only, and says that it is not for direct use; what is here is one short walk over the model for each
//! format, used by client and server alike, held against the protocol tests that the SDKs share. Requests are written as
//! boto3 writes them, byte for byte, so that the two can be compared.

mod body;
mod cbor;
mod cbor_body;
mod decimal;
mod failure;
mod form;
mod header;
mod json;
#[cfg(test)]
mod protocol_tests;
mod read;
mod rest;
mod route;
mod scalar;
mod timestamp;
mod uri;
mod write;
mod xml;
mod xml_body;

use std::fmt;

use serde_json::{Map, Value};

use crate::protocol::Protocol;
use crate::service::{Operation, Service};
use crate::shape::Member;

pub use body::WantedChecksum;
pub use failure::Failure;
pub use header::Headers;
pub use route::route;
pub(crate) use scalar::from_base64;
pub use timestamp::{parse_timestamp, rfc3339};
pub(crate) use uri::encode as percent_encode;

/// A request, but for host and signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path, percent-encoded.
    pub path: String,
    /// Its query, percent-encoded, without the question mark; empty where there is none.
    pub query: String,
    /// Its headers, those that the protocol gives it.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// What stands before the host.
    pub host_prefix: Option<String>,
}

impl Request {
    /// Path and query, as the first line of the request has them.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The whole URL at an endpoint (`https://host`, perhaps with a path).
    pub fn url(&self, endpoint: &str) -> String {
        let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
        let (host, base) = rest
            .split_once('/')
            .map_or((rest, ""), |(host, path)| (host, path.trim_end_matches('/')));
        let prefix = self.host_prefix.as_deref().unwrap_or_default();
        let slash = if base.is_empty() { "" } else { "/" };
        format!("{scheme}://{prefix}{host}{slash}{base}{}", self.target())
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a response says.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The operation's output.
    Output(Value),
    /// An error.
    Failure(Failure),
}

/// Why something could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    /// Where in the value, as `Tags[0].Key`; empty for all of it.
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

impl WireError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { at: String::new(), what: what.into() }
    }

    /// The same, seen from the member around it.
    pub(crate) fn below(mut self, name: &str) -> Self {
        let dot = if self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        self.at = format!("{name}{dot}{}", self.at);
        self
    }

    /// The same, seen from the list around it.
    pub(crate) fn at_index(self, index: usize) -> Self {
        self.below(&format!("[{index}]"))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            formatter.write_str(&self.what)
        } else {
            write!(formatter, "{}: {}", self.at, self.what)
        }
    }
}

impl std::error::Error for WireError {}

type Wired<T> = Result<T, WireError>;

/// An operation, in one protocol.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its service.
    pub service: &'a Service,
    /// The operation.
    pub operation: &'a Operation,
    /// How it is written.
    pub protocol: Protocol,
}

impl<'a> Call<'a> {
    /// An operation in its service's best protocol.
    pub fn new(service: &'a Service, operation: &'a Operation) -> Self {
        Self { service, operation, protocol: service.metadata.protocol }
    }

    /// Sets each idempotency token that the input lacks, and says which.
    pub fn fill_tokens(
        &self,
        input: &mut Map<String, Value>,
        mut token: impl FnMut() -> String,
    ) -> Vec<&'static str> {
        let missing = |member: &&Member| {
            member.traits.idempotency_token && input.get(member.name).is_none_or(Value::is_null)
        };
        let names: Vec<_> = self
            .service
            .input_of(self.operation)
            .iter()
            .filter(missing)
            .map(|member| member.name)
            .collect();
        for name in &names {
            input.insert((*name).to_owned(), Value::String(token()));
        }
        names
    }
}

/// The map that a structure's value is.
fn members_of(value: &Value) -> Wired<&Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| WireError::new(format!("expected a map, not {}", kind_of(value))))
}

/// What a value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
