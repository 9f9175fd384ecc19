//! The language of playbooks: YAML text becomes a checked playbook. Pure: no I/O, no clock, no AWS, nothing asynchronous.
//!
//! | module | what it is |
//! |---|---|
//! | [`diagnostic`] | places in files, diagnostics, drawing them |
//! | [`document`] | YAML text → a tree in which every key and scalar knows its place |
//! | [`template`] | expressions, references, values not known yet, secrets |
//! | [`spec`] | what a step kind says of itself |
//! | [`question`] | questions and what counts as an answer |
//! | [`playbook`] | tree and specifications → a playbook: names resolved, inputs typed, references checked |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod diagnostic;
pub mod document;
mod json_schema;
pub mod playbook;
pub mod question;
pub mod spec;
pub mod template;
mod types;
