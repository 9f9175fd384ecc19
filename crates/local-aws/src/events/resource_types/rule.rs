//! `AWS::Events::Rule`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::account::client::Client;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{document, text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

/// What is a number in a target.
const NUMBERS: [&str; 2] = ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::RULE,
    service: "Events",
    attributes: &["Arn"],
    properties: &[
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "RoleArn",
        "ScheduleExpression",
        "State",
        "Tags",
        "Targets",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("Name", 64);
    let bus = order.text("EventBusName");
    let mut input = json!({"Name": name, "EventBusName": bus, "Tags": order.tag_list()});
    for property in ["Description", "RoleArn", "ScheduleExpression", "State"] {
        if let Some(value) = order.text(property) {
            input[property] = json!(value);
        }
    }
    if let Some(pattern) = order.properties.get("EventPattern") {
        input["EventPattern"] = json!(document(pattern));
    }
    let made = order.client.operation("events:PutRule", &input).await?;
    let targets = order.list("Targets").into_iter().map(|target| match target {
        Value::Object(members) => typed(members, &NUMBERS, &[]),
        other => other,
    });
    let targets: Vec<Value> = targets.collect();
    if !targets.is_empty() {
        let input = json!({"Rule": name, "EventBusName": bus, "Targets": targets});
        if let Err(error) = order.client.operation("events:PutTargets", &input).await {
            // What fails leaves nothing behind.
            let _ = remove(order.client, &name, bus.as_deref()).await;
            return Err(error);
        }
    }
    // On other buses than the default one, the physical id names both.
    let physical_id = bus.map_or_else(|| name.clone(), |bus| format!("{bus}|{name}"));
    let attributes = BTreeMap::from([("Arn".to_owned(), made["RuleArn"].clone())]);
    Ok(CreatedResource { physical_id, attributes })
}

async fn remove(client: &Client, name: &str, bus: Option<&str>) -> Result<(), AwsError> {
    let input = json!({"Rule": name, "EventBusName": bus});
    match client.operation("events:ListTargetsByRule", &input).await {
        Ok(listed) => {
            let targets = listed["Targets"].as_array().into_iter().flatten();
            let ids: Vec<&Value> = targets.map(|target| &target["Id"]).collect();
            if !ids.is_empty() {
                let input = json!({"Rule": name, "EventBusName": bus, "Ids": ids});
                client.operation("events:RemoveTargets", &input).await?;
            }
        }
        Err(error) if error.code == "ResourceNotFoundException" => return Ok(()),
        Err(error) => return Err(error),
    }
    let input = json!({"Name": name, "EventBusName": bus});
    client.operation("events:DeleteRule", &input).await.map(drop)
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let name = removal.physical_id.rsplit('|').next().unwrap_or_default();
    let bus = removal.properties.get("EventBusName").and_then(text);
    remove(removal.client, name, bus.as_deref()).await
}
