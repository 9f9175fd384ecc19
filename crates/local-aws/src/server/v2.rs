//! Signature version 2 in the query, as links to objects have it that boto3 makes unless told otherwise.
//!
//! The specification is AWS's: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>.

use std::time::{Duration, SystemTime};

use aws_smithy_checksums::ChecksumAlgorithm;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::http::Request;
use crate::protocol::AwsError;

/// Parameters that are part of what is signed.
const SIGNED: [&str; 23] = [
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];

const BLOCK: usize = 64;

/// Refuses a link that is no longer good.
pub(super) fn check_time(request: &Request, now: SystemTime) -> Result<(), AwsError> {
    let expires = request.query_value("Expires").and_then(|expires| expires.parse::<u64>().ok());
    let Some(expires) = expires else {
        let message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
        return Err(AwsError::new(403, "AccessDenied", message));
    };
    if now <= SystemTime::UNIX_EPOCH + Duration::from_secs(expires) {
        return Ok(());
    }
    Err(AwsError::new(403, "AccessDenied", "Request has expired").with("Expires", expires))
}

/// Refuses a link that the holder of that secret has not signed.
pub(super) fn verify(request: &Request, secret: &str, token: Option<&str>) -> Result<(), AwsError> {
    let given = request.query_value("Signature").unwrap_or_default();
    let expected = hmac(secret.as_bytes(), string_to_sign(request).as_bytes());
    // Compared by what it takes to make them, so that the time it takes tells nothing.
    let digest = |bytes: &[u8]| hmac(secret.as_bytes(), bytes);
    let decoded = BASE64_STANDARD.decode(given).unwrap_or_default();
    let same_token = request.query_value("x-amz-security-token") == token;
    if digest(&decoded) == digest(&expected) && same_token {
        return Ok(());
    }
    let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    Err(AwsError::new(403, "SignatureDoesNotMatch", message))
}

fn string_to_sign(request: &Request) -> String {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let expires = request.query_value("Expires").unwrap_or_default();
    let mut own: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-amz-"))
        .filter_map(|(name, value)| {
            Some((name.to_string(), value.to_str().ok()?.trim().to_owned()))
        })
        .collect();
    let in_query =
        request.query.iter().filter(|(name, _)| name.to_lowercase().starts_with("x-amz-"));
    own.extend(in_query.map(|(name, value)| (name.to_lowercase(), value.clone())));
    own.sort();
    let own: Vec<String> = own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let own = own.concat();
    let path = request.target.split('?').next().unwrap_or("/");
    let mut signed: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| SIGNED.contains(&name.as_str()))
        .map(
            |(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") },
        )
        .collect();
    signed.sort();
    let query = if signed.is_empty() { String::new() } else { format!("?{}", signed.join("&")) };
    format!(
        "{}\n{}\n{}\n{expires}\n{own}{path}{query}",
        request.method,
        header("content-md5"),
        header("content-type"),
    )
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > BLOCK { sha1(&[key]) } else { key.to_vec() };
    block.resize(BLOCK, 0);
    let with = |pad: u8| -> Vec<u8> { block.iter().map(|byte| byte ^ pad).collect() };
    sha1(&[&with(0x5c), &sha1(&[&with(0x36), text])])
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = ChecksumAlgorithm::Sha1.into_impl();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_rfc_2202() {
        let digest = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(BASE64_STANDARD.encode(digest), "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    }
}
