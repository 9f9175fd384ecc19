//! A text as it reads once what a serialiser has done to it is undone, and where each part of that stands in the text.
//!
//! Which forms a secret may take need not be known: whatever was done to a text is undone, and what is searched for is the
//! secret itself.

use std::collections::HashSet;
use std::ops::Range;

use super::{encoded, escaped};

/// How many things on top of each other are undone, such as the JSON of a JSON text in a URL.
const DEPTH: usize = 4;
/// A text can be read in many ways. As much as so many texts of its length is read, and a little more where it is short.
const MOST: usize = 200;
const LEAST: usize = 10_000;
/// Of a long text less: so many characters are read in no time, and so many texts of its length in any case.
const CHEAP: usize = 2_000_000;
const FEW: usize = 12;

/// One reading of a text.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Without regard to case.
    pub(super) folded: String,
    /// As it reads, character by character, with the bytes of the original text that each came from.
    pub(super) chars: Vec<(char, Range<usize>)>,
    /// Where in `folded` each character starts.
    starts: Vec<usize>,
}

impl View {
    pub(super) fn new(chars: Vec<(char, Range<usize>)>) -> Self {
        let mut folded = String::with_capacity(chars.len());
        let mut starts = Vec::with_capacity(chars.len());
        for (c, _) in &chars {
            starts.push(folded.len());
            folded.push(fold(*c));
        }
        Self { folded, chars, starts }
    }

    fn of(text: &str) -> Self {
        Self::new(text.char_indices().map(|(at, c)| (c, at..at + c.len_utf8())).collect())
    }

    /// Where in the original text it begins.
    fn first(&self) -> usize {
        self.chars.first().map_or(0, |(_, origin)| origin.start)
    }

    /// The bytes of the original text that a range of `folded` came from.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let last = self.starts.partition_point(|start| *start < range.end).saturating_sub(1);
        let start = self.chars.get(first).map_or(0, |(_, origin)| origin.start);
        start..self.chars.get(last).map_or(start, |(_, origin)| origin.end)
    }
}

/// Capital or small, a letter is the same. Where that is no single letter, it stays as it is.
pub(super) fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// Calls `see` with every reading of a text, the text itself first, until it says that it has seen enough.
pub(super) fn each(text: &str, mut see: impl FnMut(&View) -> bool) {
    let most = text.len().saturating_mul(FEW).max(CHEAP);
    let mut budget = (text.len().saturating_mul(MOST) + LEAST).min(most);
    let mut known = HashSet::new();
    let mut level = vec![View::of(text)];
    for depth in 0..=DEPTH {
        let mut next: Vec<View> = Vec::new();
        for view in &level {
            let Some(left) = budget.checked_sub(view.chars.len()) else { return };
            budget = left;
            if !see(view) {
                return;
            }
            if depth == DEPTH {
                continue;
            }
            for (view, is_text) in encoded::decode(view) {
                if is_text {
                    next.push(view);
                } else if !see(&view) {
                    return;
                }
            }
            next.extend(escaped::WAYS.iter().filter_map(|undo| undo(view)));
        }
        // Different ways often lead to the same reading.
        next.retain(|view| known.insert((view.first(), view.folded.clone())));
        level = next;
    }
}
