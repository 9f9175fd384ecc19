//! What is wrong with the text of an expression, in our words.

use std::ops::Range;

use super::program::Place;
use crate::diagnostic::{Code, Diagnostic, Span};

const EXAMPLE: &str = "write an expression such as `inputs.number + 1` or `steps.list.count > 0`";

/// The statements that there are, and the word that ends each.
const STATEMENTS: &[(&str, &str)] =
    &[("if", "endif"), ("for", "endfor"), ("with", "endwith"), ("filter", "endfilter")];

/// That nothing is written where an expression is needed.
pub(super) fn nothing(span: Span) -> Diagnostic {
    Diagnostic::new(Code::TemplateSyntax, "an expression is missing here")
        .at(span)
        .help("write an expression, such as `steps.role.arn`")
}

/// What the engine cannot read of an expression, or of a text with statements.
pub(super) fn syntax_error(error: &minijinja::Error, source: &str, place: &Place) -> Diagnostic {
    if !source.contains("{%")
        && let Some(at) = source.find("{{")
    {
        return Diagnostic::new(Code::TemplateSyntax, "braces stand inside braces")
            .at(place.span(&(at..at + 2)))
            .help("leave the inner `{{` and `}}` out");
    }
    token_error(error, source, place)
}

/// What the engine cannot read of any text.
pub(super) fn token_error(error: &minijinja::Error, source: &str, place: &Place) -> Diagnostic {
    let detail = error.detail().unwrap_or("this is not an expression");
    let range = error.range().unwrap_or(0..source.len());
    let start = range.start.min(source.len());
    let range = start..range.end.clamp(start, source.len());
    if source.trim().is_empty() {
        return nothing(place.span(&(0..source.len())));
    }
    let (message, range, help) = in_our_words(detail, source, range);
    Diagnostic::new(Code::TemplateSyntax, message).at(place.span(&range)).help(help)
}

fn in_our_words(detail: &str, source: &str, range: Range<usize>) -> (String, Range<usize>, String) {
    if let Some(name) = detail.strip_prefix("unknown statement ") {
        return unknown_statement(name, source, range);
    }
    if detail.starts_with("unexpected end of input")
        && let Some((word, end, range)) = unclosed(source, source.len())
    {
        let message = format!("this `{{% {word} %}}` is never closed");
        return (message, range, format!("close it with `{{% {end} %}}`"));
    }
    if detail == "unexpected end of string" {
        let range = range.end.saturating_sub(1)..range.end;
        let range = if source.is_char_boundary(range.start) { range } else { range.end..range.end };
        return ("this text is not closed".to_owned(), range, "add the closing quote".to_owned());
    }
    let help = instead(source);
    if detail.starts_with("unexpected end of input")
        && let Some(fault) = cut_short(source)
    {
        return fault;
    }
    if let Some(token) = detail.strip_prefix("unexpected end of input, expected `")
        && help.is_none()
    {
        let end = source.trim_end().len();
        return (format!("a `{token} is missing here"), end..end, format!("add the `{token}"));
    }
    if detail == "unexpected input after expression" && source.get(range.clone()) == Some(",") {
        let message = "a `,` cannot stand here".to_owned();
        return (message, range, "put a list in brackets: [first, second]".to_owned());
    }
    let surplus = source.get(range.clone()).filter(|it| matches!(*it, ")" | "]" | "}"));
    if let Some(bracket) = surplus.filter(|_| detail == "unexpected input after expression") {
        return (format!("this `{bracket}` closes nothing"), range, "leave it out".to_owned());
    }
    let odd = source.get(range.start..).and_then(|rest| rest.chars().next());
    match odd.filter(|_| detail == "unexpected character") {
        Some(odd) => {
            let range = range.start..range.start + odd.len_utf8();
            let help = match (help, odd) {
                (Some(help), _) => help.to_owned(),
                (None, '$') => of_shell(source, range.end),
                (None, odd) if odd.is_alphanumeric() => {
                    "names are made of a–z, 0–9 and _; text stands in quotes".to_owned()
                }
                (None, _) => "leave it out, or put text in quotes".to_owned(),
            };
            (format!("`{odd}` cannot stand in an expression"), range, help)
        }
        None => (detail.to_owned(), range, help.unwrap_or(EXAMPLE).to_owned()),
    }
}

fn unknown_statement(
    name: &str,
    source: &str,
    range: Range<usize>,
) -> (String, Range<usize>, String) {
    if STATEMENTS.iter().any(|(_, end)| *end == name) {
        return match unclosed(source, range.start) {
            Some((word, end, _)) => (
                format!("`{{% {name} %}}` does not close `{{% {word} %}}`"),
                range,
                format!("write `{{% {end} %}}`"),
            ),
            None => (format!("`{{% {name} %}}` closes nothing"), range, "leave it out".to_owned()),
        };
    }
    let help = "there are `if`, `for`, `set`, `with` and `filter`".to_owned();
    (format!("there is no statement `{name}`"), range, help)
}

/// The last statement before an offset that is not closed: its word, the word that would close it, and where it opens.
fn unclosed(source: &str, before: usize) -> Option<(&'static str, &'static str, Range<usize>)> {
    let mut open = Vec::new();
    let source = source.get(..before)?;
    for (at, _) in source.match_indices("{%") {
        let inside = source.get(at + 2..)?.trim_start_matches(['-', '+']).trim_start();
        let word = inside.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').next()?;
        if let Some((word, end)) = STATEMENTS.iter().find(|(start, _)| *start == word) {
            let close = source.get(at..)?.find("%}").map_or(at + 2, |length| at + length + 2);
            open.push((*word, *end, at..close));
        } else if STATEMENTS.iter().any(|(_, end)| *end == word) {
            open.pop();
        }
    }
    open.pop()
}

/// An expression that ends where something must follow.
fn cut_short(source: &str) -> Option<(String, Range<usize>, String)> {
    const WORDS: [&str; 7] = ["and", "or", "not", "if", "else", "is", "in"];
    let text = source.trim_end();
    let word_start =
        text.rfind(|it: char| !it.is_ascii_alphanumeric() && it != '_').map_or(0, |at| at + 1);
    let word = text.get(word_start..).filter(|word| WORDS.contains(word));
    let last = match word {
        Some(word) => word,
        None => {
            let end = text.chars().next_back().filter(|it| "|.+-*/%~=<>!&,".contains(*it))?;
            text.get(text.len() - end.len_utf8()..)?
        }
    };
    let (missing, help) = match last {
        "|" => ("a filter", "write one, such as `| upper`, or leave the `|` out".to_owned()),
        "." => ("a name", "write one, or leave the `.` out".to_owned()),
        "is" => ("a test", "write one, such as `is defined`".to_owned()),
        other => ("a value", format!("write one, or leave the `{other}` out")),
    };
    let range = text.len() - last.len()..text.len();
    Some((format!("{missing} is missing after this `{last}`"), range, help))
}

/// What a shell calls `$HOME`.
fn of_shell(source: &str, after: usize) -> String {
    let rest = source.get(after..).unwrap_or_default().trim_start_matches('{');
    let name = rest.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').next();
    match name.filter(|name| !name.is_empty()) {
        Some("inputs" | "vars" | "steps" | "run" | "env" | "result" | "item") => {
            "leave the `$` and its braces out".to_owned()
        }
        Some(name) => format!("write `env.{name}` for a variable of the environment"),
        None => "write `env.NAME` for a variable of the environment".to_owned(),
    }
}

/// What to write instead of other languages' operators.
fn instead(source: &str) -> Option<&'static str> {
    let lone_equals = || {
        let mut bytes = source.bytes().chain([b' ']);
        let mut before = b' ';
        let mut previous = b' ';
        bytes.any(|next| {
            let lone = previous == b'=' && next != b'=' && !b"=!<>".contains(&before);
            (before, previous) = (previous, next);
            lone
        })
    };
    for (wrong, help) in [
        ("===", "write `==` to compare"),
        ("<>", "write `!=`"),
        (" AND ", "write `and` in small letters"),
        (" OR ", "write `or` in small letters"),
        ("NOT ", "write `not` in small letters"),
    ] {
        if source.contains(wrong) {
            return Some(help);
        }
    }
    if source.contains("&&") {
        return Some("write `and` instead of `&&`");
    }
    if source.contains("||") {
        return Some("write `or` instead of `||`");
    }
    if source.contains(" ? ") {
        return Some("write `a if condition else b`");
    }
    if source.replace("!=", "").contains('!') {
        return Some("write `not` instead of `!`");
    }
    lone_equals().then_some("write `==` to compare")
}
