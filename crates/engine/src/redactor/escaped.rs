//! What escapes stand for: those of JSON and of programming languages, of URLs and forms, of XML and HTML, of quotes.

use std::ops::Range;

use super::view::View;

type Chars = [(char, Range<usize>)];

/// What can be undone. Each gives nothing where there is nothing to undo.
pub(super) const WAYS: [fn(&View) -> Option<View>; 8] = [
    backslashes,
    percents,
    form,
    entities,
    single_quotes,
    double_quotes,
    soft_breaks,
    quoted_printable,
];

/// Rewrites a text: `step` is shown what is left, and says what that starts with and how long it is.
fn rewrite(
    view: &View,
    mut step: impl FnMut(&Chars) -> Option<(Vec<char>, usize)>,
) -> Option<View> {
    let mut rest: &Chars = &view.chars;
    let mut chars = Vec::with_capacity(rest.len());
    let mut changed = false;
    while let Some((c, origin)) = rest.first() {
        let taken = match step(rest) {
            Some((decoded, taken)) if taken > 0 => {
                changed = true;
                let end = rest.get(taken - 1).map_or(origin.end, |(_, last)| last.end);
                let whole = origin.start..end;
                chars.extend(decoded.into_iter().map(|c| (c, whole.clone())));
                taken
            }
            _ => {
                chars.push((*c, origin.clone()));
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    changed.then(|| View::new(chars))
}

fn at(chars: &Chars, index: usize) -> Option<char> {
    chars.get(index).map(|(c, _)| *c)
}

fn text(chars: &Chars, range: Range<usize>) -> Option<String> {
    Some(chars.get(range)?.iter().map(|(c, _)| *c).collect())
}

fn number(chars: &Chars, range: Range<usize>, radix: u32) -> Option<u32> {
    let digits = text(chars, range)?;
    if digits.chars().all(|c| c.is_digit(radix)) {
        u32::from_str_radix(&digits, radix).ok()
    } else {
        None
    }
}

/// Bytes that follow each other as escapes: UTF-8, or else each a character.
fn bytes(
    chars: &Chars,
    width: usize,
    byte: impl Fn(&Chars) -> Option<u32>,
) -> Option<(Vec<char>, usize)> {
    let mut found = Vec::new();
    while let Some(value) = chars.get(found.len() * width..).and_then(&byte) {
        let Ok(value) = u8::try_from(value) else { break };
        found.push(value);
    }
    if found.is_empty() {
        return None;
    }
    let taken = found.len() * width;
    let decoded = match std::str::from_utf8(&found) {
        Ok(text) => text.chars().collect(),
        Err(_) => found.into_iter().map(char::from).collect(),
    };
    Some((decoded, taken))
}

/// `\n`, `\"`, `\/`, `\u0026`, `\u{26}`, `\x26`, `\046`, and whatever else a backslash keeps from meaning something.
fn backslashes(view: &View) -> Option<View> {
    rewrite(view, |chars| {
        if at(chars, 0)? != '\\' {
            return None;
        }
        let next = at(chars, 1)?;
        match next {
            'u' if at(chars, 2) == Some('{') => {
                let end = chars.iter().take(10).position(|(c, _)| *c == '}')?;
                Some((vec![char::from_u32(number(chars, 3..end, 16)?)?], end + 1))
            }
            'u' => utf_16(chars),
            'U' => Some((vec![char::from_u32(number(chars, 2..10, 16)?)?], 10)),
            'x' => bytes(chars, 4, |it| {
                (at(it, 0)? == '\\' && at(it, 1)? == 'x').then(|| number(it, 2..4, 16))?
            }),
            '0'..='3' => bytes(chars, 4, |it| (at(it, 0)? == '\\').then(|| number(it, 1..4, 8))?)
                .or(Some((vec!['\0'], 2))),
            'n' => Some((vec!['\n'], 2)),
            't' => Some((vec!['\t'], 2)),
            'r' => Some((vec!['\r'], 2)),
            'b' => Some((vec!['\u{8}'], 2)),
            'f' => Some((vec!['\u{c}'], 2)),
            other => Some((vec![other], 2)),
        }
    })
}

fn utf_16(chars: &Chars) -> Option<(Vec<char>, usize)> {
    let unit = |from: usize| {
        let is_escape = at(chars, from)? == '\\' && at(chars, from + 1)? == 'u';
        is_escape.then(|| number(chars, from + 2..from + 6, 16))??.try_into().ok()
    };
    let first: u16 = unit(0)?;
    if let Some(c) = char::from_u32(first.into()) {
        return Some((vec![c], 6));
    }
    let pair = char::decode_utf16([first, unit(6)?]).next()?.ok()?;
    Some((vec![pair], 12))
}

/// `%26`.
fn percents(view: &View) -> Option<View> {
    rewrite(view, |chars| {
        bytes(chars, 3, |it| (at(it, 0)? == '%').then(|| number(it, 1..3, 16))?)
    })
}

/// The same, with `+` for a blank.
fn form(view: &View) -> Option<View> {
    view.folded.contains('+').then_some(())?;
    rewrite(view, |chars| {
        if at(chars, 0)? == '+' {
            return Some((vec![' '], 1));
        }
        bytes(chars, 3, |it| (at(it, 0)? == '%').then(|| number(it, 1..3, 16))?)
    })
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn entities(view: &View) -> Option<View> {
    rewrite(view, |chars| {
        if at(chars, 0)? != '&' {
            return None;
        }
        let end = chars.iter().take(12).position(|(c, _)| *c == ';')?;
        let name = text(chars, 1..end)?;
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
        let c = match name.as_str() {
            "amp" | "AMP" => '&',
            "lt" | "LT" => '<',
            "gt" | "GT" => '>',
            "quot" | "QUOT" => '"',
            "apos" => '\'',
            "nbsp" => '\u{a0}',
            "sol" => '/',
            "plus" => '+',
            "equals" => '=',
            "Tab" => '\t',
            "NewLine" => '\n',
            other => {
                let digits = other.strip_prefix('#')?;
                let hex = digits.strip_prefix(['x', 'X']);
                char::from_u32(hex.map_or_else(|| number(digits, 10), |hex| number(hex, 16))?)?
            }
        };
        Some((vec![c], end + 1))
    })
}

/// A single quote within such quotes: `'\''` and `'"'"'` in a shell, `''` in YAML and SQL.
fn single_quotes(view: &View) -> Option<View> {
    quotes(view, &["'\\''", "'\"'\"'", "''"], '\'')
}

/// A double quote within such quotes: `""` in a table of values.
fn double_quotes(view: &View) -> Option<View> {
    quotes(view, &["\"\""], '"')
}

fn quotes(view: &View, forms: &[&str], quote: char) -> Option<View> {
    view.folded.contains(quote).then_some(())?;
    rewrite(view, |chars| {
        let stands =
            |form: &&&str| form.chars().enumerate().all(|(index, c)| at(chars, index) == Some(c));
        forms.iter().find(stands).map(|form| (vec![quote], form.len()))
    })
}

/// Lines that a `=` continues, as in mail.
fn soft_breaks(view: &View) -> Option<View> {
    view.folded.contains('=').then_some(())?;
    rewrite(view, |chars| match (at(chars, 0)?, at(chars, 1)?) {
        ('=', '\n') => Some((Vec::new(), 2)),
        ('=', '\r') if at(chars, 2) == Some('\n') => Some((Vec::new(), 3)),
        _ => None,
    })
}

/// `=26`, as in mail.
fn quoted_printable(view: &View) -> Option<View> {
    view.folded.contains('=').then_some(())?;
    rewrite(view, |chars| {
        bytes(chars, 3, |it| (at(it, 0)? == '=').then(|| number(it, 1..3, 16))?)
    })
}
