//! `AWS::IAM::Policy`: an inline policy of one or more roles.

use std::collections::BTreeMap;

use super::properties::document;
use super::{Kind, Order, Removal, gone_is_deleted};
use crate::cloudformation::error::{invalid, unsupported};
use crate::cloudformation::intrinsics::Made;
use crate::protocol::AwsError;

pub(super) const KIND: Kind = Kind {
    name: "AWS::IAM::Policy",
    service: "Iam",
    attributes: &[],
    properties: &["Groups", "PolicyDocument", "PolicyName", "Roles", "Users"],
    required: &["PolicyDocument", "PolicyName"],
    is_iam: true,
    // The policy has no name of its own in the account: it is part of its roles.
    iam_name: None,
    create: |order| Box::pin(std::future::ready(create(order))),
    delete: |removal| Box::pin(std::future::ready(delete(removal))),
};

fn create(order: &Order<'_>) -> Result<Made, AwsError> {
    for property in ["Groups", "Users"] {
        if order.properties.contains_key(property) {
            return Err(unsupported(&format!("the property {property} of AWS::IAM::Policy")));
        }
    }
    let name = order.required("PolicyName")?;
    let roles = order.texts("Roles");
    if roles.is_empty() {
        return Err(invalid("At least one of [Groups, Roles, Users] must be non-empty."));
    }
    let text = order.properties.get("PolicyDocument").map(document).unwrap_or_default();
    order.peers.iam(|iam, _| {
        for (done, role) in roles.iter().enumerate() {
            if let Err(error) = iam.put_role_policy(role, &name, &text) {
                for role in roles.iter().take(done) {
                    iam.delete_role_policy(role, &name)?;
                }
                return Err(error);
            }
        }
        Ok(())
    })?;
    Ok(Made { physical_id: order.generated_name(64), attributes: BTreeMap::new() })
}

fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let text = |name: &str| removal.properties.get(name).and_then(|value| value.as_str());
    let name = text("PolicyName").unwrap_or_default();
    let roles = removal.properties.get("Roles").and_then(|roles| roles.as_array());
    for role in roles.into_iter().flatten().filter_map(|role| role.as_str()) {
        gone_is_deleted(removal.peers.iam(|iam, _| iam.delete_role_policy(role, name)))?;
    }
    Ok(())
}
