//! A checked playbook in, events and a journal out.
//!
//! | module | what it is |
//! |---|---|
//! | [`event`] | what happened: all that engine and reporters share |
//! | [`redactor`] | keeps secrets out of everything that leaves the program |
//! | [`sink`] | hands events to whoever listens, secrets masked |
//! | [`step`] | the trait of a step kind, and what a step is handed |
//! | [`run`] | order, conditions, loops, retries, rescue |
//! | [`journal`] | append, sync, lock, read back |
//! | [`cleanup`] | journal, reversed → undo |
//!
//! Steps reach the client and the language through [`aws`] and [`language`] of this crate.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cleanup;
pub mod event;
pub mod journal;
pub mod redactor;
pub mod regular_file;
pub mod run;
pub mod sink;
pub mod step;

pub use {::aws, ::language};
