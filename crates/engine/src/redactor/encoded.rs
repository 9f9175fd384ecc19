//! What stands in base64, in hexadecimal digits, or as a list of numbers.

use std::ops::Range;

use super::view::View;

/// Shorter runs hold no secret that is searched for.
const SHORTEST: usize = 8;

/// A character's value, and the bytes of the original text that it stands in.
type Digit = (u8, Range<usize>);
/// A byte, and the bytes of the original text that it came from.
type Byte = (u8, Range<usize>);

/// Everything in a text that is encoded, and whether that is text from beginning to end.
pub(super) fn decode(view: &View) -> Vec<(View, bool)> {
    let mut found = Vec::new();
    for run in runs(view, base64_digit) {
        for skipped in 0..4 {
            found.extend(text_of(&sextets(run.get(skipped..).unwrap_or_default())));
        }
    }
    for run in runs(view, |c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())) {
        for skipped in 0..2 {
            found.extend(text_of(&nibbles(run.get(skipped..).unwrap_or_default())));
        }
    }
    for list in lists(view) {
        found.extend(text_of(&list));
    }
    found
}

/// The standard alphabet and that of URLs.
fn base64_digit(c: char) -> Option<u8> {
    let code = u8::try_from(c).ok()?;
    Some(match code {
        b'A'..=b'Z' => code - b'A',
        b'a'..=b'z' => code - b'a' + 26,
        b'0'..=b'9' => code - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Digits in a row. They may be wrapped: a line break within is none.
fn runs(view: &View, digit: impl Fn(char) -> Option<u8>) -> Vec<Vec<Digit>> {
    let mut runs: Vec<Vec<Digit>> = Vec::new();
    let mut run = Vec::new();
    let mut broken = false;
    for (c, origin) in &view.chars {
        if let Some(value) = digit(*c) {
            run.push((value, origin.clone()));
            broken = false;
        } else if matches!(c, '\n' | '\r') && !run.is_empty() {
            broken = true;
        } else if !(run.is_empty() || broken && matches!(c, ' ' | '\t')) {
            runs.push(std::mem::take(&mut run));
        }
    }
    runs.push(run);
    runs.retain(|run| run.len() >= SHORTEST);
    runs
}

fn joined(first: &Range<usize>, last: &Range<usize>) -> Range<usize> {
    first.start..last.end
}

fn sextets(digits: &[Digit]) -> Vec<Byte> {
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        for pair in 0..group.len().saturating_sub(1) {
            let (Some((high, first)), Some((low, last))) = (group.get(pair), group.get(pair + 1))
            else {
                continue;
            };
            // Six bits each: of the first pair all of one and two of the other, and so on.
            let byte = match pair {
                0 => high << 2 | low >> 4,
                1 => high << 4 | low >> 2,
                _ => high << 6 | low,
            };
            bytes.push((byte, joined(first, last)));
        }
    }
    bytes
}

fn nibbles(digits: &[Digit]) -> Vec<Byte> {
    let pair = |pair: &[Digit]| match pair {
        [(high, first), (low, last)] => Some((high << 4 | low, joined(first, last))),
        _ => None,
    };
    digits.chunks_exact(2).filter_map(pair).collect()
}

/// `104, 117, 110` and `68:75:6e`: numbers that are bytes, with something between them.
fn lists(view: &View) -> Vec<Vec<Byte>> {
    let mut lists = Vec::new();
    for radix in [10, 16] {
        let mut list: Vec<Byte> = Vec::new();
        let mut rest = view.chars.as_slice();
        while let Some((c, origin)) = rest.first() {
            let length = rest.iter().take(4).take_while(|(c, _)| c.is_digit(radix)).count();
            let digits: String = rest.iter().take(length).map(|(c, _)| *c).collect();
            let is_byte = if radix == 16 { length == 2 } else { (1..=3).contains(&length) };
            match u8::from_str_radix(&digits, radix).ok().filter(|_| is_byte) {
                Some(byte) => {
                    let last = rest.get(length - 1).map_or(origin, |(_, last)| last);
                    list.push((byte, joined(origin, last)));
                }
                None if length == 0 && ", :-\n\r\t".contains(*c) => {}
                None => lists.push(std::mem::take(&mut list)),
            }
            rest = rest.get(length.max(1)..).unwrap_or_default();
        }
        lists.push(list);
    }
    lists.retain(|list| list.len() >= 4);
    lists
}

/// Bytes as text: those that are none become what no secret holds.
fn text_of(bytes: &[Byte]) -> Option<(View, bool)> {
    let raw: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let mut chars = Vec::with_capacity(raw.len());
    let mut done = 0;
    for chunk in raw.utf8_chunks() {
        let valid = chunk.valid().chars().map(|c| (c, c.len_utf8()));
        let invalid = chunk.invalid().iter().map(|_| ('\0', 1));
        for (c, length) in valid.chain(invalid) {
            let (first, last) = (bytes.get(done)?, bytes.get(done + length - 1)?);
            chars.push((c, joined(&first.1, &last.1)));
            done += length;
        }
    }
    if chars.is_empty() {
        return None;
    }
    let is_text = chars.iter().all(|(c, _)| !c.is_control() || c.is_whitespace());
    Some((View::new(chars), is_text))
}
