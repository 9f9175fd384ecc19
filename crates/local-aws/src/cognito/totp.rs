//! Codes of authenticator apps: RFC 6238 with SHA-1, six digits and half a minute.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::ids;

const STEP: u64 = 30;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET_LENGTH: usize = 52;

/// A secret that a person's authenticator app shares with the pool.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Base32, as the app is told it.
    pub(super) text: String,
    /// The step of the last code that was taken: none is taken twice.
    last: Option<u64>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// How a code fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    Used,
}

impl Secret {
    pub(super) fn generate() -> Self {
        Self { text: ids::base32(SECRET_LENGTH), last: None }
    }

    /// Takes the code of this half minute, or of the one before or after it.
    pub(super) fn take(&mut self, code: &str, now: SystemTime) -> Verdict {
        let step = ids::seconds(now) / STEP;
        let near = [step, step.saturating_sub(1), step + 1];
        let Some(found) =
            near.into_iter().find(|step| self.code_at(*step).as_deref() == Some(code))
        else {
            return Verdict::Wrong;
        };
        if self.last.is_some_and(|last| found <= last) {
            return Verdict::Used;
        }
        self.last = Some(found);
        Verdict::Right
    }

    /// Takes the codes again that were taken.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    fn code_at(&self, step: u64) -> Option<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&decode(&self.text)).ok()?;
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest.last()? & 0x0f);
        let four: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
        Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }

    /// What the app would show.
    #[cfg(test)]
    pub(super) fn code(text: &str, now: SystemTime) -> String {
        let secret = Self { text: text.to_owned(), last: None };
        secret.code_at(ids::seconds(now) / STEP).expect("a code")
    }
}

fn decode(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for character in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|known| *known == character) else { continue };
        bits = bits << 5 | u32::try_from(value).unwrap_or(0);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const STEP_LENGTH: Duration = Duration::from_secs(STEP);

    /// RFC 6238, appendix B, whose codes have eight digits: the last six of them.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(decode(text), b"12345678901234567890");
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            assert_eq!(Secret::code(text, UNIX_EPOCH + Duration::from_secs(seconds)), code);
        }
    }

    #[test]
    fn a_code_is_good_once_and_near_its_time() {
        let now = UNIX_EPOCH + Duration::from_hours(500_000);
        let mut secret = Secret::generate();
        let code = Secret::code(&secret.text, now);
        assert_eq!(secret.clone().take(&code, now + 3 * STEP_LENGTH), Verdict::Wrong);
        assert_eq!(secret.take(&code, now + STEP_LENGTH), Verdict::Right);
        assert_eq!(secret.take(&code, now), Verdict::Used);
        assert!(!format!("{secret:?}").contains(&secret.text));
    }
}
