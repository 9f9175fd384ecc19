use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Code, Diagnostic, SourceId, Span};

/// What the YAML parser found wrong, in our words.
pub(super) fn from_scan_error(error: &ScanError, source: SourceId, text: &str) -> Diagnostic {
    let place = place_of(error, source, text);
    if matches!(error.kind(), ErrorKind::UnexpectedCharacter { character: '%' })
        && text.get(..usize::try_from(place.start).unwrap_or(0)).is_some_and(|it| it.ends_with('{'))
    {
        let start = usize::try_from(place.start).unwrap_or(0).saturating_sub(1);
        return unquoted_template(Span::new(source, start, start + 2), text);
    }
    let wide = (error.kind() == &ErrorKind::MappingValueNotAllowed)
        .then(|| full_width_colon(source, text, place))
        .flatten();
    if let Some(wide) = wide {
        return wide;
    }
    if matches!(error.kind(), ErrorKind::UnexpectedCharacter { character: '`' }) {
        return Diagnostic::new(Code::InvalidYaml, "a value cannot start with a backquote")
            .at(place)
            .help("put the value in quotes");
    }
    let at = usize::try_from(place.start).unwrap_or_default();
    if let Some(fault) = odd_start(text, at, place) {
        return fault;
    }
    if *error.kind() == ErrorKind::MappingValueNotAllowed
        && let Some(fault) = more_text(source, text, at)
    {
        return fault;
    }
    let (code, message, mut help) = describe(error.kind());
    if code == Code::MissingComma
        && let Some(fault) =
            template_in_brackets(text, place).or_else(|| unquoted_bracket(text, place))
    {
        return fault;
    }
    if code == Code::MissingColon {
        let rest = usize::try_from(place.start).ok().and_then(|start| text.get(start..));
        let line = rest.and_then(|rest| rest.lines().next()).unwrap_or_default();
        if line.starts_with('-') {
            help = "put a space after the dash";
        } else if line.contains(':') {
            help = "put a space after the colon";
        }
    }
    let diagnostic = Diagnostic::new(code, message).at(place);
    if help.is_empty() { diagnostic } else { diagnostic.help(help) }
}

fn place_of(error: &ScanError, source: SourceId, text: &str) -> Span {
    let start = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let tabs = before.len() - before.trim_end_matches('\t').len();
    if tabs > 0 && describe(error.kind()).0 == Code::TabIndentation {
        return Span::new(source, start - tabs, start);
    }
    if is_escape(error.kind())
        && let Some(escape) = unknown_escape(text, start)
    {
        return Span::new(source, escape.start, escape.end);
    }
    let start = match error.kind() {
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            start_of_key(text, start)
        }
        _ => start,
    };
    let next = text.get(start..).and_then(|rest| rest.chars().next());
    let length = next.filter(|it| !matches!(it, '\n' | '\r')).map_or(0, char::len_utf8);
    Span::new(source, start, start + length)
}

/// The first escape that YAML does not know, in the quoted scalar that starts at an offset.
fn unknown_escape(text: &str, start: usize) -> Option<Range<usize>> {
    const KNOWN: &str = "0abt\tnvfre \"/\\N_LPxuU\n\r";
    let mut characters = text.get(start..)?.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            let (next, escaped) = characters.next()?;
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let after = start + next + escaped.len_utf8();
            let written = text.get(after..)?.bytes().take_while(u8::is_ascii_hexdigit).count();
            let code = text.get(after..after + digits.min(written))?;
            let stands_for = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            if !KNOWN.contains(escaped)
                || (digits > 0 && (written < digits || stands_for.is_none()))
            {
                return Some(start + at..after);
            }
        }
    }
    None
}

fn is_escape(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidLowSurrogateHexEscape
            | ErrorKind::InvalidLowSurrogate
            | ErrorKind::MissingLowSurrogate
            | ErrorKind::UnpairedLowSurrogate
            | ErrorKind::InvalidUnicodeEscape
    )
}

/// Where a comma is missing before `key:`, the scanner stops at the colon.
fn start_of_key(text: &str, stopped: usize) -> usize {
    let (Some(before), Some(after)) = (text.get(..stopped), text.get(stopped..)) else {
        return stopped;
    };
    let is_key = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-');
    let key = before.trim_end_matches(is_key).len();
    let apart = before.get(..key).is_some_and(|before| before.ends_with(' '));
    if after.starts_with(':') && apart { key } else { stopped }
}

/// A `? ` where a value starts, or a comma where one is missing.
fn odd_start(text: &str, at: usize, place: Span) -> Option<Diagnostic> {
    let before = text.get(..at)?.trim_end_matches(' ').chars().next_back()?;
    let fault = |message: &str| Diagnostic::new(Code::InvalidYaml, message).at(place);
    match text.get(at..)?.chars().next()? {
        '?' if before == ':' => {
            Some(fault("a value cannot start with `?` and a space").help("put the value in quotes"))
        }
        ',' if matches!(before, ',' | '[' | '{') => {
            Some(fault("a value is missing before this comma").help("leave the comma out"))
        }
        _ => None,
    }
}

/// A key that is indented further than the one above, which has its value already: YAML takes it for more of that value.
fn more_text(source: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let before = text.get(..at)?;
    let start = before.rfind('\n')? + 1;
    let line = before.get(start..)?;
    let key = line.trim_start_matches(' ');
    let is_key = !key.is_empty() && key.chars().all(|it| it.is_alphanumeric() || "_-".contains(it));
    let above = before.get(..start)?.lines().rev().find(|line| !line.trim().is_empty())?;
    let above = above.trim_start_matches([' ', '-']);
    let (name, value) = above.split_once(": ")?;
    let is_plain = !value.trim_start().starts_with(['"', '\'', '[', '{', '|', '>', '#']);
    (is_key && is_plain && !name.contains(' ')).then(|| {
        let place = Span::new(source, start + (line.len() - key.len()), at);
        Diagnostic::new(Code::BadIndentation, format!("this reads as more of the text of `{name}`"))
            .at(place)
            .help(format!("indent it as far as `{name}`"))
    })
}

/// An expression such as `result.items[0]` in braces, where YAML reads its bracket.
fn unquoted_bracket(text: &str, place: Span) -> Option<Diagnostic> {
    let start = usize::try_from(place.start).ok()?;
    let bracket = text.get(start..)?.chars().next().filter(|it| matches!(it, '[' | '{'))?;
    let before = text.get(..start)?.chars().next_back()?;
    (before.is_alphanumeric() || before == '_').then(|| {
        let message = format!("inside brackets, a value that holds `{bracket}` must be quoted");
        Diagnostic::new(Code::MissingComma, message).at(place).help("put the value in quotes")
    })
}

/// A `{{` in the middle of a value that stands in brackets without quotes.
fn template_in_brackets(text: &str, place: Span) -> Option<Diagnostic> {
    let start = usize::try_from(place.start).ok()?;
    let rest = text.get(start..)?.lines().next().filter(|rest| rest.starts_with("{{"))?;
    let line = text.get(..start)?.lines().next_back()?;
    let begins = [": ", ", ", "[", "{"];
    let begin = begins.iter().filter_map(|it| line.rfind(it).map(|at| at + it.len())).max()?;
    let after = rest.find("}}")? + 2;
    let tail = rest.get(after..)?;
    let end = tail.find([',', '}', ']']).unwrap_or(tail.len());
    let value = format!("{}{}", line.get(begin..)?, rest.get(..after + end)?);
    let message = "inside brackets, a value that holds `{{` must stand in quotes";
    let fault = Diagnostic::new(Code::UnquotedTemplate, message).at(Span::new(
        place.source,
        start,
        start + 2,
    ));
    Some(if value.contains(['\'', '"', '\\']) {
        fault.help("put the whole value in quotes: \"… {{ … }}\"")
    } else {
        fault.help(format!("write \"{}\"", value.trim()))
    })
}

/// The value in a line of `{key: value}` that holds a comma in round brackets, at which YAML ends it.
pub(super) fn value_with_comma(line: &str) -> Option<Range<usize>> {
    let end = line.trim_end().strip_suffix(['}', ']'])?.trim_end().len();
    let mut start = 1;
    let mut round = 0_usize;
    for (at, character) in line.char_indices().take_while(|(at, _)| *at < end).skip(1) {
        match character {
            '(' => round += 1,
            ')' => round = round.saturating_sub(1),
            ',' if round > 0 => {
                let value = line.get(start..end)?;
                let start = end - value.trim_start().len();
                let is_plain = !value.trim_start().starts_with(['"', '\'', '{', '[']);
                return is_plain.then_some(start..end);
            }
            ',' | '{' | '[' => start = at + 1,
            ':' if line.get(at + 1..)?.starts_with(' ') => start = at + 1,
            _ => {}
        }
    }
    None
}

/// Says so.
pub(super) fn unquoted_comma(place: Span, value: &str) -> Diagnostic {
    let fault = Diagnostic::new(
        Code::UnclosedBracket,
        "inside brackets, a value that holds a comma must stand in quotes",
    )
    .at(place)
    .label("YAML ends the value at the comma");
    match (value.contains('\''), value.contains(['"', '\\'])) {
        (false, _) => fault.help(format!("write '{value}'")),
        (true, false) => fault.help(format!("write \"{value}\"")),
        (true, true) => fault.help("put the whole value in quotes"),
    }
}

/// Whether every bracket of a line is closed in it; those in quotes do not count.
pub(super) fn is_balanced(line: &str) -> bool {
    let mut open = 0_i64;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(mark), it) if mark == it => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '{' | '[') => open += 1,
            (None, '}' | ']') => open -= 1,
            _ => {}
        }
    }
    open <= 0
}

/// A key that is none because its colon is the wide one of Chinese and Japanese keyboards: the line at which the scanner
/// stops goes on with it.
fn full_width_colon(source: SourceId, text: &str, place: Span) -> Option<Diagnostic> {
    let stopped = usize::try_from(place.start).ok()?;
    let before = text.get(..stopped)?;
    let this_line = before.rfind('\n')? + 1;
    let lines = before.get(..this_line)?.trim_end();
    let start = lines.rfind('\n').map_or(0, |at| at + 1);
    let line = lines.get(start..)?;
    let at = line.find('：')?;
    let key = line.get(..at)?.trim_start_matches([' ', '-']);
    let is_key = !key.is_empty() && key.chars().all(|it| it.is_alphanumeric() || "_-".contains(it));
    if !is_key || line.contains(": ") {
        return None;
    }
    let value = line.get(at + '：'.len_utf8()..)?.trim();
    let place = Span::new(source, start + at, start + at + '：'.len_utf8());
    Some(
        Diagnostic::new(Code::MissingColon, "this is the wide colon `：`, not `:`")
            .at(place)
            .help(format!("write `{key}: {value}`")),
    )
}

/// A `{{` that YAML reads as the start of a map.
pub(super) fn unquoted_template(span: Span, text: &str) -> Diagnostic {
    let rest = usize::try_from(span.start).ok().and_then(|start| text.get(start..));
    let line = rest.and_then(|rest| rest.lines().next()).unwrap_or_default().trim_end();
    let end = line.rfind(['}', ' ']).filter(|_| line.ends_with('}')).map_or(0, |_| line.len());
    let value = line.get(..end).unwrap_or_default();
    let balanced = value.matches('{').count() == value.matches('}').count();
    let diagnostic = Diagnostic::new(
        Code::UnquotedTemplate,
        "a value that starts with a brace must stand in quotes, or YAML reads it as a map",
    )
    .at(span);
    if value.is_empty() || !balanced || value.contains(['\'', '"', '\\']) {
        diagnostic.help("put the whole value in quotes: \"{{ … }}\"")
    } else {
        diagnostic.help(format!("write \"{value}\""))
    }
}

const INDENT_HELP: &str = "keys of one map start in the same column, and so do the dashes of one list; nest with two spaces";
const BRACKET_HELP: &str = "separate items with commas and close every bracket";

fn describe(kind: &ErrorKind) -> (Code, String, &'static str) {
    let (code, message, help) = match kind {
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            (Code::TabIndentation, "a tab cannot be used for indentation", "indent with spaces")
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            (Code::UnclosedQuote, "this quote is never closed", "add the closing quote")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar => (
            Code::TextAfterQuote,
            "text follows the closing quote",
            "quote the whole value; inside '…' use \"…\", or write a quote as ''",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            Code::TextAfterQuote,
            "text follows the closing quote",
            "quote the whole value; inside \"…\" use '…', or write a quote as \\\"",
        ),
        ErrorKind::RecursionLimitExceeded => {
            (Code::TooDeep, "lists and maps are nested too deeply", "at most 64 levels are read")
        }
        ErrorKind::UnknownAnchor => (
            Code::UnknownAlias,
            "no anchor of this name stands before it",
            "a value that starts with `*` must be quoted, unless it repeats an anchor (`&name`)",
        ),
        kind if is_escape(kind) => (
            Code::UnknownEscape,
            "there is no such escape in a double-quoted string",
            "write a backslash as \\\\, or use single quotes",
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            (Code::UnclosedBracket, "this bracket is never closed", BRACKET_HELP)
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            let message = format!("`{open}` is closed by `{close}`");
            return (Code::MismatchedBracket, message, BRACKET_HELP);
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            (Code::MismatchedBracket, "this bracket was never opened", BRACKET_HELP)
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let message = format!("a value cannot start with `{}`", character.escape_default());
            return (Code::InvalidYaml, message, "put the value in quotes");
        }
        other => return describe_structure(other),
    };
    (code, message.to_owned(), help)
}

fn describe_structure(kind: &ErrorKind) -> (Code, String, &'static str) {
    let (code, message, help) = match kind {
        ErrorKind::InvalidColonPlacement => (
            Code::MisplacedColon,
            "a `:` cannot stand here, inside brackets that are not closed yet",
            BRACKET_HELP,
        ),
        ErrorKind::DirectiveDisallowed => {
            (Code::Directive, "directives such as `%YAML` mean nothing here", "leave the line out")
        }
        ErrorKind::MappingValueNotAllowed => (
            Code::MisplacedColon,
            "a `:` cannot stand here",
            "quote a value that contains `: `; check that this line is indented like its neighbours",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            Code::MissingColon,
            "a key must be followed by `:` on the same line",
            "write `key: value`",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidIndentation => {
            (Code::BadIndentation, "this does not line up with what is around it", INDENT_HELP)
        }
        ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidBlockEntryWhitespace
        | ErrorKind::BlockEntryInFlowCollection => (
            Code::BadIndentation,
            "this does not line up with the list around it",
            "items of one list start with `- ` in the same column",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            (Code::MissingComma, "a comma or the closing bracket is missing here", BRACKET_HELP)
        }
        ErrorKind::InvalidBlockScalarHeader
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::ZeroBlockScalarIndent => (
            Code::BadBlockText,
            "this block of text is not well-formed",
            "after `|` or `>` start a new line, and indent every line of the text alike",
        ),
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::InvalidFlowScalarIndent => {
            (Code::BadIndentation, "this line must be indented further", INDENT_HELP)
        }
        ErrorKind::CommentNotSeparated => (
            Code::InvalidYaml,
            "a comment needs a space before its `#`",
            "add a space, or quote the value",
        ),
        other => return describe_rest(other),
    };
    (code, message.to_owned(), help)
}

fn describe_rest(kind: &ErrorKind) -> (Code, String, &'static str) {
    const QUOTE: &str = "put the value in quotes";
    let (code, message, help) = match kind {
        ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            (Code::InvalidYaml, "a value cannot start with `-` and a bracket or comma", QUOTE)
        }
        ErrorKind::MissingAnchorOrAliasName => {
            (Code::InvalidYaml, "a value cannot start with `*` or `&` alone", QUOTE)
        }
        ErrorKind::FlowMappingValueAdjacentCollection
        | ErrorKind::InvalidMappingValueWhitespace
        | ErrorKind::ExpectedWhitespace => {
            (Code::InvalidYaml, "a space is missing here", "write one space after each `:` and `-`")
        }
        ErrorKind::ExpectedNodeContent => {
            (Code::InvalidYaml, "a value is missing here", "write one, or leave the comma out")
        }
        ErrorKind::InvalidDocumentEnd
        | ErrorKind::ExpectedDocumentStart
        | ErrorKind::MissingDocumentEndBeforeDirective => (
            Code::InvalidYaml,
            "this stands outside the playbook",
            "leave it out; indent what belongs to the lines above like them",
        ),
        ErrorKind::BomInsideDocument => (
            Code::InvalidYaml,
            "a byte order mark stands inside the text",
            "delete the invisible character before this one, or save the file as UTF-8 without it",
        ),
        ErrorKind::CommentInterceptedScalar => (
            Code::InvalidYaml,
            "this goes on with a text that a comment has ended",
            "move the comment above the text, or quote the text",
        ),
        ErrorKind::ExpectedTagBang
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::UnclosedVerbatimTag
        | ErrorKind::InvalidTagEscape
        | ErrorKind::InvalidTagUtf8 => {
            (Code::Tag, "tags mean nothing here", "put a value that starts with `!` in quotes")
        }
        _ => (
            Code::InvalidYaml,
            "this is not valid YAML",
            "check the quotes, brackets and colons up to here",
        ),
    };
    (code, message.to_owned(), help)
}
