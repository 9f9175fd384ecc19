//! Passwords that nobody has thought of.

use getrandom::SysRng;
use rsa::rand_core::{Rng, UnwrapErr};
use serde::Deserialize;
use serde_json::{Value, json};

use super::invalid_parameter;
use crate::protocol::AwsError;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Request {
    password_length: Option<usize>,
    exclude_characters: String,
    exclude_numbers: bool,
    exclude_punctuation: bool,
    exclude_uppercase: bool,
    exclude_lowercase: bool,
    include_space: bool,
    require_each_included_type: Option<bool>,
}

/// A number below a bound, as likely as any other.
fn below(bound: usize) -> usize {
    // A system without randomness can make no passwords.
    let mut random = UnwrapErr(SysRng);
    let bound = bound as u64;
    let most = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        random.fill_bytes(&mut bytes);
        let number = u64::from_be_bytes(bytes);
        if number < most {
            return usize::try_from(number % bound).unwrap_or_default();
        }
    }
}

impl Request {
    fn kinds(&self) -> Vec<Vec<char>> {
        let own: [(bool, String); 5] = [
            (!self.exclude_lowercase, ('a'..='z').collect()),
            (!self.exclude_uppercase, ('A'..='Z').collect()),
            (!self.exclude_numbers, ('0'..='9').collect()),
            (!self.exclude_punctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".to_owned()),
            (self.include_space, " ".to_owned()),
        ];
        let kept = own.into_iter().filter(|(is_in, _)| *is_in).map(|(_, letters)| {
            letters.chars().filter(|letter| !self.exclude_characters.contains(*letter)).collect()
        });
        kept.filter(|letters: &Vec<char>| !letters.is_empty()).collect()
    }

    /// A password.
    pub(super) fn password(&self) -> Result<String, AwsError> {
        let kinds = self.kinds();
        let length = self.password_length.unwrap_or(32);
        let all: Vec<char> = kinds.iter().flatten().copied().collect();
        if all.is_empty() {
            return Err(invalid_parameter(
                "You can't exclude all of the possible character types.",
            ));
        }
        let needs_each = self.require_each_included_type.unwrap_or(true);
        if needs_each && length < kinds.len() {
            return Err(invalid_parameter(
                "InvalidParameterException: The password length is too short to have every type of character.",
            ));
        }
        let each = kinds.iter().filter(|_| needs_each).map(|letters| letters[below(letters.len())]);
        let mut password: Vec<char> = each.collect();
        while password.len() < length {
            password.push(all[below(all.len())]);
        }
        for place in (1..password.len()).rev() {
            password.swap(place, below(place + 1));
        }
        Ok(password.into_iter().collect())
    }
}

/// `GetRandomPassword`
pub(super) fn random(input: &Request) -> Result<Value, AwsError> {
    Ok(json!({"RandomPassword": input.password()?}))
}
