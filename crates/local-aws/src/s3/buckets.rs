//! Buckets.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::objects::Object;
use super::routes::reply;
use super::uploads::Upload;
use super::{Context, NAMESPACE, State, error, input, names, tags};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::protocol::xml::Element;

/// The region whose buckets have no location, and in which whoever makes a bucket again is told that it is made.
const FIRST_REGION: &str = "us-east-1";

/// How long it may take AWS to show the tags that a bucket was made with: its configuration is consistent in the end.
const TAGS: Duration = Duration::from_secs(2);

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    created: SystemTime,
    pub(super) tags: BTreeMap<String, String>,
    /// Until when those that it was made with are not seen.
    pub(super) tags_late_until: Option<SystemTime>,
    pub(super) objects: BTreeMap<String, Object>,
    /// Uploads in parts that are not complete, by id.
    pub(super) uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    pub(super) fn snapshot(&self) -> Value {
        let objects = self.objects.iter().map(|(key, object)| (key.clone(), object.snapshot()));
        let uploads: Vec<&str> = self.uploads.values().map(|upload| upload.key.as_str()).collect();
        json!({"tags": self.tags, "objects": objects.collect::<Value>(), "uploads": uploads})
    }

    pub(super) fn object(&self, key: &str) -> Result<&Object, AwsError> {
        self.objects.get(key).ok_or_else(|| error::no_such_key(key))
    }
}

/// `CreateBucket`
pub(super) fn create(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
) -> Result<Response, AwsError> {
    names::check_bucket(bucket)?;
    check_settings(request)?;
    let mut given = BTreeMap::new();
    let mut constraint = None;
    if !request.body.is_empty() {
        let node = input::document(&request.body, "CreateBucketConfiguration")?;
        constraint = node.text("LocationConstraint").map(str::to_owned);
        if let Some(node) = node.child("Tags") {
            given = tags::read(node, tags::BUCKET_LIMIT)?;
        }
    }
    check_location(constraint.as_deref(), &context.region)?;
    let made = Response::empty(200).with_header("Location", format!("/{bucket}"));
    if state.buckets.contains_key(bucket) {
        // There alone, AWS says so again and changes nothing.
        return if context.region == FIRST_REGION {
            Ok(made)
        } else {
            Err(error::already_owned(bucket))
        };
    }
    let new = Bucket {
        created: context.now,
        tags: given,
        tags_late_until: Some(context.now + context.latency.scale(TAGS)),
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
    };
    state.outbox.created(super::BUCKET, bucket);
    state.buckets.insert(bucket.to_owned(), new);
    Ok(made)
}

/// What a bucket may be asked to be that this S3 has not, or that AWS itself refuses where owners are enforced.
fn check_settings(request: &Request) -> Result<(), AwsError> {
    let enforced = request.header("x-amz-object-ownership").unwrap_or("BucketOwnerEnforced");
    if enforced != "BucketOwnerEnforced" {
        return Err(error::not_implemented("`ObjectOwnership` other than BucketOwnerEnforced"));
    }
    if request
        .header("x-amz-bucket-object-lock-enabled")
        .is_some_and(|on| on.eq_ignore_ascii_case("true"))
    {
        return Err(error::not_implemented("`ObjectLockEnabledForBucket`"));
    }
    if request.header("x-amz-bucket-namespace").is_some_and(|namespace| namespace != "global") {
        return Err(error::not_implemented("`BucketNamespace` other than global"));
    }
    let shares = request.header("x-amz-acl").is_some_and(|acl| acl != "private");
    let grants = request.headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-"));
    if shares || grants {
        let message =
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(AwsError::bad_request("InvalidBucketAclWithObjectOwnership", message));
    }
    Ok(())
}

fn check_location(constraint: Option<&str>, region: &str) -> Result<(), AwsError> {
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if region == FIRST_REGION => Ok(()),
        Some(FIRST_REGION) if region == FIRST_REGION => {
            let message = "The specified location-constraint is not valid";
            Err(AwsError::bad_request("InvalidLocationConstraint", message)
                .with("LocationConstraint", FIRST_REGION))
        }
        Some(given) if given == region => Ok(()),
        given => {
            let message = format!(
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                given.unwrap_or("unspecified")
            );
            Err(AwsError::bad_request("IllegalLocationConstraintException", message))
        }
    }
}

/// `HeadBucket`
pub(super) fn head(state: &State, context: &Context, bucket: &str) -> Result<Response, AwsError> {
    state.bucket(bucket)?;
    Ok(Response::empty(200)
        .with_header("x-amz-bucket-region", &context.region)
        .with_header("x-amz-bucket-arn", format!("arn:aws:s3:::{bucket}"))
        .with_header("x-amz-access-point-alias", "false"))
}

/// `DeleteBucket`
pub(super) fn delete(state: &mut State, bucket: &str) -> Result<Response, AwsError> {
    // Uploads that are not complete do not keep a bucket.
    if !state.bucket(bucket)?.objects.is_empty() {
        return Err(error::not_empty(bucket));
    }
    state.outbox.deleted(super::BUCKET, bucket);
    state.buckets.remove(bucket);
    Ok(Response::empty(204))
}

/// `GetBucketLocation`
pub(super) fn location(
    state: &State,
    context: &Context,
    bucket: &str,
) -> Result<Response, AwsError> {
    state.bucket(bucket)?;
    let location = if context.region == FIRST_REGION { "" } else { &context.region };
    Ok(reply(&Element::leaf("LocationConstraint", location).in_namespace(NAMESPACE)))
}

/// `GetBucketVersioning`: there is none.
pub(super) fn versioning(state: &State, bucket: &str) -> Result<Response, AwsError> {
    state.bucket(bucket)?;
    Ok(reply(&Element::new("VersioningConfiguration").in_namespace(NAMESPACE)))
}

/// `ListBuckets`
pub(super) fn list(
    state: &State,
    request: &Request,
    context: &Context,
) -> Result<Response, AwsError> {
    let prefix = request.query_value("prefix").unwrap_or_default();
    let after = request.query_value("continuation-token").unwrap_or_default();
    let most = match request.query_value("max-buckets") {
        None => usize::MAX,
        Some(text) => {
            text.parse().ok().filter(|most| (1..=10_000).contains(most)).ok_or_else(|| {
                error::invalid_argument(
                    "max-buckets",
                    text,
                    "Argument max-buckets must be an integer between 1 and 10000",
                )
            })?
        }
    };
    let region = request.query_value("bucket-region");
    let elsewhere = region.is_some_and(|region| region != context.region);
    let mut rest = state
        .buckets
        .iter()
        .filter(|(name, _)| !elsewhere && name.starts_with(prefix) && name.as_str() > after)
        .peekable();
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|(name, _)| (*name).clone());
    let buckets = page.into_iter().map(|(name, bucket)| {
        Element::new("Bucket")
            .text("Name", name)
            .text("CreationDate", iso8601_zulu(bucket.created))
            .text("BucketRegion", &context.region)
    });
    let document = Element::new("ListAllMyBucketsResult")
        .in_namespace(NAMESPACE)
        .child(Element::new("Owner").text("ID", owner(context)))
        .child(Element::new("Buckets").children(buckets))
        .optional("ContinuationToken", next)
        .optional("Prefix", request.query_value("prefix"));
    Ok(reply(&document))
}

/// The canonical user id of the account: 64 hexadecimal digits.
pub(super) fn owner(context: &Context) -> String {
    super::payload::hex(&super::payload::digest("sha256", context.account_id.as_bytes()))
}
