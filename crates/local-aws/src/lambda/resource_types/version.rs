//! `AWS::Lambda::Version`

use std::collections::BTreeMap;

use serde_json::json;

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Version",
    service: "Lambda",
    attributes: &["FunctionArn", "Version"],
    properties: &["CodeSha256", "Description", "FunctionName"],
    required: &["FunctionName"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut input = json!({"FunctionName": order.required("FunctionName")?});
    for property in ["CodeSha256", "Description"] {
        if let Some(text) = order.text(property) {
            input[property] = json!(text);
        }
    }
    let made = order.client.operation("lambda:PublishVersion", &input).await?;
    let arn = made["FunctionArn"].as_str().unwrap_or_default().to_owned();
    let attributes =
        [("FunctionArn".to_owned(), json!(arn)), ("Version".to_owned(), made["Version"].clone())];
    Ok(CreatedResource { physical_id: arn, attributes: BTreeMap::from(attributes) })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"FunctionName": removal.physical_id});
    gone_is_deleted(removal.client.operation("lambda:DeleteFunction", &input).await)
}
