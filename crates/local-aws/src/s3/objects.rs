//! Objects: written, read, looked at.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::payload::{Checksum, md5_hex, payload};
use super::system::System;
use super::{Context, State, error, headers, names, tags};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::timestamp::http_date;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    /// In quotes, as it travels.
    pub(super) etag: String,
    pub(super) modified: SystemTime,
    /// What it was written with: its type, its own metadata.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) checksum: Checksum,
    pub(super) system: System,
    /// How long each part was, of an object that arrived in parts.
    pub(super) parts: Vec<usize>,
}

impl Object {
    /// An object that was written in one go.
    pub(super) fn new(
        body: Bytes,
        checksum: Checksum,
        headers: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
        system: System,
        modified: SystemTime,
    ) -> Self {
        let etag = format!("\"{}\"", md5_hex(&body));
        Self { body, etag, modified, headers, tags, checksum, system, parts: Vec::new() }
    }

    /// Where a part begins and ends; of an object that did not arrive in parts, the first is all of it.
    fn part(&self, number: &str) -> Result<(usize, usize), AwsError> {
        let number: usize = number.parse().unwrap_or_default();
        if !(1..=10_000).contains(&number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(error::invalid_argument("partNumber", &number.to_string(), message));
        }
        let whole = [self.body.len()];
        let parts = if self.parts.is_empty() { &whole[..] } else { &self.parts };
        let begin: usize = parts.iter().take(number - 1).sum();
        match parts.get(number - 1) {
            Some(length) => Ok((begin, begin + length)),
            None => {
                let message = "The requested partnumber is not satisfiable";
                Err(AwsError::new(416, "InvalidPartNumber", message))
            }
        }
    }

    pub(super) fn snapshot(&self) -> Value {
        let class = self.system.class();
        json!({"etag": self.etag, "size": self.body.len(), "headers": self.headers, "tags": self.tags, "class": class})
    }

    /// Whether its checksum is that of the whole, or one of those of its parts.
    pub(super) fn checksum_type(&self) -> &'static str {
        if self.checksum.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// An answer with what says that it was written.
    pub(super) fn written(&self, response: Response) -> Response {
        self.system
            .encrypted(response.with_header("ETag", &self.etag))
            .with_header(&self.checksum.header(), &self.checksum.value)
            .with_header("x-amz-checksum-type", self.checksum_type())
    }
}

/// `PutObject`
pub(super) fn put(
    state: &mut State,
    request: &Request,
    context: &Context,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    names::check_key(key)?;
    let place = state.bucket_mut(bucket)?;
    let payload = payload(request)?;
    let headers = headers::kept(request)?;
    let tags = tags::of_header(request)?;
    let system = System::of(request, context)?;
    let there = place.objects.get(key).map(|object| object.etag.as_str());
    headers::check_write(request, there, key)?;
    let object = Object::new(payload.bytes, payload.checksum, headers, tags, system, context.now);
    let response = object.written(Response::empty(200));
    state.put(bucket, key, object);
    Ok(response)
}

/// `GetObject` and `HeadObject`, which differ in that the listener leaves the body of the latter out.
pub(super) fn get(
    state: &State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let object = state.bucket(bucket)?.object(key)?;
    if headers::is_known(request, &object.etag, object.modified)? {
        return Ok(described(object, Response::empty(304)));
    }
    if object.system.is_archived() && request.method == hyper::Method::GET {
        let message = "The operation is not valid for the object's storage class";
        return Err(AwsError::new(403, "InvalidObjectState", message)
            .with("StorageClass", object.system.class()));
    }
    let part = request.query_value("partNumber").map(|number| object.part(number)).transpose()?;
    let range = match part {
        Some(_) if request.header("range").is_some() => {
            return Err(error::invalid_request(
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        Some(part) => Some(part),
        None => headers::bytes_of(request.header("range"), object.body.len())?,
    };
    let mut response = match range {
        None => Response { body: object.body.clone(), ..Response::empty(200) },
        Some((first, end)) => {
            let last = end.saturating_sub(1);
            let content = format!("bytes {first}-{last}/{}", object.body.len());
            Response { body: object.body.slice(first..end), ..Response::empty(206) }
                .with_header("Content-Range", content)
        }
    };
    if part.is_some() && !object.parts.is_empty() {
        response = response.with_header("x-amz-mp-parts-count", object.parts.len().to_string());
    }
    // A reader may ask for other words about the same bytes.
    let asked = |name: &str| request.query_value(&format!("response-{name}"));
    for (name, value) in &object.headers {
        if asked(name).is_none() {
            response = response.with_header(name, headers::as_sent(value));
        }
    }
    for name in headers::OVERRIDES {
        if let Some(value) = asked(name) {
            response = response.with_header(name, value);
        }
    }
    if range.is_none() && request.header("x-amz-checksum-mode") == Some("ENABLED") {
        response = response
            .with_header(&object.checksum.header(), &object.checksum.value)
            .with_header("x-amz-checksum-type", object.checksum_type());
    }
    if !object.tags.is_empty() {
        response = response.with_header("x-amz-tagging-count", object.tags.len().to_string());
    }
    Ok(described(object, response))
}

fn described(object: &Object, response: Response) -> Response {
    let response = response
        .with_header("ETag", &object.etag)
        .with_header("Last-Modified", http_date(object.modified))
        .with_header("Accept-Ranges", "bytes");
    object.system.described(response)
}
