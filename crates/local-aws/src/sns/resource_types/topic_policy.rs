//! `AWS::SNS::TopicPolicy`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{document, text};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::SNS::TopicPolicy",
    service: "Sns",
    attributes: &["Id"],
    properties: &["PolicyDocument", "Topics"],
    required: &["PolicyDocument", "Topics"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

fn topics(properties: &Map<String, Value>) -> Vec<String> {
    match properties.get("Topics") {
        Some(Value::Array(topics)) => topics.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn input(arn: &str, policy: &str) -> Value {
    json!({"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy})
}

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let policy = order.properties.get("PolicyDocument").map(document).unwrap_or_default();
    for arn in topics(order.properties) {
        order.client.operation("sns:SetTopicAttributes", &input(&arn, &policy)).await?;
    }
    let id = order.generated_name(80);
    let attributes = BTreeMap::from([("Id".to_owned(), json!(id))]);
    Ok(CreatedResource { physical_id: id, attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    for arn in topics(removal.properties) {
        match removal.client.operation("sns:SetTopicAttributes", &input(&arn, "")).await {
            Err(error) if error.status != 404 => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
