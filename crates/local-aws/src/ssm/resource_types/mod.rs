//! What stacks can have of Systems Manager.

pub(super) mod parameter;
