//! What stacks can have of Lambda.

pub(super) mod alias;
pub(super) mod event_invoke_config;
pub(super) mod event_source_mapping;
pub(super) mod function;
pub(super) mod permission;
pub(super) mod url;
pub(super) mod version;
