//! A client of `DynamoDB`, from what Lambda puts into a function's environment.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
use aws_smithy_http_client::{Builder, tls};

use crate::Error;

/// Cognito waits five seconds for a trigger; this leaves time for an answer.
const CALL: Duration = Duration::from_secs(4);
const ATTEMPT: Duration = Duration::from_millis(1500);

/// A client for the region, with the credentials and at the endpoint that the environment names.
///
/// The credentials in a function's environment live as long as the environment does.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub fn client(variable: impl Fn(&'static str) -> Option<String>) -> Result<Client, Error> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let required = |name| variable(name).ok_or(Error::NotSet(name));
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "Environment",
    );
    let endpoint = variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| variable("AWS_ENDPOINT_URL"));
    let http = match &endpoint {
        // Without TLS there is no need to read the machine's certificates.
        Some(url) if url.starts_with("http://") => Builder::new().build_http(),
        _ => Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https(),
    };
    let patience =
        TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .timeout_config(patience);
    config.set_endpoint_url(endpoint);
    Ok(Client::from_conf(config.build()))
}
