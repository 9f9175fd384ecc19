//! What belongs to an API of a stack: `AWS::ApiGatewayV2::Route`, `Integration`, `Stage`, `Authorizer`, `Deployment`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::tags;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, is_missing};
use crate::protocol::AwsError;

/// Declares a type: its operations, the member of its id, its properties, and those that it must have.
macro_rules! part {
    ($type:ident: $name:literal, $create:literal, $delete:literal, $id:literal, $properties:expr, $required:expr) => {
        pub(super) const $type: ResourceType = ResourceType {
            name: $name,
            service: "ApiGatewayV2",
            attributes: &[$id],
            properties: $properties,
            required: $required,
            is_iam: false,
            iam_name: None,
            create: |order| Box::pin(create(order, $create, $id)),
            delete: |removal| Box::pin(delete(removal, $delete, $id)),
        };
    };
}

part!(ROUTE: "AWS::ApiGatewayV2::Route", "apigatewayv2:CreateRoute", "apigatewayv2:DeleteRoute", "RouteId",
    &["ApiId", "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"],
    &["ApiId", "RouteKey"]);
part!(INTEGRATION: "AWS::ApiGatewayV2::Integration", "apigatewayv2:CreateIntegration", "apigatewayv2:DeleteIntegration", "IntegrationId",
    &["ApiId", "ConnectionType", "Description", "IntegrationMethod", "IntegrationType", "IntegrationUri", "PassthroughBehavior",
      "PayloadFormatVersion", "TimeoutInMillis"],
    &["ApiId", "IntegrationType"]);
part!(STAGE: "AWS::ApiGatewayV2::Stage", "apigatewayv2:CreateStage", "apigatewayv2:DeleteStage", "StageName",
    &["ApiId", "AutoDeploy", "DeploymentId", "Description", "StageName", "StageVariables", "Tags"],
    &["ApiId", "StageName"]);
part!(AUTHORIZER: "AWS::ApiGatewayV2::Authorizer", "apigatewayv2:CreateAuthorizer", "apigatewayv2:DeleteAuthorizer", "AuthorizerId",
    &["ApiId", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "AuthorizerType", "AuthorizerUri",
      "EnableSimpleResponses", "IdentitySource", "JwtConfiguration", "Name"],
    &["ApiId", "AuthorizerType", "Name"]);
part!(DEPLOYMENT: "AWS::ApiGatewayV2::Deployment", "apigatewayv2:CreateDeployment", "apigatewayv2:DeleteDeployment", "DeploymentId",
    &["ApiId", "Description", "StageName"],
    &["ApiId"]);

const NUMBERS: [&str; 2] = ["AuthorizerResultTtlInSeconds", "TimeoutInMillis"];
const BOOLEANS: [&str; 3] = ["ApiKeyRequired", "AutoDeploy", "EnableSimpleResponses"];

async fn create(order: &Order<'_>, operation: &str, id: &str) -> Result<CreatedResource, AwsError> {
    let mut properties = order.properties.clone();
    properties.remove("Tags");
    let mut input = typed(properties, &NUMBERS, &BOOLEANS);
    if id == "StageName" {
        input["Tags"] = Value::Object(tags(order));
    }
    let made = order.client.operation(operation, &input).await?;
    let physical_id = made[id].as_str().unwrap_or_default().to_owned();
    let attributes = BTreeMap::from([(id.to_owned(), json!(physical_id))]);
    Ok(CreatedResource { physical_id, attributes })
}

async fn delete(removal: &Removal<'_>, operation: &str, id: &str) -> Result<(), AwsError> {
    let api = removal.properties.get("ApiId").and_then(text).unwrap_or_default();
    let mut input = json!({ "ApiId": api });
    input[id] = json!(removal.physical_id);
    gone_is_deleted(removal.client.operation(operation, &input).await)
}

/// What is gone already has been deleted.
pub(super) fn gone_is_deleted(result: Result<Value, AwsError>) -> Result<(), AwsError> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.code == "NotFoundException" || is_missing(&error) => Ok(()),
        Err(error) => Err(error),
    }
}
