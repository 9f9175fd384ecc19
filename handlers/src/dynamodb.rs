//! A client of DynamoDB, from what Lambda puts into a function's environment.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};

use crate::aws::{NotSet, Settings};

/// Cognito waits five seconds for a trigger; this leaves time for an answer.
const CALL: Duration = Duration::from_secs(4);
const ATTEMPT: Duration = Duration::from_millis(1500);

/// A client for the region, with the credentials and at the endpoint that the environment names.
pub fn client(variable: impl Fn(&'static str) -> Option<String>) -> Result<Client, NotSet> {
    let settings = Settings::from_variables(variable, "AWS_ENDPOINT_URL_DYNAMODB")?;
    let patience =
        TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(settings.credentials.clone())
        .http_client(settings.http_client())
        .retry_config(RetryConfig::standard())
        .timeout_config(patience);
    config.set_endpoint_url(settings.endpoint);
    Ok(Client::from_conf(config.build()))
}
