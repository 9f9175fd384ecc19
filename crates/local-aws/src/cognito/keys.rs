//! The key that signs tokens.
//!
//! There is one for all pools, as long as the process lives: it takes a tenth of a second to make, which is too long to
//! wait for in every test that makes a pool.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::protocol::AwsError;

const BITS: usize = 2048;
/// DER: an octet string of 32 bytes that is a SHA-256 (RFC 8017, section 9.2).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

static KEY: OnceLock<Option<Key>> = OnceLock::new();

/// A key and its name.
#[derive(Debug)]
pub(super) struct Key {
    id: String,
    private: RsaPrivateKey,
    public: RsaPublicKey,
}

/// Starts to make the key, where that has not been done.
pub(super) fn prepare() {
    if KEY.get().is_none() {
        drop(tokio::task::spawn_blocking(|| KEY.get_or_init(Key::generate)));
    }
}

/// The key, when it is there.
pub(super) async fn key() -> Result<&'static Key, AwsError> {
    let made = tokio::task::spawn_blocking(|| KEY.get_or_init(Key::generate).as_ref()).await;
    made.ok().flatten().ok_or_else(|| {
        AwsError::new(500, "InternalErrorException", "No key could be made to sign tokens with.")
    })
}

/// The claims of a token that the key has signed.
pub(super) fn verified(token: &str) -> Result<Value, Refusal> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed);
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
    let parsed: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| Refusal::Malformed)?;
    let signature = decode(signature)?;
    let digest = Sha256::digest(format!("{header}.{claims}"));
    // As long as there is no key, nothing has been signed.
    let key = KEY.get().and_then(Option::as_ref).ok_or(Refusal::Forged)?;
    key.public.verify(scheme(), &digest, &signature).map_err(|_| Refusal::Forged)?;
    Ok(parsed)
}

/// Why a token is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Malformed,
    Forged,
}

fn scheme() -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(32), prefix: Box::new(SHA256_PREFIX) }
}

impl Key {
    fn generate() -> Option<Self> {
        let mut random = UnwrapErr(getrandom::SysRng);
        let private = RsaPrivateKey::new(&mut random, BITS).ok()?;
        let public = private.to_public_key();
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(public.n_bytes()));
        Some(Self { id, private, public })
    }

    /// A signed token, RS256.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, AwsError> {
        let header = json!({"kid": self.id, "alg": "RS256"});
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .private
            .sign(scheme(), &Sha256::digest(&text))
            .map_err(|error| AwsError::new(500, "InternalErrorException", error.to_string()))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The public half: a JSON web key set.
    pub(super) fn set(&self) -> Value {
        json!({"keys": [{
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(self.public.e_bytes()),
            "kid": self.id,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(self.public.n_bytes()),
            "use": "sig",
        }]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_signed_can_be_verified_and_nothing_else() {
        let key = key().await.expect("a key");
        let token = key.sign(&json!({"sub": "x"})).expect("a token");
        assert_eq!(verified(&token), Ok(json!({"sub": "x"})));
        assert_eq!(verified("a.b"), Err(Refusal::Malformed));
        let other = URL_SAFE_NO_PAD.encode(r#"{"sub":"y"}"#);
        let mut parts: Vec<&str> = token.split('.').collect();
        parts[1] = &other;
        assert_eq!(verified(&parts.join(".")), Err(Refusal::Forged));
    }
}
