//! `AWS::SQS::QueuePolicy`

use std::collections::BTreeMap;

use serde_json::json;

use super::queue::{gone, urls};
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::document;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::SQS::QueuePolicy",
    service: "Sqs",
    attributes: &["Id"],
    properties: &["PolicyDocument", "Queues"],
    required: &["PolicyDocument", "Queues"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let policy = order.properties.get("PolicyDocument").map(document).unwrap_or_default();
    for url in urls(order.properties) {
        let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
        order.client.operation("sqs:SetQueueAttributes", &input).await?;
    }
    let id = order.generated_name(80);
    let attributes = BTreeMap::from([("Id".to_owned(), json!(id))]);
    Ok(CreatedResource { physical_id: id, attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    for url in urls(removal.properties) {
        let input = json!({"QueueUrl": url, "Attributes": {"Policy": ""}});
        gone(removal.client.operation("sqs:SetQueueAttributes", &input).await)?;
    }
    Ok(())
}
