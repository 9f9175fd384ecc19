//! What stacks can have of Lambda.

pub(super) mod function;
pub(super) mod permission;
