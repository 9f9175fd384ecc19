//! The Resource Groups Tagging API: what there is in a region, found by its tags. Of IAM it tells nothing, as AWS tells nothing of
//! roles and users.

mod find;
#[cfg(test)]
mod tests;

use crate::server::modelled::{Model, Modelled, Operation, typed};

const OPERATIONS: &[Operation] = &[
    Operation::now("GetResources", |context, input| find::resources(context, &typed(input)?)),
    Operation::now("GetTagKeys", |context, input| find::keys(context, &typed(input)?)),
    Operation::now("GetTagValues", |context, input| find::values(context, &typed(input)?)),
];

/// The Resource Groups Tagging API, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "tagging";
    const MODELS: &'static [Model] = &[Model {
        name: "resourcegroupstaggingapi",
        operations: OPERATIONS,
        invalid: find::refuse,
        query_codes: &[],
    }];
}
