//! `AWS::Kinesis::Stream`

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::typed;
use crate::cloudformation::resource_type::{
    Order, Removal, ResourceType, gone_is_deleted, is_missing,
};
use crate::protocol::AwsError;

const ATTEMPTS: usize = 120;
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::STREAM,
    service: "Kinesis",
    attributes: &["Arn"],
    properties: &["Name", "RetentionPeriodHours", "ShardCount", "StreamModeDetails", "Tags"],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("Name", 128);
    let mut input = typed(order.pick(&["ShardCount", "StreamModeDetails"]), &["ShardCount"], &[]);
    input["StreamName"] = json!(name);
    let tags = order.all_tags();
    if !tags.is_empty() {
        input["Tags"] = json!(tags);
    }
    order.client.operation("kinesis:CreateStream", &input).await?;
    let one = json!({"StreamName": name});
    let mut poller = order.client.account.poller(ATTEMPTS, PAUSE);
    while poller.again().await {
        let shown = order.client.operation("kinesis:DescribeStreamSummary", &one).await?;
        let shown = &shown["StreamDescriptionSummary"];
        if shown["StreamStatus"] != "ACTIVE" {
            continue;
        }
        if let Some(hours) =
            order.text("RetentionPeriodHours").and_then(|text| text.parse::<u64>().ok())
        {
            let input = json!({"StreamName": name, "RetentionPeriodHours": hours});
            order.client.operation("kinesis:IncreaseStreamRetentionPeriod", &input).await?;
        }
        let attributes = BTreeMap::from([("Arn".to_owned(), shown["StreamARN"].clone())]);
        return Ok(CreatedResource { physical_id: name, attributes });
    }
    Err(invalid(format!("The stream {name} did not become active.")))
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"StreamName": removal.physical_id});
    gone_is_deleted::<Value>(removal.client.operation("kinesis:DeleteStream", &input).await)?;
    let mut poller = removal.client.account.poller(ATTEMPTS, PAUSE);
    while poller.again().await {
        match removal.client.operation("kinesis:DescribeStreamSummary", &input).await {
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(invalid(format!("The stream {} was not deleted in time.", removal.physical_id)))
}
