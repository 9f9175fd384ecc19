//! Why a step failed.

use std::time::Duration;

use aws::CallError;

use super::ledger::LedgerError;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS refused, or could not be reached.
    #[error("{}", .0.message)]
    Call(#[from] CallError),
    /// The input passed the checks of the language but not those of the step.
    #[error("{message}")]
    Input {
        /// The path of the field, such as `["code"]`.
        field: Vec<String>,
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// The step did what it should, and what came of it is a failure.
    #[error("{message}")]
    Failed {
        /// A word for `expect_error`, `retry.on` and `error.code`, such as `FunctionError`.
        code: String,
        /// What happened.
        message: String,
        /// What to do next.
        help: Option<String>,
        /// Lines to show beneath, such as the tail of a function's log.
        details: Vec<String>,
    },
    /// It took too long.
    #[error("{what} took longer than {}", display_duration(*.limit))]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
    },
    /// A person or the system asked the run to stop.
    #[error("interrupted")]
    Interrupted,
    /// The journal could not be written, so nothing may be made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// In a dry run: what the step would call depends on values that do not exist yet.
    #[error("the calls of this step depend on {}", .unknown.join(", "))]
    NotPlannable {
        /// Those values.
        unknown: Vec<String>,
    },
}

impl StepError {
    /// A failure of the step's own, without help or details.
    #[must_use]
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed { code: code.into(), message: message.into(), help: None, details: Vec::new() }
    }

    /// A fault in one field of the input.
    #[must_use]
    pub fn input(field: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Input {
            field: field.split('.').map(str::to_owned).collect(),
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// The word that `expect_error`, `allow_error`, `retry.on` and `error.code` go by.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Call(error) => error.code.as_deref().unwrap_or("NoAnswer"),
            Self::Input { .. } => "InvalidInput",
            Self::Failed { code, .. } => code,
            Self::TimedOut { .. } => "TimedOut",
            Self::Interrupted => "Interrupted",
            Self::Ledger(_) => "JournalUnwritable",
            Self::NotPlannable { .. } => "NotPlannable",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Input { help, .. } | Self::Failed { help, .. } => help.as_deref(),
            Self::Call(error) => error.help(),
            Self::Ledger(error) => Some(error.help()),
            _ => None,
        }
    }

    /// Lines to show beneath.
    #[must_use]
    pub fn details(&self) -> &[String] {
        match self {
            Self::Failed { details, .. } => details,
            _ => &[],
        }
    }

    /// Whether this is AWS's error of that code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Call(error) if error.is(code))
    }
}

/// A duration as a playbook would write it.
#[must_use]
pub fn display_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, _) if !millis.is_multiple_of(1000) => format!("{:.1}s", duration.as_secs_f64()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m {seconds}s"),
    }
}
