//! The secrets of a step that no search for text finds, by where they went in.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::MASK;
use language::template::{Evaluated, Mark, is_distinctive, to_json, to_text};

/// What in a step's input is secret, but too short or too common to be searched for everywhere: numbers, yes and no, short
/// words, and texts that hold such. It is hidden in what this step says, calls and returns.
#[derive(Debug, Clone, Default)]
pub struct StepSecrets {
    scalars: Vec<Scalar>,
    /// Whole texts, and what may be shown of them.
    texts: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Scalar {
    /// The name it went in under, less the manner of writing.
    key: String,
    text: String,
}

impl StepSecrets {
    /// Those of a step's input.
    #[must_use]
    pub fn of(input: &Evaluated) -> Self {
        let mut secrets = Self::default();
        input.each_secret(|path, value, mark| match mark {
            Mark::Open => {}
            Mark::Hidden => secrets.add(path.last().map_or("", String::as_str), &to_json(value)),
            Mark::Shown(shown) if shown.contains(MASK) => {
                let text = to_text(value);
                if !text.contains('⟨') {
                    secrets.texts.push((text, shown.to_string()));
                }
            }
            Mark::Shown(_) => {}
        });
        // The longest first: it may hold others.
        secrets.texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        secrets
    }

    /// Adds a secret that went in under a name. What a search for its text finds is known there.
    pub fn add(&mut self, key: &str, value: &Value) {
        let text = match value {
            Value::Null | Value::Array(_) | Value::Object(_) => return,
            Value::String(text) if text.is_empty() || text.contains('⟨') => return,
            Value::String(text) if is_distinctive(text) => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.scalars.push(Scalar { key: plain(key), text });
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scalars.is_empty() && self.texts.is_empty()
    }

    /// Whether a value holds one of them.
    #[must_use]
    pub fn stand_in(&self, value: &Value) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut masked = value.clone();
        self.mask(&mut masked);
        masked != *value
    }

    /// Hides them in data.
    pub fn mask(&self, value: &mut Value) {
        if !self.is_empty() {
            self.mask_level(value, &mut Vec::new());
        }
    }

    /// Hides them in a scalar that stands under these names.
    pub fn mask_under<'n>(&self, names: impl Iterator<Item = &'n str>, scalar: &mut Value) {
        if !self.is_empty() {
            self.mask_level(scalar, &mut names.map(plain).collect());
        }
    }

    fn mask_level(&self, value: &mut Value, names: &mut Vec<String>) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => {
                let text = value.to_string();
                if self.scalars.iter().any(|it| it.is(&text, names)) {
                    *value = Value::from(MASK);
                }
            }
            Value::String(text) => {
                if self.scalars.iter().any(|it| it.is(text, names)) {
                    MASK.clone_into(text);
                } else if let Some(masked) = self.masked_json(text, names) {
                    *text = masked;
                } else if let Cow::Owned(masked) = self.mask_text(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_level(item, names)),
            Value::Object(fields) => {
                // AWS's lists of names and values: the name of the value stands beside it.
                let beside =
                    ["Name", "Key", "ParameterKey"].iter().find_map(|name| fields.get(*name));
                let beside = beside.and_then(Value::as_str).map(plain);
                let depth = names.len();
                names.extend(beside);
                for (name, field) in fields.iter_mut() {
                    names.push(plain(name));
                    self.mask_level(field, names);
                    names.pop();
                }
                names.truncate(depth);
            }
        }
    }

    /// JSON within a text, written anew where it holds any of them.
    fn masked_json(&self, text: &str, names: &mut Vec<String>) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let inner: Value = serde_json::from_str(text).ok()?;
        let mut masked = inner.clone();
        self.mask_level(&mut masked, names);
        (masked != inner).then(|| masked.to_string())
    }

    /// Hides them in a sentence.
    #[must_use]
    pub fn mask_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for (whole, shown) in &self.texts {
            let stands =
                *masked == **whole || (whole.len() >= 4 && masked.contains(whole.as_str()));
            if stands {
                masked = Cow::Owned(masked.replace(whole.as_str(), shown));
            }
        }
        for scalar in &self.scalars {
            let found: Vec<Range<usize>> = scalar.places(&masked);
            if !found.is_empty() {
                let mut text = masked.into_owned();
                for range in found.into_iter().rev() {
                    text.replace_range(range, MASK);
                }
                masked = Cow::Owned(text);
            }
        }
        masked
    }
}

impl Scalar {
    /// Whether a scalar is this one. What any other could be as well, such as yes, counts under its own name alone.
    fn is(&self, text: &str, names: &[String]) -> bool {
        text == self.text && (self.is_telling() || names.contains(&self.key))
    }

    fn is_telling(&self) -> bool {
        self.text.chars().count() >= 2 && !matches!(self.text.as_str(), "true" | "false")
    }

    /// Where it stands in a sentence, as a word of its own.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        if !self.is_telling() {
            let range = 0..text.len();
            return if text == self.text { vec![range] } else { Vec::new() };
        }
        let alone = |range: &Range<usize>| {
            let before = text.get(..range.start).and_then(|it| it.chars().next_back());
            let after = text.get(range.end..).and_then(|it| it.chars().next());
            ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
        };
        let places = text.match_indices(self.text.as_str());
        places.map(|(start, it)| start..start + it.len()).filter(alone).collect()
    }
}

/// A name as AWS, the playbook and the environment may each write it.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secrets() -> StepSecrets {
        let mut secrets = StepSecrets::default();
        secrets.add("pin", &json!(1234));
        secrets.add("is_admin", &json!(true));
        secrets.add("code", &json!("x7"));
        secrets.texts.push(("pin 1234x".to_owned(), "pin ***".to_owned()));
        secrets
    }

    fn masked(mut value: Value) -> Value {
        secrets().mask(&mut value);
        value
    }

    #[test]
    fn numbers_and_short_texts_are_hidden_where_the_step_put_them() {
        assert_eq!(masked(json!({"n": 1234, "m": 12345})), json!({"n": MASK, "m": 12345}));
        assert_eq!(
            masked(json!({"Item": {"pin": {"N": "1234"}}})),
            json!({"Item": {"pin": {"N": MASK}}})
        );
        assert_eq!(
            masked(json!({"Payload": "{\"pin\":1234}"})),
            json!({"Payload": "{\"pin\":\"***\"}"})
        );
        assert_eq!(masked(json!("User 1234 (x7) of 12345")), json!("User *** (***) of 12345"));
        assert_eq!(masked(json!("the pin 1234x")), json!("the pin ***"));
    }

    #[test]
    fn yes_and_no_are_hidden_under_their_own_name_alone() {
        let value = json!({"IsAdmin": true, "Permanent": true, "Tags": [{"Key": "is-admin", "Value": "true"}]});
        let hidden = json!({"IsAdmin": MASK, "Permanent": true, "Tags": [{"Key": "is-admin", "Value": MASK}]});
        assert_eq!(masked(value), hidden);
    }

    #[test]
    fn what_is_searched_for_everywhere_is_not_kept_here() {
        let mut secrets = StepSecrets::default();
        for value in [json!("hunter22"), json!(null), json!(""), json!("⟨inputs.pin⟩")] {
            secrets.add("a", &value);
        }
        assert!(secrets.is_empty());
        assert!(!secrets.stand_in(&json!("hunter22")));
    }
}
