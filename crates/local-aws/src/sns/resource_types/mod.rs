//! What stacks can have of SNS.

pub(super) mod subscription;
pub(super) mod topic;
pub(super) mod topic_policy;
