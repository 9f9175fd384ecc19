//! `AWS::IAM::ManagedPolicy`

use std::collections::BTreeMap;

use serde_json::json;

use super::role::{SERVICE, borrowed, detach, tags};
use crate::account::client::Client;
use crate::cloudformation::error::unsupported;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::document;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
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
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    for property in ["Groups", "Users"] {
        if order.properties.contains_key(property) {
            return Err(unsupported(&format!(
                "the property {property} of AWS::IAM::ManagedPolicy"
            )));
        }
    }
    let text = order.properties.get("PolicyDocument").map(document).unwrap_or_default();
    let mut parameters = vec![
        ("PolicyName".to_owned(), order.name_or_generated("ManagedPolicyName", 128)),
        ("PolicyDocument".to_owned(), text),
    ];
    for name in ["Path", "Description"] {
        parameters.extend(order.text(name).map(|text| (name.to_owned(), text)));
    }
    parameters.extend(tags(order));
    let created = order.client.query(SERVICE, "CreatePolicy", &borrowed(&parameters)).await?;
    let (arn, id) = (created.text("Arn").unwrap_or_default(), created.text("PolicyId"));
    let roles = order.texts("Roles");
    for (done, role) in roles.iter().enumerate() {
        let parameters = [("RoleName", role.as_str()), ("PolicyArn", arn.as_str())];
        if let Err(error) = order.client.query(SERVICE, "AttachRolePolicy", &parameters).await {
            for role in roles.iter().take(done) {
                detach(order.client, role, &arn).await?;
            }
            remove(order.client, &arn).await?;
            return Err(error);
        }
    }
    Ok(CreatedResource {
        attributes: BTreeMap::from([
            ("PolicyArn".to_owned(), json!(arn)),
            ("PolicyId".to_owned(), json!(id.unwrap_or_default())),
        ]),
        physical_id: arn,
    })
}

async fn remove(client: &Client, arn: &str) -> Result<(), AwsError> {
    gone_is_deleted(client.query(SERVICE, "DeletePolicy", &[("PolicyArn", arn)]).await)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let arn = removal.physical_id;
    let roles = removal.properties.get("Roles").and_then(|roles| roles.as_array());
    for role in roles.into_iter().flatten().filter_map(|role| role.as_str()) {
        detach(removal.client, role, arn).await?;
    }
    remove(removal.client, arn).await
}
