//! `AWS::S3::Bucket`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::text;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

const FIRST_REGION: &str = "us-east-1";

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::BUCKET,
    service: "S3",
    attributes: &["Arn", "DomainName", "RegionalDomainName"],
    // What nearly every template says of encryption, ownership and public access is what every bucket is.
    properties: &[
        "BucketEncryption",
        "BucketName",
        "NotificationConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

/// The kinds of notifications: in a template, what names the destination there, and the same in the API.
const KINDS: [[&str; 4]; 3] = [
    ["LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"],
    ["QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"],
    ["TopicConfigurations", "Topic", "TopicConfigurations", "TopicArn"],
];

fn notifications(given: &Value) -> Value {
    let mut all = Map::new();
    for [kind, destination, own_kind, own_destination] in KINDS {
        let rules: Vec<Value> = given[kind]
            .as_array()
            .into_iter()
            .flatten()
            .map(|rule| {
                let mut own =
                    json!({own_destination: rule[destination], "Events": [rule["Event"]]});
                if let Some(filters) = rule["Filter"]["S3Key"]["Rules"].as_array() {
                    own["Filter"] = json!({"Key": {"FilterRules": filters}});
                }
                own
            })
            .collect();
        if !rules.is_empty() {
            all.insert(own_kind.to_owned(), json!(rules));
        }
    }
    let bridge = &given["EventBridgeConfiguration"];
    let is_off = text(&bridge["EventBridgeEnabled"]).as_deref() == Some("false");
    if bridge.is_object() && !is_off {
        all.insert("EventBridgeConfiguration".to_owned(), json!({}));
    }
    Value::Object(all)
}

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.text("BucketName").unwrap_or_else(|| order.generated_name(63).to_lowercase());
    let region = &order.client.account.region;
    let mut input = json!({"Bucket": name});
    if region != FIRST_REGION {
        input["CreateBucketConfiguration"] = json!({"LocationConstraint": region});
    }
    order.client.operation("s3:CreateBucket", &input).await?;
    let configured = configure(order, &name).await;
    if let Err(error) = configured {
        // What fails leaves nothing behind.
        let _ = order.client.operation("s3:DeleteBucket", &json!({"Bucket": name})).await;
        return Err(error);
    }
    let attributes = [
        ("Arn", format!("arn:aws:s3:::{name}")),
        ("DomainName", format!("{name}.s3.amazonaws.com")),
        ("RegionalDomainName", format!("{name}.s3.{region}.amazonaws.com")),
    ];
    let attributes = attributes.map(|(name, text)| (name.to_owned(), Value::String(text)));
    Ok(CreatedResource { physical_id: name, attributes: BTreeMap::from(attributes) })
}

async fn configure(order: &Order<'_>, name: &str) -> Result<(), AwsError> {
    let tags = order.tag_list();
    if tags.as_array().is_some_and(|tags| !tags.is_empty()) {
        let input = json!({"Bucket": name, "Tagging": {"TagSet": tags}});
        order.client.operation("s3:PutBucketTagging", &input).await?;
    }
    if let Some(given) = order.properties.get("NotificationConfiguration") {
        let input = json!({"Bucket": name, "NotificationConfiguration": notifications(given)});
        order.client.operation("s3:PutBucketNotificationConfiguration", &input).await?;
    }
    Ok(())
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"Bucket": removal.physical_id});
    match removal.client.operation("s3:DeleteBucket", &input).await {
        Err(error) if error.code != "NoSuchBucket" => Err(error),
        _ => Ok(()),
    }
}
