//! What is wrong with a text, where, and what to write instead.

mod code;
mod json;
mod page;
mod render;
mod sarif;
mod sources;

pub use code::{Code, Severity};
pub use json::document;
pub use page::{Example, Page};
pub use render::{Look, render};
pub use sarif::log;
pub use sources::{SourceId, Sources, Span};

/// One thing that is wrong, in the shape that a good compiler reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake, such as `unknown-key`.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What to say under the place itself.
    pub label: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// Other places that have to do with it, and what to say under each.
    pub also: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            label: None,
            help: None,
            also: Vec::new(),
        }
    }

    /// Whether it keeps a playbook from running.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says something under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Points at another place that has to do with it.
    #[must_use]
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// In the order of the files and of their lines, each once; what has no place comes first.
#[must_use]
pub fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted
        .sort_by_key(|diagnostic| diagnostic.span.map(|span| (span.source, span.start, span.end)));
    let mut shown: Vec<&Diagnostic> = Vec::with_capacity(sorted.len());
    for diagnostic in sorted {
        let mut twins = shown.iter().rev().take_while(|other| other.span == diagnostic.span);
        if !twins.any(|other| *other == diagnostic) {
            shown.push(diagnostic);
        }
    }
    shown
}

/// Longer words are not typing mistakes, and comparing them costs time.
const LONGEST_WORD: usize = 64;
/// A character has no more bytes than these: lengths that differ by more are not worth comparing.
const MOST_BYTES: usize = 4;

/// The candidate that `word` was probably meant to be.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST_WORD {
        return None;
    }
    let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(word);
    let tolerance = (folded.chars().count() / 3).max(1);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let similar = candidates
        .iter()
        .copied()
        .filter(|candidate| {
            candidate.len() <= LONGEST_WORD
                && candidate.len().abs_diff(word.len()) <= tolerance * MOST_BYTES
                && *candidate != word
        })
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| {
            *distance <= tolerance && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, candidate)| (*distance, !fold(candidate).starts_with(&folded)))
        .map(|(_, candidate)| candidate);
    similar.or_else(|| {
        let mut longer = candidates.into_iter().filter(|it| is_part(&folded, &fold(it)));
        longer.next().filter(|_| longer.next().is_none())
    })
}

/// Shorter words are parts of too many others.
const SHORTEST_PART: usize = 3;

/// Whether one name begins the other, or ends it after an underscore: `prod` and `production`, `role_arn` and `arn`.
fn is_part(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if short.len() < SHORTEST_PART || long.len() > LONGEST_WORD {
        return false;
    }
    let begins = |rest: &str| short == one || rest.starts_with('_');
    long.strip_prefix(short).is_some_and(begins)
        || long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_'))
}

#[cfg(test)]
mod tests;
