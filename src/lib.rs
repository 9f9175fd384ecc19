//! `playbook` runs scenarios against AWS from YAML, and leaves the account exactly as it was.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod aws;
#[cfg(feature = "local")]
pub mod chaos;
pub mod cleanup;
pub mod cli;
pub mod diagnostic;
pub mod document;
pub mod engine;
pub mod event;
pub mod journal;
#[cfg(feature = "local")]
pub mod local;
pub mod playbook;
pub mod prompt;
pub mod redactor;
pub mod report;
pub mod sink;
pub mod step;
pub mod steps;
pub mod template;
