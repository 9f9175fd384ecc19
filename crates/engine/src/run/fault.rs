//! What went wrong, where, and how it is told.

use super::Engine;
use crate::event::{Failure, SourcePlace};
use crate::redactor::StepSecrets;
use crate::step::StepError;
use language::diagnostic::{Code, Diagnostic, Span, render};
use language::template::TemplateError;

/// Why the steps stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// One of them failed.
    Failed(Box<Failure>),
    /// The run is to stop.
    Interrupted,
}

/// Something that went wrong, and where in the playbook.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) details: Vec<String>,
    pub(super) span: Option<Span>,
    /// What drawing calls it.
    pub(super) class: Code,
    pub(super) interrupted: bool,
    /// In a dry run: the values that keep the step's calls from being told.
    pub(super) unknown: Vec<String>,
    /// Whether another try may help.
    pub(super) retryable: bool,
}

impl Fault {
    pub(super) fn new(code: &str, class: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            help: None,
            details: Vec::new(),
            span: None,
            class,
            interrupted: false,
            unknown: Vec::new(),
            retryable: false,
        }
    }

    pub(super) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same without what only its origin tells to be secret.
    pub(super) fn hiding(mut self, secrets: &StepSecrets) -> Self {
        let hide = |text: &String| secrets.mask_text(text).into_owned();
        self.message = secrets.mask_text(&self.message).into_owned();
        self.help = self.help.as_ref().map(hide);
        self.details = self.details.iter().map(hide).collect();
        self
    }

    pub(super) fn interrupted() -> Self {
        Self { interrupted: true, ..Self::new("Interrupted", Code::Interrupted, "interrupted") }
    }

    /// A step's error, at the place that it is about: `field` finds the place of a field of its input.
    pub(super) fn of_step(
        error: &StepError,
        field: impl FnOnce(&[String]) -> Option<Span>,
    ) -> Self {
        let span = match error {
            StepError::Input { field: path, .. } => field(path),
            _ => None,
        };
        let unknown = match error {
            StepError::NotPlannable { unknown } => unknown.clone(),
            _ => Vec::new(),
        };
        Self {
            help: error.help().map(str::to_owned),
            details: error.details().to_vec(),
            span,
            interrupted: matches!(error, StepError::Interrupted),
            unknown,
            retryable: matches!(
                error,
                StepError::Call(_) | StepError::Failed { .. } | StepError::TimedOut { .. }
            ),
            ..Self::new(error.code(), Code::StepFailed, error.to_string())
        }
    }
}

impl From<TemplateError> for Fault {
    fn from(error: TemplateError) -> Self {
        Self {
            help: error.help,
            span: Some(error.span),
            ..Self::new("TemplateError", Code::Template, error.message)
        }
    }
}

impl Engine {
    /// Where something stands in a playbook.
    pub(super) fn place(&self, span: Span) -> SourcePlace {
        let sources = &self.setup.sources;
        let (line, column) = sources.line_column(span);
        SourcePlace { file: sources.name(span.source).to_owned(), line, column }
    }

    pub(super) fn failure(&self, fault: &Fault) -> Failure {
        let sources = &self.setup.sources;
        // Masked before it is drawn: a caret under a mask would count the secret's letters.
        let redactor = self.setup.sink.redactor();
        let mut diagnostic =
            Diagnostic::new(fault.class, redactor.redact(&fault.message).into_owned());
        diagnostic.span = fault.span;
        diagnostic.help = fault.help.as_ref().map(|help| redactor.redact(help).into_owned());
        let place = fault.span.map(|span| self.place(span));
        Failure {
            code: fault.code.clone(),
            message: fault.message.clone(),
            help: fault.help.clone(),
            place,
            excerpt: render(&[diagnostic], sources, false),
            details: fault.details.clone(),
        }
    }
}
