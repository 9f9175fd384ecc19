//! `AWS::SecretsManager::Secret`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const NUMBERS: [&str; 1] = ["PasswordLength"];
const BOOLEANS: [&str; 6] = [
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "RequireEachIncludedType",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: super::super::SECRET,
    service: "SecretsManager",
    attributes: &["Id"],
    properties: &[
        "Description",
        "GenerateSecretString",
        "KmsKeyId",
        "Name",
        "SecretString",
        "Tags",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("Name", 256);
    let mut input = json!({"Name": name, "Tags": order.tag_list()});
    for property in ["Description", "KmsKeyId", "SecretString"] {
        if let Some(value) = order.text(property) {
            input[property] = json!(value);
        }
    }
    if let Some(generate) = order.properties.get("GenerateSecretString") {
        input["SecretString"] = json!(generated(order, generate).await?);
    }
    let made = order.client.operation("secretsmanager:CreateSecret", &input).await?;
    let arn = made["ARN"].as_str().unwrap_or_default().to_owned();
    let attributes = BTreeMap::from([("Id".to_owned(), json!(arn))]);
    Ok(CreatedResource { physical_id: arn, attributes })
}

async fn generated(order: &Order<'_>, generate: &Value) -> Result<String, AwsError> {
    let mut members = generate.as_object().cloned().unwrap_or_default();
    let template = members.remove("SecretStringTemplate").and_then(|template| text(&template));
    let key = members.remove("GenerateStringKey").and_then(|key| text(&key));
    let input = typed(members, &NUMBERS, &BOOLEANS);
    let made = order.client.operation("secretsmanager:GetRandomPassword", &input).await?;
    let password = made["RandomPassword"].as_str().unwrap_or_default().to_owned();
    let (Some(template), Some(key)) = (template, key) else { return Ok(password) };
    let mut whole: Value = serde_json::from_str(&template)
        .map_err(|_| invalid("SecretStringTemplate must be valid JSON."))?;
    if !whole.is_object() {
        return Err(invalid("SecretStringTemplate must be a JSON object."));
    }
    whole[key] = json!(password);
    Ok(whole.to_string())
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"SecretId": removal.physical_id, "ForceDeleteWithoutRecovery": true});
    gone_is_deleted::<Value>(removal.client.operation("secretsmanager:DeleteSecret", &input).await)
}
