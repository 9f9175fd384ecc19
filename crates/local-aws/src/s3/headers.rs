//! The headers of objects.

use std::collections::BTreeMap;

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

/// The headers of a request that stay with the object, its own metadata included.
pub(super) fn kept(request: &Request) -> Result<BTreeMap<String, String>, AwsError> {
    let mut headers = BTreeMap::new();
    for (name, value) in &request.headers {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
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

/// Whether the reader has the object already; an error where it is not the one that the reader expects.
pub(super) fn is_known(request: &Request, etag: &str) -> Result<bool, AwsError> {
    if request.header("if-match").is_some_and(|expected| !lists(expected, etag)) {
        return Err(error::precondition_failed("If-Match"));
    }
    Ok(request.header("if-none-match").is_some_and(|known| lists(known, etag)))
}
