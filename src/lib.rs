//! `playbook` runs scenarios against AWS from YAML, and leaves the account exactly as it was.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "local")]
pub mod chaos;
pub mod cli;
pub mod prompt;
pub mod report;
