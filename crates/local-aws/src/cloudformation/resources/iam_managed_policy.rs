//! `AWS::IAM::ManagedPolicy`

use std::collections::BTreeMap;

use serde_json::json;

use super::iam_role::tags;
use super::properties::document;
use super::{Kind, Order, Removal, gone_is_deleted};
use crate::cloudformation::error::unsupported;
use crate::cloudformation::intrinsics::Made;
use crate::iam::CreatePolicy;
use crate::protocol::AwsError;

pub(super) const KIND: Kind = Kind {
    name: "AWS::IAM::ManagedPolicy",
    service: "Iam",
    attributes: &["PolicyArn", "PolicyId"],
    properties: &[
        "Description",
        "Groups",
        "ManagedPolicyName",
        "Path",
        "PolicyDocument",
        "Roles",
        "Users",
    ],
    required: &["PolicyDocument"],
    is_iam: true,
    iam_name: Some("ManagedPolicyName"),
    create: |order| Box::pin(std::future::ready(create(order))),
    delete: |removal| Box::pin(std::future::ready(delete(removal))),
};

fn create(order: &Order<'_>) -> Result<Made, AwsError> {
    for property in ["Groups", "Users"] {
        if order.properties.contains_key(property) {
            return Err(unsupported(&format!(
                "the property {property} of AWS::IAM::ManagedPolicy"
            )));
        }
    }
    let input = CreatePolicy {
        name: order.name_or_generated("ManagedPolicyName", 128),
        path: order.text("Path"),
        document: order.properties.get("PolicyDocument").map(document).unwrap_or_default(),
        description: order.text("Description"),
        tags: tags(order),
    };
    let roles = order.texts("Roles");
    let policy = order.peers.iam(|iam, context| {
        let policy = iam.create_policy(input, context)?.policy;
        for (done, role) in roles.iter().enumerate() {
            if let Err(error) = iam.attach_role_policy(role, &policy.arn) {
                for role in roles.iter().take(done) {
                    iam.detach_role_policy(role, &policy.arn)?;
                }
                iam.delete_policy(&policy.arn)?;
                return Err(error);
            }
        }
        Ok(policy)
    })?;
    Ok(Made {
        attributes: BTreeMap::from([
            ("PolicyArn".to_owned(), json!(policy.arn)),
            ("PolicyId".to_owned(), json!(policy.id)),
        ]),
        physical_id: policy.arn,
    })
}

fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let arn = removal.physical_id;
    let roles = removal.properties.get("Roles").and_then(|roles| roles.as_array());
    for role in roles.into_iter().flatten().filter_map(|role| role.as_str()) {
        gone_is_deleted(removal.peers.iam(|iam, _| iam.detach_role_policy(role, arn)))?;
    }
    gone_is_deleted(removal.peers.iam(|iam, _| iam.delete_policy(arn)))
}
