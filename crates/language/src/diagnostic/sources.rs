//! The texts that diagnostics are about, and places in them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Which of the [`Sources`] a [`Span`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A range of bytes in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The text that the range is in.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets beyond 4 GiB are cut off.
    #[must_use]
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clamp = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { source, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that covers both; `self` where they are in different sources.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source != other.source {
            return self;
        }
        Self {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: Arc<str>,
    /// Where each line starts; found once, for a file with many faults would be read as often otherwise.
    starts: OnceLock<Vec<usize>>,
}

impl Source {
    fn starts(&self) -> &[usize] {
        self.starts.get_or_init(|| {
            let newlines = self.text.match_indices('\n').map(|(newline, _)| newline + 1);
            std::iter::once(0).chain(newlines).collect()
        })
    }

    /// The number of the line that an offset is in, from 0.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts().partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Where a line starts.
    pub(super) fn start_of(&self, line: usize) -> usize {
        self.starts().get(line).copied().unwrap_or(self.text.len())
    }

    /// A line without its end.
    pub(super) fn line(&self, line: usize) -> &str {
        let range = self.start_of(line)..self.start_of(line + 1);
        let text = self.text.get(range).unwrap_or_default();
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.strip_suffix('\r').unwrap_or(text)
    }
}

/// The texts that spans point into.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    sources: Vec<Source>,
    /// The last source of each name.
    latest: HashMap<String, SourceId>,
}

impl Sources {
    /// No texts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that diagnostics show, usually its path.
    /// The same text under the same name is there once.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let (name, text) = (name.into(), text.into());
        let known = self.latest.get(&name).copied();
        if let Some(known) = known.filter(|known| *self.text(*known) == *text) {
            return known;
        }
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.latest.insert(name.clone(), id);
        self.sources.push(Source { name, text, starts: OnceLock::new() });
        id
    }

    pub(super) fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::try_from(id.0).ok()?)
    }

    /// The name of a source; empty for an id that is not from here.
    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| source.name.as_str())
    }

    /// The text of a source; empty for an id that is not from here.
    #[must_use]
    pub fn text(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.text)
    }

    /// The text that a span covers.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let text = self.text(span.source);
        let (start, end) = clamp(text, span);
        text.get(start..end).unwrap_or_default()
    }

    /// Line and column of the start of a span, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        self.place(span, |(start, _)| start)
    }

    /// Line and column behind the end of a span.
    #[must_use]
    pub fn end_line_column(&self, span: Span) -> (usize, usize) {
        self.place(span, |(_, end)| end)
    }

    fn place(&self, span: Span, which: impl Fn((usize, usize)) -> usize) -> (usize, usize) {
        let Some(source) = self.get(span.source) else {
            return (1, 1);
        };
        let offset = which(clamp(&source.text, span));
        let line = source.line_of(offset);
        let before = source.text.get(source.start_of(line)..offset).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }
}

/// The span's byte range, made to lie inside the text and on character boundaries.
pub(super) fn clamp(text: &str, span: Span) -> (usize, usize) {
    let floor = |offset: u32| {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
    };
    let start = floor(span.start);
    (start, floor(span.end).max(start))
}
