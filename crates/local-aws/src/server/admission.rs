//! Who may have a request carried out: whose key it is, and what is taken from a signature that nobody can check.
//!
//! Keys that this AWS has issued, to functions or to the person who started it, have secrets, and requests under them are
//! [verified](super::signature). Any other key is a word that scripts put there because clients want one. It may be used
//! freely where a web page cannot have written it: in a header. In a link it may read, and where the protocol lets it do
//! no more than what a page cannot send anyway, do that.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Method;
use sha2::{Digest as _, Sha256};

use super::signature::{self, Refusal, Secret};
use super::v2;
use super::visitor::is_read;
use crate::account::Account;
use crate::http::{Credential, Request, Response};
use crate::protocol::query::Params;
use crate::protocol::{AwsError, Protocol};
use crate::random;
use crate::sts;

/// The key that the person who started this AWS is told, where nothing is taken that is not signed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// `AKIA…`
    pub access_key_id: String,
    /// Forty characters.
    pub secret_access_key: String,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KeyPair")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl KeyPair {
    /// A new one that nobody can guess.
    #[must_use]
    pub fn random() -> Self {
        let access_key_id = format!("AKIA{}", random::text(16).to_ascii_uppercase());
        Self { access_key_id, secret_access_key: random::text(40) }
    }

    fn secret(&self) -> Secret {
        Secret { key: self.secret_access_key.clone(), token: None }
    }
}

/// Refuses requests under an issued key that it did not sign and, where credentials are required, those under any other.
/// Where they are not, these are told apart by what they ask for.
pub(super) fn admit(
    request: &Request,
    credential: &Credential,
    protocol: Protocol,
    keys: &Keys<'_>,
) -> Result<(), AwsError> {
    let secret = match keys.required {
        Some(pair) if pair.access_key_id == credential.access_key => Some(pair.secret()),
        _ => keys.issued(&credential.access_key),
    };
    if request.query_value("AWSAccessKeyId").is_some() {
        v2::check_time(request, keys.account.now())?;
        return match secret {
            Some(secret) => v2::verify(request, &secret.key, secret.token.as_deref()),
            None if keys.required.is_some() => Err(Refusal::UnknownKey.in_protocol(protocol)),
            None if is_bound_to_read(request, protocol) && !reads(request, protocol) => {
                Err(only_reads(protocol))
            }
            None => Ok(()),
        };
    }
    match secret {
        Some(secret) => {
            signature::verify(request, &credential.service, &secret, keys.account.now())
                .map_err(|refusal| refusal.in_protocol(protocol))
        }
        // Nobody signs what AWS lets anybody call.
        None if credential.access_key.is_empty() => Ok(()),
        None if keys.required.is_some() => Err(Refusal::UnknownKey.in_protocol(protocol)),
        None if is_bound_to_read(request, protocol) && !reads(request, protocol) => {
            Err(only_reads(protocol))
        }
        None => Ok(()),
    }
}

/// Whether a request is for a page that tells secrets (the inbox, with its codes) and may not be looked at without the
/// key pair, which browsers send as a name and a password.
pub(super) fn is_closed(request: &Request, required: Option<&KeyPair>) -> bool {
    let Some(pair) = required else { return false };
    if request.path.first().map(String::as_str) != Some("_playbook") {
        return false;
    }
    let given = request.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    let expected = format!("{}:{}", pair.access_key_id, pair.secret_access_key);
    // The digests are compared, so that the time it takes tells nothing of the secret.
    let digest = |text: &[u8]| Sha256::digest(text);
    let given = given.and_then(|given| BASE64_STANDARD.decode(given).ok());
    given.is_none_or(|given| digest(&given) != digest(expected.as_bytes()))
}

/// Has a browser ask for the key pair.
pub(super) fn ask_for_credentials() -> Response {
    Response::new(
        401,
        "text/plain",
        "This AWS wants its access key as a user name and the secret as a password.\n",
    )
    .with_header("WWW-Authenticate", "Basic realm=\"playbook\"")
}

/// The keys that there are.
pub(super) struct Keys<'k> {
    pub(super) required: Option<&'k KeyPair>,
    pub(super) account: &'k Account,
}

impl Keys<'_> {
    fn issued(&self, access_key: &str) -> Option<Secret> {
        let state = self.account.state::<sts::State>();
        let keys = state.credentials(access_key)?;
        let token = Some(keys.session_token.clone());
        Some(Secret { key: keys.secret_access_key.clone(), token })
    }
}

/// Whether a page may have made it of a link or a form: its key stands in the query, or its operation does. Neither can
/// write headers, and what else writes them is recognised by others.
fn is_bound_to_read(request: &Request, protocol: Protocol) -> bool {
    let is_presigned = request.header("authorization").is_none();
    match protocol {
        Protocol::Query { .. } => is_presigned,
        // Its operation stands in a header.
        Protocol::Json10 | Protocol::Json11 => false,
        // What links can do to objects is what they are made for; of the methods that change, a form has only `POST`.
        Protocol::RestXml => is_presigned && request.method == Method::POST,
        Protocol::RestJson => is_presigned,
    }
}

fn reads(request: &Request, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Query { .. } => Params::of(request).action().is_none_or(is_question),
        _ => is_read(&request.method),
    }
}

/// Whether an operation's name says that it changes nothing.
fn is_question(operation: &str) -> bool {
    const STARTS: [&str; 7] =
        ["Get", "List", "Describe", "Head", "Simulate", "Validate", "Estimate"];
    STARTS.iter().any(|start| operation.starts_with(start))
}

fn only_reads(protocol: Protocol) -> AwsError {
    let message = "The local AWS of playbook changes nothing for a presigned request whose key it has not issued, as \
                   any web page can link to one. Sign in the Authorization header, as AWS's own clients do.";
    match protocol {
        Protocol::Query { .. } | Protocol::RestXml => AwsError::new(403, "AccessDenied", message),
        _ => AwsError::new(403, "AccessDeniedException", message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_that_ask_are_known_by_their_names() {
        for question in ["GetRole", "ListRoles", "DescribeStacks", "ValidateTemplate"] {
            assert!(is_question(question), "{question}");
        }
        for change in ["CreateStack", "DeleteRole", "PutRolePolicy", "AttachRolePolicy", "get"] {
            assert!(!is_question(change), "{change}");
        }
    }

    #[test]
    fn a_key_pair_is_new_each_time_and_shows_no_secret() {
        let (one, other) = (KeyPair::random(), KeyPair::random());
        assert_ne!(one, other);
        assert!(one.access_key_id.starts_with("AKIA") && one.access_key_id.len() == 20);
        assert_eq!(one.secret_access_key.len(), 40);
        assert!(!format!("{one:?}").contains(&one.secret_access_key));
    }
}
