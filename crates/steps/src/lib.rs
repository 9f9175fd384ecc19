//! The step kinds and what they make.
//!
//! | module | what it is |
//! |---|---|
//! | [`steps`](mod@steps) | the verbs: one file per step kind, and the registry |
//! | `operation` | any operation of AWS as a step kind, from its model |
//! | `resources` | the nouns: one file per kind of resource |
//! | [`deployment_package`] | the code of functions, packed |
//! | [`policy`] | policies that no run attaches unasked |
//! | [`tagged`] | what runs have left, found by its tags alone |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod deployment_package;
mod operation;
pub mod policy;
mod question;
mod resources;
pub mod steps;
pub mod tagged;

pub use operation::operations_of;
pub use steps::{KINDS, Registry, kind, maker_of};
