//! What can be wrong with the values of inputs.

use std::path::PathBuf;

use super::variable;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--input`.
    CommandLine,
    /// `--inputs`.
    File(PathBuf),
    /// A variable of that name.
    Environment(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CommandLine => f.write_str("--input"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
        }
    }
}

/// Something is wrong with the value of an input. Neither the message nor the help ever holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputFault {
    /// An `--input` without a name or without `=`.
    #[error("an `--input` is not of the form NAME=VALUE")]
    NotAssigned,
    /// No input has that name.
    #[error("there is no input `{name}`, which {by} gives")]
    Unknown {
        /// The name.
        name: String,
        /// Who gives it.
        by: Source,
        /// What was probably meant.
        near: Option<String>,
        /// The inputs there are.
        known: Vec<String>,
    },
    /// It is not what it must be.
    #[error("the input `{name}`, given by {by}, {why}")]
    Unfit {
        /// The input.
        name: String,
        /// Who gives it.
        by: Source,
        /// What it must be.
        why: String,
    },
    /// Two `--input` of one name.
    #[error("the input `{name}` is given twice")]
    GivenTwice {
        /// The input.
        name: String,
    },
    /// Other processes and the shell's history would see it.
    #[error("the input `{name}` is a secret, and secrets are never given on the command line")]
    SecretOnCommandLine {
        /// The input.
        name: String,
    },
    /// The file is no YAML.
    #[error("{}{}: {reason}", .path.display(), place_in_words(*.place))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Line and column.
        place: Option<(usize, usize)>,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds something else than a map.
    #[error("{} does not hold a map of inputs", .path.display())]
    NotAMap {
        /// The file.
        path: PathBuf,
    },
    /// Nobody gives it, and nobody is there to ask.
    #[error("the input `{name}` has no value")]
    Missing {
        /// The input.
        name: String,
        /// Whether it is a secret.
        secret: bool,
    },
}

impl InputFault {
    /// A short name of the kind of mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAssigned => "input-not-assigned",
            Self::Unknown { .. } => "unknown-input",
            Self::Unfit { .. } => "unfit-input",
            Self::GivenTwice { .. } => "input-given-twice",
            Self::SecretOnCommandLine { .. } => "secret-on-command-line",
            Self::Unreadable { .. } => "inputs-unreadable",
            Self::NotAMap { .. } => "inputs-not-a-map",
            Self::Missing { .. } => "missing-input",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotAssigned => {
                "write `--input NAME=VALUE`, such as `--input number=41`".to_owned()
            }
            Self::Unknown { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Unknown { known, .. } if known.is_empty() => {
                "the playbook has no inputs; leave it out".to_owned()
            }
            Self::Unknown { known, .. } => format!("the inputs are {}", known.join(", ")),
            Self::Unfit { name, by: Source::CommandLine, .. } => {
                format!("write `--input {name}=VALUE`")
            }
            Self::Unfit { name, by: Source::File(_), .. } => {
                format!("write `{name}: VALUE` in the file")
            }
            Self::Unfit { by: Source::Environment(variable), .. } => {
                format!("set {variable} to another value")
            }
            Self::GivenTwice { name } => format!("leave one `--input {name}=VALUE` out"),
            Self::SecretOnCommandLine { name } => {
                format!("use {}, `--inputs FILE` or the terminal", variable(name))
            }
            Self::Unreadable { .. } | Self::NotAMap { .. } => {
                "write one `name: value` on a line, in YAML, or a JSON object".to_owned()
            }
            Self::Missing { name, secret: true } => {
                format!(
                    "set {}, write it to a file for `--inputs FILE`, or run at a terminal",
                    variable(name)
                )
            }
            Self::Missing { name, secret: false } => format!(
                "write `--input {name}=VALUE`, set {}, write it to a file for `--inputs FILE`, or run at a terminal",
                variable(name)
            ),
        }
    }
}

fn place_in_words(place: Option<(usize, usize)>) -> String {
    place.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"))
}
