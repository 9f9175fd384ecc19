//! `AWS::IAM::Role`

use std::collections::BTreeMap;

use serde_json::json;

use super::properties::document;
use super::{Kind, Order, Removal, gone_is_deleted};
use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::Made;
use crate::iam::{self, CreateRole, Tag};
use crate::protocol::AwsError;

pub(super) const KIND: Kind = Kind {
    name: "AWS::IAM::Role",
    service: "Iam",
    attributes: &["Arn", "RoleId"],
    properties: &[
        "AssumeRolePolicyDocument",
        "Description",
        "ManagedPolicyArns",
        "MaxSessionDuration",
        "Path",
        "PermissionsBoundary",
        "Policies",
        "RoleName",
        "Tags",
    ],
    required: &["AssumeRolePolicyDocument"],
    is_iam: true,
    iam_name: Some("RoleName"),
    create: |order| Box::pin(std::future::ready(create(order))),
    delete: |removal| Box::pin(std::future::ready(delete(removal))),
};

fn create(order: &Order<'_>) -> Result<Made, AwsError> {
    let name = order.name_or_generated("RoleName", 64);
    let max_session = order.text("MaxSessionDuration").map(|text| {
        text.parse().map_err(|_| {
            invalid(format!("Property MaxSessionDuration must be an integer, not {text}."))
        })
    });
    let input = CreateRole {
        name: name.clone(),
        path: order.text("Path"),
        trust: order.properties.get("AssumeRolePolicyDocument").map(document).unwrap_or_default(),
        description: order.text("Description"),
        max_session: max_session.transpose()?,
        boundary: order.text("PermissionsBoundary"),
        tags: tags(order),
    };
    let role = order.peers.iam(|iam, context| iam.create_role(input, context))?;
    if let Err(error) = order.peers.iam(|iam, _| equip(iam, &name, order)) {
        order.peers.iam(|iam, _| strip(iam, &name))?;
        return Err(error);
    }
    Ok(Made {
        physical_id: name,
        attributes: BTreeMap::from([
            ("Arn".to_owned(), json!(role.arn)),
            ("RoleId".to_owned(), json!(role.id)),
        ]),
    })
}

pub(super) fn tags(order: &Order<'_>) -> Vec<Tag> {
    order.all_tags().into_iter().map(|(key, value)| Tag { key, value }).collect()
}

fn equip(iam: &mut iam::State, name: &str, order: &Order<'_>) -> Result<(), AwsError> {
    for arn in order.texts("ManagedPolicyArns") {
        iam.attach_role_policy(name, &arn)?;
    }
    for policy in order.list("Policies") {
        let policy_name = policy.get("PolicyName").and_then(super::properties::text);
        let policy_name =
            policy_name.ok_or_else(|| invalid("Property PolicyName cannot be empty."))?;
        let text = policy.get("PolicyDocument").map(document);
        let text = text.ok_or_else(|| invalid("Property PolicyDocument cannot be empty."))?;
        iam.put_role_policy(name, &policy_name, &text)?;
    }
    Ok(())
}

/// Takes away what the role was made with, and then the role. Policies that somebody else gave it keep it alive, as in AWS.
fn strip(iam: &mut iam::State, name: &str) -> Result<(), AwsError> {
    let role = iam.role(name)?;
    let (attached, inline) = (role.attached.clone(), role.inline.clone());
    for arn in attached {
        iam.detach_role_policy(name, &arn)?;
    }
    for policy in inline.keys() {
        iam.delete_role_policy(name, policy)?;
    }
    iam.delete_role(name)
}

fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let name = removal.physical_id;
    let list = |property: &str| {
        removal
            .properties
            .get(property)
            .and_then(|value| value.as_array())
            .cloned()
            .unwrap_or_default()
    };
    gone_is_deleted(removal.peers.iam(|iam, _| {
        for arn in list("ManagedPolicyArns").iter().filter_map(|arn| arn.as_str()) {
            gone_is_deleted(iam.detach_role_policy(name, arn))?;
        }
        for policy in list("Policies") {
            if let Some(policy) = policy.get("PolicyName").and_then(|name| name.as_str()) {
                gone_is_deleted(iam.delete_role_policy(name, policy))?;
            }
        }
        iam.delete_role(name)
    }))
}
