//! `AWS::IAM::Policy`: an inline policy of one or more roles.

use std::collections::BTreeMap;

use super::role::{delete_policy, put_policy};
use crate::cloudformation::error::{invalid, unsupported};
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::document;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Policy",
    service: "Iam",
    attributes: &[],
    properties: &["Groups", "PolicyDocument", "PolicyName", "Roles", "Users"],
    required: &["PolicyDocument", "PolicyName"],
    is_iam: true,
    // The policy has no name of its own in the account: it is part of its roles.
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
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
    for (done, role) in roles.iter().enumerate() {
        if let Err(error) = put_policy(order.client, role, &name, &text).await {
            for role in roles.iter().take(done) {
                delete_policy(order.client, role, &name).await?;
            }
            return Err(error);
        }
    }
    Ok(CreatedResource { physical_id: order.generated_name(64), attributes: BTreeMap::new() })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let text = |name: &str| removal.properties.get(name).and_then(|value| value.as_str());
    let name = text("PolicyName").unwrap_or_default();
    let roles = removal.properties.get("Roles").and_then(|roles| roles.as_array());
    for role in roles.into_iter().flatten().filter_map(|role| role.as_str()) {
        delete_policy(removal.client, role, name).await?;
    }
    Ok(())
}
