//! `AWS::Lambda::EventInvokeConfig`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const NUMBERS: [&str; 2] = ["MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
const PROPERTIES: &[&str] = &[
    "DestinationConfig",
    "FunctionName",
    "MaximumEventAgeInSeconds",
    "MaximumRetryAttempts",
    "Qualifier",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::EventInvokeConfig",
    service: "Lambda",
    attributes: &[],
    properties: PROPERTIES,
    required: &["FunctionName", "Qualifier"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let input = typed(order.pick(PROPERTIES), &NUMBERS, &[]);
    order.client.operation("lambda:PutFunctionEventInvokeConfig", &input).await?;
    let member = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let physical_id = format!("{}|{}", member("FunctionName"), member("Qualifier"));
    Ok(CreatedResource { physical_id, attributes: BTreeMap::new() })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let member = |name: &str| removal.properties.get(name).and_then(text);
    let input = json!({"FunctionName": member("FunctionName"), "Qualifier": member("Qualifier")});
    let outcome = removal.client.operation("lambda:DeleteFunctionEventInvokeConfig", &input).await;
    gone_is_deleted::<Value>(outcome)
}
