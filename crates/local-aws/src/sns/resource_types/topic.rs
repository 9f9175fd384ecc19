//! `AWS::SNS::Topic`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::text;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

const PLAIN: [&str; 7] = [
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::TOPIC,
    service: "Sns",
    attributes: &["TopicArn", "TopicName"],
    properties: &[
        "ContentBasedDeduplication",
        "DisplayName",
        "FifoThroughputScope",
        "FifoTopic",
        "KmsMasterKeyId",
        "SignatureVersion",
        "Subscription",
        "Tags",
        "TopicName",
        "TracingConfig",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let is_fifo = order.text("FifoTopic").as_deref() == Some("true");
    let name = order.text("TopicName").unwrap_or_else(|| {
        let ending = if is_fifo { ".fifo" } else { "" };
        format!("{}{ending}", order.generated_name(256 - ending.len()))
    });
    let mut attributes = Map::new();
    for property in PLAIN {
        if let Some(value) = order.text(property)
            && (property != "FifoTopic" || is_fifo)
        {
            attributes.insert(property.to_owned(), json!(value));
        }
    }
    let input = json!({"Name": name, "Attributes": attributes, "Tags": order.tag_list()});
    let created = order.client.operation("sns:CreateTopic", &input).await?;
    let arn = created["TopicArn"].as_str().unwrap_or_default().to_owned();
    for one in order.list("Subscription") {
        let member = |name: &str| one.get(name).and_then(text);
        let input = json!({
            "TopicArn": arn, "Protocol": member("Protocol"), "Endpoint": member("Endpoint"),
        });
        let subscribed = order.client.operation("sns:Subscribe", &input).await;
        if let Err(error) = subscribed {
            // What fails leaves nothing behind.
            let _ = remove(order.client, &arn).await;
            return Err(error);
        }
    }
    let attributes = [("TopicArn", arn.clone()), ("TopicName", name)];
    let attributes = attributes.map(|(name, text)| (name.to_owned(), Value::String(text)));
    Ok(CreatedResource { physical_id: arn, attributes: BTreeMap::from(attributes) })
}

async fn remove(client: &crate::account::client::Client, arn: &str) -> Result<(), AwsError> {
    let listed = client.operation("sns:ListSubscriptionsByTopic", &json!({"TopicArn": arn})).await;
    let listed = listed.unwrap_or_default();
    for one in listed["Subscriptions"].as_array().into_iter().flatten() {
        let input = json!({"SubscriptionArn": one["SubscriptionArn"]});
        // One that waits to be confirmed has no ARN yet, and goes by itself.
        let _ = client.operation("sns:Unsubscribe", &input).await;
    }
    client.operation("sns:DeleteTopic", &json!({"TopicArn": arn})).await.map(drop)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    if removal.properties.contains_key("Subscription") {
        return remove(removal.client, removal.physical_id).await;
    }
    let input = json!({"TopicArn": removal.physical_id});
    removal.client.operation("sns:DeleteTopic", &input).await.map(drop)
}
