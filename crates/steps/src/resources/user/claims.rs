//! What access tokens say of their users.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What an access token says of its user. Cognito has checked it; it is only read here.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    pub(crate) username: String,
    /// The id that no other user ever has.
    #[serde(default)]
    pub(crate) sub: String,
}

impl Claims {
    /// What a token says, if it is one.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// The issuer's URL ends in the pool's id.
    pub(crate) fn user_pool_id(&self) -> &str {
        self.iss.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_user_and_pool() {
        let payload = r#"{"sub":"1","iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a","username":"ann"}"#;
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let claims = Claims::of(&token).expect("claims");
        assert_eq!((claims.username.as_str(), claims.user_pool_id()), ("ann", "eu-central-1_a"));
    }

    #[test]
    fn what_is_no_token_says_nothing() {
        for text in ["", "⟨steps.signed_in.access_token⟩", "a.b", "e30.e30.", "..", "a.{}.c"] {
            assert_eq!(Claims::of(text), None, "{text}");
        }
    }
}
