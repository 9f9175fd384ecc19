use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::diagnostic::{SourceId, Span};

/// A string, and how its characters lie in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The string itself, after YAML's own quoting and folding.
    pub value: String,
    span: Span,
    pieces: Vec<Piece>,
}

/// From this offset of the value on, characters stand one behind the other from this offset of
/// the source on, up to the next piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    value: usize,
    source: usize,
}

impl Text {
    /// A string that has a place but no source text of its own.
    #[must_use]
    pub fn new(value: impl Into<String>, span: Span) -> Self {
        Self { value: value.into(), span, pieces: Vec::new() }
    }

    /// A string that stands in the source as it is.
    pub(super) fn plain(value: &str, span: Span) -> Self {
        let pieces = vec![Piece { value: 0, source: to_usize(span.start) }];
        Self { value: value.to_owned(), span, pieces }
    }

    /// A scalar as the parser found it: `span` covers it in `source_text`, quotes included.
    pub(super) fn from_scalar(
        value: String,
        style: ScalarStyle,
        span: Span,
        source_text: &str,
    ) -> Self {
        let range = to_usize(span.start)..to_usize(span.end);
        let raw = source_text.get(range.clone()).unwrap_or_default();
        let pieces = align(&value, style, raw)
            .map(|pieces| {
                let absolute = |piece: Piece| Piece { source: piece.source + range.start, ..piece };
                pieces.into_iter().map(absolute).collect()
            })
            .unwrap_or_default();
        Self { value, span, pieces }
    }

    /// Where the whole string stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where a range of bytes of the value stands; the whole string where that cannot be said.
    #[must_use]
    pub fn locate(&self, range: Range<usize>) -> Span {
        let found = self.source_offset(range.start).zip(if range.end > range.start {
            self.source_offset(range.end - 1).map(|last| last + 1)
        } else {
            self.source_offset(range.start)
        });
        match found {
            Some((start, end)) if range.end <= self.value.len() => {
                // A blank made by folding, or the last line break, may have no byte of its own.
                let limit = to_usize(self.span.end);
                let start = start.min(limit);
                Span::new(self.source(), start, end.clamp(start, limit))
            }
            _ => self.span,
        }
    }

    fn source(&self) -> SourceId {
        self.span.source
    }

    fn source_offset(&self, offset: usize) -> Option<usize> {
        let after = self.pieces.partition_point(|piece| piece.value <= offset);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        Some(piece.source + (offset - piece.value))
    }
}

pub(super) fn to_usize(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// Lays the value beside its source. `None` where they do not match character by character.
fn align(value: &str, style: ScalarStyle, raw: &str) -> Option<Vec<Piece>> {
    let quotes =
        usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
    let inner = raw.get(quotes..raw.len().checked_sub(quotes)?)?;
    if inner == value {
        return Some(vec![Piece { value: 0, source: quotes }]);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut cursor = Cursor { raw: inner, at: 0, style };
    let mut run = None;
    for (at, character) in value.char_indices() {
        let source = if character.is_whitespace() {
            cursor.whitespace(character)
        } else {
            cursor.visible(character)?
        };
        let offset = source + quotes;
        if run != Some((at, offset)) {
            pieces.push(Piece { value: at, source: offset });
        }
        run = Some((at + character.len_utf8(), offset + character.len_utf8()));
    }
    Some(pieces)
}

struct Cursor<'a> {
    raw: &'a str,
    at: usize,
    style: ScalarStyle,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// The place of a blank. Folding makes blanks out of line breaks and indentation, so that only
    /// an equal character is stepped over and everything else is left for what follows it.
    fn whitespace(&mut self, character: char) -> usize {
        let place = self.at;
        if let Some((decoded, length)) = self.escape() {
            if decoded == Some(character) {
                self.at += length;
            }
        } else if self.rest().starts_with(character) {
            self.at += character.len_utf8();
        } else if character == '\n' && self.rest().starts_with("\r\n") {
            self.at += 2;
        }
        place.min(self.raw.len())
    }

    fn visible(&mut self, character: char) -> Option<usize> {
        loop {
            let place = self.at;
            if let Some((decoded, length)) = self.escape() {
                self.at += length;
                match decoded {
                    Some(decoded) if decoded == character => return Some(place),
                    None => continue,
                    Some(_) => return None,
                }
            }
            let next = self.rest().chars().next()?;
            self.at += next.len_utf8();
            if next == character {
                if next == '\'' && self.style == ScalarStyle::SingleQuoted {
                    self.at += 1;
                }
                return Some(place);
            }
            if !next.is_whitespace() {
                return None;
            }
        }
    }

    /// The escape sequence here: what it stands for (`None` for an escaped line break) and its
    /// length in bytes.
    fn escape(&self) -> Option<(Option<char>, usize)> {
        if self.style != ScalarStyle::DoubleQuoted {
            return None;
        }
        let sequence = self.rest().strip_prefix('\\')?;
        let kind = sequence.chars().next()?;
        let hexadecimal = |digits: usize| {
            let code = sequence.get(1..=digits)?;
            let decoded = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
            Some((Some(decoded), digits + 2))
        };
        let decoded = match kind {
            'x' => return hexadecimal(2),
            'u' => return hexadecimal(4),
            'U' => return hexadecimal(8),
            '\n' | '\r' => return Some((None, 2)),
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            other => other,
        };
        Some((Some(decoded), 1 + kind.len_utf8()))
    }
}
