//! What an app client that has a secret wants to see with every request.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The proof that whoever asks knows the client's secret.
///
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>
pub(crate) fn secret_hash(
    client_secret: Option<&str>,
    client_id: &str,
    username: &str,
) -> Option<String> {
    let secret = client_secret?;
    if [secret, client_id, username].iter().any(|part| part.contains('⟨')) {
        return Some(engine::step::marker("secret hash"));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(username.as_bytes());
    mac.update(client_id.as_bytes());
    Some(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231, whose text is cut into user name and client id, as base64.
    #[test]
    fn the_hash_is_an_hmac_over_user_name_and_client_id() {
        let hash = secret_hash(Some("Jefe"), " for nothing?", "what do ya want");
        assert_eq!(hash.as_deref(), Some("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="));
    }

    #[test]
    fn there_is_none_without_a_secret_and_none_yet_without_a_user() {
        assert_eq!(secret_hash(None, "client", "user"), None);
        let later = secret_hash(Some("⟨steps.client.client_secret⟩"), "client", "user");
        assert_eq!(later.as_deref(), Some("⟨secret hash⟩"));
    }
}
