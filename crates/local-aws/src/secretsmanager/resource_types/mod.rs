//! What stacks can have of Secrets Manager.

pub(super) mod secret;
