//! What stacks can have of API Gateway.

mod api;
mod parts;

use crate::cloudformation::ResourceType;

pub(super) const ALL: &[&ResourceType] = &[
    &api::TYPE,
    &parts::ROUTE,
    &parts::INTEGRATION,
    &parts::STAGE,
    &parts::AUTHORIZER,
    &parts::DEPLOYMENT,
];
