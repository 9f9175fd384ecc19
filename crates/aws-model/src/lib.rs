//! What AWS's APIs look like, written down once for the client, the plan, `chaos` and the embedded AWS. Pure.
//!
//! | module | what it is |
//! |---|---|
//! | [`parameters`] | a request back into the members that it was serialised from |
//! | [`regions`] | the regions there are |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod parameters;
pub mod regions;
