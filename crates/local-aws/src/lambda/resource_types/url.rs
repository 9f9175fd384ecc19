//! `AWS::Lambda::Url`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Url",
    service: "Lambda",
    attributes: &["FunctionArn", "FunctionUrl"],
    properties: &["AuthType", "Cors", "InvokeMode", "Qualifier", "TargetFunctionArn"],
    required: &["AuthType", "TargetFunctionArn"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let picked = order.pick(&["AuthType", "Cors", "InvokeMode", "Qualifier"]);
    let mut input = typed(picked, &["MaxAge"], &["AllowCredentials"]);
    input["FunctionName"] = json!(order.required("TargetFunctionArn")?);
    let made = order.client.operation("lambda:CreateFunctionUrlConfig", &input).await?;
    let attributes =
        ["FunctionArn", "FunctionUrl"].map(|name| (name.to_owned(), made[name].clone()));
    let physical_id = made["FunctionArn"].as_str().unwrap_or_default().to_owned();
    Ok(CreatedResource { physical_id, attributes: BTreeMap::from(attributes) })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let mut input =
        json!({"FunctionName": removal.properties.get("TargetFunctionArn").and_then(text)});
    if let Some(alias) = removal.properties.get("Qualifier").and_then(text) {
        input["Qualifier"] = json!(alias);
    }
    let outcome = removal.client.operation("lambda:DeleteFunctionUrlConfig", &input).await;
    gone_is_deleted::<Value>(outcome)
}
