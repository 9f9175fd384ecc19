//! The journal: what a run has made, written down before it is made.
//!
//! [`entry`] says which records there are and which may follow which, [`encoding`] how they are written; [`file`] keeps them on disk, [`folder`] knows where;
//! [`history`] keeps beside it how the steps went; [`trust`] says whose they are; [`writer`] is what steps and clean-up write in.

pub mod encoding;
pub mod entry;
pub mod file;
pub mod folder;
pub mod history;
mod overlap;
pub mod trust;
pub mod writer;

pub use encoding::Broken;
pub use entry::{Entry, EntryState, Illegal, JournalState, Opened, Record, Target};
pub use file::{JournalError, JournalFile, Lock};
pub use folder::Finished;
pub use history::{Began, EndedStep, History, Line};
pub use trust::Distrust;
pub use writer::{Change, Journal, OnChange};
