//! The token that stands for a password at a database that knows IAM authentication.
//!
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_sigv4::sign::v4::signing_params::BuildError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How long a database takes a token.
const VALID_FOR: Duration = Duration::from_secs(900);

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The last of the parameters, as in the tokens of other SDKs.
const SIGNATURE: &str = "X-Amz-Signature";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that a signature takes is not there.
    #[error(transparent)]
    Incomplete(#[from] BuildError),
    /// Host and port make no address.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// A token for a user of the database at that host and port.
///
/// It is a request to `rds-db` to connect, signed in its query and without `https://` before it, that is never sent as one.
pub fn generate(
    credentials: &Credentials,
    region: &str,
    host: &str,
    port: u16,
    user: &str,
    now: SystemTime,
) -> Result<String, Error> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(VALID_FOR);
    settings.signature_location = SignatureLocation::QueryParams;
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()?;

    let user = utf8_percent_encode(user, RESERVED);
    let mut token = format!("{host}:{port}/?Action=connect&DBUser={user}");
    let request = SignableRequest::new(
        "GET",
        format!("https://{token}"),
        std::iter::empty(),
        SignableBody::Bytes(&[]),
    )?;
    let (signing, signature) = sign(request, &params.into())?.into_parts();
    for (name, value) in signing.params().iter().filter(|(name, _)| *name != SIGNATURE) {
        let value = utf8_percent_encode(value, RESERVED);
        let _ = write!(token, "&{name}={value}");
    }
    let _ = write!(token, "&{SIGNATURE}={signature}");
    Ok(token)
}
