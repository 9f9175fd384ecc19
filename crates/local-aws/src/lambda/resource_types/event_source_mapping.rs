//! `AWS::Lambda::EventSourceMapping`

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{document, typed};
use crate::cloudformation::resource_type::{
    Order, Removal, ResourceType, gone_is_deleted, is_missing,
};
use crate::protocol::AwsError;

const ATTEMPTS: usize = 120;
const PAUSE: Duration = Duration::from_secs(2);
const NUMBERS: [&str; 8] = [
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumConcurrency",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];
const BOOLEANS: [&str; 2] = ["BisectBatchOnFunctionError", "Enabled"];
const PROPERTIES: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionName",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Tags",
    "TumblingWindowInSeconds",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::sources::MAPPING,
    service: "Lambda",
    attributes: &["EventSourceMappingArn", "Id"],
    properties: PROPERTIES,
    required: &["FunctionName"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut members = order.pick(PROPERTIES);
    // A template may write a pattern as an object.
    let filters = members.get_mut("FilterCriteria").and_then(|filters| filters.get_mut("Filters"));
    for filter in filters.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(pattern) = filter.get_mut("Pattern").filter(|pattern| pattern.is_object()) {
            *pattern = json!(document(pattern));
        }
    }
    let mut input = typed(members, &NUMBERS, &BOOLEANS);
    input["Tags"] = json!(order.all_tags());
    let made = order.client.operation("lambda:CreateEventSourceMapping", &input).await?;
    let id = made["UUID"].as_str().unwrap_or_default().to_owned();
    let mut poller = order.client.account.poller(ATTEMPTS, PAUSE);
    while poller.again().await {
        let shown =
            order.client.operation("lambda:GetEventSourceMapping", &json!({"UUID": id})).await?;
        if shown["State"] == "Enabled" || shown["State"] == "Disabled" {
            let arn = shown["EventSourceMappingArn"].clone();
            let attributes =
                [("EventSourceMappingArn".to_owned(), arn), ("Id".to_owned(), json!(id))];
            return Ok(CreatedResource { physical_id: id, attributes: BTreeMap::from(attributes) });
        }
    }
    Err(invalid(format!("The event source mapping {id} did not become enabled.")))
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"UUID": removal.physical_id});
    gone_is_deleted(removal.client.operation("lambda:DeleteEventSourceMapping", &input).await)?;
    let mut poller = removal.client.account.poller(ATTEMPTS, PAUSE);
    while poller.again().await {
        match removal.client.operation("lambda:GetEventSourceMapping", &input).await {
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(invalid(format!(
        "The event source mapping {} was not deleted in time.",
        removal.physical_id
    )))
}
