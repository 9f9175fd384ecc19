//! Signature version 4: whether a request was signed with the secret that belongs to its key.
//!
//! The specification is AWS's: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>. Signatures are read
//! from the `Authorization` header or, of presigned requests, from the query. The refusals are AWS's own; how each
//! protocol names them is [`Refusal::in_protocol`]'s matter.

mod canonical;
mod chunks;
mod refusal;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

pub(super) use self::refusal::Refusal;
use crate::http::Request;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TOKEN: &str = "x-amz-security-token";

/// How far the clock of a caller may be off.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// How long a presigned request can be good for at most.
const LONGEST: u64 = 7 * 24 * 60 * 60;

/// What belongs to an access key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// What requests are signed with.
    pub(super) key: String,
    /// What temporary credentials have besides.
    pub(super) token: Option<String>,
}

/// What a request says about its signature.
#[derive(Debug, PartialEq, Eq)]
struct Signed<'r> {
    /// `DATE/REGION/SERVICE/aws4_request`
    scope: &'r str,
    headers: Vec<&'r str>,
    signature: &'r str,
    /// `20261130T120000Z`
    date: String,
    /// In seconds, of a presigned request.
    expires: Option<u64>,
    token: Option<&'r str>,
}

/// Refuses a request that the holder of that secret has not signed for that service, or not lately.
pub(super) fn verify(
    request: &Request,
    service: &str,
    secret: &Secret,
    now: SystemTime,
) -> Result<(), Refusal> {
    let signed = Signed::of(request)?;
    if signed.token != secret.token.as_deref() {
        return Err(Refusal::WrongToken);
    }
    let time = time(&signed.date).ok_or_else(|| Refusal::Incomplete(no_date()))?;
    let (day, _) = signed.scope.split_once('/').unwrap_or_default();
    if !signed.date.starts_with(day) || day.len() != 8 {
        return Err(Refusal::Mismatch { day: Some((day.to_owned(), signed.date)) });
    }
    signed.check_time(time, now)?;
    let payload = canonical::payload_hash(request, service, signed.expires.is_some())?;
    let key = signing_key(&secret.key, signed.scope);
    let canonical = canonical::request(request, service, &signed.headers, &payload)?;
    let text = string_to_sign(&signed.date, signed.scope, &canonical);
    let given = unhex(signed.signature).unwrap_or_default();
    if mac(&key, text.as_bytes()).verify_slice(&given).is_err() {
        return Err(Refusal::Mismatch { day: None });
    }
    chunks::verify(request, &payload, &chunks::Seed { key: &key, signed: &signed })
}

impl<'r> Signed<'r> {
    fn of(request: &'r Request) -> Result<Self, Refusal> {
        match request.header("authorization") {
            Some(header) => Self::of_header(request, header),
            None => Self::of_query(request),
        }
    }

    fn of_header(request: &'r Request, header: &'r str) -> Result<Self, Refusal> {
        let incomplete = |what: &str| {
            Refusal::Incomplete(format!(
                "Authorization header requires '{what}' parameter. Authorization={ALGORITHM}"
            ))
        };
        let parameters = header.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("Credential"))?;
        let find = |name: &str| {
            let mut named = parameters
                .split(',')
                .filter_map(|parameter| parameter.trim().strip_prefix(name)?.strip_prefix('='));
            named.next().ok_or_else(|| incomplete(name))
        };
        let date = match request.header("x-amz-date") {
            Some(date) => date.to_owned(),
            None => date_of_http(request).ok_or_else(|| Refusal::Incomplete(no_date()))?,
        };
        Ok(Self {
            scope: scope(find("Credential")?).ok_or_else(|| incomplete("Credential"))?,
            headers: find("SignedHeaders")?.split(';').collect(),
            signature: find("Signature")?,
            date,
            expires: None,
            token: request.header(TOKEN),
        })
    }

    fn of_query(request: &'r Request) -> Result<Self, Refusal> {
        let find = |name: &str| {
            request.query_value(name).ok_or_else(|| {
                Refusal::IncompleteQuery(format!(
                    "AWS query-string parameters must include '{name}'."
                ))
            })
        };
        if find("X-Amz-Algorithm")? != ALGORITHM {
            let message = format!("X-Amz-Algorithm only supports \"{ALGORITHM}\"");
            return Err(Refusal::IncompleteQuery(message));
        }
        let credential = find("X-Amz-Credential")?;
        let expires = find("X-Amz-Expires")?.parse().ok().filter(|seconds| *seconds <= LONGEST);
        let week = || {
            let message = "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                           X-Amz-Expires must be less than 604800";
            Refusal::IncompleteQuery(message.to_owned())
        };
        Ok(Self {
            scope: scope(credential).ok_or_else(|| {
                Refusal::IncompleteQuery("X-Amz-Credential is no credential scope.".to_owned())
            })?,
            headers: find("X-Amz-SignedHeaders")?.split(';').collect(),
            signature: find("X-Amz-Signature")?,
            date: find("X-Amz-Date")?.to_owned(),
            expires: Some(expires.ok_or_else(week)?),
            token: request.query_value("X-Amz-Security-Token"),
        })
    }

    fn check_time(&self, time: SystemTime, now: SystemTime) -> Result<(), Refusal> {
        let off = |allowed| Refusal::Expired {
            is_presigned: self.expires.is_some(),
            signed: time,
            now,
            allowed,
        };
        if time > now + SKEW {
            return Err(off(SKEW));
        }
        let allowed = self.expires.map_or(SKEW, Duration::from_secs);
        if now > time + allowed { Err(off(allowed)) } else { Ok(()) }
    }
}

fn no_date() -> String {
    format!(
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization={ALGORITHM}"
    )
}

/// What follows the key, which may hold slashes itself.
fn scope(credential: &str) -> Option<&str> {
    let (start, _) = credential.rmatch_indices('/').nth(3)?;
    credential.get(start + 1..)
}

fn time(date: &str) -> Option<SystemTime> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().into())
}

/// The time in a `Date` header, as `X-Amz-Date` has it.
fn date_of_http(request: &Request) -> Option<String> {
    let date = jiff::fmt::rfc2822::parse(request.header("date")?).ok()?;
    Some(written(date.timestamp()))
}

fn written(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn string_to_sign(date: &str, scope: &str, canonical: &str) -> String {
    format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()))
}

/// The `Authorization` header of a request, signed with that secret for that scope.
#[cfg(test)]
pub(super) fn authorization(
    request: &Request,
    access_key: &str,
    secret: &str,
    scope: &str,
    headers: &[&str],
) -> String {
    let date = request.header("x-amz-date").unwrap_or_default();
    let service = scope.split('/').nth(2).unwrap_or_default();
    let payload = canonical::payload_hash(request, service, false).unwrap_or_default();
    let canonical = canonical::request(request, service, headers, &payload).unwrap_or_default();
    let text = string_to_sign(date, scope, &canonical);
    let signature = hex(&hmac(&signing_key(secret, scope), text.as_bytes()));
    format!(
        "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={}, Signature={signature}",
        headers.join(";")
    )
}

/// The time now, as `X-Amz-Date` has it.
#[cfg(test)]
pub(super) fn date_now() -> String {
    written(Timestamp::now())
}

/// One key a day, region and service.
fn signing_key(secret: &str, scope: &str) -> Vec<u8> {
    let start = format!("AWS4{secret}").into_bytes();
    scope.split('/').fold(start, |key, part| hmac(&key, part.as_bytes()))
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let keyed = Hmac::<Sha256>::new_from_slice(key);
    // It takes keys of any length.
    let mut mac = keyed
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(text);
    mac
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    mac(key, text).finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
    )
}
