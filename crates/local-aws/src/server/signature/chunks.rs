//! Bodies that are signed chunk by chunk: each signature is made of the one before, the first of the request's.

use super::{ALGORITHM, Refusal, Signed, mac, sha256, unhex};
use crate::http::Request;
use hmac::Mac;

/// What the first chunk's signature is made of.
pub(super) struct Seed<'s> {
    pub(super) key: &'s [u8],
    pub(super) signed: &'s Signed<'s>,
}

/// Refuses a body of signed chunks one of which is not what was signed, or missing. The other kinds are no matter of
/// chunks: their hash is in the request's own signature, or nowhere.
pub(super) fn verify(request: &Request, payload: &str, seed: &Seed<'_>) -> Result<(), Refusal> {
    const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let Some(kind) = payload.strip_prefix(SIGNED) else { return Ok(()) };
    let mismatch = || Refusal::Mismatch { day: None };
    let mut previous = seed.signed.signature.to_owned();
    let mut rest = &request.body[..];
    loop {
        let (head, after) = line(rest).ok_or_else(mismatch)?;
        let (size, signature) = head_of_chunk(head).ok_or_else(mismatch)?;
        let (bytes, after) = after.split_at_checked(size).ok_or_else(mismatch)?;
        let text = format!(
            "{ALGORITHM}-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
            seed.signed.date,
            seed.signed.scope,
            sha256(b""),
            sha256(bytes)
        );
        check(seed.key, &text, signature)?;
        signature.clone_into(&mut previous);
        if size == 0 {
            return match kind {
                "-TRAILER" => trailer(after, &previous, seed),
                _ => Ok(()),
            };
        }
        rest = after.strip_prefix(b"\r\n").ok_or_else(mismatch)?;
    }
}

/// The lines behind the last chunk, each of which ends in a line feed where it is signed.
fn trailer(rest: &[u8], previous: &str, seed: &Seed<'_>) -> Result<(), Refusal> {
    let mismatch = || Refusal::Mismatch { day: None };
    let (mut rest, mut lines) = (rest, String::new());
    while let Some((line, after)) = line(rest) {
        if let Some(signature) = line.strip_prefix("x-amz-trailer-signature:") {
            let text = format!(
                "{ALGORITHM}-TRAILER\n{}\n{}\n{previous}\n{}",
                seed.signed.date,
                seed.signed.scope,
                sha256(lines.as_bytes())
            );
            return check(seed.key, &text, signature.trim());
        }
        if !line.is_empty() {
            lines.push_str(line);
            lines.push('\n');
        }
        rest = after;
    }
    Err(mismatch())
}

fn check(key: &[u8], text: &str, signature: &str) -> Result<(), Refusal> {
    let given = unhex(signature).unwrap_or_default();
    mac(key, text.as_bytes()).verify_slice(&given).map_err(|_| Refusal::Mismatch { day: None })
}

/// `SIZE;chunk-signature=SIGNATURE`
fn head_of_chunk(head: &str) -> Option<(usize, &str)> {
    let (size, extension) = head.split_once(';')?;
    let size = usize::from_str_radix(size, 16).ok()?;
    Some((size, extension.trim().strip_prefix("chunk-signature=")?))
}

/// The next line, without its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((std::str::from_utf8(line).ok()?, rest.get(2..)?))
}
