//! Objects that arrive in parts.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};

use super::copy::source;
use super::input::Node;
use super::objects::Object;
use super::payload::{self, Checksum, checksum, digest, hex, payload};
use super::routes::reply;
use super::{Context, NAMESPACE, State, error, headers, input, names, tags};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::protocol::xml::Element;

/// Every part but the last has at least so many bytes.
const LEAST: usize = 5 * 1024 * 1024;

/// An upload that is not complete.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    began: SystemTime,
    headers: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    algorithm: &'static str,
    /// Whether the checksum will be that of the whole, not one of those of the parts.
    is_whole: bool,
    parts: BTreeMap<u16, Part>,
}

#[derive(Debug, Clone)]
struct Part {
    body: Bytes,
    etag: String,
    modified: SystemTime,
}

/// `CreateMultipartUpload`
pub(super) fn create(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    names::check_key(key)?;
    state.bucket(bucket)?;
    let asked = request.header("x-amz-checksum-algorithm");
    let algorithm = match asked {
        None => "crc64nvme",
        Some(name) => payload::algorithm(name)
            .ok_or_else(|| error::invalid_request("Checksum algorithm provided is unsupported."))?,
    };
    let is_whole = match request.header("x-amz-checksum-type") {
        Some(given) => given == "FULL_OBJECT",
        None => algorithm == "crc64nvme",
    };
    let upload = Upload {
        key: key.to_owned(),
        began: context.now,
        headers: headers::kept(request)?,
        tags: tags::of_header(request)?,
        algorithm,
        is_whole,
        parts: BTreeMap::new(),
    };
    let upload_id = format!("upload-{:016x}-{:016x}", state.next(), fastrand::u64(..));
    let document = Element::new("InitiateMultipartUploadResult")
        .in_namespace(NAMESPACE)
        .text("Bucket", bucket)
        .text("Key", key)
        .text("UploadId", &upload_id);
    state.bucket_mut(bucket)?.uploads.insert(upload_id, upload);
    let mut response = reply(&document);
    if asked.is_some() {
        let kind = if is_whole { "FULL_OBJECT" } else { "COMPOSITE" };
        response = response
            .with_header("x-amz-checksum-algorithm", algorithm.to_ascii_uppercase())
            .with_header("x-amz-checksum-type", kind);
    }
    Ok(response)
}

fn upload_id(request: &Request) -> &str {
    request.query_value("uploadId").unwrap_or_default()
}

fn upload<'s>(
    state: &'s mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<&'s mut Upload, AwsError> {
    let id = upload_id(request);
    let upload = state.bucket_mut(bucket)?.uploads.get_mut(id);
    upload.filter(|upload| upload.key == key).ok_or_else(|| error::no_such_upload(id))
}

/// `UploadPart`
pub(super) fn upload_part(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let upload = upload(state, request, bucket, key)?;
    let number = part_number(request)?;
    let payload = payload(request)?;
    let etag = format!("\"{}\"", payload::md5_hex(&payload.bytes));
    let response = Response::empty(200)
        .with_header("ETag", &etag)
        .with_header(&payload.checksum.header(), &payload.checksum.value);
    upload.parts.insert(number, Part { body: payload.bytes, etag, modified: context.now });
    Ok(response)
}

/// `UploadPartCopy`
pub(super) fn upload_part_copy(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let number = part_number(request)?;
    let (from_bucket, from_key) = source(request)?;
    let original = state.bucket(&from_bucket)?.object(&from_key)?.body.clone();
    let range = request.header("x-amz-copy-source-range");
    let body = match headers::bytes_of(range, original.len())? {
        Some((first, end)) => original.slice(first..end),
        None => original,
    };
    let etag = format!("\"{}\"", payload::md5_hex(&body));
    let document = Element::new("CopyPartResult")
        .in_namespace(NAMESPACE)
        .text("LastModified", iso8601_zulu(context.now))
        .text("ETag", &etag);
    let parts = &mut upload(state, request, bucket, key)?.parts;
    parts.insert(number, Part { body, etag, modified: context.now });
    Ok(reply(&document))
}

fn part_number(request: &Request) -> Result<u16, AwsError> {
    let given = request.query_value("partNumber").unwrap_or_default();
    let number = given.parse().ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        error::invalid_argument("partNumber", given, message)
    })
}

/// `CompleteMultipartUpload`
pub(super) fn complete(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let upload = upload(state, request, bucket, key)?.clone();
    let node = input::document(&request.body, "CompleteMultipartUpload")?;
    let parts = chosen(&upload, &node)?;
    let place = state.bucket_mut(bucket)?;
    let there = place.objects.get(key).map(|object| object.etag.as_str());
    headers::check_write(request, there, key)?;
    let object = assembled(&upload, &parts, context.now);
    let document = Element::new("CompleteMultipartUploadResult")
        .in_namespace(NAMESPACE)
        .text("Location", format!("/{bucket}/{key}"))
        .text("Bucket", bucket)
        .text("Key", key)
        .text("ETag", &object.etag)
        .text(
            &format!("Checksum{}", object.checksum.algorithm.to_ascii_uppercase()),
            &object.checksum.value,
        )
        .text("ChecksumType", object.checksum_type());
    place.uploads.remove(upload_id(request));
    state.put(bucket, key, object);
    Ok(reply(&document))
}

/// The parts that the object is to be made of, in order.
fn chosen<'u>(upload: &'u Upload, node: &Node) -> Result<Vec<&'u Part>, AwsError> {
    let mut parts = Vec::new();
    let mut before = 0;
    for part in node.all("Part") {
        let number: Option<u16> = part.text("PartNumber").and_then(|number| number.parse().ok());
        let number = number.ok_or_else(error::malformed_xml)?;
        if number <= before {
            let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(AwsError::bad_request("InvalidPartOrder", message));
        }
        before = number;
        let bare = |etag: &str| etag.trim_matches('"').to_owned();
        let named = part.text("ETag").unwrap_or_default();
        let found = upload.parts.get(&number).filter(|found| bare(&found.etag) == bare(named));
        parts.push(found.ok_or_else(|| {
            let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                           specified entity tag may not match the part's entity tag.";
            AwsError::bad_request("InvalidPart", message).with("PartNumber", number)
        })?);
    }
    let Some((_, all_but_last)) = parts.split_last() else {
        return Err(error::malformed_xml());
    };
    if let Some(small) = all_but_last.iter().find(|part| part.body.len() < LEAST) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(AwsError::bad_request("EntityTooSmall", message)
            .with("ProposedSize", small.body.len())
            .with("MinSizeAllowed", LEAST));
    }
    Ok(parts)
}

fn assembled(upload: &Upload, parts: &[&Part], now: SystemTime) -> Object {
    let mut body = BytesMut::new();
    let (mut digests, mut checksums) = (Vec::new(), Vec::new());
    for part in parts {
        body.extend_from_slice(&part.body);
        digests.extend_from_slice(&Md5::digest(&part.body));
        checksums.extend(digest(upload.algorithm, &part.body));
    }
    let body = body.freeze();
    let checksum = if upload.is_whole {
        checksum(upload.algorithm, &body)
    } else {
        let of_parts = BASE64_STANDARD.encode(digest(upload.algorithm, &checksums));
        Checksum { algorithm: upload.algorithm, value: format!("{of_parts}-{}", parts.len()) }
    };
    let etag = format!("\"{}-{}\"", hex(&Md5::digest(&digests)), parts.len());
    let (headers, tags) = (upload.headers.clone(), upload.tags.clone());
    Object { etag, ..Object::new(body, checksum, headers, tags, now) }
}

/// `AbortMultipartUpload`
pub(super) fn abort(
    state: &mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    upload(state, request, bucket, key)?;
    state.bucket_mut(bucket)?.uploads.remove(upload_id(request));
    Ok(Response::empty(204))
}

/// `ListParts`, all on one page.
pub(super) fn parts(
    state: &mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let upload = upload(state, request, bucket, key)?;
    let parts = upload.parts.iter().map(|(number, part)| {
        Element::new("Part")
            .text("PartNumber", number.to_string())
            .text("LastModified", iso8601_zulu(part.modified))
            .text("ETag", &part.etag)
            .text("Size", part.body.len().to_string())
    });
    let document = Element::new("ListPartsResult")
        .in_namespace(NAMESPACE)
        .text("Bucket", bucket)
        .text("Key", key)
        .text("UploadId", upload_id(request))
        .text("IsTruncated", "false")
        .children(parts);
    Ok(reply(&document))
}

/// `ListMultipartUploads`, all on one page.
pub(super) fn list(state: &State, bucket: &str) -> Result<Response, AwsError> {
    let uploads = state.bucket(bucket)?.uploads.iter().map(|(id, upload)| {
        Element::new("Upload")
            .text("Key", &upload.key)
            .text("UploadId", id)
            .text("Initiated", iso8601_zulu(upload.began))
            .text("StorageClass", "STANDARD")
    });
    let document = Element::new("ListMultipartUploadsResult")
        .in_namespace(NAMESPACE)
        .text("Bucket", bucket)
        .text("IsTruncated", "false")
        .children(uploads);
    Ok(reply(&document))
}
