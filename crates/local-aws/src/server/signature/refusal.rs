//! Why a signature is not taken, in the words of AWS.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::written;
use crate::protocol::{AwsError, Protocol};

/// Why a signature is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Refusal {
    /// A part of it is missing; says which.
    Incomplete(String),
    /// The same, where it stands in the query.
    IncompleteQuery(String),
    /// The key belongs to nobody.
    UnknownKey,
    /// The session token is not the key's.
    WrongToken,
    /// Another secret, or another request. Where the day in the scope is not that of the request: both.
    Mismatch {
        /// The scope's day, and the request's date.
        day: Option<(String, String)>,
    },
    /// The body is not the one that was signed.
    WrongPayload,
    /// Signed too long ago, or in the future.
    Expired {
        /// Whether the signature stands in the query.
        is_presigned: bool,
        /// When it was signed.
        signed: SystemTime,
        /// When it arrived.
        now: SystemTime,
        /// How long it is good for.
        allowed: Duration,
    },
}

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const MISMATCH: &str =
    "The request signature we calculated does not match the signature you provided.";

impl Refusal {
    /// As that protocol's services name it.
    pub(in crate::server) fn in_protocol(&self, protocol: Protocol) -> AwsError {
        match protocol {
            Protocol::RestXml => self.of_s3(),
            Protocol::Query { .. } => self.of_query(),
            Protocol::RestJson => self.of_json(403),
            Protocol::Json10 | Protocol::Json11 => self.of_json(400),
        }
    }

    fn of_query(&self) -> AwsError {
        match self {
            Self::Incomplete(what) | Self::IncompleteQuery(what) => {
                AwsError::new(400, "IncompleteSignature", what)
            }
            Self::UnknownKey | Self::WrongToken => {
                AwsError::new(403, "InvalidClientTokenId", INVALID_TOKEN)
            }
            Self::Mismatch { .. } | Self::WrongPayload | Self::Expired { .. } => {
                AwsError::new(403, "SignatureDoesNotMatch", self.message())
            }
        }
    }

    fn of_json(&self, status: u16) -> AwsError {
        match self {
            Self::Incomplete(what) | Self::IncompleteQuery(what) => {
                AwsError::new(status, "IncompleteSignatureException", what)
            }
            Self::UnknownKey | Self::WrongToken => {
                AwsError::new(status, "UnrecognizedClientException", INVALID_TOKEN)
            }
            Self::Mismatch { .. } | Self::WrongPayload | Self::Expired { .. } => {
                AwsError::new(status, "InvalidSignatureException", self.message())
            }
        }
    }

    fn of_s3(&self) -> AwsError {
        match self {
            Self::Incomplete(what) => AwsError::new(400, "AuthorizationHeaderMalformed", what),
            Self::IncompleteQuery(what) => {
                AwsError::new(400, "AuthorizationQueryParametersError", what)
            }
            Self::UnknownKey => AwsError::new(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            Self::WrongToken => AwsError::new(
                400,
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ),
            Self::Mismatch { .. } => AwsError::new(
                403,
                "SignatureDoesNotMatch",
                format!("{MISMATCH} Check your key and signing method."),
            ),
            Self::WrongPayload => AwsError::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Self::Expired { is_presigned: true, .. } => {
                AwsError::new(403, "AccessDenied", "Request has expired")
            }
            Self::Expired { is_presigned: false, .. } => AwsError::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Mismatch { day: Some((day, date)) } => format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{day}' != '{}', from '{date}'.",
                date.get(..8).unwrap_or(date)
            ),
            Self::Expired { signed, now, allowed, .. } => expired(*signed, *now, *allowed),
            _ => format!(
                "{MISMATCH} Check your AWS Secret Access Key and signing method. Consult the service documentation for \
                 details."
            ),
        }
    }
}

fn expired(signed: SystemTime, now: SystemTime, allowed: Duration) -> String {
    let shown = |time: SystemTime| Timestamp::try_from(time).map(written).unwrap_or_default();
    let minutes = allowed.as_secs() / 60;
    if signed > now {
        let (at, end, now) = (shown(signed), shown(now + allowed), shown(now));
        format!(
            "Signature not yet current: {at} is still later than {end} ({now} + {minutes} min.)"
        )
    } else {
        let (start, now) = (shown(now - allowed), shown(now));
        format!(
            "Signature expired: {} is now earlier than {start} ({now} - {minutes} min.)",
            shown(signed)
        )
    }
}
