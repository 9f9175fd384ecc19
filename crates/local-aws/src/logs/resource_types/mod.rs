//! What stacks can have of Logs.

pub(super) mod log_group;
