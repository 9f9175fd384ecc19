//! What to say where a value or a key is not what is expected.

use super::fields::{quoted, type_of};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::document::{Entry, Node, NodeKind};

/// That a value has the wrong type.
pub(super) fn wrong_type(name: &str, expected: &str, node: &Node) -> Diagnostic {
    let given = match &node.kind {
        NodeKind::Float(_) if expected == "a whole number" => "a decimal number".to_owned(),
        NodeKind::String(text) if expected.contains("number") && is_huge(&text.value) => {
            "a number of more than 64 bits".to_owned()
        }
        _ => type_of(node).words(),
    };
    let fault =
        Diagnostic::new(Code::WrongType, format!("`{name}` must be {expected}, this is {given}"))
            .at(node.span)
            .label(format!("must be {expected}"));
    match &node.kind {
        NodeKind::Integer(number) if expected.contains("string") => {
            fault.help(format!("put it in quotes: \"{number}\""))
        }
        NodeKind::Bool(value) if expected.contains("string") => {
            fault.help(format!("put it in quotes: \"{value}\""))
        }
        NodeKind::Float(_) if expected.contains("string") => fault.help("put it in quotes"),
        NodeKind::String(text) if is_bare(&text.value, expected) => {
            fault.help(format!("write {} without quotes", text.value))
        }
        _ => match what_to_write(expected, node) {
            Some(help) => fault.help(help),
            None => fault,
        },
    }
}

fn what_to_write(expected: &str, node: &Node) -> Option<String> {
    if let NodeKind::String(text) = &node.kind
        && let Some((quote, inner)) = in_curly_quotes(&text.value)
    {
        let plain =
            if is_bare(inner, expected) { inner.to_owned() } else { format!("\"{inner}\"") };
        return Some(format!("write {plain}: `{quote}` is no quote in YAML, but part of the text"));
    }
    let word = node.as_str().map(str::to_lowercase).unwrap_or_default();
    let help = match (expected, &node.kind) {
        ("true or false", _) if matches!(&*word, "yes" | "on" | "y") => {
            format!("write `true`: `{word}` is text")
        }
        ("true or false", _) if matches!(&*word, "no" | "off" | "n") => {
            format!("write `false`: `{word}` is text")
        }
        ("a whole number" | "a number", NodeKind::String(text)) if is_huge(&text.value) => {
            "write a smaller number".to_owned()
        }
        ("a whole number" | "a number", NodeKind::String(text))
            if as_number(&text.value).is_some() =>
        {
            format!("write {}", as_number(&text.value).unwrap_or_default())
        }
        ("a string", NodeKind::Sequence(items)) if items.len() == 1 => {
            match items.first().and_then(Node::as_str) {
                Some(only) if is_short(only) => format!("write {only} without brackets"),
                _ => "write text".to_owned(),
            }
        }
        ("a list", NodeKind::Mapping(_)) => {
            "put it in brackets, or start each item with `- `".to_owned()
        }
        ("a map", NodeKind::Sequence(_)) => {
            "write each as `name: value` on a line of its own, without dashes".to_owned()
        }
        ("a string or a list of strings", _) => {
            "write one, or several in brackets: [first, second]".to_owned()
        }
        ("a string", NodeKind::Null) => "write a value after the colon, or leave it out".to_owned(),
        ("true or false", _) => "write `true` or `false`".to_owned(),
        ("a whole number", _) => "write a whole number, such as 5".to_owned(),
        ("a number", _) => "write a number, such as 2.5".to_owned(),
        ("a string", _) => "write text".to_owned(),
        (_, NodeKind::String(text))
            if (expected.contains("a list") || expected.contains("a map"))
                && !expected.contains("a string")
                && let Some(filter) = data_file(&text.value) =>
        {
            format!(
                "to read it from the file, write \"{{{{ file('{}') | {filter} }}}}\"",
                text.value
            )
        }
        ("a list", NodeKind::String(text)) if is_short(&text.value) => {
            format!("put it in brackets: [{}]", text.value)
        }
        ("a list", _) => "write it in brackets: [first, second]".to_owned(),
        _ => return None,
    };
    Some(help)
}

/// The filter that reads a file of data, by its name.
fn data_file(text: &str) -> Option<&'static str> {
    let (name, ending) = text.rsplit_once('.')?;
    let is_path = !name.is_empty() && is_short(text);
    match ending.to_ascii_lowercase().as_str() {
        "json" if is_path => Some("fromjson"),
        "yaml" | "yml" if is_path => Some("fromyaml"),
        "csv" if is_path => Some("fromcsv"),
        _ => None,
    }
}

fn is_short(text: &str) -> bool {
    text.len() <= 120 && text.chars().all(|it| it.is_alphanumeric() || "-_./:@".contains(it))
}

/// Whether text is a whole number that no field can hold.
fn is_huge(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|it| it.is_ascii_digit())
        && text.parse::<i64>().is_err()
        && text.parse::<u64>().is_err()
}

/// The number that was meant by `010`, `1_000`, `+5` or `512MB`, which are text.
fn as_number(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic()).trim_end();
    let unit = text.len() - digits.len();
    let number = digits.replace('_', "").parse().ok()?;
    (unit <= "seconds".len() + 1).then_some(number)
}

/// The quote that a word processor has put around text, and what stands inside.
fn in_curly_quotes(text: &str) -> Option<(char, &str)> {
    const QUOTES: [char; 6] = ['“', '”', '„', '‘', '’', '‚'];
    let first = text.chars().next().filter(|first| QUOTES.contains(first))?;
    let last = text.chars().next_back().filter(|last| QUOTES.contains(last))?;
    let inner = text.get(first.len_utf8()..text.len().checked_sub(last.len_utf8())?)?;
    Some((first, inner))
}

/// What other tools, or people in a hurry, call a key.
const MEANT: &[(&str, &[&str])] = &[
    ("every", &["delay", "interval", "wait", "sleep", "backoff"]),
    ("attempts", &["max_attempts", "retries", "tries", "times", "count"]),
    ("on", &["error", "errors", "code", "codes"]),
    ("inputs", &["vars", "variables", "with", "args", "params", "parameters"]),
    ("file", &["path", "playbook", "from", "source"]),
    ("prompt", &["message", "question", "text", "label"]),
    ("choices", &["enum", "options", "values", "allowed_values"]),
    ("pattern", &["regex", "regexp", "format"]),
    ("until", &["while", "condition"]),
    ("limit", &["max", "max_rounds", "max_times"]),
];

/// The key that was probably meant.
pub(super) fn meant<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let other = MEANT.iter().find(|(key, words)| known.contains(key) && words.contains(&word));
    let other = other.and_then(|(key, _)| known.iter().copied().find(|it| it == key));
    did_you_mean(word, known.iter().copied()).or(other)
}

fn is_bare(text: &str, expected: &str) -> bool {
    (expected.contains("number") && text.parse::<i64>().is_ok_and(|it| it.to_string() == text))
        || (expected.contains("true or false") && matches!(text, "true" | "false"))
}

/// That a key is none of those there are.
pub(super) fn unknown_key(entry: &Entry, owner: &str, known: &[&str]) -> Diagnostic {
    let name = &entry.key.name;
    let fault = Diagnostic::new(Code::UnknownKey, format!("{owner} has no key `{name}`"))
        .at(entry.key.span)
        .label("unknown key");
    match meant(name, known) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if known.len() == 1 => {
            fault.help(format!("its only key is {}", quoted(known.iter().copied())))
        }
        None => fault.help(format!("its keys are {}", quoted(known.iter().copied()))),
    }
}
