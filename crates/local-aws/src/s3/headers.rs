//! The headers of objects.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::error;
use crate::http::Request;
use crate::protocol::AwsError;

const METADATA: &str = "x-amz-meta-";
const METADATA_LIMIT: usize = 2048;

/// Headers that S3 keeps with an object and gives back as they came.
const KEPT: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// What a reader may ask to be told otherwise.
pub(super) const OVERRIDES: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// A value as a header may have it: what is not ASCII is encoded as mail does it (RFC 2047).
pub(super) fn as_sent(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(value))
}

/// The headers of a request that stay with the object, its own metadata included.
pub(super) fn kept(request: &Request) -> Result<BTreeMap<String, String>, AwsError> {
    let mut headers = BTreeMap::new();
    for (name, value) in &request.headers {
        let (name, Ok(value)) = (name.as_str(), std::str::from_utf8(value.as_bytes())) else {
            continue;
        };
        let value = match name {
            "content-encoding" => without_chunks(value),
            _ => value.to_owned(),
        };
        if (KEPT.contains(&name) && !value.is_empty()) || name.starts_with(METADATA) {
            headers.insert(name.to_owned(), value);
        }
    }
    headers.entry("content-type".to_owned()).or_insert_with(|| "binary/octet-stream".to_owned());
    let own =
        headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(METADATA)?, value)));
    let size: usize = own.map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_LIMIT {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(AwsError::bad_request("MetadataTooLarge", message)
            .with("Size", size)
            .with("MaxSizeAllowed", METADATA_LIMIT));
    }
    Ok(headers)
}

/// `aws-chunked` says how a body travels, not what it is.
fn without_chunks(encoding: &str) -> String {
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
    kept.join(",")
}

/// The bytes that a range is, of so many: the first, and the one behind the last; nothing where all are meant.
pub(super) fn bytes_of(
    range: Option<&str>,
    size: usize,
) -> Result<Option<(usize, usize)>, AwsError> {
    let Some(given) = range else { return Ok(None) };
    let Some((first, last)) = given.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let range = match (number(first), number(last)) {
        (Some(first), None) if last.trim().is_empty() => (first, size),
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (None, Some(length)) if first.trim().is_empty() => {
            (if length == 0 { size } else { size.saturating_sub(length) }, size)
        }
        // What is no range is ignored, as HTTP wants it.
        _ => return Ok(None),
    };
    if range.0 >= size {
        return Err(AwsError::new(416, "InvalidRange", "The requested range is not satisfiable")
            .with("RangeRequested", given)
            .with("ActualObjectSize", size));
    }
    Ok(Some(range))
}

/// Whether entity tags in a header's list hold this one.
fn lists(list: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    list.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

/// Why an object is not to be written or deleted: what is there, or is not there, is not what the writer expects.
pub(super) fn check_write(
    request: &Request,
    there: Option<&str>,
    key: &str,
) -> Result<(), AwsError> {
    if let Some(expected) = request.header("if-none-match") {
        if expected.trim() != "*" {
            return Err(error::not_implemented("`If-None-Match` of anything but `*`"));
        }
        if there.is_some() {
            return Err(error::precondition_failed("If-None-Match"));
        }
    }
    match (request.header("if-match"), there) {
        (Some(_), None) => Err(error::no_such_key(key)),
        (Some(expected), Some(etag)) if !lists(expected, etag) => {
            Err(error::precondition_failed("If-Match"))
        }
        _ => Ok(()),
    }
}

/// Whether the reader has the object already; an error where it is not the one that the reader expects. An entity tag says
/// more than a time.
pub(super) fn is_known(
    request: &Request,
    etag: &str,
    modified: SystemTime,
) -> Result<bool, AwsError> {
    let is_newer = |name: &str| time(request.header(name)?).map(|time| whole(modified) > time);
    match request.header("if-match") {
        Some(expected) if !lists(expected, etag) => {
            return Err(error::precondition_failed("If-Match"));
        }
        None if is_newer("if-unmodified-since") == Some(true) => {
            return Err(error::precondition_failed("If-Unmodified-Since"));
        }
        _ => {}
    }
    Ok(match request.header("if-none-match") {
        Some(known) => lists(known, etag),
        None => is_newer("if-modified-since") == Some(false),
    })
}

/// The same of the original of a copy, which has no answer but yes or no.
pub(super) fn check_source(
    request: &Request,
    etag: &str,
    modified: SystemTime,
) -> Result<(), AwsError> {
    let is_newer = |name: &str| time(request.header(name)?).map(|time| whole(modified) > time);
    let refused = |what: &str| Err(error::precondition_failed(what));
    match request.header("x-amz-copy-source-if-match") {
        Some(expected) if !lists(expected, etag) => return refused("x-amz-copy-source-If-Match"),
        None if is_newer("x-amz-copy-source-if-unmodified-since") == Some(true) => {
            return refused("x-amz-copy-source-If-Unmodified-Since");
        }
        _ => {}
    }
    match request.header("x-amz-copy-source-if-none-match") {
        Some(known) if lists(known, etag) => refused("x-amz-copy-source-If-None-Match"),
        None if is_newer("x-amz-copy-source-if-modified-since") == Some(false) => {
            refused("x-amz-copy-source-If-Modified-Since")
        }
        _ => Ok(()),
    }
}

/// A date as HTTP has it; what is none is ignored, as HTTP wants it.
fn time(text: &str) -> Option<SystemTime> {
    let time =
        jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text);
    time.ok().map(SystemTime::from)
}

/// Dates of HTTP know no parts of seconds.
fn whole(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
