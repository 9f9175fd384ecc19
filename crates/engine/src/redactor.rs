//! Keeps secrets out of everything that leaves the program.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

pub use aws::captured::MASK;

/// What URLs escape, by RFC 3986.
const RESERVED: percent_encoding::AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets of a run, in every form in which they might appear. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret within a secret does not spoil the longer one.
    forms: Arc<RwLock<Vec<String>>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(***)")
    }
}

impl Redactor {
    /// Learns a secret. An empty text is none.
    pub fn learn(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        if forms.iter().any(|form| form == secret) {
            return;
        }
        let mut all: BTreeSet<String> = forms.drain(..).collect();
        all.extend(forms_of(secret));
        *forms = all.into_iter().collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    /// Learns every text inside a value that was made from a secret. What is shorter than four characters, or a number
    /// such as the secret's length, gives nothing away and would mask half of everything.
    pub fn learn_derived(&self, value: &Value) {
        match value {
            // Text that holds a known secret is masked where that stands, and readable besides.
            // What is not known yet, in a dry run, is no secret yet.
            Value::String(text) if text.contains('⟨') => {}
            Value::String(text) if text.chars().count() >= 4 && !self.finds_secret_in(text) => {
                self.learn(text);
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_derived(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.learn_derived(field)),
            _ => {}
        }
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether a secret stands in the text, in whatever form. Of a secret so short that it stands in every other word,
    /// only the whole text counts.
    #[must_use]
    pub fn finds_secret_in(&self, text: &str) -> bool {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        forms.iter().any(|form| match form.len() {
            0..6 => text == form,
            _ => text.contains(form.as_str()),
        })
    }

    /// Whether a secret stands in any text of a value.
    #[must_use]
    pub fn finds_secret_inside(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.finds_secret_in(text),
            Value::Array(items) => items.iter().any(|item| self.finds_secret_inside(item)),
            Value::Object(fields) => fields
                .iter()
                .any(|(key, field)| self.finds_secret_in(key) || self.finds_secret_inside(field)),
            Value::Number(_) | Value::Null | Value::Bool(_) => false,
        }
    }

    /// The text with every secret masked.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(text);
        for form in forms.iter() {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), MASK));
            }
        }
        text
    }

    /// Masks every secret in every text of a value, keys included.
    pub fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.redact(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(fields) => {
                let taken = std::mem::take(fields);
                *fields = taken
                    .into_iter()
                    .map(|(key, mut field)| {
                        self.redact_value(&mut field);
                        (self.redact(&key).into_owned(), field)
                    })
                    .collect();
            }
            Value::Number(_) | Value::Null | Value::Bool(_) => {}
        }
    }
}

/// The secret itself, as JSON escapes it, as a URL and a form encode it, and in base64: alone, and as part of a longer
/// text at each of the three alignments, less the characters that its neighbours share.
fn forms_of(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    let quoted = Value::from(secret).to_string();
    let mut escaped = quoted.as_str();
    escaped = escaped.strip_prefix('"').unwrap_or(escaped);
    escaped = escaped.strip_suffix('"').unwrap_or(escaped);
    for escaped in [escaped.to_owned(), in_ascii(escaped, false), in_ascii(escaped, true)] {
        let twice = Value::from(escaped.as_str()).to_string();
        forms.push(twice.trim_matches('"').to_owned());
        forms.push(escaped);
    }
    let encoded = utf8_percent_encode(secret, &RESERVED).to_string();
    forms.push(encoded.replace("%20", "+"));
    forms.push(lower_hex(&encoded));
    forms.push(encoded);
    // Shorter texts would mask half of every base64 there is.
    if secret.len() >= 4 {
        for (shift, dropped) in [(0, 0), (1, 2), (2, 3)] {
            let mut padded = vec![0; shift];
            padded.extend_from_slice(secret.as_bytes());
            let text = STANDARD_NO_PAD.encode(&padded);
            let end = if padded.len() % 3 == 0 { text.len() } else { text.len() - 1 };
            if let Some(core) = text.get(dropped..end) {
                forms.push(core.replace('+', "-").replace('/', "_"));
                forms.push(core.to_owned());
            }
        }
    }
    // YAML doubles the quote within a text that it puts between such quotes.
    let quoted = forms.iter().filter(|form| form.contains('\''));
    let doubled: Vec<String> = quoted.map(|form| form.replace('\'', "''")).collect();
    forms.extend(doubled);
    forms.retain(|form| !form.is_empty());
    forms
}

/// JSON as programs write it that trust nobody with more than ASCII, such as Python's.
fn in_ascii(escaped: &str, capitals: bool) -> String {
    let unit = |unit: u16| {
        if capitals { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") }
    };
    let written = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|it| unit(*it)).collect(),
    };
    escaped.chars().map(written).collect()
}

fn lower_hex(encoded: &str) -> String {
    let mut after = 0;
    encoded
        .chars()
        .map(|c| {
            let lowered = if after > 0 { c.to_ascii_lowercase() } else { c };
            after = if c == '%' { 2 } else { u8::saturating_sub(after, 1) };
            lowered
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    fn knowing(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.learn(secret);
        redactor
    }

    #[test]
    fn masks_every_form() {
        let secret = "Pa\"ss w\u{f6}rd/+9";
        let redactor = knowing(secret);
        let forms = [
            secret.to_owned(),
            json!({ "p": secret }).to_string(),
            json!(json!({ "p": secret }).to_string()).to_string(),
            r#"{"p": "Pa\"ss w\u00f6rd/+9"}"#.to_owned(),
            r#"{"p": "Pa\"ss w\u00F6rd/+9"}"#.to_owned(),
            json!(r#"{"p": "Pa\"ss w\u00f6rd/+9"}"#).to_string(),
            format!("x={}", utf8_percent_encode(secret, NON_ALPHANUMERIC)),
            STANDARD.encode(secret),
            STANDARD.encode(format!("a{secret}b")),
            STANDARD.encode(format!("ab{secret}")),
            STANDARD.encode(format!("abc{secret}cd")),
        ];
        for form in forms {
            let masked = redactor.redact(&form);
            assert!(masked.contains(MASK), "{form} came out as {masked}");
            assert!(!masked.contains("rd/") && !masked.contains("w%C3%B6rd"), "{masked}");
        }
    }

    #[test]
    fn masks_what_yaml_has_quoted() {
        let redactor = knowing("it's \"o\u{f6}\"");
        let said = r#"- '"it''s \"o\u00f6\""'"#;
        assert_eq!(redactor.redact(said), r#"- '"***"'"#);
        assert_eq!(redactor.redact("- 'it''s \"o\u{f6}\"'"), "- '***'");
    }

    #[test]
    fn the_longer_secret_is_masked_first() {
        let redactor = knowing("pass");
        redactor.learn("password");
        assert_eq!(redactor.redact("my password, your pass"), "my ***, your ***");
    }

    #[test]
    fn masks_values_and_keys() {
        let redactor = knowing("hunter22");
        let mut value = json!({ "a": ["x hunter22", 1], "hunter22": null });
        redactor.redact_value(&mut value);
        assert_eq!(value, json!({ "a": ["x ***", 1], "***": null }));
    }

    #[test]
    fn an_empty_text_is_no_secret() {
        assert!(knowing("").is_empty());
        assert_eq!(knowing("").redact("abc"), "abc");
    }
}
