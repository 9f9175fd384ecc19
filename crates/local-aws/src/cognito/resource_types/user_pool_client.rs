//! `AWS::Cognito::UserPoolClient`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::typed;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const SERVICE: &str = "cognito-idp";
const PROPERTIES: [&str; 22] = [
    "AccessTokenValidity",
    "AllowedOAuthFlows",
    "AllowedOAuthFlowsUserPoolClient",
    "AllowedOAuthScopes",
    "AnalyticsConfiguration",
    "AuthSessionValidity",
    "CallbackURLs",
    "ClientName",
    "DefaultRedirectURI",
    "EnablePropagateAdditionalUserContextData",
    "EnableTokenRevocation",
    "ExplicitAuthFlows",
    "GenerateSecret",
    "IdTokenValidity",
    "LogoutURLs",
    "PreventUserExistenceErrors",
    "ReadAttributes",
    "RefreshTokenValidity",
    "SupportedIdentityProviders",
    "TokenValidityUnits",
    "UserPoolId",
    "WriteAttributes",
];
const NUMBERS: [&str; 4] =
    ["AccessTokenValidity", "AuthSessionValidity", "IdTokenValidity", "RefreshTokenValidity"];
const BOOLEANS: [&str; 4] = [
    "AllowedOAuthFlowsUserPoolClient",
    "EnablePropagateAdditionalUserContextData",
    "EnableTokenRevocation",
    "GenerateSecret",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Cognito::UserPoolClient",
    service: "CognitoIdentityProvider",
    attributes: &["ClientId", "ClientSecret", "Name"],
    properties: &PROPERTIES,
    required: &["UserPoolId"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut properties = order.pick(&PROPERTIES);
    let name = order.name_or_generated("ClientName", 128);
    properties.insert("ClientName".to_owned(), json!(name));
    let request = typed(properties, &NUMBERS, &BOOLEANS);
    let created = order.client.json(SERVICE, "CreateUserPoolClient", &request).await?;
    let client = &created["UserPoolClient"];
    let Some(id) = client["ClientId"].as_str() else {
        return Err(invalid("Cognito did not say which client it has made."));
    };
    let attribute =
        |name: &str, value: &Value| (!value.is_null()).then(|| (name.to_owned(), value.clone()));
    let all = [
        attribute("ClientId", &client["ClientId"]),
        attribute("ClientSecret", &client["ClientSecret"]),
        attribute("Name", &client["ClientName"]),
    ];
    let attributes: BTreeMap<String, Value> = all.into_iter().flatten().collect();
    Ok(CreatedResource { physical_id: id.to_owned(), attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let pool = removal.properties.get("UserPoolId").cloned().unwrap_or_default();
    let request = json!({"UserPoolId": pool, "ClientId": removal.physical_id});
    gone_is_deleted(removal.client.json(SERVICE, "DeleteUserPoolClient", &request).await)
}
