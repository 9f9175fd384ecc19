//! `AWS::SNS::Subscription`

use std::collections::BTreeMap;

use serde_json::{Map, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::document;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

const ATTRIBUTES: [&str; 6] = [
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::SUBSCRIPTION,
    service: "Sns",
    attributes: &["Arn"],
    properties: &[
        "DeliveryPolicy",
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "Protocol",
        "RawMessageDelivery",
        "RedrivePolicy",
        "SubscriptionRoleArn",
        "TopicArn",
    ],
    required: &["Protocol", "TopicArn"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let given = ATTRIBUTES.iter().filter_map(|name| {
        let value = order.properties.get(*name)?;
        let text = if value.is_object() { document(value) } else { order.text(name)? };
        Some(((*name).to_owned(), json!(text)))
    });
    let attributes: Map<_, _> = given.collect();
    let input = json!({
        "TopicArn": order.required("TopicArn")?,
        "Protocol": order.required("Protocol")?,
        "Endpoint": order.text("Endpoint"),
        "Attributes": attributes,
        "ReturnSubscriptionArn": true,
    });
    let made = order.client.operation("sns:Subscribe", &input).await?;
    let arn = made["SubscriptionArn"].as_str().unwrap_or_default().to_owned();
    let attributes = BTreeMap::from([("Arn".to_owned(), json!(arn))]);
    Ok(CreatedResource { physical_id: arn, attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"SubscriptionArn": removal.physical_id});
    removal.client.operation("sns:Unsubscribe", &input).await.map(drop)
}
