//! Filter patterns: plain terms and quoted phrases, all of which must occur.

use super::error::{INVALID_PARAMETER, invalid_parameter};
use crate::protocol::{AwsError, Constraints};

/// A filter pattern; an empty one lets everything through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    phrases: Vec<String>,
}

impl Pattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        Constraints::new().length("filterPattern", text, 0, 1024).check(INVALID_PARAMETER)?;
        let mut phrases = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (phrase, after) = match first {
                '"' => quoted(rest)?,
                '{' | '[' | '%' | '?' | '-' => return Err(unsupported(first)),
                _ => plain(rest)?,
            };
            phrases.push(phrase);
            rest = after.trim_start();
        }
        Ok(Self { phrases })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Whether every term and phrase occurs, case and all.
    pub(super) fn matches(&self, message: &str) -> bool {
        self.phrases.iter().all(|phrase| message.contains(phrase.as_str()))
    }
}

fn plain(text: &str) -> Result<(String, &str), AwsError> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if term.chars().all(|character| character.is_alphanumeric() || character == '_') {
        return Ok((term.to_owned(), rest));
    }
    Err(invalid_parameter(format!(
        "Invalid filter pattern: Invalid character(s) in term '{term}'. Put it in double quotes."
    )))
}

/// A backslash keeps the character after it.
fn quoted(text: &str) -> Result<(String, &str), AwsError> {
    let mut phrase = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((phrase, text.get(at + 1..).unwrap_or_default())),
            '\\' => phrase.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => phrase.push(character),
        }
    }
    Err(invalid_parameter("Invalid filter pattern: a double quote is not closed."))
}

fn unsupported(first: char) -> AwsError {
    let what = match first {
        '{' => "JSON patterns ({ $.field = value })",
        '[' => "space-delimited patterns ([a, b])",
        '%' => "regular expressions (%...%)",
        '?' => "optional terms (?term)",
        _ => "excluded terms (-term)",
    };
    invalid_parameter(format!(
        "Invalid filter pattern: the local AWS of playbook does not support {what}. Use plain terms and \"quoted \
         phrases\", all of which must occur."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).expect("a valid pattern").matches(message)
    }

    #[test]
    fn every_term_and_phrase_must_occur() {
        assert!(matches("", "anything"));
        assert!(matches("ERROR", "[ERROR] no"));
        assert!(!matches("ERROR", "error"));
        assert!(matches("ERROR  disk", "disk: ERROR"));
        assert!(!matches("ERROR disk", "ERROR"));
        assert!(matches(r#""disk full" ERROR"#, "ERROR: disk full"));
        assert!(!matches(r#""disk full""#, "full disk"));
        assert!(matches(r#""say \"hi\"""#, r#"say "hi""#));
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for (pattern, part) in [
            ("{ $.level = \"ERROR\" }", "JSON patterns"),
            ("[a, b]", "space-delimited patterns"),
            ("%x+%", "regular expressions"),
            ("?ERROR ?WARN", "optional terms"),
            ("ERROR -disk", "excluded terms"),
            ("a.b", "Invalid character(s) in term 'a.b'"),
            ("\"open", "not closed"),
        ] {
            let error = Pattern::parse(pattern).expect_err(pattern);
            assert_eq!(error.code, "InvalidParameterException");
            assert!(error.message.contains(part), "{}", error.message);
        }
    }
}
