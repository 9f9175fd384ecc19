//! Keeps secrets out of everything that leaves the program.
//!
//! What is secret is known first by where it came from: the template language marks every scalar, and [`StepSecrets`]
//! keeps the marks while a step runs. This search for the text of secrets is the second line, for what has been through
//! AWS, a function or a file.

mod encoded;
mod escaped;
mod of_step;
mod view;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use aho_corasick::AhoCorasick;
use serde_json::Value;

use language::template::is_distinctive;
use view::View;

pub use aws::captured::MASK;
pub use of_step::StepSecrets;

/// A secret with fewer characters is no part of a longer word.
const SHORT: usize = 6;
/// So many secrets are looked for one by one before they join those that are looked for at once.
const FEW: usize = 8;

/// The secrets of a run. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// As they read without regard to case.
    secrets: Vec<String>,
    /// Looks for the first so many of them at once.
    searcher: Option<(usize, AhoCorasick)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(***)")
    }
}

impl Redactor {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns a secret. What cannot be told from everyday text is not searched for.
    pub fn learn(&self, secret: &str) {
        if !is_distinctive(secret) {
            return;
        }
        let folded: String = secret.trim().chars().map(view::fold).collect();
        if self.known().secrets.contains(&folded) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.secrets.push(folded);
        let searched = known.searcher.as_ref().map_or(0, |(count, _)| *count);
        if known.secrets.len() - searched > FEW.max(searched / 2) {
            let searcher = AhoCorasick::new(&known.secrets).ok();
            known.searcher = searcher.map(|searcher| (known.secrets.len(), searcher));
        }
    }

    /// Learns every text inside a value that is secret. What is not known yet, in a dry run, is no secret yet.
    pub fn learn_inside(&self, value: &Value) {
        match value {
            Value::String(text) if text.contains('⟨') => {}
            Value::String(text) => self.learn(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn_inside(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.learn_inside(field)),
            Value::Number(number) => self.learn(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known().secrets.is_empty()
    }

    /// Whether a secret stands in the text, in whatever form.
    #[must_use]
    pub fn finds_secret_in(&self, text: &str) -> bool {
        !self.found(text, true).is_empty()
    }

    /// Whether a secret stands in any scalar of a value.
    #[must_use]
    pub fn finds_secret_inside(&self, value: &Value) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut masked = value.clone();
        self.redact_value(&mut masked);
        masked != *value
    }

    /// The text with every secret masked.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.found(text, false);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for range in found {
            masked.push_str(text.get(done..range.start).unwrap_or_default());
            masked.push_str(MASK);
            done = range.end;
        }
        masked.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// Where secrets stand in a text, in order; no more than the first that comes up where one is enough.
    fn found(&self, text: &str, one: bool) -> Vec<Range<usize>> {
        let known = self.known();
        if known.secrets.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        view::each(text, |view| {
            known.search(view, &mut found);
            !one || found.is_empty()
        });
        merged(found.into_iter().map(|(range, _)| range).collect())
    }

    /// Masks every secret in every scalar of a value, keys included.
    pub fn redact_value(&self, value: &mut Value) {
        self.redact_level(value, true);
    }

    /// Masks every secret in every text of an event, and in the numbers of the data that it carries.
    pub fn redact_event(&self, event: &mut Value) {
        const DATA: [&str; 3] = ["body", "parameters", "outputs"];
        let Value::Object(fields) = event else { return };
        for (name, field) in fields {
            // A secret that is also the name of an event does not change what happened.
            if name != "event" {
                self.redact_level(field, DATA.contains(&name.as_str()));
            }
        }
    }

    fn redact_level(&self, value: &mut Value, data: bool) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.redact(text) {
                    *text = masked;
                }
            }
            Value::Number(number) if data => {
                if self.finds_secret_in(&number.to_string()) {
                    *value = Value::from(MASK);
                }
            }
            Value::Array(items) => match as_text(items) {
                Some(text) if data && self.finds_secret_in(&text) => *value = Value::from(MASK),
                _ => items.iter_mut().for_each(|item| self.redact_level(item, data)),
            },
            Value::Object(fields) => {
                let taken = std::mem::take(fields);
                *fields = taken
                    .into_iter()
                    .map(|(key, mut field)| {
                        self.redact_level(&mut field, data);
                        let key = if data { self.redact(&key).into_owned() } else { key };
                        (key, field)
                    })
                    .collect();
            }
            Value::Number(_) | Value::Null | Value::Bool(_) => {}
        }
    }
}

impl Known {
    /// Adds where secrets stand in a reading of a text, each with its number.
    fn search(&self, view: &View, found: &mut Vec<(Range<usize>, usize)>) {
        let text = view.folded.as_str();
        let mut note = |range: Range<usize>, number: usize| {
            let secret = self.secrets.get(number).map_or("", String::as_str);
            if !stands_alone(text, &range, secret) {
                return;
            }
            let origin = view.origin(&range);
            // It may be found in several readings: the plainest says best where it stands.
            let again = |(other, at): &(Range<usize>, usize)| {
                *at == number && other.start < origin.end && origin.start < other.end
            };
            if !found.iter().any(again) {
                found.push((origin, number));
            }
        };
        let mut searched = 0;
        if let Some((count, searcher)) = &self.searcher {
            searched = *count;
            for hit in searcher.find_overlapping_iter(text) {
                note(hit.range(), hit.pattern().as_usize());
            }
        }
        for (number, secret) in self.secrets.iter().enumerate().skip(searched) {
            for (start, _) in text.match_indices(secret.as_str()) {
                note(start..start + secret.len(), number);
            }
        }
    }
}

/// Numbers and short words stand in longer ones that have nothing to do with them.
fn stands_alone(text: &str, range: &Range<usize>, secret: &str) -> bool {
    let is_number = secret.chars().all(|c| c.is_ascii_digit() || "+-.,e".contains(c));
    if secret.chars().count() >= SHORT && !is_number {
        return true;
    }
    let before = text.get(..range.start).and_then(|before| before.chars().next_back());
    let after = text.get(range.end..).and_then(|after| after.chars().next());
    ![before, after].into_iter().flatten().any(char::is_alphanumeric)
}

/// In order, those that overlap as one.
fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A list of bytes as the text that it may be.
fn as_text(items: &[Value]) -> Option<String> {
    let byte = |item: &Value| u8::try_from(item.as_u64()?).ok();
    let bytes = items.iter().map(byte).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
