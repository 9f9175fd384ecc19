//! Makes text safe to show: nothing in it moves the cursor, rings, hides or reorders what stands beside it.

use std::borrow::Cow;

/// One line: control characters and line breaks appear escaped, such as `\u{1b}` and `\n`.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\t' || is_hostile(c))
}

/// The lines of a text, each as [`line`] would show it, tabs kept.
pub fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(|line| escape(line, |c| c != '\t' && is_hostile(c)))
}

/// What a dry run does not know yet, as a person reads it: `«steps.role.arn»`. Inside the program it stands between `⟨` and
/// `⟩`, which ordinary text does not have, whereas guillemets are quotation marks in half of Europe.
#[must_use]
pub fn guillemets(text: &str, planning: bool) -> Cow<'_, str> {
    if planning && text.contains(['⟨', '⟩']) {
        Cow::Owned(text.replace('⟨', "«").replace('⟩', "»"))
    } else {
        Cow::Borrowed(text)
    }
}

fn escape(text: &str, hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hostile(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Control characters (C0, DEL, C1), line separators, and what reorders text, as in the "Trojan Source" attacks.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_escaped() {
        assert_eq!(line("\u{1b}[2Jgone\r\u{8}\u{7}"), "\\u{1b}[2Jgone\\r\\u{8}\\u{7}");
        assert_eq!(line("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(line("c1 \u{9b}31m"), "c1 \\u{9b}31m");
    }

    #[test]
    fn what_reorders_text_is_escaped() {
        assert_eq!(line("user\u{202e}txt.exe\u{2066}"), "user\\u{202e}txt.exe\\u{2066}");
        assert_eq!(line("\u{2028}\u{feff}"), "\\u{2028}\\u{feff}");
    }

    #[test]
    fn line_breaks_of_longer_texts_are_kept() {
        let shown: Vec<_> = lines("one\r\n\ttwo\u{1b}c\nthree\r").collect();
        assert_eq!(shown, ["one", "\ttwo\\u{1b}c", "three\\r"]);
    }

    #[test]
    fn what_is_not_known_stands_in_guillemets_in_a_dry_run_only() {
        assert_eq!(guillemets("arn:⟨a ⟨b⟩⟩", true), "arn:«a «b»»");
        assert_eq!(guillemets("arn:⟨a⟩", false), "arn:⟨a⟩");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(line("grüße ⟨steps.role.arn⟩ ✓"), Cow::Borrowed(_)));
    }
}
