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
    let is_json = is_json(text);
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
                let _ = if is_json && may_need_escapes(path) {
                    write!(word, "\"$(json \"${name}\")\"")
                } else if !simple {
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

/// Whether a text is a JSON document, where what is not known stands within its strings.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde_json::Value>(text)
            .is_ok_and(|it| it.is_object() || it.is_array())
}

/// Whether a value may hold what JSON escapes: anything but names and ids that AWS has given, which hold no quotes.
fn may_need_escapes(path: &str) -> bool {
    const PLAIN: [&str; 6] = ["arn", "id", "name", "account", "region", "version"];
    let last = path.rsplit('.').next().unwrap_or_default();
    let given = ["inputs.", "env.", "secrets."].iter().any(|root| path.starts_with(root));
    given || !PLAIN.iter().any(|end| last.ends_with(end))
}

/// A path that no program takes for an option.
pub(super) fn path(path: &std::path::Path) -> String {
    let shown = path.display().to_string();
    if shown.starts_with('-') { format!("./{shown}") } else { shown }
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c)
}

/// A text that the shell takes as it is. What would move a terminal's cursor is escaped.
pub(crate) fn quoted(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_safe) {
        return text.to_owned();
    }
    // GitHub's runner would take some lines for commands.
    let commands = safe::disarmed(text) != text;
    let shown_as_it_is = |c: char| c == '\n' || !(safe::is_hostile(c) || commands && c == '[');
    if !commands && text.chars().all(shown_as_it_is) {
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
        assert_eq!(shown("{\"R\":\"⟨a.arn⟩\"}"), "'{\"R\":\"'\"$A_ARN\"'\"}'");
        assert_eq!(shown("⟨a"), "'⟨a'");
    }

    #[test]
    fn what_people_give_is_escaped_within_json() {
        let shown = shown("{\"p\":\"⟨secrets.p⟩\",\"r\":\"⟨steps.role.arn⟩\"}");
        assert_eq!(
            shown,
            "'{\"p\":\"'\"$(json \"$SECRETS_P\")\"'\",\"r\":\"'\"$STEPS_ROLE_ARN\"'\"}'"
        );
    }

    #[test]
    fn no_line_of_a_word_is_a_command_to_githubs_runner() {
        assert_eq!(quoted("a\n::error::b"), "$'a\\n::error::b'");
        assert_eq!(quoted("##[error]b"), "$'##\\U0000005berror]b'");
    }

    #[test]
    fn no_path_is_an_option() {
        assert_eq!(path(std::path::Path::new("-x/y")), "./-x/y");
        assert_eq!(path(std::path::Path::new("x/-y")), "x/-y");
    }

    #[test]
    fn brackets_within_brackets_belong_to_them() {
        assert_eq!(parts("⟨a ⟨b⟩ c⟩d"), [Part::Unknown("a ⟨b⟩ c"), Part::Text("d")]);
    }
}
