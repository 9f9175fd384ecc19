//! Makes text safe to show: nothing in it moves the cursor, rings, hides or reorders what stands beside it.

use std::borrow::Cow;
use std::fmt::Write as _;

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

/// Control characters (C0, DEL, C1), line separators, what reorders text, as in the "Trojan Source" attacks, and what has no
/// width, so that two texts look alike that are not.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Lines of which GitHub's runner takes none for a command: it obeys `::` where a line begins, and `##[` anywhere.
#[must_use]
pub fn disarmed(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(begins) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| {
        let line = line.replace("##[", "#\\#[");
        if begins(&line) { line.replacen("::", "\\::", 1) } else { line }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// A JSON text in which nothing does anything to a terminal, or to GitHub's runner: what would, is escaped.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let escapes = |c: char| c != '\n' && is_hostile(c);
    if !text.contains(escapes) && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if escapes(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown.replace("##[", "#\\u0023["))
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
    fn what_has_no_width_is_escaped() {
        assert_eq!(line("ad\u{200b}min\u{2060}\u{e0041}"), "ad\\u{200b}min\\u{2060}\\u{e0041}");
    }

    #[test]
    fn no_line_is_a_command_to_githubs_runner() {
        assert_eq!(
            disarmed("::error::x\n  ::set-env name=a::b\na::b"),
            "\\::error::x\n  \\::set-env name=a::b\na::b"
        );
        assert_eq!(disarmed("a ##[error]b"), "a #\\#[error]b");
        assert!(matches!(disarmed("arn:aws:iam::1:role\nx"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_escapes_what_json_need_not() {
        let value =
            serde_json::json!("\u{9b}31m\u{202e}\u{200b}\u{e0041}\u{7f}##[error]\u{1b} ö ::");
        let text = json(&value.to_string()).into_owned();
        assert!(!text.contains(is_hostile) && !text.contains("##["), "{text}");
        assert!(
            text.contains("\\u009b31m\\u202e\\u200b\\udb40\\udc41") && text.contains('ö'),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
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
