//! A client of S3, from what Lambda puts into a function's environment.

use std::net::{IpAddr, SocketAddr};
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
        // No bucket's name can be put before an address.
        .force_path_style(settings.endpoint.as_deref().is_some_and(names_an_address));
    config.set_endpoint_url(settings.endpoint);
    Ok(Client::from_conf(config.build()))
}

fn names_an_address(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    authority.parse::<SocketAddr>().is_ok()
        || authority.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        || authority.split(':').next() == Some("localhost")
}

#[cfg(test)]
mod tests {
    use super::names_an_address;

    #[test]
    fn addresses_are_told_from_names() {
        for url in [
            "http://127.0.0.1:4566",
            "http://127.0.0.1:4566/",
            "https://10.0.0.1",
            "http://[::1]:80",
            "http://[::1]/",
            "http://localhost:9000",
        ] {
            assert!(names_an_address(url), "{url}");
        }
        for url in
            ["https://s3.eu-central-1.amazonaws.com", "http://localhost.localstack.cloud:4566", ""]
        {
            assert!(!names_an_address(url), "{url}");
        }
    }
}
