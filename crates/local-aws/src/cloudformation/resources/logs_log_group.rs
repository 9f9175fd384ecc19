//! `AWS::Logs::LogGroup`

use std::collections::BTreeMap;

use serde_json::json;

use super::properties::typed;
use super::{Kind, Order, Removal, gone_is_deleted};
use crate::cloudformation::intrinsics::Made;
use crate::protocol::AwsError;

const SERVICE: &str = "logs";

pub(super) const KIND: Kind = Kind {
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

async fn create(order: &Order<'_>) -> Result<Made, AwsError> {
    let name = order.name_or_generated("LogGroupName", 512);
    let mut request = json!({"logGroupName": name});
    if let Some(class) = order.text("LogGroupClass") {
        request["logGroupClass"] = json!(class);
    }
    let tags = order.all_tags();
    if !tags.is_empty() {
        request["tags"] = json!(tags);
    }
    order.peers.json(SERVICE, "CreateLogGroup", &request).await?;
    let retention = typed(order.pick(&["RetentionInDays"]), &["RetentionInDays"], &[]);
    if let Some(days) = retention.get("RetentionInDays") {
        let request = json!({"logGroupName": name, "retentionInDays": days});
        if let Err(error) = order.peers.json(SERVICE, "PutRetentionPolicy", &request).await {
            remove(order.peers, &name).await?;
            return Err(error);
        }
    }
    let world = &order.peers.world;
    let arn = format!("arn:aws:logs:{}:{}:log-group:{name}:*", world.region, world.account_id);
    Ok(Made { physical_id: name, attributes: BTreeMap::from([("Arn".to_owned(), json!(arn))]) })
}

async fn remove(peers: &crate::cloudformation::peers::Peers, name: &str) -> Result<(), AwsError> {
    let request = json!({"logGroupName": name});
    gone_is_deleted(peers.json(SERVICE, "DeleteLogGroup", &request).await)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    remove(removal.peers, removal.physical_id).await
}
