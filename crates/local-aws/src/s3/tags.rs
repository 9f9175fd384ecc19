//! Tags of buckets and objects.

use std::collections::BTreeMap;

use super::buckets::Bucket;
use super::input::{self, Node};
use super::payload::payload;
use super::routes::reply;
use super::{Context, NAMESPACE, State, error};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::protocol::xml::Element;

/// So many tags may a bucket have.
pub(super) const BUCKET_LIMIT: usize = 50;
/// So many tags may an object have.
const OBJECT_LIMIT: usize = 10;

type Tags = BTreeMap<String, String>;

/// `GetBucketTagging`
pub(super) fn of_bucket(
    state: &State,
    context: &Context,
    bucket: &str,
) -> Result<Response, AwsError> {
    let Bucket { tags, tags_late_until, .. } = state.bucket(bucket)?;
    if tags.is_empty() || tags_late_until.is_some_and(|until| context.now < until) {
        return Err(AwsError::new(404, "NoSuchTagSet", "The TagSet does not exist")
            .with("BucketName", bucket));
    }
    Ok(reply(&document(tags)))
}

/// `PutBucketTagging`: all that were there go.
pub(super) fn put_on_bucket(
    state: &mut State,
    request: &Request,
    bucket: &str,
) -> Result<Response, AwsError> {
    let bucket = state.bucket_mut(bucket)?;
    bucket.tags = of_body(request, BUCKET_LIMIT)?;
    bucket.tags_late_until = None;
    Ok(Response::empty(204))
}

/// `DeleteBucketTagging`
pub(super) fn delete_from_bucket(state: &mut State, bucket: &str) -> Result<Response, AwsError> {
    state.bucket_mut(bucket)?.tags.clear();
    Ok(Response::empty(204))
}

/// `GetObjectTagging`
pub(super) fn of_object(state: &State, bucket: &str, key: &str) -> Result<Response, AwsError> {
    Ok(reply(&document(&state.bucket(bucket)?.object(key)?.tags)))
}

/// `PutObjectTagging`
pub(super) fn put_on_object(
    state: &mut State,
    request: &Request,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    *object_tags(state, bucket, key)? = of_body(request, OBJECT_LIMIT)?;
    Ok(Response::empty(200))
}

/// `DeleteObjectTagging`
pub(super) fn delete_from_object(
    state: &mut State,
    bucket: &str,
    key: &str,
) -> Result<Response, AwsError> {
    object_tags(state, bucket, key)?.clear();
    Ok(Response::empty(204))
}

fn object_tags<'s>(
    state: &'s mut State,
    bucket: &str,
    key: &str,
) -> Result<&'s mut Tags, AwsError> {
    let objects = &mut state.bucket_mut(bucket)?.objects;
    let object = objects.get_mut(key).ok_or_else(|| error::no_such_key(key))?;
    Ok(&mut object.tags)
}

/// Those in `x-amz-tagging`, written as a query.
pub(super) fn of_header(request: &Request) -> Result<Tags, AwsError> {
    let header = request.header("x-amz-tagging").unwrap_or_default();
    let pairs = form_urlencoded::parse(header.as_bytes()).into_owned();
    checked(pairs.collect(), OBJECT_LIMIT)
}

fn of_body(request: &Request, limit: usize) -> Result<Tags, AwsError> {
    let payload = payload(request)?;
    let node = input::document(&payload.bytes, "Tagging")?;
    read(node.child("TagSet").ok_or_else(error::malformed_xml)?, limit)
}

/// The tags in an element.
pub(super) fn read(node: &Node, limit: usize) -> Result<Tags, AwsError> {
    let pair = |tag: &Node| Some((tag.text("Key")?.to_owned(), tag.text("Value")?.to_owned()));
    let pairs: Option<Vec<_>> = node.all("Tag").map(pair).collect();
    checked(pairs.ok_or_else(error::malformed_xml)?, limit)
}

fn checked(pairs: Vec<(String, String)>, limit: usize) -> Result<Tags, AwsError> {
    if pairs.len() > limit {
        let (code, what) =
            if limit == OBJECT_LIMIT { ("BadRequest", "Object") } else { ("InvalidTag", "Bucket") };
        let message = format!("{what} tags cannot be greater than {limit}");
        return Err(AwsError::bad_request(code, message));
    }
    let mut tags = Tags::new();
    for (key, value) in pairs {
        let invalid = |message: &str| {
            Err(AwsError::bad_request("InvalidTag", message).with("TagKey", key.as_str()))
        };
        if !(1..=128).contains(&key.chars().count()) || !key.chars().all(is_allowed) {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 || !value.chars().all(is_allowed) {
            return invalid("The TagValue you have provided is invalid");
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return invalid("System tags cannot be added/updated by requester");
        }
        if tags.contains_key(&key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}

fn document(tags: &Tags) -> Element {
    let set =
        tags.iter().map(|(key, value)| Element::new("Tag").text("Key", key).text("Value", value));
    Element::new("Tagging").in_namespace(NAMESPACE).child(Element::new("TagSet").children(set))
}
