//! What stacks can have of DynamoDB.

pub(super) mod table;
