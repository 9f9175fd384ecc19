//! Objects: written, read, looked at.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::payload::{Checksum, md5_hex, payload};
use super::{Context, State, headers, names, tags};
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
}

impl Object {
    /// An object that was written in one go.
    pub(super) fn new(
        body: Bytes,
        checksum: Checksum,
        headers: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
        modified: SystemTime,
    ) -> Self {
        let etag = format!("\"{}\"", md5_hex(&body));
        Self { body, etag, modified, headers, tags, checksum }
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({"etag": self.etag, "size": self.body.len(), "headers": self.headers, "tags": self.tags})
    }

    /// Whether its checksum is that of the whole, or one of those of its parts.
    pub(super) fn checksum_type(&self) -> &'static str {
        if self.checksum.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// An answer with what says that it was written.
    pub(super) fn written(&self, response: Response) -> Response {
        response
            .with_header("ETag", &self.etag)
            .with_header("x-amz-server-side-encryption", "AES256")
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
    let there = place.objects.get(key).map(|object| object.etag.as_str());
    headers::check_write(request, there, key)?;
    let object = Object::new(payload.bytes, payload.checksum, headers, tags, context.now);
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
    if headers::is_known(request, &object.etag)? {
        return Ok(described(object, Response::empty(304)));
    }
    let range = headers::bytes_of(request.header("range"), object.body.len())?;
    let mut response = match range {
        None => Response { body: object.body.clone(), ..Response::empty(200) },
        Some((first, end)) => {
            let content = format!("bytes {first}-{}/{}", end - 1, object.body.len());
            Response { body: object.body.slice(first..end), ..Response::empty(206) }
                .with_header("Content-Range", content)
        }
    };
    for (name, value) in &object.headers {
        // A reader may ask for other words about the same bytes.
        let asked = request.query_value(&format!("response-{name}"));
        response = response.with_header(name, asked.unwrap_or(value));
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
    response
        .with_header("ETag", &object.etag)
        .with_header("Last-Modified", http_date(object.modified))
        .with_header("Accept-Ranges", "bytes")
        .with_header("x-amz-server-side-encryption", "AES256")
}
