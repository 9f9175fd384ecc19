//! Bodies as they travel: in signed or unsigned chunks, with checksums before or behind them.

use std::collections::BTreeMap;

use aws_smithy_checksums::ChecksumAlgorithm;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};

use super::error;
use crate::http::Request;
use crate::protocol::AwsError;

/// The checksums that S3 knows, as their headers name them.
pub(super) const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

const HEADER: &str = "x-amz-checksum-";

/// A checksum, and the algorithm that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) algorithm: &'static str,
    /// In base64; that of an object of several parts may say how many.
    pub(super) value: String,
}

impl Checksum {
    pub(super) fn header(&self) -> String {
        format!("{HEADER}{}", self.algorithm)
    }
}

/// A body that has arrived as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    /// What the sender has sent, or else what S3 uses itself.
    pub(super) checksum: Checksum,
}

/// The checksum of that algorithm's name, such as `crc32` or `CRC32`.
pub(super) fn algorithm(name: &str) -> Option<&'static str> {
    ALGORITHMS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The checksum of some bytes.
pub(super) fn digest(algorithm: &'static str, bytes: &[u8]) -> Vec<u8> {
    match algorithm.parse::<ChecksumAlgorithm>() {
        Ok(known) => {
            let mut checksum = known.into_impl();
            checksum.update(bytes);
            checksum.finalize().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

/// The checksum of some bytes, as headers have it.
pub(super) fn checksum(algorithm: &'static str, bytes: &[u8]) -> Checksum {
    Checksum { algorithm, value: BASE64_STANDARD.encode(digest(algorithm, bytes)) }
}

/// Reads a body, and sees whether it is what was sent.
pub(super) fn payload(request: &Request) -> Result<Payload, AwsError> {
    let (bytes, trailers) = if is_chunked(request) {
        unchunked(&request.body)?
    } else {
        (request.body.clone(), BTreeMap::new())
    };
    check_length(request, bytes.len())?;
    check_md5(request, &bytes)?;
    match given(request, &trailers)? {
        Some(sent) => {
            let own = digest(sent.algorithm, &bytes);
            let decoded = BASE64_STANDARD.decode(&sent.value).ok();
            if decoded.as_ref().is_none_or(|decoded| decoded.len() != own.len()) {
                let message = format!("Value for {} header is invalid.", sent.header());
                return Err(error::invalid_request(message));
            }
            if decoded != Some(own) {
                let name = sent.algorithm.to_ascii_uppercase();
                let message =
                    format!("The {name} you specified did not match the calculated checksum.");
                return Err(AwsError::bad_request("BadDigest", message));
            }
            Ok(Payload { bytes, checksum: sent })
        }
        None => {
            let checksum = checksum("crc64nvme", &bytes);
            Ok(Payload { bytes, checksum })
        }
    }
}

fn is_chunked(request: &Request) -> bool {
    let hash = request.header("x-amz-content-sha256").unwrap_or_default();
    let encoding = request.header("content-encoding").unwrap_or_default();
    hash.starts_with("STREAMING-")
        || encoding.split(',').any(|coding| coding.trim() == "aws-chunked")
}

fn check_length(request: &Request, length: usize) -> Result<(), AwsError> {
    let declared = request.header("x-amz-decoded-content-length");
    if declared.is_none_or(|declared| declared.parse() == Ok(length)) {
        return Ok(());
    }
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Err(AwsError::bad_request("IncompleteBody", message))
}

fn check_md5(request: &Request, bytes: &[u8]) -> Result<(), AwsError> {
    let Some(given) = request.header("content-md5") else { return Ok(()) };
    let decoded = BASE64_STANDARD.decode(given).ok().filter(|digest| digest.len() == 16);
    let Some(decoded) = decoded else {
        let message = "The Content-MD5 you specified was invalid.";
        return Err(AwsError::bad_request("InvalidDigest", message).with("Content-MD5", given));
    };
    if decoded == Md5::digest(bytes).as_slice() {
        return Ok(());
    }
    let message = "The Content-MD5 you specified did not match what we received.";
    Err(AwsError::bad_request("BadDigest", message).with("ExpectedDigest", given))
}

/// The one checksum that came before or behind the body.
fn given(
    request: &Request,
    trailers: &BTreeMap<String, String>,
) -> Result<Option<Checksum>, AwsError> {
    let mut found = ALGORITHMS.into_iter().filter_map(|algorithm| {
        let name = format!("{HEADER}{algorithm}");
        let value = request.header(&name).or_else(|| trailers.get(&name).map(String::as_str))?;
        Some(Checksum { algorithm, value: value.to_owned() })
    });
    let (first, second) = (found.next(), found.next());
    if second.is_some() {
        let message =
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
        return Err(error::invalid_request(message));
    }
    if first.is_none() && request.header("x-amz-trailer").is_some() {
        let message = "The request contained trailing data that was not well-formed or did not conform to our published schema.";
        return Err(AwsError::bad_request("MalformedTrailerError", message));
    }
    if first.is_none() && request.header("x-amz-sdk-checksum-algorithm").is_some() {
        let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
                       were found.";
        return Err(error::invalid_request(message));
    }
    Ok(first)
}

type Trailers = BTreeMap<String, String>;

/// Takes the chunks apart: `SIZE;chunk-signature=…`, the bytes, at the end the trailers.
fn unchunked(body: &Bytes) -> Result<(Bytes, Trailers), AwsError> {
    let incomplete =
        || AwsError::bad_request("IncompleteBody", "The request body terminated unexpectedly");
    let mut rest = body.clone();
    let mut whole = BytesMut::new();
    loop {
        let head = line(&mut rest).ok_or_else(incomplete)?;
        let size = head.split(';').next().unwrap_or_default().trim().to_owned();
        let size = usize::from_str_radix(&size, 16).map_err(|_| incomplete())?;
        if size == 0 {
            return Ok((whole.freeze(), trailers(rest)));
        }
        if rest.len() < size {
            return Err(incomplete());
        }
        whole.extend_from_slice(&rest.split_to(size));
        if line(&mut rest).is_none_or(|end| !end.is_empty()) {
            return Err(incomplete());
        }
    }
}

/// The next line, without its end.
fn line(rest: &mut Bytes) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = rest.split_to(end);
    let _ = rest.split_to(2);
    String::from_utf8(line.to_vec()).ok()
}

fn trailers(mut rest: Bytes) -> Trailers {
    let mut trailers = Trailers::new();
    while let Some(line) = line(&mut rest) {
        if let Some((name, value)) = line.split_once(':') {
            trailers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    trailers
}

/// The MD5 digest in hexadecimal, as entity tags have it.
pub(super) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
