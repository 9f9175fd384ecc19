//! What is signed of a request: the one form that both sides bring it into.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::{Refusal, sha256};
use crate::http::Request;

/// Everything but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const HASH: &str = "x-amz-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The canonical request.
pub(super) fn request(
    request: &Request,
    service: &str,
    signed_headers: &[&str],
    payload: &str,
) -> Result<String, Refusal> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    Ok(format!(
        "{}\n{}\n{}\n{}\n{}\n{payload}",
        request.method,
        if service == "s3" { object_path(path) } else { normal_path(path) },
        canonical_query(query),
        headers(request, signed_headers)?,
        signed_headers.join(";"),
    ))
}

/// The hash of the body that goes into the signature: what the header says, where S3's clients have it say that the body
/// is not signed or signed in chunks; else that of what has arrived.
pub(super) fn payload_hash(
    request: &Request,
    service: &str,
    is_presigned: bool,
) -> Result<String, Refusal> {
    let given = request.header(HASH).or_else(|| request.query_value("X-Amz-Content-Sha256"));
    match given {
        Some(word) if service == "s3" && (word == UNSIGNED || word.starts_with("STREAMING-")) => {
            Ok(word.to_owned())
        }
        None if service == "s3" && is_presigned => Ok(UNSIGNED.to_owned()),
        Some(given) if service == "s3" => {
            let own = sha256(&request.body);
            if given.eq_ignore_ascii_case(&own) { Ok(own) } else { Err(Refusal::WrongPayload) }
        }
        _ => Ok(sha256(&request.body)),
    }
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

fn reencode(text: &str) -> String {
    encode(&percent_decode_str(text).collect::<Vec<u8>>())
}

/// The path of an object is signed as it is, encoded once: `a//b` and `..` are parts of keys.
fn object_path(path: &str) -> String {
    let path: Vec<String> = path.split('/').map(reencode).collect();
    if path.len() < 2 { "/".to_owned() } else { path.join("/") }
}

/// Elsewhere a path is freed of what means nothing, and encoded once more than it is sent.
fn normal_path(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(encode(part.as_bytes())),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

fn canonical_query(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut pairs: Vec<(String, String)> = parameters
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (reencode(name), reencode(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The headers that are signed, a line each. The host must be among them: else the signature is good anywhere.
fn headers(request: &Request, signed: &[&str]) -> Result<String, Refusal> {
    if !signed.contains(&"host") {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(Refusal::Incomplete(message.to_owned()));
    }
    let mut lines = String::new();
    for name in signed {
        let values: Vec<String> = request
            .headers
            .get_all(*name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if values.is_empty() {
            return Err(Refusal::Mismatch { day: None });
        }
        lines.push_str(name);
        lines.push(':');
        lines.push_str(&values.join(","));
        lines.push('\n');
    }
    Ok(lines)
}
