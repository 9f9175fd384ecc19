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
use super::system::System;
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
    system: System,
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
        system: System::of(request, context)?,
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
    let mut response = upload.system.encrypted(reply(&document));
    state.bucket_mut(bucket)?.uploads.insert(upload_id, upload);
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
    let response = upload
        .system
        .encrypted(Response::empty(200).with_header("ETag", &etag))
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
    let original = state.bucket(&from_bucket)?.object(&from_key)?;
    headers::check_source(request, &original.etag, original.modified)?;
    let original = original.body.clone();
    let body = match request.header("x-amz-copy-source-range") {
        Some(range) => copied_range(range, &original)?,
        None => original,
    };
    let etag = format!("\"{}\"", payload::md5_hex(&body));
    let upload = upload(state, request, bucket, key)?;
    let sum = checksum(upload.algorithm, &body);
    let document = Element::new("CopyPartResult")
        .in_namespace(NAMESPACE)
        .text("LastModified", iso8601_zulu(context.now))
        .text("ETag", &etag)
        .text(&format!("Checksum{}", sum.algorithm.to_ascii_uppercase()), &sum.value);
    let response = upload.system.encrypted(reply(&document));
    upload.parts.insert(number, Part { body, etag, modified: context.now });
    Ok(response)
}

/// The bytes that `bytes=first-last` says, both of which have to be there.
fn copied_range(range: &str, original: &Bytes) -> Result<Bytes, AwsError> {
    let ends = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let Some((first, last)) = ends.filter(|(first, last): &(usize, usize)| first <= last) else {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                       zero-based offsets of the first and last bytes to copy";
        return Err(error::invalid_argument("x-amz-copy-source-range", range, message));
    };
    if last >= original.len() {
        let message =
            format!("Range specified is not valid for source object of size: {}", original.len());
        return Err(error::invalid_argument("x-amz-copy-source-range", range, &message));
    }
    Ok(original.slice(first..=last))
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
    let lengths = parts.iter().map(|part| part.body.len()).collect();
    let system = upload.system.clone();
    Object { etag, parts: lengths, ..Object::new(body, checksum, headers, tags, system, now) }
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

/// `ListParts`
pub(super) fn parts(
    state: &mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let upload = upload(state, request, bucket, key)?;
    let most = whole_number(request, "max-parts")?.unwrap_or(1000).min(1000);
    let marker = whole_number(request, "part-number-marker")?.unwrap_or(0);
    let mut rest = upload.parts.iter().filter(|(number, _)| usize::from(**number) > marker);
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let is_truncated = rest.next().is_some();
    let next = page.last().filter(|_| is_truncated).map(|(number, _)| number.to_string());
    let parts = page.into_iter().map(|(number, part)| {
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
        .text("StorageClass", upload.system.class())
        .text("PartNumberMarker", marker.to_string())
        .optional("NextPartNumberMarker", next)
        .text("MaxParts", most.to_string())
        .text("IsTruncated", is_truncated.to_string())
        .children(parts);
    Ok(reply(&document))
}

/// A number in the query, such as how many are wanted.
fn whole_number(request: &Request, name: &str) -> Result<Option<usize>, AwsError> {
    let Some(text) = request.query_value(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) if (0..=2_147_483_647).contains(&number) => Ok(usize::try_from(number).ok()),
        Ok(_) => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(error::invalid_argument(name, text, &message))
        }
        Err(_) => {
            let message = format!("Provided {name} not an integer or within integer range");
            Err(error::invalid_argument(name, text, &message))
        }
    }
}

/// `ListMultipartUploads`, all on one page.
pub(super) fn list(state: &State, bucket: &str) -> Result<Response, AwsError> {
    let uploads = state.bucket(bucket)?.uploads.iter().map(|(id, upload)| {
        Element::new("Upload")
            .text("Key", &upload.key)
            .text("UploadId", id)
            .text("Initiated", iso8601_zulu(upload.began))
            .text("StorageClass", upload.system.class())
    });
    let document = Element::new("ListMultipartUploadsResult")
        .in_namespace(NAMESPACE)
        .text("Bucket", bucket)
        .text("IsTruncated", "false")
        .children(uploads);
    Ok(reply(&document))
}
