//! A client of S3, from what Lambda puts into a function's environment.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Config, Region};

use crate::aws::{NotSet, Settings};

const CALL: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(3);

/// A client for the region, with the credentials and at the endpoint that the environment names.
pub fn client(variable: impl Fn(&'static str) -> Option<String>) -> Result<Client, NotSet> {
    let settings = Settings::from_variables(variable, "AWS_ENDPOINT_URL_S3")?;
    let patience =
        TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(settings.credentials.clone())
        .http_client(settings.http_client())
        .retry_config(RetryConfig::standard())
        .timeout_config(patience)
        // Where S3 is not AWS's own, no name is known for a bucket's host.
        .force_path_style(settings.endpoint.is_some());
    config.set_endpoint_url(settings.endpoint);
    Ok(Client::from_conf(config.build()))
}
