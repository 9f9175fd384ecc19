//! `AWS::CDK::Metadata`, which every stack of the CDK holds: it tells AWS what was used, and has no effect.

use std::collections::BTreeMap;

use super::intrinsics::CreatedResource;
use super::resource_type::ResourceType;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    service: "CDK",
    attributes: &[],
    properties: &["Analytics"],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| {
        Box::pin(async move {
            let physical_id = order.generated_name(128);
            Ok(CreatedResource { physical_id, attributes: BTreeMap::new() })
        })
    },
    delete: |_| Box::pin(async { Ok(()) }),
};
