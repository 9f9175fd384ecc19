//! Unique identifiers: a prefix that says what it identifies, and seventeen characters.

use std::iter::repeat_with;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LENGTH: usize = 17;

/// A new identifier, such as `AROA…`.
#[must_use]
pub fn new(prefix: &str) -> String {
    with(prefix, &mut fastrand::Rng::new())
}

/// An identifier that stays the same for as long as `of` does.
#[must_use]
pub fn stable(prefix: &str, of: &str) -> String {
    // FNV-1a.
    let seed = of.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    with(prefix, &mut fastrand::Rng::with_seed(seed))
}

fn with(prefix: &str, random: &mut fastrand::Rng) -> String {
    let characters = repeat_with(|| random.choice(ALPHABET).map_or('A', |byte| char::from(*byte)));
    prefix.chars().chain(characters.take(LENGTH)).collect()
}
