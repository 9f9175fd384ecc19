//! The command line of `playbook check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value::library;

/// `playbook check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckArgs {
    /// Playbooks.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Let warnings fail the check, too.
    #[arg(long)]
    pub deny_warnings: bool,
    /// Where the library is that playbooks include as `NAME:FILE`.
    #[arg(long, value_name = "NAME=DIR", value_parser = library)]
    pub library: Vec<(String, PathBuf)>,
    /// How to tell what is found.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: CheckFormat,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  playbook check playbooks/*.yaml
  playbook check smoke.yaml --deny-warnings
  playbook check smoke.yaml --output sarif > check.sarif

Exit codes:
  0        no errors; warnings are told
  2        errors, or warnings with --deny-warnings
  4        no errors, but what was to be told could not be written";

/// How to tell what a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code reviews.
    Sarif,
}
