//! `AWS::Cognito::UserPool`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const SERVICE: &str = "cognito-idp";
/// What is called the same in `CreateUserPool`.
const PLAIN: [&str; 23] = [
    "AccountRecoverySetting",
    "AdminCreateUserConfig",
    "AliasAttributes",
    "AutoVerifiedAttributes",
    "DeletionProtection",
    "DeviceConfiguration",
    "EmailConfiguration",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "LambdaConfig",
    "MfaConfiguration",
    "Policies",
    "Schema",
    "SmsAuthenticationMessage",
    "SmsConfiguration",
    "SmsVerificationMessage",
    "UserAttributeUpdateSettings",
    "UserPoolAddOns",
    "UserPoolTier",
    "UsernameAttributes",
    "UsernameConfiguration",
    "VerificationMessageTemplate",
    "WebAuthnRelyingPartyID",
];
const NUMBERS: [&str; 5] = [
    "MinimumLength",
    "PasswordHistorySize",
    "Priority",
    "TemporaryPasswordValidityDays",
    "UnusedAccountValidityDays",
];
const BOOLEANS: [&str; 11] = [
    "AllowAdminCreateUserOnly",
    "CaseSensitive",
    "ChallengeRequiredOnNewDevice",
    "DeveloperOnlyAttribute",
    "DeviceOnlyRememberedOnUserPrompt",
    "Mutable",
    "RequireLowercase",
    "RequireNumbers",
    "RequireSymbols",
    "RequireUppercase",
    "Required",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Cognito::UserPool",
    service: "CognitoIdentityProvider",
    attributes: &["Arn", "ProviderName", "ProviderURL", "UserPoolId"],
    properties: &[
        "AccountRecoverySetting",
        "AdminCreateUserConfig",
        "AliasAttributes",
        "AutoVerifiedAttributes",
        "DeletionProtection",
        "DeviceConfiguration",
        "EmailConfiguration",
        "EmailVerificationMessage",
        "EmailVerificationSubject",
        "EnabledMfas",
        "LambdaConfig",
        "MfaConfiguration",
        "Policies",
        "Schema",
        "SmsAuthenticationMessage",
        "SmsConfiguration",
        "SmsVerificationMessage",
        "UserAttributeUpdateSettings",
        "UserPoolAddOns",
        "UserPoolName",
        "UserPoolTags",
        "UserPoolTier",
        "UsernameAttributes",
        "UsernameConfiguration",
        "VerificationMessageTemplate",
        "WebAuthnRelyingPartyID",
    ],
    required: &[],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let mut request = typed(order.pick(&PLAIN), &NUMBERS, &BOOLEANS);
    request["PoolName"] = json!(order.name_or_generated("UserPoolName", 128));
    let mut tags = order.tags.clone();
    let own = order.properties.get("UserPoolTags").and_then(Value::as_object);
    tags.extend(
        own.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), text(value)?))),
    );
    if !tags.is_empty() {
        request["UserPoolTags"] = json!(tags);
    }
    // Apps are no part of the first call; with them, the second call says when they are asked for.
    let mfa = Mfa::of(order, &request);
    if mfa.is_some() {
        request["MfaConfiguration"] = json!("OFF");
    }
    let created = order.client.json(SERVICE, "CreateUserPool", &request).await?;
    let member = |name: &str| created["UserPool"][name].as_str().unwrap_or_default();
    let (id, region) = (member("Id").to_owned(), &order.client.account.region);
    if id.is_empty() {
        return Err(invalid("Cognito did not say which user pool it has made."));
    }
    if let Some(mfa) = mfa {
        let set = order.client.json(SERVICE, "SetUserPoolMfaConfig", &mfa.request(&id)).await;
        if let Err(error) = set {
            let request = json!({"UserPoolId": id});
            gone_is_deleted(order.client.json(SERVICE, "DeleteUserPool", &request).await)?;
            return Err(error);
        }
    }
    let provider = format!("cognito-idp.{region}.amazonaws.com/{id}");
    let attributes = BTreeMap::from([
        ("Arn".to_owned(), json!(member("Arn"))),
        ("ProviderName".to_owned(), json!(provider)),
        ("ProviderURL".to_owned(), json!(format!("https://{provider}"))),
        ("UserPoolId".to_owned(), json!(id)),
    ]);
    Ok(CreatedResource { physical_id: id, attributes })
}

/// `EnabledMfas` with authenticator apps, and what the pool says of second factors beside it.
struct Mfa {
    mode: Value,
    sms: Option<Value>,
}

impl Mfa {
    fn of(order: &Order<'_>, request: &Value) -> Option<Self> {
        let enabled: Vec<&str> = order
            .properties
            .get("EnabledMfas")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !enabled.contains(&"SOFTWARE_TOKEN_MFA") {
            return None;
        }
        let sms = request.get("SmsConfiguration").filter(|_| enabled.contains(&"SMS_MFA"));
        Some(Self {
            mode: request.get("MfaConfiguration").cloned().unwrap_or_else(|| json!("OPTIONAL")),
            sms: sms.cloned(),
        })
    }

    fn request(self, id: &str) -> Value {
        if self.mode == "OFF" {
            return json!({"UserPoolId": id, "MfaConfiguration": "OFF"});
        }
        let mut request = json!({
            "UserPoolId": id,
            "MfaConfiguration": self.mode,
            "SoftwareTokenMfaConfiguration": {"Enabled": true},
        });
        if let Some(sms) = self.sms {
            request["SmsMfaConfiguration"] = json!({"SmsConfiguration": sms});
        }
        request
    }
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let request = json!({"UserPoolId": removal.physical_id});
    gone_is_deleted(removal.client.json(SERVICE, "DeleteUserPool", &request).await)
}
