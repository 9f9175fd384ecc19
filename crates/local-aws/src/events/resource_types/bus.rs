//! `AWS::Events::EventBus`

use std::collections::BTreeMap;

use serde_json::json;

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::BUS,
    service: "Events",
    attributes: &["Arn", "Name"],
    properties: &["Description", "Name", "Tags"],
    required: &["Name"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.required("Name")?;
    let input =
        json!({"Name": name, "Description": order.text("Description"), "Tags": order.tag_list()});
    let made = order.client.operation("events:CreateEventBus", &input).await?;
    let attributes =
        [("Arn".to_owned(), made["EventBusArn"].clone()), ("Name".to_owned(), json!(name))];
    Ok(CreatedResource { physical_id: name, attributes: BTreeMap::from(attributes) })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"Name": removal.physical_id});
    removal.client.operation("events:DeleteEventBus", &input).await.map(drop)
}
