//! Text as words of a shell, with variables where values are not known yet.

use std::fmt::Write as _;

use crate::report::safe;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// Text as it is.
    Text(&'t str),
    /// What stands between `⟨` and `⟩`.
    Unknown(&'t str),
}

/// The parts of a text, markers apart.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('⟨') {
        let Some(end) = closing(&rest[start..]).map(|end| start + end) else { break };
        if start > 0 {
            parts.push(Part::Text(&rest[..start]));
        }
        parts.push(Part::Unknown(&rest[start + '⟨'.len_utf8()..end]));
        rest = &rest[end + '⟩'.len_utf8()..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// Where the bracket ends that opens at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '⟨' => depth += 1,
            '⟩' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// A text as one word; `variable` names the variable of what is not known.
pub(super) fn word(text: &str, mut variable: impl FnMut(&str) -> String) -> String {
    let parts = parts(text);
    if let [Part::Text(text)] = parts.as_slice() {
        return quoted(text);
    }
    let plain = |text: &str| text.chars().all(|c| c == ' ' || is_safe(c));
    let simple = parts.iter().all(|part| match part {
        Part::Text(text) => plain(text),
        Part::Unknown(_) => true,
    });
    let mut word = String::new();
    for part in &parts {
        match part {
            Part::Text(text) if simple => word.push_str(text),
            Part::Text(text) => word.push_str(&quoted(text)),
            Part::Unknown(path) => {
                let name = variable(path);
                let _ = if !simple {
                    write!(word, "\"${name}\"")
                } else if parts.len() == 1 {
                    write!(word, "${name}")
                } else {
                    write!(word, "${{{name}}}")
                };
            }
        }
    }
    match (parts.is_empty(), simple) {
        (true, _) => "''".to_owned(),
        (false, true) => format!("\"{word}\""),
        (false, false) => word,
    }
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c)
}

/// A text that the shell takes as it is. What would move a terminal's cursor is escaped.
pub(crate) fn quoted(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_safe) {
        return text.to_owned();
    }
    let shown_as_it_is = |c: char| c == '\n' || !safe::is_hostile(c);
    if text.chars().all(shown_as_it_is) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut quoted = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if shown_as_it_is(c) => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        word(text, |path| path.to_uppercase().replace('.', "_"))
    }

    #[test]
    fn words_are_quoted_only_where_they_must() {
        assert_eq!(shown("playbook-x"), "playbook-x");
        assert_eq!(shown(""), "''");
        assert_eq!(shown("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(shown("a\nb"), "'a\nb'");
        assert_eq!(shown("\u{1b}[2J\u{202e}'\n"), "$'\\U0000001b[2J\\U0000202e\\'\\n'");
    }

    #[test]
    fn what_is_not_known_is_a_variable() {
        assert_eq!(shown("⟨role.arn⟩"), "\"$ROLE_ARN\"");
        assert_eq!(shown("arn:⟨a⟩:x ⟨b⟩"), "\"arn:${A}:x ${B}\"");
        assert_eq!(shown("{\"R\":\"⟨a⟩\"}"), "'{\"R\":\"'\"$A\"'\"}'");
        assert_eq!(shown("⟨a"), "'⟨a'");
    }

    #[test]
    fn brackets_within_brackets_belong_to_them() {
        assert_eq!(parts("⟨a ⟨b⟩ c⟩d"), [Part::Unknown("a ⟨b⟩ c"), Part::Text("d")]);
    }
}
