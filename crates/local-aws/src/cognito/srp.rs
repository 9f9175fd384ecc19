//! Secure Remote Password, as Cognito speaks it: the 3072-bit group of RFC 5054, SHA-256, and a key drawn from the shared
//! secret by HKDF.
//!
//! Numbers are hashed as signed big-endian bytes: one whose first bit is set has a zero before it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Odd, Resize};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

const BITS: u32 = 3072;
const GENERATOR: u8 = 2;
const INFO: &[u8] = b"Caldera Derived Key";
const KEY_LENGTH: usize = 16;
/// RFC 5054, appendix A: the group of 3072 bits.
const MODULUS: &str = concat!(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74",
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437",
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05",
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB",
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718",
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33",
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7",
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864",
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2",
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
);

/// What is kept of a password: a salt, and a digest of the password with it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Verifier {
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Verifier(…)")
    }
}

/// The server's half of one exchange, until the client has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    /// Hexadecimal, as the challenge shows them.
    pub(super) salt: String,
    pub(super) public: String,
    /// Base64: what the client signs, and by which the exchange is found again.
    pub(super) secret_block: String,
    key: Vec<u8>,
}

impl Verifier {
    /// `pool` is what follows the region in the pool's identifier.
    pub(super) fn of(pool: &str, username: &str, password: &str) -> Self {
        let mut salt: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(16).collect();
        // Clients read it as a number and would drop a leading zero.
        salt[0] = salt[0] & 0x7f | 0x40;
        let inner = Sha256::digest(format!("{pool}{username}:{password}"));
        let mut hash = Sha256::new();
        hash.update(&salt);
        hash.update(inner);
        Self { salt, digest: hash.finalize().to_vec() }
    }

    /// Begins an exchange with a client's public number; `None` where that is no number that a client may send.
    pub(super) fn exchange(&self, client_public: &str) -> Option<Exchange> {
        let group = Group::new()?;
        let client = group.number(client_public)?;
        let random: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(32).collect();
        let private = integer(&random)?;
        let verifier = group.power(&group.generator(), &integer(&self.digest)?);
        let multiplier = integer(&Sha256::digest(
            [signed(&group.modulus.to_be_bytes()), vec![GENERATOR]].concat(),
        ))?;
        let blinded = group.product(&multiplier, &verifier);
        let public = group.sum(&blinded, &group.power(&group.generator(), &private));
        let (client_bytes, public_bytes) =
            (signed(&client.to_be_bytes()), signed(&public.to_be_bytes()));
        let scramble =
            Sha256::digest([client_bytes.as_slice(), public_bytes.as_slice()].concat()).to_vec();
        let base = group.product(&client, &group.power(&verifier, &integer(&scramble)?));
        let secret = group.power(&base, &private);
        Some(Exchange {
            salt: hex(&self.salt),
            public: hex(strip(&public.to_be_bytes())),
            secret_block: secret_block(),
            key: derive(&signed(&secret.to_be_bytes()), &signed(&scramble))?,
        })
    }
}

impl Exchange {
    /// Whether the client has proved that it knows the password.
    pub(super) fn proves(&self, pool: &str, username: &str, timestamp: &str, claim: &str) -> bool {
        let Some(block) = STANDARD.decode(&self.secret_block).ok() else { return false };
        let parts: [&[u8]; 4] =
            [pool.as_bytes(), username.as_bytes(), &block, timestamp.as_bytes()];
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return false };
        for part in parts {
            mac.update(part);
        }
        STANDARD.decode(claim).is_ok_and(|claim| mac.verify_slice(&claim).is_ok())
    }
}

/// A challenge for somebody who is not there, which looks like any other and cannot be answered.
pub(super) fn pretended(username: &str) -> Verifier {
    Verifier::of("", username, &super::ids::opaque(40))
}

fn secret_block() -> String {
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(528).collect();
    STANDARD.encode(bytes)
}

/// HKDF (RFC 5869) with one block of output.
fn derive(secret: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    let mac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().to_vec())
    };
    let pseudorandom = mac(salt, &[secret])?;
    let mut key = mac(&pseudorandom, &[INFO, &[1]])?;
    key.truncate(KEY_LENGTH);
    Some(key)
}

/// Arithmetic modulo the prime.
struct Group {
    modulus: BoxedUint,
    params: BoxedMontyParams,
}

impl Group {
    fn new() -> Option<Self> {
        let modulus = Option::<BoxedUint>::from(BoxedUint::from_be_hex(MODULUS, BITS))?;
        let odd = Option::<Odd<BoxedUint>>::from(Odd::new(modulus.clone()))?;
        Some(Self { modulus, params: BoxedMontyParams::new(odd) })
    }

    fn generator(&self) -> BoxedUint {
        BoxedUint::from(GENERATOR)
    }

    /// A client's number: hexadecimal, and not 0 modulo the prime.
    fn number(&self, text: &str) -> Option<BoxedUint> {
        let digits = text.trim_start_matches('0');
        let is_hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
        if !is_hex || digits.len() > MODULUS.len() {
            return None;
        }
        let padded = format!("{digits:0>width$}", width = MODULUS.len());
        let number = Option::<BoxedUint>::from(BoxedUint::from_be_hex(&padded, BITS))?;
        (self.reduced(&number) != BoxedUint::zero_with_precision(BITS)).then_some(number)
    }

    fn reduced(&self, number: &BoxedUint) -> BoxedUint {
        match Option::<NonZero<BoxedUint>>::from(NonZero::new(self.modulus.clone())) {
            Some(modulus) => number.resize(BITS).rem_vartime(&modulus),
            None => number.clone(),
        }
    }

    fn form(&self, number: &BoxedUint) -> BoxedMontyForm {
        BoxedMontyForm::new(self.reduced(number), &self.params)
    }

    fn power(&self, base: &BoxedUint, exponent: &BoxedUint) -> BoxedUint {
        self.form(base).pow(exponent).retrieve()
    }

    fn product(&self, one: &BoxedUint, other: &BoxedUint) -> BoxedUint {
        (self.form(one) * self.form(other)).retrieve()
    }

    fn sum(&self, one: &BoxedUint, other: &BoxedUint) -> BoxedUint {
        (self.form(one) + self.form(other)).retrieve()
    }
}

fn integer(bytes: &[u8]) -> Option<BoxedUint> {
    BoxedUint::from_be_slice(bytes, u32::try_from(bytes.len()).ok()? * 8).ok()
}

fn strip(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    &bytes[first..]
}

/// As a signed number in as few bytes as it takes.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let bytes = strip(bytes);
    let needs_zero = bytes.first().is_none_or(|first| *first >= 0x80);
    needs_zero.then_some(0).into_iter().chain(bytes.iter().copied()).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The client's half, for tests: the claim for a challenge.
#[cfg(test)]
pub(super) mod client {
    use super::*;

    /// The public number of a client whose private one is `private`.
    pub(in crate::cognito) fn public(private: &[u8]) -> String {
        let group = Group::new().expect("the group");
        let private = integer(private).expect("a number");
        hex(strip(&group.power(&group.generator(), &private).to_be_bytes()))
    }

    /// `PASSWORD_CLAIM_SIGNATURE`.
    pub(in crate::cognito) fn claim(
        private: &[u8],
        (pool, username, password): (&str, &str, &str),
        (salt, server_public, block): (&str, &str, &str),
        timestamp: &str,
    ) -> String {
        let group = Group::new().expect("the group");
        let bytes = |text: &str| signed(&group.number(text).expect("a number").to_be_bytes());
        let inner = Sha256::digest(format!("{pool}{username}:{password}"));
        let x = integer(&Sha256::digest([bytes(salt), inner.to_vec()].concat())).expect("x");
        let k = integer(&Sha256::digest([signed(&group.modulus.to_be_bytes()), vec![2]].concat()))
            .expect("k");
        let u = Sha256::digest([bytes(&public(private)), bytes(server_public)].concat());
        let verifier = group.power(&group.generator(), &x);
        let masked = group.product(&k, &verifier);
        let server = group.number(server_public).expect("a number");
        let base = (group.form(&server) - group.form(&masked)).retrieve();
        let a = group.power(&base, &integer(private).expect("a"));
        let ux = group.power(&group.power(&base, &integer(&u).expect("u")), &x);
        let secret = group.product(&a, &ux);
        let key = derive(&signed(&secret.to_be_bytes()), &signed(&u)).expect("a key");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(pool.as_bytes());
        mac.update(username.as_bytes());
        mac.update(&STANDARD.decode(block).expect("base64"));
        mac.update(timestamp.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "Tue Dec 1 00:00:00 UTC 2026";

    #[test]
    fn who_knows_the_password_can_prove_it_and_nobody_else() {
        let verifier = Verifier::of("AbC123", "ann", "Secret-123");
        let private = [7_u8; 32];
        let exchange = verifier.exchange(&client::public(&private)).expect("an exchange");
        let shown =
            (exchange.salt.as_str(), exchange.public.as_str(), exchange.secret_block.as_str());
        let claim =
            |password: &str| client::claim(&private, ("AbC123", "ann", password), shown, TIME);
        assert!(exchange.proves("AbC123", "ann", TIME, &claim("Secret-123")));
        assert!(!exchange.proves("AbC123", "ann", TIME, &claim("secret-123")));
        assert!(!exchange.proves("AbC123", "bob", TIME, &claim("Secret-123")));
        assert!(!exchange.proves("AbC123", "ann", "later", &claim("Secret-123")));
        assert!(!exchange.proves("AbC123", "ann", TIME, "no base64"));
    }

    #[test]
    fn a_public_number_that_gives_the_secret_away_is_refused() {
        let verifier = Verifier::of("p", "ann", "Secret-123");
        for bad in ["", "0", "000", "xyz", MODULUS, &"F".repeat(769)] {
            assert_eq!(verifier.exchange(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_is_hashed_with_its_sign() {
        assert_eq!(signed(&[0, 0, 0x7f]), [0x7f]);
        assert_eq!(signed(&[0x80, 1]), [0, 0x80, 1]);
        assert_eq!(signed(&[0]), [0]);
    }
}
