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
mod notifications;
mod objects;
mod payload;
mod resource_types;
mod routes;
mod system;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

use self::address::{Address, address, operation};

use self::buckets::Bucket;
use self::objects::Object;
use super::account::feed::{ChangeEvent, Outbox};
use super::account::latency::LatencyProfile;
use super::account::{self, Account};
use super::cloudformation::ResourceType;
use super::http::{BoxFuture, Request, Response};
use super::protocol::{AwsError, Protocol};
use super::server::{self, Interface, modelled};

/// What buckets are called among the types of resources.
const BUCKET: &str = "AWS::S3::Bucket";
/// The operations that stand on the wire of AWS's model.
const MODELLED: [&str; 5] = [
    "DeleteBucketPolicy",
    "GetBucketNotificationConfiguration",
    "GetBucketPolicy",
    "PutBucketNotificationConfiguration",
    "PutBucketPolicy",
];
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Buckets, by name.
#[derive(Debug, Default)]
pub struct State {
    buckets: BTreeMap<String, Bucket>,
    /// How many objects and uploads were ever made: what tells one from the next.
    written: u64,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "s3";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Context {
    account_id: String,
    region: String,
    now: SystemTime,
    latency: LatencyProfile,
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

    /// Writes an object into a bucket that is there, and notes it.
    fn put(&mut self, bucket: &str, key: &str, object: Object) {
        let Some(place) = self.buckets.get_mut(bucket) else { return };
        self.outbox.push(ChangeEvent::ObjectPut {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
            etag: object.etag.clone(),
        });
        place.objects.insert(key.to_owned(), object);
    }

    /// Deletes an object, and notes it where there was one.
    fn remove(&mut self, bucket: &str, key: &str) {
        let place = self.buckets.get_mut(bucket);
        if place.is_some_and(|place| place.objects.remove(key).is_some()) {
            let (bucket, key) = (bucket.to_owned(), key.to_owned());
            self.outbox.push(ChangeEvent::ObjectDeleted { bucket, key });
        }
    }

    /// A number that is greater than every one before.
    fn next(&mut self) -> u64 {
        self.written += 1;
        self.written
    }
}

/// S3, as the listener sees it.
#[derive(Debug)]
pub struct Service;

fn answer(account: &Account, request: &Request) -> Response {
    let context = Context {
        account_id: account.id.clone(),
        region: account.region.clone(),
        now: account.now(),
        latency: account.latency(),
    };
    let (answer, changes) = {
        let mut state = account.state::<State>();
        let answer = routes::route(&mut state, request, &context);
        (answer, state.outbox.pending().to_vec())
    };
    if answer.is_ok() {
        notifications::tell(account, request, operation(request), &changes);
        for change in &changes {
            if let ChangeEvent::ResourceDeleted(gone) = change {
                account.state::<notifications::State>().forget(&gone.name);
            }
        }
    }
    answer.unwrap_or_else(|error| Protocol::RestXml.error(&error, &request.request_id))
}

/// Answers what stands on the wire of AWS's model, which knows buckets in paths alone.
async fn answer_modelled(account: &Account, request: &Request) -> Option<Response> {
    let is_modelled = MODELLED.contains(&operation(request));
    let Address::Bucket(bucket) = address(request) else { return None };
    if !is_modelled {
        return None;
    }
    let (_, query) = request.target.split_once('?').unwrap_or_default();
    let query = if query.is_empty() {
        request.query.first().map_or("", |(name, _)| name.as_str())
    } else {
        query
    };
    let rewritten = Request { target: format!("/{bucket}?{query}"), ..request.clone() };
    modelled::answer(notifications::MODELS, account, &rewritten).await
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn interface(&self) -> Interface {
        Interface { protocol: Protocol::RestXml, target: "", version: "", paths: &[] }
    }

    fn operation(&self, request: &Request) -> String {
        operation(request).to_owned()
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            match answer_modelled(account, request).await {
                Some(response) => response,
                None => answer(account, request),
            }
        })
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::bucket::TYPE, &resource_types::bucket_policy::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let now = account.now();
        let state = account.state::<State>();
        let buckets = state
            .buckets
            .iter()
            .filter(|(_, bucket)| bucket.tags_late_until.is_none_or(|until| until <= now));
        buckets
            .map(|(name, bucket)| server::Tagged {
                arn: format!("arn:aws:s3:::{name}"),
                tags: bucket.tags.clone(),
            })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let mut snapshot = account.state::<State>().snapshot();
        let told = account.state::<notifications::State>();
        for (name, bucket) in snapshot.as_object_mut().into_iter().flatten() {
            if let Some(bucket) = bucket.as_object_mut() {
                bucket.extend(told.snapshot(name));
            }
        }
        snapshot
    }
}
