//! Passwords: the pool's policy, and the form in which they are kept.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::ids;
use crate::protocol::AwsError;

const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`=+";

/// `Policies.PasswordPolicy`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct PasswordPolicy {
    pub(super) minimum_length: i64,
    pub(super) require_uppercase: bool,
    pub(super) require_lowercase: bool,
    pub(super) require_numbers: bool,
    pub(super) require_symbols: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_history_size: Option<i64>,
    pub(super) temporary_password_validity_days: Option<i64>,
}

/// What a policy that is given leaves out: no requirement at all.
impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            require_uppercase: false,
            require_lowercase: false,
            require_numbers: false,
            require_symbols: false,
            password_history_size: None,
            temporary_password_validity_days: None,
        }
    }
}

/// In which words an operation refuses a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    SignUp,
    AdminCreate,
    Change,
}

impl PasswordPolicy {
    /// What a pool has that was given no policy.
    pub(super) fn of_a_new_pool() -> Self {
        Self {
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            ..Self::default()
        }
    }

    pub(super) fn check(&self, password: &str, occasion: Occasion) -> Result<(), AwsError> {
        let Some(reason) = self.violation(password) else {
            return Ok(());
        };
        let phrase = match occasion {
            Occasion::SignUp => "Password did not conform with policy",
            Occasion::AdminCreate => "Password did not conform with password policy",
            Occasion::Change => "Password does not conform to policy",
        };
        Err(AwsError::bad_request("InvalidPasswordException", format!("{phrase}: {reason}")))
    }

    fn violation(&self, password: &str) -> Option<&'static str> {
        let has = |kind: fn(char) -> bool| password.chars().any(kind);
        let length = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
        if length < self.minimum_length {
            Some("Password not long enough")
        } else if self.require_uppercase && !has(|c| c.is_ascii_uppercase()) {
            Some("Password must have uppercase characters")
        } else if self.require_lowercase && !has(|c| c.is_ascii_lowercase()) {
            Some("Password must have lowercase characters")
        } else if self.require_numbers && !has(|c| c.is_ascii_digit()) {
            Some("Password must have numeric characters")
        } else if self.require_symbols && !has(|c| SYMBOLS.contains(c)) {
            Some("Password must have symbol characters")
        } else {
            None
        }
    }

    /// A temporary password that conforms.
    pub(super) fn generate(&self) -> String {
        let length = usize::try_from(self.minimum_length).unwrap_or(8).max(8);
        format!("Aa1!{}", ids::opaque(length - 4))
    }
}

/// A password as it is kept: never in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    salt: String,
    hash: String,
}

impl Digest {
    pub(super) fn of(password: &str) -> Self {
        let salt = ids::opaque(16);
        let hash = hex(&hmac_sha256(&salt, password));
        Self { salt, hash }
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        hex(&hmac_sha256(&self.salt, password)) == self.hash
    }

    /// two snapshots are the same where the password has not been set in between.
    pub(super) fn fingerprint(&self) -> String {
        format!("{}${}", self.salt, self.hash)
    }
}

/// HMAC with SHA-256, which takes keys of every length.
pub(super) fn hmac_sha256(key: &str, message: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_is_broken_is_named() {
        let policy = PasswordPolicy::of_a_new_pool();
        for (password, reason) in [
            ("Aa1!", "Password not long enough"),
            ("aaaaaa1!", "Password must have uppercase characters"),
            ("AAAAAA1!", "Password must have lowercase characters"),
            ("Aaaaaaa!", "Password must have numeric characters"),
            ("Aaaaaaa1", "Password must have symbol characters"),
        ] {
            let error = policy.check(password, Occasion::SignUp).expect_err(password);
            assert_eq!(error.code, "InvalidPasswordException");
            assert_eq!(error.message, format!("Password did not conform with policy: {reason}"));
        }
        assert_eq!(policy.check("Aaaaaa1!", Occasion::SignUp), Ok(()));
    }

    #[test]
    fn a_generated_password_conforms() {
        for minimum_length in [6, 8, 99] {
            let policy = PasswordPolicy { minimum_length, ..PasswordPolicy::of_a_new_pool() };
            assert_eq!(policy.check(&policy.generate(), Occasion::Change), Ok(()));
        }
    }

    #[test]
    fn a_digest_matches_its_password_alone() {
        let digest = Digest::of("secret");
        assert!(digest.matches("secret"));
        assert!(!digest.matches("Secret"));
        assert!(!format!("{digest:?}").contains("secret"));
        assert_ne!(digest.fingerprint(), Digest::of("secret").fingerprint());
    }

    #[test]
    fn the_hmac_is_the_one_of_rfc_4231() {
        assert_eq!(
            hex(&hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
