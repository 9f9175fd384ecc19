//! The journal: what a run has made, written down before it is made.
//!
//! [`entry`] says which records there are and which may follow which; [`file`] keeps them on disk; [`book`] is what
//! steps and clean-up write in.

pub mod book;
pub mod entry;
pub mod file;

pub use book::{Book, Change, OnChange};
pub use entry::{Broken, Entry, EntryState, History, Illegal, Opened, Record, Target};
pub use file::{Journal, JournalError, Lock};
