//! What stacks can have of API Gateway.

mod api;
mod parts;
mod rest;

use crate::cloudformation::ResourceType;

pub(super) const ALL: &[&ResourceType] = &[
    &api::TYPE,
    &parts::ROUTE,
    &parts::INTEGRATION,
    &parts::STAGE,
    &parts::AUTHORIZER,
    &parts::DEPLOYMENT,
    &rest::REST_API,
    &rest::RESOURCE,
    &rest::METHOD,
    &rest::DEPLOYMENT,
    &rest::STAGE,
    &rest::ACCOUNT,
    &rest::AUTHORIZER,
    &rest::VALIDATOR,
    &rest::MODEL,
];
