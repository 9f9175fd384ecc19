//! `AWS::Logs::LogGroup`

use std::collections::BTreeMap;

use serde_json::json;

use crate::account::client::Client;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::typed;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const SERVICE: &str = "logs";

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Logs::LogGroup",
    service: "CloudWatchLogs",
    attributes: &["Arn"],
    properties: &["LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("LogGroupName", 512);
    let mut request = json!({"logGroupName": name});
    if let Some(class) = order.text("LogGroupClass") {
        request["logGroupClass"] = json!(class);
    }
    let tags = order.all_tags();
    if !tags.is_empty() {
        request["tags"] = json!(tags);
    }
    order.client.json(SERVICE, "CreateLogGroup", &request).await?;
    let retention = typed(order.pick(&["RetentionInDays"]), &["RetentionInDays"], &[]);
    if let Some(days) = retention.get("RetentionInDays") {
        let request = json!({"logGroupName": name, "retentionInDays": days});
        if let Err(error) = order.client.json(SERVICE, "PutRetentionPolicy", &request).await {
            remove(order.client, &name).await?;
            return Err(error);
        }
    }
    let account = &order.client.account;
    let arn = format!("arn:aws:logs:{}:{}:log-group:{name}:*", account.region, account.id);
    Ok(CreatedResource {
        physical_id: name,
        attributes: BTreeMap::from([("Arn".to_owned(), json!(arn))]),
    })
}

async fn remove(client: &Client, name: &str) -> Result<(), AwsError> {
    let request = json!({"logGroupName": name});
    gone_is_deleted(client.json(SERVICE, "DeleteLogGroup", &request).await)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    remove(removal.client, removal.physical_id).await
}
