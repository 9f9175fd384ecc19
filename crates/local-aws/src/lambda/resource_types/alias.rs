//! `AWS::Lambda::Alias`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::text;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Alias",
    service: "Lambda",
    attributes: &["AliasArn"],
    properties: &["Description", "FunctionName", "FunctionVersion", "Name", "RoutingConfig"],
    required: &["FunctionName", "FunctionVersion", "Name"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut input = json!({
        "FunctionName": order.required("FunctionName")?,
        "FunctionVersion": order.required("FunctionVersion")?,
        "Name": order.required("Name")?,
        "Description": order.text("Description"),
    });
    // In a template, weights are a list.
    let routing =
        order.properties.get("RoutingConfig").and_then(|one| one.get("AdditionalVersionWeights"));
    let weights: Map<String, Value> = routing
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| {
            let weight: f64 = text(one.get("FunctionWeight")?)?.parse().ok()?;
            Some((text(one.get("FunctionVersion")?)?, json!(weight)))
        })
        .collect();
    if !weights.is_empty() {
        input["RoutingConfig"] = json!({"AdditionalVersionWeights": weights});
    }
    let made = order.client.operation("lambda:CreateAlias", &input).await?;
    let arn = made["AliasArn"].as_str().unwrap_or_default().to_owned();
    let attributes = BTreeMap::from([("AliasArn".to_owned(), json!(arn))]);
    Ok(CreatedResource { physical_id: arn, attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let member = |name: &str| removal.properties.get(name).and_then(text);
    let input = json!({"FunctionName": member("FunctionName"), "Name": member("Name")});
    gone_is_deleted::<Value>(removal.client.operation("lambda:DeleteAlias", &input).await)
}
