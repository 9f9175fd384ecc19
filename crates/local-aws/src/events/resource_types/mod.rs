//! What stacks can have of `EventBridge`.

pub(super) mod bus;
pub(super) mod rule;
