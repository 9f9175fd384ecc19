//! What is in a bucket, page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::buckets::{Bucket, owner};
use super::objects::Object;
use super::routes::reply;
use super::{Context, NAMESPACE, State, error};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::protocol::xml::Element;

const PAGE: usize = 1000;

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b'~');

/// Which of the two operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `ListObjects`
    V1,
    /// `ListObjectsV2`
    V2,
}

/// A line of a page.
#[derive(Debug, Clone)]
enum Found<'s> {
    Object(&'s str, &'s Object),
    /// What keys have in common up to the delimiter.
    Prefix(String),
}

impl Found<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Object(key, _) => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// What is asked for.
struct Wanted<'r> {
    prefix: &'r str,
    delimiter: &'r str,
    after: String,
    most: usize,
    is_encoded: bool,
}

/// `ListObjectsV2`, `ListObjects`
pub(super) fn list(
    state: &State,
    request: &Request,
    context: &Context,
    bucket: &str,
    version: Version,
) -> Result<Response, AwsError> {
    let found = state.bucket(bucket)?;
    let wanted = wanted(request, version)?;
    let (page, is_truncated) = page(found, &wanted);
    let text = |given: &str| {
        if wanted.is_encoded {
            utf8_percent_encode(given, PLAIN).to_string()
        } else {
            given.to_owned()
        }
    };
    let mut document = Element::new("ListBucketResult")
        .in_namespace(NAMESPACE)
        .text("Name", bucket)
        .text("Prefix", text(wanted.prefix))
        .text("MaxKeys", wanted.most.to_string())
        .text("IsTruncated", is_truncated.to_string());
    if !wanted.delimiter.is_empty() {
        document = document.text("Delimiter", text(wanted.delimiter));
    }
    if wanted.is_encoded {
        document = document.text("EncodingType", "url");
    }
    let last = page.last().map(Found::name).filter(|_| is_truncated);
    document = match version {
        Version::V2 => document
            .text("KeyCount", page.len().to_string())
            .optional("ContinuationToken", request.query_value("continuation-token"))
            .optional("StartAfter", request.query_value("start-after").map(text))
            .optional("NextContinuationToken", last.map(|name| URL_SAFE_NO_PAD.encode(name))),
        // Where keys are not grouped, AWS leaves it to the caller to go on after the last of them.
        Version::V1 => document
            .text("Marker", request.query_value("marker").map(text).unwrap_or_default())
            .optional("NextMarker", last.filter(|_| !wanted.delimiter.is_empty()).map(text)),
    };
    let with_owner = version == Version::V1 || request.query_value("fetch-owner") == Some("true");
    let owner = with_owner.then(|| owner(context));
    let lines = page.iter().map(|line| match line {
        Found::Object(key, object) => contents(text(key), object, owner.as_ref()),
        Found::Prefix(prefix) => Element::new("CommonPrefixes").text("Prefix", text(prefix)),
    });
    Ok(reply(&document.children(lines)))
}

fn contents(key: String, object: &Object, owner: Option<&String>) -> Element {
    let element = Element::new("Contents")
        .text("Key", key)
        .text("LastModified", iso8601_zulu(object.modified))
        .text("ETag", &object.etag)
        .text("ChecksumAlgorithm", object.checksum.algorithm.to_ascii_uppercase())
        .text("ChecksumType", object.checksum_type())
        .text("Size", object.body.len().to_string())
        .text("StorageClass", object.system.class());
    match owner {
        Some(id) => element.child(Element::new("Owner").text("ID", id)),
        None => element,
    }
}

fn wanted(request: &Request, version: Version) -> Result<Wanted<'_>, AwsError> {
    let most = match request.query_value("max-keys") {
        None => PAGE,
        Some(text) => {
            let message = "Provided max-keys not an integer or within integer range";
            let most = text.parse::<i32>().ok().and_then(|most| usize::try_from(most).ok());
            most.ok_or_else(|| error::invalid_argument("max-keys", text, message))?.min(PAGE)
        }
    };
    let is_encoded = match request.query_value("encoding-type") {
        None => false,
        Some("url") => true,
        Some(other) => {
            let message = "Invalid Encoding Method specified in Request";
            return Err(error::invalid_argument("encoding-type", other, message));
        }
    };
    let after = match (version, request.query_value("continuation-token")) {
        (Version::V1, _) => request.query_value("marker").unwrap_or_default().to_owned(),
        (Version::V2, None) => request.query_value("start-after").unwrap_or_default().to_owned(),
        (Version::V2, Some(token)) => {
            let decoded = URL_SAFE_NO_PAD.decode(token).ok();
            decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
                let message = "The continuation token provided is incorrect";
                error::invalid_argument("continuation-token", token, message)
            })?
        }
    };
    Ok(Wanted {
        prefix: request.query_value("prefix").unwrap_or_default(),
        delimiter: request.query_value("delimiter").unwrap_or_default(),
        after,
        most,
        is_encoded,
    })
}

/// The lines of a page, in the order of their bytes, and whether there are more.
fn page<'s>(bucket: &'s Bucket, wanted: &Wanted<'_>) -> (Vec<Found<'s>>, bool) {
    let mut page: Vec<Found<'s>> = Vec::new();
    let begins = bucket.objects.range(wanted.prefix.to_owned()..);
    for (key, object) in begins.take_while(|(key, _)| key.starts_with(wanted.prefix)) {
        let line = match common_prefix(key, wanted) {
            // A group whose prefix has been listed has been listed as a whole.
            Some(prefix) if prefix.as_str() <= wanted.after.as_str() => continue,
            Some(prefix) if page.last().is_some_and(|last| last.name() == prefix) => continue,
            Some(prefix) => Found::Prefix(prefix),
            None if key.as_str() <= wanted.after.as_str() => continue,
            None => Found::Object(key, object),
        };
        if page.len() >= wanted.most {
            // AWS says of an empty page that was asked for that it is the whole.
            return (page, wanted.most > 0);
        }
        page.push(line);
    }
    (page, false)
}

fn common_prefix(key: &str, wanted: &Wanted<'_>) -> Option<String> {
    if wanted.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(wanted.prefix)?;
    let at = rest.find(wanted.delimiter)?;
    let end = wanted.prefix.len() + at + wanted.delimiter.len();
    key.get(..end).map(str::to_owned)
}
