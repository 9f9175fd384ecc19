//! `s3-object`: logs the type of an object that was put into a bucket.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html>

use aws_lambda_events::event::s3::{S3Entity, S3Event};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use percent_encoding::percent_decode_str;
use tracing::info;

use super::Error;
use crate::error::chain;
use crate::log::OneLine;

/// Asks S3 for the head of each object, and logs the type of its content.
pub async fn handle(client: &Client, event: &S3Event) -> Result<(), Error> {
    for (number, record) in (1..).zip(&event.records) {
        let (bucket, key) = place(number, &record.s3)?;
        let content_type = content_type(client, bucket, &key).await?;
        info!("Object {bucket}/{} is of type {}", OneLine(&key), OneLine(&content_type));
    }
    info!("Processed: {0} of {0}", event.records.len());
    Ok(())
}

/// Bucket and key. A key arrives encoded as in a form: a space as `+`, what is not ASCII as the bytes of its UTF-8.
fn place(number: usize, entity: &S3Entity) -> Result<(&str, String), Error> {
    let (bucket, key) = (entity.bucket.name.as_deref(), entity.object.key.as_deref());
    let missing = |field| Error::missing(number.to_string(), field);
    let bucket = bucket.filter(|name| !name.is_empty()).ok_or_else(|| missing("bucket.name"))?;
    let key = key.filter(|key| !key.is_empty()).ok_or_else(|| missing("object.key"))?;
    match percent_decode_str(&key.replace('+', " ")).decode_utf8() {
        Ok(decoded) => Ok((bucket, decoded.into_owned())),
        Err(_) => Err(Error::NotUtf8 { bucket: bucket.to_owned(), key: key.to_owned() }),
    }
}

async fn content_type(client: &Client, bucket: &str, key: &str) -> Result<String, Error> {
    let head = client.head_object().bucket(bucket).key(key).send().await.map_err(|error| {
        // The answer to a HEAD request has no body that could say more.
        let reason = match (error.code(), error.raw_response()) {
            (Some(code), _) => code.to_owned(),
            (None, Some(response)) => format!("HTTP status {}", response.status()),
            (None, None) => chain(&error),
        };
        Error::NoHead { bucket: bucket.to_owned(), key: OneLine(key).to_string(), reason }
    })?;
    Ok(head.content_type.unwrap_or_else(|| "(none)".to_owned()))
}
