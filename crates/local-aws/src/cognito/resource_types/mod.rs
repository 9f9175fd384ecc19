//! What stacks can have of Cognito.

pub(super) mod user_pool;
pub(super) mod user_pool_client;
