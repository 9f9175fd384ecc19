//! Text that nobody can guess: keys, secrets, tokens.

use getrandom::SysRng;
use rsa::rand_core::{Rng, UnwrapErr};

/// Letters and digits, that many.
pub(crate) fn text(length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // A system without randomness can issue no keys.
    let mut random = UnwrapErr(SysRng);
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        random.fill_bytes(&mut bytes);
        // What is left out keeps every letter as likely as any other.
        let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
        text.extend(letters.take(length - text.len()).map(|letter| char::from(*letter)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn text_is_as_long_as_it_is_asked_to_be_and_never_the_same() {
        for length in [0, 1, 40, 300] {
            assert_eq!(text(length).len(), length);
        }
        assert_ne!(text(40), text(40));
        assert!(text(500).chars().all(|letter| letter.is_ascii_alphanumeric()));
    }
}
