//! `AWS::IAM::Role`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::account::client::Client;
use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{document, text};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

pub(super) const SERVICE: &str = "iam";

pub(crate) const TYPE: ResourceType = ResourceType {
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
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("RoleName", 64);
    let trust = order.properties.get("AssumeRolePolicyDocument").map(document).unwrap_or_default();
    let mut parameters =
        vec![("RoleName".to_owned(), name.clone()), ("AssumeRolePolicyDocument".to_owned(), trust)];
    for (property, parameter) in [
        ("Path", "Path"),
        ("Description", "Description"),
        ("MaxSessionDuration", "MaxSessionDuration"),
        ("PermissionsBoundary", "PermissionsBoundary"),
    ] {
        parameters.extend(order.text(property).map(|text| (parameter.to_owned(), text)));
    }
    if let Some(text) = order.text("MaxSessionDuration")
        && text.parse::<i64>().is_err()
    {
        let message = format!("Property MaxSessionDuration must be an integer, not {text}.");
        return Err(invalid(message));
    }
    parameters.extend(tags(order));
    let created = order.client.query(SERVICE, "CreateRole", &borrowed(&parameters)).await?;
    if let Err(error) = equip(order, &name).await {
        strip(order.client, &name, order.properties).await?;
        return Err(error);
    }
    let attribute = |name: &str, element: &str| {
        (name.to_owned(), json!(created.text(element).unwrap_or_default()))
    };
    let attributes = BTreeMap::from([attribute("Arn", "Arn"), attribute("RoleId", "RoleId")]);
    Ok(CreatedResource { physical_id: name, attributes })
}

/// The tags of a resource, as parameters of a query.
pub(super) fn tags(order: &Order<'_>) -> Vec<(String, String)> {
    let numbered = order.all_tags().into_iter().enumerate();
    numbered
        .flat_map(|(index, (key, value))| {
            let member = format!("Tags.member.{}", index + 1);
            [(format!("{member}.Key"), key), (format!("{member}.Value"), value)]
        })
        .collect()
}

/// Parameters as a call takes them.
pub(super) fn borrowed(parameters: &[(String, String)]) -> Vec<(&str, &str)> {
    parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn equip(order: &Order<'_>, name: &str) -> Result<(), AwsError> {
    for arn in order.texts("ManagedPolicyArns") {
        let parameters = [("RoleName", name), ("PolicyArn", &arn)];
        order.client.query(SERVICE, "AttachRolePolicy", &parameters).await?;
    }
    for policy in order.list("Policies") {
        let policy_name = policy.get("PolicyName").and_then(text);
        let policy_name =
            policy_name.ok_or_else(|| invalid("Property PolicyName cannot be empty."))?;
        let text = policy.get("PolicyDocument").map(document);
        let text = text.ok_or_else(|| invalid("Property PolicyDocument cannot be empty."))?;
        put_policy(order.client, name, &policy_name, &text).await?;
    }
    Ok(())
}

/// `PutRolePolicy`
pub(super) async fn put_policy(
    client: &Client,
    role: &str,
    name: &str,
    document: &str,
) -> Result<(), AwsError> {
    let parameters = [("RoleName", role), ("PolicyName", name), ("PolicyDocument", document)];
    client.query(SERVICE, "PutRolePolicy", &parameters).await.map(|_| ())
}

/// `DeleteRolePolicy`
pub(super) async fn delete_policy(client: &Client, role: &str, name: &str) -> Result<(), AwsError> {
    let parameters = [("RoleName", role), ("PolicyName", name)];
    gone_is_deleted(client.query(SERVICE, "DeleteRolePolicy", &parameters).await)
}

/// `DetachRolePolicy`
pub(super) async fn detach(client: &Client, role: &str, arn: &str) -> Result<(), AwsError> {
    let parameters = [("RoleName", role), ("PolicyArn", arn)];
    gone_is_deleted(client.query(SERVICE, "DetachRolePolicy", &parameters).await)
}

/// Takes away what the role was created with, and then the role. Policies that somebody else gave it keep it alive, as in
/// AWS.
async fn strip(
    client: &Client,
    name: &str,
    properties: &Map<String, Value>,
) -> Result<(), AwsError> {
    let list = |property: &str| {
        let items = properties.get(property).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    };
    for arn in list("ManagedPolicyArns").iter().filter_map(Value::as_str) {
        detach(client, name, arn).await?;
    }
    for policy in list("Policies") {
        if let Some(policy) = policy.get("PolicyName").and_then(Value::as_str) {
            delete_policy(client, name, policy).await?;
        }
    }
    gone_is_deleted(client.query(SERVICE, "DeleteRole", &[("RoleName", name)]).await)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    strip(removal.client, removal.physical_id, removal.properties).await
}
