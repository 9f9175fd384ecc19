//! S3: buckets and objects, as SDKs and the AWS CLI use them.
//!
//! | module | what it is |
//! |---|---|
//! | `address` | which bucket and key a request is about, and which operation it asks for |
//! | `routes` | operations → what the modules below do |
//! | `buckets`, `objects`, `copy`, `listing`, `deletion`, `tags`, `uploads` | the operations, pure over state and time |
//! | `payload` | bodies as they travel: chunked, with checksums |
//! | `input`, `names`, `headers`, `error` | what is read, checked and refused |

mod address;
mod buckets;
mod copy;
mod deletion;
mod error;
mod headers;
mod input;
mod listing;
mod names;
mod objects;
mod payload;
mod routes;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

pub use address::operation;

use self::buckets::Bucket;
use super::http::{BoxFuture, Request, Response};
use super::protocol::{AwsError, Protocol};
use super::server;
use super::world::{Pace, World};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Buckets, by name.
#[derive(Debug, Default)]
pub struct State {
    buckets: BTreeMap<String, Bucket>,
    /// How many objects and uploads were ever made: what tells one from the next.
    written: u64,
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Context {
    account_id: String,
    region: String,
    now: SystemTime,
    pace: Pace,
}

impl State {
    /// Every bucket, with its tags and what is in it.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.buckets.iter().map(|(name, bucket)| (name.clone(), bucket.snapshot())).collect()
    }

    fn bucket(&self, name: &str) -> Result<&Bucket, AwsError> {
        self.buckets.get(name).ok_or_else(|| error::no_such_bucket(name))
    }

    fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, AwsError> {
        self.buckets.get_mut(name).ok_or_else(|| error::no_such_bucket(name))
    }

    /// A number that is greater than every one before.
    fn next(&mut self) -> u64 {
        self.written += 1;
        self.written
    }
}

/// S3, as the listener sees it.
#[derive(Debug)]
pub struct Service {
    world: Arc<World>,
}

impl Service {
    /// S3 of that account.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    fn answer(&self, request: &Request) -> Response {
        let context = Context {
            account_id: self.world.account_id.clone(),
            region: self.world.region.clone(),
            now: self.world.now(),
            pace: self.world.pace,
        };
        let answer = routes::route(&mut self.world.state().s3, request, &context);
        answer.unwrap_or_else(|error| Protocol::RestXml.error(&error, &request.request_id))
    }
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestXml
    }

    fn handle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}
