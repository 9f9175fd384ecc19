//! Which bucket and key a request is about, and which operation it asks for.

use hyper::Method;

use crate::http::Request;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// All buckets.
    Service,
    /// A bucket.
    Bucket(String),
    /// An object, or where one may be.
    Object(String, String),
}

/// Query parameters that make another operation of a request, those that this S3 has and those that it has not.
const SUBRESOURCES: [&str; 29] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "versions",
];

/// Reads where a request points: path-style, or with the bucket before the host's name.
pub(super) fn address(request: &Request) -> Address {
    let segments = request.path.as_slice();
    let (bucket, rest) = match bucket_of_host(request.header("host").unwrap_or_default()) {
        Some(bucket) => (bucket, segments),
        None => match segments.split_first() {
            Some((bucket, rest)) => (bucket.as_str(), rest),
            None => return Address::Service,
        },
    };
    let mut key = rest.join("/");
    if request.trailing_slash && !rest.is_empty() {
        key.push('/');
    }
    if key.is_empty() {
        Address::Bucket(bucket.to_owned())
    } else {
        Address::Object(bucket.to_owned(), key)
    }
}

/// `bucket.localhost`, and `bucket.s3.localhost` as some clients have it.
fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let name = name.strip_suffix(".localhost")?;
    let name = name.strip_suffix(".s3").unwrap_or(name);
    (name != "s3").then_some(name)
}

/// What is asked of a bucket or an object beside itself, such as its tags.
pub(super) fn subresource(request: &Request) -> Option<&'static str> {
    SUBRESOURCES.into_iter().find(|name| request.query_value(name).is_some())
}

/// The operation that a request asks for, such as `PutObject`; empty where S3 has none.
#[must_use]
pub fn operation(request: &Request) -> &'static str {
    let upload = request.query_value("uploadId").is_some();
    let method = &request.method;
    match (address(request), subresource(request)) {
        (Address::Service, None) if method == Method::GET => "ListBuckets",
        (Address::Service, _) => "",
        (Address::Bucket(_), sub) => of_bucket(method, sub, request),
        (Address::Object(..), None) if upload => of_upload(method, request),
        (Address::Object(..), sub) => of_object(method, sub, request),
    }
}

fn of_bucket(method: &Method, subresource: Option<&str>, request: &Request) -> &'static str {
    match (method.as_str(), subresource) {
        ("PUT", None) => "CreateBucket",
        ("HEAD", None) => "HeadBucket",
        ("DELETE", None) => "DeleteBucket",
        ("GET", None) if request.query_value("list-type") == Some("2") => "ListObjectsV2",
        ("GET", None) => "ListObjects",
        ("GET", Some("location")) => "GetBucketLocation",
        ("GET", Some("versioning")) => "GetBucketVersioning",
        ("GET", Some("uploads")) => "ListMultipartUploads",
        ("GET", Some("tagging")) => "GetBucketTagging",
        ("PUT", Some("tagging")) => "PutBucketTagging",
        ("DELETE", Some("tagging")) => "DeleteBucketTagging",
        ("GET", Some("notification")) => "GetBucketNotificationConfiguration",
        ("PUT", Some("notification")) => "PutBucketNotificationConfiguration",
        ("GET", Some("policy")) => "GetBucketPolicy",
        ("PUT", Some("policy")) => "PutBucketPolicy",
        ("DELETE", Some("policy")) => "DeleteBucketPolicy",
        ("POST", Some("delete")) => "DeleteObjects",
        _ => "",
    }
}

fn of_object(method: &Method, subresource: Option<&str>, request: &Request) -> &'static str {
    match (method.as_str(), subresource) {
        ("PUT", None) if request.header("x-amz-copy-source").is_some() => "CopyObject",
        ("PUT", None) => "PutObject",
        ("HEAD", None) => "HeadObject",
        ("GET", None) => "GetObject",
        ("DELETE", None) => "DeleteObject",
        ("GET", Some("tagging")) => "GetObjectTagging",
        ("PUT", Some("tagging")) => "PutObjectTagging",
        ("DELETE", Some("tagging")) => "DeleteObjectTagging",
        ("POST", Some("uploads")) => "CreateMultipartUpload",
        _ => "",
    }
}

fn of_upload(method: &Method, request: &Request) -> &'static str {
    match method.as_str() {
        "PUT" if request.header("x-amz-copy-source").is_some() => "UploadPartCopy",
        "PUT" => "UploadPart",
        "GET" => "ListParts",
        "POST" => "CompleteMultipartUpload",
        "DELETE" => "AbortMultipartUpload",
        _ => "",
    }
}
