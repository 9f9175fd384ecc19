//! The functions that a pool calls, and what it makes of their answers.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Cognito;
use super::pools::Pool;
use crate::account::client::{Answer, Call, Caller, ServiceCaller};
use crate::protocol::AwsError;

const PRINCIPAL: &str = "cognito-idp.amazonaws.com";
/// Both are fixed: the developer guide, "Important considerations" of Lambda triggers.
const TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
/// What an event says where an administrator acts, and no client.
pub(super) const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";

/// On which occasion a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    PreSignUp,
    PostConfirmation,
    PreAuthentication,
    PostAuthentication,
    UserMigration,
    PreTokenGeneration,
    CustomMessage,
    DefineAuthChallenge,
    CreateAuthChallenge,
    VerifyAuthChallengeResponse,
}

impl Trigger {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp",
            Self::PostConfirmation => "PostConfirmation",
            Self::PreAuthentication => "PreAuthentication",
            Self::PostAuthentication => "PostAuthentication",
            Self::UserMigration => "UserMigration",
            Self::PreTokenGeneration => "PreTokenGeneration",
            Self::CustomMessage => "CustomMessage",
            Self::DefineAuthChallenge => "DefineAuthChallenge",
            Self::CreateAuthChallenge => "CreateAuthChallenge",
            Self::VerifyAuthChallengeResponse => "VerifyAuthChallengeResponse",
        }
    }
}

/// A call that is to be made.
#[derive(Debug, Clone)]
pub(super) struct Firing {
    trigger: Trigger,
    function: String,
    pool_arn: String,
    pub(super) event: Value,
}

/// What an event is about.
#[derive(Debug, Clone)]
pub(super) struct Occasion<'a> {
    /// Such as `PreSignUp_SignUp`.
    pub(super) source: &'a str,
    pub(super) username: &'a str,
    pub(super) client_id: &'a str,
    pub(super) request: Value,
    /// The members that the function may fill in.
    pub(super) response: Value,
}

impl Pool {
    /// The call of a trigger, where the pool has it.
    pub(super) fn firing(&self, trigger: Trigger, occasion: &Occasion<'_>) -> Option<Firing> {
        let config = &self.settings.lambda_config;
        let mut version = "1";
        let function = match trigger {
            Trigger::PreSignUp => config.pre_sign_up.as_ref(),
            Trigger::PostConfirmation => config.post_confirmation.as_ref(),
            Trigger::PreAuthentication => config.pre_authentication.as_ref(),
            Trigger::PostAuthentication => config.post_authentication.as_ref(),
            Trigger::UserMigration => config.user_migration.as_ref(),
            Trigger::CustomMessage => config.custom_message.as_ref(),
            Trigger::DefineAuthChallenge => config.define_auth_challenge.as_ref(),
            Trigger::CreateAuthChallenge => config.create_auth_challenge.as_ref(),
            Trigger::VerifyAuthChallengeResponse => config.verify_auth_challenge_response.as_ref(),
            Trigger::PreTokenGeneration => {
                let config = config.pre_token_generation_config.as_ref();
                version = match config.map(|config| config.lambda_version.as_str()) {
                    Some("V2_0") => "2",
                    Some("V3_0") => "3",
                    _ => "1",
                };
                config.map(|config| &config.lambda_arn)
            }
        }?;
        let region = self.id.split_once('_').map_or("", |(region, _)| region);
        let event = json!({
            "version": version,
            "region": region,
            "userPoolId": self.id,
            "userName": occasion.username,
            "callerContext": {
                "awsSdkVersion": "aws-sdk-unknown-unknown",
                "clientId": occasion.client_id,
            },
            "triggerSource": occasion.source,
            "request": occasion.request,
            "response": occasion.response,
        });
        Some(Firing { trigger, function: function.clone(), pool_arn: self.arn.clone(), event })
    }
}

impl Cognito {
    /// Makes a call, if there is one to make: the `response` of the event that comes back.
    pub(super) async fn fire(
        &self,
        firing: Option<Firing>,
    ) -> Result<Option<Map<String, Value>>, AwsError> {
        let Some(firing) = firing else {
            return Ok(None);
        };
        let answer = self.invoke(&firing).await?;
        if answer.header("x-amz-function-error").is_some() {
            return Err(AwsError::bad_request(
                "UserLambdaValidationException",
                format!(
                    "{} failed with error {}.",
                    firing.trigger.name(),
                    error_message(answer.body())
                ),
            ));
        }
        match serde_json::from_slice(answer.body()) {
            Ok(Value::Object(mut event)) => match event.remove("response") {
                Some(Value::Object(response)) => Ok(Some(response)),
                _ => Err(unrecognizable()),
            },
            _ => Err(unrecognizable()),
        }
    }

    /// A function that does not answer in time is called again; one that fails is not.
    async fn invoke(&self, firing: &Firing) -> Result<Answer, AwsError> {
        let name = firing.trigger.name();
        let unexpected = |cause: &str| {
            AwsError::bad_request(
                "UnexpectedLambdaException",
                format!("{name} invocation failed due to error {cause}."),
            )
        };
        for _ in 0..ATTEMPTS {
            // Nobody stops a function whose caller waits no longer: it runs to its end.
            let (cognito, firing) = (self.clone(), firing.clone());
            let call = self.account.spawn(async move { cognito.call_function(&firing).await });
            match tokio::time::timeout(TIMEOUT, call).await {
                Ok(Ok(Ok(answer))) => return Ok(answer),
                // Of a function that is gone, Cognito says the same as of one that it may not call.
                Ok(Ok(Err(error))) if error.code == "ResourceNotFoundException" => {
                    return Err(unexpected("AccessDeniedException"));
                }
                Ok(Ok(Err(error))) => return Err(unexpected(&error.code)),
                Ok(Err(_)) => return Err(unexpected("ServiceException")),
                Err(_) => {}
            }
        }
        Err(unexpected("Socket timeout while invoking Lambda function"))
    }

    async fn call_function(&self, firing: &Firing) -> Result<Answer, AwsError> {
        let client = self.account.client(Caller::Service(ServiceCaller {
            principal: PRINCIPAL.to_owned(),
            source_arn: firing.pool_arn.clone(),
            source_account: self.account.id.clone(),
        }));
        let path = ["2015-03-31", "functions", &firing.function, "invocations"];
        let event = Bytes::from(firing.event.to_string());
        client.call("lambda", Call::rest(Method::POST, &path, None).with_body(event)).await
    }
}

/// The answer, or one member of it, of the shape that it must have.
pub(super) fn shaped<T: DeserializeOwned>(response: &Map<String, Value>) -> Result<T, AwsError> {
    serde_json::from_value(Value::Object(response.clone())).map_err(|_| unrecognizable())
}

pub(super) fn unrecognizable() -> AwsError {
    AwsError::bad_request("InvalidLambdaResponseException", "Unrecognizable lambda output")
}

fn error_message(payload: &[u8]) -> String {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    match &error["errorMessage"] {
        Value::String(message) if !message.is_empty() => message.clone(),
        _ => error["errorType"].as_str().unwrap_or("null").to_owned(),
    }
}
