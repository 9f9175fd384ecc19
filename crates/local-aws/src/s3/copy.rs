//! Objects made from others.

use percent_encoding::percent_decode_str;

use super::objects::Object;
use super::routes::reply;
use super::system::System;
use super::{Context, NAMESPACE, State, error, headers, names, payload, tags};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::protocol::xml::Element;

/// `CopyObject`
pub(super) fn copy(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    names::check_key(key)?;
    let (from_bucket, from_key) = source(request)?;
    let original = state.bucket(&from_bucket)?.object(&from_key)?.clone();
    headers::check_source(request, &original.etag, original.modified)?;
    if original.system.is_archived() {
        let message = "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.";
        return Err(AwsError::new(403, "ObjectNotInActiveTierError", message));
    }
    let system = System::of(request, context)?;
    let algorithm = match request.header("x-amz-checksum-algorithm") {
        Some(name) => payload::algorithm(name)
            .ok_or_else(|| error::invalid_request("Checksum algorithm provided is unsupported."))?,
        None => original.checksum.algorithm,
    };
    let replaces = |directive: &str| request.header(directive) == Some("REPLACE");
    let (metadata, tagging) =
        (replaces("x-amz-metadata-directive"), replaces("x-amz-tagging-directive"));
    let is_same = from_bucket == bucket && from_key == key;
    if is_same && !metadata && !System::is_asked_for(request) {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(error::invalid_request(message));
    }
    let target = state.bucket_mut(bucket)?;
    let there = target.objects.get(key).map(|object| object.etag.as_str());
    headers::check_write(request, there, key)?;
    let kept = if metadata { headers::kept(request)? } else { original.headers };
    let tags = if tagging { tags::of_header(request)? } else { original.tags };
    let checksum = payload::checksum(algorithm, &original.body);
    let copy = Object::new(original.body, checksum, kept, tags, system, context.now);
    let document = Element::new("CopyObjectResult")
        .in_namespace(NAMESPACE)
        .text("LastModified", iso8601_zulu(copy.modified))
        .text("ETag", &copy.etag)
        .text(&format!("Checksum{}", algorithm.to_ascii_uppercase()), &copy.checksum.value)
        .text("ChecksumType", copy.checksum_type());
    let response = copy.system.encrypted(reply(&document));
    state.put(bucket, key, copy);
    Ok(response)
}

/// `/bucket/key`, or the same without the first slash; the key as it travels in a path.
pub(super) fn source(request: &Request) -> Result<(String, String), AwsError> {
    let given = request.header("x-amz-copy-source").unwrap_or_default();
    let path = given.split('?').next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    match path.trim_start_matches('/').split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok((bucket.to_owned(), key.to_owned()))
        }
        _ => Err(error::invalid_argument(
            "x-amz-copy-source",
            given,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )),
    }
}
