//! REST APIs of a stack: `AWS::ApiGateway::RestApi`, `Resource`, `Method`, `Deployment`, `Stage`, `Authorizer`,
//! `RequestValidator`, `Model`, `Account`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::parts::gone_is_deleted;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

const NUMBERS: [&str; 2] = ["authorizerResultTtlInSeconds", "timeoutInMillis"];
const BOOLEANS: [&str; 4] = [
    "apiKeyRequired",
    "disableExecuteApiEndpoint",
    "validateRequestBody",
    "validateRequestParameters",
];

/// Declares a type: the call that makes it, the member of inputs and that of outputs that it is known by, what
/// `Fn::GetAtt` calls that, its properties, and those that it must have.
macro_rules! part {
    ($type:ident: $name:literal, $call:literal, $key:literal, $id:literal, $attributes:expr, $properties:expr, $required:expr) => {
        pub(super) const $type: ResourceType = ResourceType {
            name: concat!("AWS::ApiGateway::", $name),
            service: "ApiGateway",
            attributes: $attributes,
            properties: $properties,
            required: $required,
            is_iam: false,
            iam_name: None,
            create: |order| Box::pin(create(order, $call, $id, $attributes)),
            delete: |removal| Box::pin(delete(removal, $call, $key)),
        };
    };
}

part!(REST_API: "RestApi", "RestApi", "restApiId", "id", &["RestApiId", "RootResourceId"],
    &["ApiKeySourceType", "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration", "Name", "Tags"],
    &["Name"]);
part!(RESOURCE: "Resource", "Resource", "resourceId", "id", &["ResourceId"],
    &["ParentId", "PathPart", "RestApiId"],
    &["ParentId", "PathPart", "RestApiId"]);
part!(STAGE: "Stage", "Stage", "stageName", "stageName", &[],
    &["DeploymentId", "Description", "RestApiId", "StageName", "Tags", "Variables"],
    &["DeploymentId", "RestApiId", "StageName"]);
part!(AUTHORIZER: "Authorizer", "Authorizer", "authorizerId", "id", &["AuthorizerId"],
    &["AuthType", "AuthorizerResultTtlInSeconds", "AuthorizerUri", "IdentitySource", "IdentityValidationExpression", "Name",
      "ProviderARNs", "RestApiId", "Type"],
    &["Name", "RestApiId", "Type"]);
part!(VALIDATOR: "RequestValidator", "RequestValidator", "requestValidatorId", "id", &["RequestValidatorId"],
    &["Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"],
    &["RestApiId"]);

/// What an operation calls a property: `RestApiId` is `restApiId`.
fn member(property: &str) -> String {
    match property {
        "ProviderARNs" => "providerARNs".to_owned(),
        "ApiKeySourceType" => "apiKeySource".to_owned(),
        other => other
            .chars()
            .take(1)
            .map(|c| c.to_ascii_lowercase())
            .chain(other.chars().skip(1))
            .collect(),
    }
}

/// The properties as an operation has them; maps and lists stay as they are, but for the members of `deep`.
fn input(properties: &Map<String, Value>, deep: &[&str]) -> Map<String, Value> {
    let named = properties.iter().filter(|(name, _)| *name != "Tags");
    let members = named.map(|(name, value)| {
        let value = match value {
            Value::Object(inner) if deep.contains(&name.as_str()) => {
                Value::Object(input(inner, deep))
            }
            other => other.clone(),
        };
        (member(name), value)
    });
    members.collect()
}

async fn create(
    order: &Order<'_>,
    call: &str,
    id: &str,
    attributes: &[&str],
) -> Result<CreatedResource, AwsError> {
    let input = input(order.properties, &["EndpointConfiguration"]);
    let mut input = typed(input, &NUMBERS, &BOOLEANS);
    if ["RestApi", "Stage"].contains(&call) {
        input["tags"] = json!(order.all_tags());
    }
    let made = order.client.operation(&format!("apigateway:Create{call}"), &input).await?;
    let physical_id = made[id].as_str().unwrap_or_default().to_owned();
    let values = attributes.iter().map(|attribute| {
        let value =
            if *attribute == "RootResourceId" { &made["rootResourceId"] } else { &made[id] };
        ((*attribute).to_owned(), value.clone())
    });
    Ok(CreatedResource { attributes: values.collect(), physical_id })
}

/// What says which API a resource of a stack is of.
fn of_api(removal: &Removal<'_>) -> Value {
    let api = removal.properties.get("RestApiId").and_then(text).unwrap_or_default();
    json!({ "restApiId": api })
}

async fn delete(removal: &Removal<'_>, call: &str, key: &str) -> Result<(), AwsError> {
    let mut input = of_api(removal);
    input[key] = json!(removal.physical_id);
    let name = format!("apigateway:Delete{call}");
    gone_is_deleted(removal.client.operation(&name, &input).await)
}

pub(super) const MODEL: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Model",
    service: "ApiGateway",
    attributes: &[],
    properties: &["ContentType", "Description", "Name", "RestApiId", "Schema"],
    required: &["RestApiId"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create_model(order)),
    delete: |removal| Box::pin(delete(removal, "Model", "modelName")),
};

async fn create_model(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut input = input(order.properties, &[]);
    let generated = || order.generated_name(60).replace('-', "");
    let name = order.text("Name").unwrap_or_else(generated);
    input.insert("name".to_owned(), json!(name));
    input.entry("contentType").or_insert_with(|| json!("application/json"));
    // A template has it as it is, or as a text.
    if let Some(schema) = order.properties.get("Schema") {
        let schema = text(schema).unwrap_or_else(|| schema.to_string());
        input.insert("schema".to_owned(), json!(schema));
    }
    order.client.operation("apigateway:CreateModel", &Value::Object(input)).await?;
    Ok(CreatedResource { physical_id: name, attributes: BTreeMap::new() })
}

pub(super) const METHOD: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Method",
    service: "ApiGateway",
    attributes: &[],
    properties: &[
        "ApiKeyRequired",
        "AuthorizationScopes",
        "AuthorizationType",
        "AuthorizerId",
        "HttpMethod",
        "Integration",
        "MethodResponses",
        "OperationName",
        "RequestModels",
        "RequestParameters",
        "RequestValidatorId",
        "ResourceId",
        "RestApiId",
    ],
    required: &["HttpMethod", "ResourceId", "RestApiId"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create_method(order)),
    delete: |removal| Box::pin(delete_method(removal)),
};

/// A method, what it declares, and what answers it: of these all are made or none.
async fn create_method(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let of = ["RestApiId", "ResourceId", "HttpMethod"];
    let id = input(&order.pick(&of), &[]);
    let member = |name: &str| id.get(name).and_then(text).unwrap_or_default();
    let physical_id =
        format!("{}|{}|{}", member("restApiId"), member("resourceId"), member("httpMethod"));
    let mut properties = order.properties.clone();
    for part in ["Integration", "MethodResponses"] {
        properties.remove(part);
    }
    properties.entry("AuthorizationType").or_insert_with(|| json!("NONE"));
    let mut method = typed(input(&properties, &[]), &NUMBERS, &BOOLEANS);
    booleans(&mut method, "requestParameters");
    order.client.operation("apigateway:PutMethod", &method).await?;
    if let Err(error) = complete_method(order, &id).await {
        order.client.operation("apigateway:DeleteMethod", &Value::Object(id)).await?;
        return Err(error);
    }
    Ok(CreatedResource { physical_id, attributes: BTreeMap::new() })
}

/// The values of a map as booleans, which a template may have as texts.
fn booleans(input: &mut Value, name: &str) {
    let Some(Value::Object(map)) = input.get_mut(name) else { return };
    for value in map.values_mut() {
        if let Some(flag) = text(value).and_then(|text| text.parse::<bool>().ok()) {
            *value = json!(flag);
        }
    }
}

async fn complete_method(order: &Order<'_>, id: &Map<String, Value>) -> Result<(), AwsError> {
    let call = async |name: &str, members: Map<String, Value>| {
        let members = members.into_iter().chain(id.clone()).collect();
        let mut members = typed(members, &NUMBERS, &BOOLEANS);
        if name == "PutMethodResponse" {
            booleans(&mut members, "responseParameters");
        }
        order.client.operation(&format!("apigateway:{name}"), &members).await
    };
    for response in order.list("MethodResponses") {
        let response = input(response.as_object().unwrap_or(&Map::new()), &[]);
        call("PutMethodResponse", response).await?;
    }
    let Some(Value::Object(integration)) = order.properties.get("Integration") else {
        return Ok(());
    };
    let mut integration = input(integration, &[]);
    let responses = integration.remove("integrationResponses");
    call("PutIntegration", integration).await?;
    for response in responses.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let response = input(response.as_object().unwrap_or(&Map::new()), &[]);
        call("PutIntegrationResponse", response).await?;
    }
    Ok(())
}

async fn delete_method(removal: &Removal<'_>) -> Result<(), AwsError> {
    let mut input = of_api(removal);
    for (property, member) in [("ResourceId", "resourceId"), ("HttpMethod", "httpMethod")] {
        input[member] = json!(removal.properties.get(property).and_then(text));
    }
    gone_is_deleted(removal.client.operation("apigateway:DeleteMethod", &input).await)
}

pub(super) const DEPLOYMENT: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Deployment",
    service: "ApiGateway",
    attributes: &["DeploymentId"],
    properties: &["Description", "RestApiId", "StageName"],
    required: &["RestApiId"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order, "Deployment", "id", &["DeploymentId"])),
    delete: |removal| Box::pin(delete_deployment(removal)),
};

/// The stage that it has made goes with it.
async fn delete_deployment(removal: &Removal<'_>) -> Result<(), AwsError> {
    if let Some(stage) = removal.properties.get("StageName").and_then(text) {
        let mut input = of_api(removal);
        input["stageName"] = json!(stage);
        gone_is_deleted(removal.client.operation("apigateway:DeleteStage", &input).await)?;
    }
    delete(removal, "Deployment", "deploymentId").await
}

pub(super) const ACCOUNT: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Account",
    service: "ApiGateway",
    attributes: &["Id"],
    properties: &["CloudWatchRoleArn"],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create_account(order)),
    // It is a setting of the account, which outlives the stack on AWS, too.
    delete: |_| Box::pin(std::future::ready(Ok(()))),
};

async fn create_account(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    if let Some(role) = order.text("CloudWatchRoleArn") {
        let change = json!([{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]);
        let input = json!({ "patchOperations": change });
        order.client.operation("apigateway:UpdateAccount", &input).await?;
    }
    let physical_id = order.generated_name(60);
    let attributes = BTreeMap::from([("Id".to_owned(), json!(physical_id))]);
    Ok(CreatedResource { physical_id, attributes })
}
