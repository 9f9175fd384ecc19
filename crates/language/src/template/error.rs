use minijinja::ErrorKind;

use crate::diagnostic::{Code, Diagnostic, Span};

/// Why an expression or a template could not be evaluated.
///
/// It names what the file says, never what a variable holds: that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl TemplateError {
    pub(super) fn new(span: Span, message: impl Into<String>, help: Option<String>) -> Self {
        Self { span, message: message.into(), help }
    }

    /// The error in the shape in which it is shown.
    #[must_use]
    pub fn to_diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::Template, self.message.clone()).at(self.span);
        match &self.help {
            Some(help) => diagnostic.help(help.clone()),
            None => diagnostic,
        }
    }
}

/// What one of our own rules says, carried by an engine error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Said {
    pub(super) message: String,
    /// `…` stands for the part of the expression that it is about.
    pub(super) help: String,
}

fn said(error: &minijinja::Error) -> Option<&Said> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(said) = inner.downcast_ref::<Said>() {
            return Some(said);
        }
        source = inner.source();
    }
    None
}

/// An engine error in our words. Its own text is kept only where it cannot quote a value.
pub(super) fn describe(error: &minijinja::Error) -> (String, Option<String>) {
    if let Some(said) = said(error) {
        return (said.message.clone(), Some(said.help.clone()));
    }
    match error.kind() {
        ErrorKind::OutOfFuel => (
            "this takes too much work".to_owned(),
            Some("make the loop shorter or the text smaller".to_owned()),
        ),
        ErrorKind::CannotUnpack => {
            ("the value does not have as many parts as there are names".to_owned(), None)
        }
        ErrorKind::UndefinedError => (
            "something in this is not defined".to_owned(),
            Some("write `… | default(…)`, or `else` behind an `if`".to_owned()),
        ),
        ErrorKind::MissingArgument => ("an argument is missing".to_owned(), None),
        ErrorKind::TooManyArguments => ("there are too many arguments".to_owned(), None),
        ErrorKind::UnknownFilter => ("there is no filter of this name".to_owned(), None),
        ErrorKind::UnknownTest => ("there is no test of this name".to_owned(), None),
        ErrorKind::NonKey => ("this kind of value cannot be a key".to_owned(), None),
        _ if error.detail().is_some_and(|detail| detail.starts_with("range has too many")) => (
            "this range has too many items".to_owned(),
            Some("go over fewer, or repeat a step with `repeat`".to_owned()),
        ),
        _ => (safe_detail(error).unwrap_or("this cannot be evaluated").to_owned(), None),
    }
}

/// These say types, never values.
const SAFE: &[&str] = &[
    "tried to use ",
    "cannot calculate length of value of type ",
    "cannot join value of type ",
    "cannot perform a containment check on this value",
    "cannot round value (",
    "can only sum numbers, got ",
    "the string is not JSON",
    "value of type ",
    "zip filter argument must be iterable, got ",
];

const KINDS: &[&str] = &["string", "number", "bool", "none", "undefined", "sequence", "map"];

fn safe_detail(error: &minijinja::Error) -> Option<&str> {
    let detail = error.detail()?;
    let names_types_only = || {
        let (from, to) = detail.strip_prefix("cannot convert ")?.split_once(" to ")?;
        let plain = to.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (KINDS.contains(&from) && plain).then_some(())
    };
    let not_iterable =
        || detail.strip_suffix(" is not iterable").filter(|kind| KINDS.contains(kind)).map(|_| ());
    let safe = SAFE.iter().any(|prefix| detail.starts_with(prefix))
        || names_types_only().is_some()
        || not_iterable().is_some();
    if safe {
        return Some(detail);
    }
    detail
        .starts_with("unable to calculate ")
        .then_some("this calculation has no result: a division by zero, or numbers too large")
}
