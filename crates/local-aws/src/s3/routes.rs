//! Requests → operations.

use super::address::{Address, address, operation, subresource};
use super::{Context, State, buckets, copy, deletion, error, listing, objects, tags, uploads};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::xml::Element;

/// Answers a request.
pub(super) fn route(
    state: &mut State,
    request: &Request,
    context: &Context,
) -> Result<Response, AwsError> {
    let owner = request.header("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != context.account_id) {
        return Err(AwsError::new(403, "AccessDenied", "Access Denied"));
    }
    match address(request) {
        Address::Service if operation(request) == "ListBuckets" => {
            buckets::list(state, request, context)
        }
        Address::Service => Err(error::method_not_allowed(request.method.as_str())),
        Address::Bucket(bucket) => of_bucket(state, request, context, &bucket),
        Address::Object(bucket, key) => of_object(state, request, context, &bucket, &key),
    }
}

fn of_bucket(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
) -> Result<Response, AwsError> {
    match operation(request) {
        "CreateBucket" => buckets::create(state, request, context, bucket),
        "HeadBucket" => buckets::head(state, context, bucket),
        "DeleteBucket" => buckets::delete(state, bucket),
        "ListObjectsV2" => listing::list(state, request, context, bucket, listing::Version::V2),
        "ListObjects" => listing::list(state, request, context, bucket, listing::Version::V1),
        "GetBucketLocation" => buckets::location(state, context, bucket),
        "GetBucketVersioning" => buckets::versioning(state, bucket),
        "ListMultipartUploads" => uploads::list(state, bucket),
        "GetBucketTagging" => tags::of_bucket(state, context, bucket),
        "PutBucketTagging" => tags::put_on_bucket(state, request, bucket),
        "DeleteBucketTagging" => tags::delete_from_bucket(state, bucket),
        "DeleteObjects" => deletion::delete_many(state, request, bucket),
        _ => Err(unknown(request)),
    }
}

fn of_object(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    if request.query_value("versionId").is_some_and(|version| version != "null") {
        return Err(AwsError::bad_request("InvalidArgument", "Invalid version id specified"));
    }
    match operation(request) {
        "PutObject" => objects::put(state, request, context, bucket, key),
        "CopyObject" => copy::copy(state, request, context, bucket, key),
        "HeadObject" | "GetObject" => objects::get(state, request, bucket, key),
        "DeleteObject" => deletion::delete(state, request, bucket, key),
        "GetObjectTagging" => tags::of_object(state, bucket, key),
        "PutObjectTagging" => tags::put_on_object(state, request, bucket, key),
        "DeleteObjectTagging" => tags::delete_from_object(state, bucket, key),
        "CreateMultipartUpload" => uploads::create(state, request, context, bucket, key),
        "UploadPart" => uploads::upload_part(state, request, context, bucket, key),
        "UploadPartCopy" => uploads::upload_part_copy(state, request, context, bucket, key),
        "ListParts" => uploads::parts(state, request, bucket, key),
        "CompleteMultipartUpload" => uploads::complete(state, request, context, bucket, key),
        "AbortMultipartUpload" => uploads::abort(state, request, bucket, key),
        _ => Err(unknown(request)),
    }
}

fn unknown(request: &Request) -> AwsError {
    match (operation(request), subresource(request)) {
        ("", Some(subresource)) => {
            error::not_implemented(&format!("`{}` of `?{subresource}`", request.method))
        }
        ("", None) => error::method_not_allowed(request.method.as_str()),
        (operation, _) => error::not_implemented(operation),
    }
}

/// An answer with a document.
pub(super) fn reply(document: &Element) -> Response {
    Response::new(200, "application/xml", document.to_document())
}
