//! `AWS::SQS::Queue`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{document, text};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

/// What is called the same among the attributes.
const PLAIN: [&str; 12] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::QUEUE,
    service: "Sqs",
    attributes: &["Arn", "QueueName", "QueueUrl"],
    properties: &[
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "Tags",
        "VisibilityTimeout",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let is_fifo = order.text("FifoQueue").as_deref() == Some("true");
    let name = order.text("QueueName").unwrap_or_else(|| {
        let ending = if is_fifo { ".fifo" } else { "" };
        format!("{}{ending}", order.generated_name(80 - ending.len()))
    });
    let mut attributes = Map::new();
    for property in PLAIN {
        if let Some(value) = order.text(property)
            && (property != "FifoQueue" || is_fifo)
        {
            attributes.insert(property.to_owned(), json!(value));
        }
    }
    for property in ["RedrivePolicy", "RedriveAllowPolicy"] {
        if let Some(value) = order.properties.get(property) {
            attributes.insert(property.to_owned(), json!(document(value)));
        }
    }
    let input = json!({"QueueName": name, "Attributes": attributes, "tags": order.all_tags()});
    let created = order.client.operation("sqs:CreateQueue", &input).await?;
    let url = created["QueueUrl"].as_str().unwrap_or_default().to_owned();
    let account = &order.client.account;
    let arn = format!("arn:aws:sqs:{}:{}:{name}", account.region, account.id);
    let attributes = [("Arn", arn), ("QueueName", name), ("QueueUrl", url.clone())];
    let attributes = attributes.map(|(name, text)| (name.to_owned(), Value::String(text)));
    Ok(CreatedResource { physical_id: url, attributes: BTreeMap::from(attributes) })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"QueueUrl": removal.physical_id});
    gone(removal.client.operation("sqs:DeleteQueue", &input).await)
}

pub(super) fn gone(result: Result<Value, AwsError>) -> Result<(), AwsError> {
    match result {
        Err(error) if !error.code.ends_with("NonExistentQueue") => Err(error),
        _ => Ok(()),
    }
}

/// The URLs of a policy's queues.
pub(super) fn urls(properties: &Map<String, Value>) -> Vec<String> {
    match properties.get("Queues") {
        Some(Value::Array(queues)) => queues.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    }
}
