//! `AWS::ApiGatewayV2::Api`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

use super::parts::gone_is_deleted;

const PLAIN: [&str; 12] = [
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "CredentialsArn",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "Name",
    "ProtocolType",
    "RouteKey",
    "RouteSelectionExpression",
    "Target",
    "Version",
];

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Api",
    service: "ApiGatewayV2",
    attributes: &["ApiEndpoint", "ApiId"],
    properties: &[
        "ApiKeySelectionExpression",
        "CorsConfiguration",
        "CredentialsArn",
        "Description",
        "DisableExecuteApiEndpoint",
        "DisableSchemaValidation",
        "Name",
        "ProtocolType",
        "RouteKey",
        "RouteSelectionExpression",
        "Tags",
        "Target",
        "Version",
    ],
    required: &["Name", "ProtocolType"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let booleans = ["AllowCredentials", "DisableExecuteApiEndpoint", "DisableSchemaValidation"];
    let mut input = typed(order.pick(&PLAIN), &["MaxAge"], &booleans);
    input["Tags"] = Value::Object(tags(order));
    let api = order.client.operation("apigatewayv2:CreateApi", &input).await?;
    let id = api["ApiId"].as_str().unwrap_or_default().to_owned();
    let attributes = BTreeMap::from([
        ("ApiId".to_owned(), json!(id)),
        ("ApiEndpoint".to_owned(), api["ApiEndpoint"].clone()),
    ]);
    Ok(CreatedResource { physical_id: id, attributes })
}

/// The stack's tags, and over them the resource's own, which are a map here.
pub(super) fn tags(order: &Order<'_>) -> Map<String, Value> {
    let mut tags: Map<String, Value> =
        order.tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    if let Some(Value::Object(own)) = order.properties.get("Tags") {
        tags.extend(own.iter().filter_map(|(key, value)| Some((key.clone(), json!(text(value)?)))));
    }
    tags
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"ApiId": removal.physical_id});
    gone_is_deleted(removal.client.operation("apigatewayv2:DeleteApi", &input).await)
}
