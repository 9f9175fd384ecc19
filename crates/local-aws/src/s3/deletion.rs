//! Objects taken away: what is not there is no error.

use super::payload::payload;
use super::routes::reply;
use super::{NAMESPACE, State, error, headers, input};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::xml::Element;

/// So many at once.
const LIMIT: usize = 1000;

/// `DeleteObject`
pub(super) fn delete(
    state: &mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    let place = state.bucket_mut(bucket)?;
    let there = place.objects.get(key).map(|object| object.etag.as_str());
    headers::check_write(request, there, key)?;
    state.remove(bucket, key);
    Ok(Response::empty(204))
}

/// `DeleteObjects`
pub(super) fn delete_many(
    state: &mut State,
    request: &Request,
    bucket: &str,
) -> Result<Response, AwsError> {
    state.bucket(bucket)?;
    let payload = payload(request)?;
    let node = input::document(&payload.bytes, "Delete")?;
    let is_quiet = node.text("Quiet").is_some_and(|quiet| quiet.eq_ignore_ascii_case("true"));
    let keys: Option<Vec<&str>> = node.all("Object").map(|object| object.text("Key")).collect();
    let keys = keys.filter(|keys| (1..=LIMIT).contains(&keys.len()));
    let keys = keys.ok_or_else(error::malformed_xml)?;
    let mut deleted = Vec::new();
    for key in keys {
        state.remove(bucket, key);
        if !is_quiet {
            deleted.push(Element::new("Deleted").text("Key", key));
        }
    }
    Ok(reply(&Element::new("DeleteResult").in_namespace(NAMESPACE).children(deleted)))
}
