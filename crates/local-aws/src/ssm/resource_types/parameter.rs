//! `AWS::SSM::Parameter`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::error::{invalid, unsupported};
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::text;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

const SERVICE: &str = "ssm";
/// What is called the same in `PutParameter`.
const PLAIN: [&str; 6] = ["AllowedPattern", "DataType", "Description", "Tier", "Type", "Value"];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::PARAMETER,
    service: "Ssm",
    attributes: &["Type", "Value"],
    properties: &[
        "AllowedPattern",
        "DataType",
        "Description",
        "Name",
        "Tags",
        "Tier",
        "Type",
        "Value",
    ],
    required: &["Type", "Value"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("Name", 255);
    if order.text("Type").as_deref() == Some("SecureString") {
        return Err(unsupported("the type SecureString: templates must not hold secrets"));
    }
    let mut input = json!({"Name": name});
    for property in PLAIN {
        if let Some(text) = order.text(property) {
            input[property] = json!(text);
        }
    }
    // Of parameters alone, the type takes tags as a map.
    let mut tags = order.tags.clone();
    let own = order.properties.get("Tags");
    let own =
        own.map(|tags| tags.as_object().ok_or_else(|| invalid("Property Tags must be a map.")));
    for (key, value) in own.transpose()?.into_iter().flatten() {
        tags.extend(text(value).map(|value| (key.clone(), value)));
    }
    let tags = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    input["Tags"] = tags.collect::<Value>();
    order.client.json(SERVICE, "PutParameter", &input).await?;
    let attributes = ["Type", "Value"].map(|name| (name.to_owned(), input[name].clone()));
    Ok(CreatedResource { physical_id: name, attributes: BTreeMap::from(attributes) })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let request = json!({"Name": removal.physical_id});
    match removal.client.json(SERVICE, "DeleteParameter", &request).await {
        Err(error) if error.code != "ParameterNotFound" => Err(error),
        _ => Ok(()),
    }
}
