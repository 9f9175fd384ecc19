//! Expressions as tokens.

/// A token and where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'e> {
    pub(super) kind: Kind,
    pub(super) text: &'e str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or an attribute's name.
    Word,
    /// `#name`
    Name,
    /// `:value`
    Value,
    /// Digits.
    Index,
    /// An operator or a bracket.
    Symbol,
    /// Nothing that an expression may hold.
    Stray,
    /// There is no more.
    End,
}

/// The tokens of an expression, with one [`Kind::End`] at the end.
pub(super) fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let (kind, length) = measure(rest, first);
        let start = expression.len() - rest.len();
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text, start, end: start + length });
        rest = after.trim_start();
    }
    tokens.push(Token {
        kind: Kind::End,
        text: "<EOF>",
        start: expression.len(),
        end: expression.len(),
    });
    tokens
}

fn measure(rest: &str, first: char) -> (Kind, usize) {
    let word = |from: usize| {
        rest.bytes()
            .skip(from)
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count()
            + from
    };
    match first {
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, word(0)),
        '#' if word(1) > 1 => (Kind::Name, word(1)),
        ':' if word(1) > 1 => (Kind::Value, word(1)),
        '0'..='9' => (Kind::Index, rest.bytes().take_while(u8::is_ascii_digit).count()),
        '<' if rest.starts_with("<>") || rest.starts_with("<=") => (Kind::Symbol, 2),
        '>' if rest.starts_with(">=") => (Kind::Symbol, 2),
        '(' | ')' | '[' | ']' | '.' | ',' | '=' | '<' | '>' | '+' | '-' => (Kind::Symbol, 1),
        _ => (Kind::Stray, first.len_utf8()),
    }
}
