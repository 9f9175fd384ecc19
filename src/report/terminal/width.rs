//! Lines that fit the terminal: columns are given up first, then lines break between words.

use unicode_width::UnicodeWidthChar as _;

/// How far the rest of a line is indented beneath it.
const HANGING: usize = 4;

/// A line as one or more that are no wider than so many columns, where its words are not.
pub(super) fn fitted(line: &str, columns: Option<usize>) -> Vec<String> {
    let Some(columns) = columns.filter(|columns| width(line) > *columns) else {
        return vec![line.to_owned()];
    };
    let bare = line.trim_start_matches(' ');
    let indent = line.len() - bare.len();
    let words: Vec<&str> = bare.split(' ').filter(|word| !word.is_empty()).collect();
    let close = format!("{}{}", " ".repeat(indent), closed_up(bare));
    if width(&close) <= columns {
        return vec![close];
    }
    let mut lines = Vec::new();
    let mut current = " ".repeat(indent);
    let mut is_empty = true;
    for word in words {
        if !is_empty && width(&current) + 1 + width(word) > columns {
            lines.push(std::mem::replace(&mut current, " ".repeat(indent + HANGING)));
            is_empty = true;
        }
        if !is_empty {
            current.push(' ');
        }
        current.push_str(word);
        is_empty = false;
    }
    lines.push(current);
    lines
}

/// With two spaces wherever there are more.
fn closed_up(text: &str) -> String {
    let mut closed = String::with_capacity(text.len());
    let mut spaces = 0;
    for character in text.chars() {
        spaces = if character == ' ' { spaces + 1 } else { 0 };
        if spaces <= 2 {
            closed.push(character);
        }
    }
    closed
}

/// The columns that a text takes; the sequences that colour it take none.
fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            let _ = characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            columns += character.width().unwrap_or_default();
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "  ✓ Create a role that the function runs as     create-role    0.06s";

    #[test]
    fn a_line_that_fits_stays() {
        assert_eq!(fitted(LINE, None), [LINE]);
        assert_eq!(fitted(LINE, Some(120)), [LINE]);
    }

    #[test]
    fn columns_are_given_up_before_lines_break() {
        assert_eq!(
            fitted(LINE, Some(66)),
            ["  ✓ Create a role that the function runs as  create-role  0.06s"]
        );
        assert_eq!(
            fitted(LINE, Some(30)),
            ["  ✓ Create a role that the", "      function runs as", "      create-role 0.06s",]
        );
    }

    #[test]
    fn colours_take_no_room_and_wide_characters_two() {
        assert_eq!(width("\u{1b}[32m✓\u{1b}[0m 日本"), 6);
        let coloured = "\u{1b}[32m✓\u{1b}[0m ab";
        assert_eq!(fitted(coloured, Some(4)), [coloured]);
    }

    #[test]
    fn a_word_that_is_too_wide_stands_alone() {
        assert_eq!(fitted("- deleted abcdefghij", Some(8)), ["-", "    deleted", "    abcdefghij"]);
    }
}
