//! What stacks can have of Kinesis.

pub(super) mod stream;
