//! A document and what the step kinds say of themselves → a [`Playbook`] in which every name is
//! resolved, every input typed and every reference checked.
//!
//! All faults of a file and of the files it includes are found in one go.

mod actions;
mod controls;
mod declared;
mod defaults;
mod expected;
mod fields;
mod files;
mod foreign_keywords;
mod include;
mod inputs;
mod lints;
mod load;
mod matrix;
mod model;
mod near_kind;
mod operation_keys;
mod parallel;
mod path_checks;
mod preflight;
mod project;
mod readers;
mod references;
mod refusals;
mod retry;
mod runtimes;
mod schema;
mod schema_check;
mod scope;
mod shape;
mod spelling;
mod step_keys;
mod top;
mod unchanging;

#[cfg(test)]
mod tests;

pub use controls::{CONTROLS, Control};
pub use files::{FileKind, Files};
pub use load::{Checked, check, load};
pub use model::{Action, ForEach, Input, Matrix, Pages, Playbook, Poll, Retry, Step, Undo, Wait};
pub use preflight::Circumstances;
pub use project::{PROJECT_FILE, is_library_name};
pub use schema::{control_keys, input_keys, json_schema, step_keys};
pub use scope::RUN_FACTS;
