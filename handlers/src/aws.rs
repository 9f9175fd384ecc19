//! What Lambda puts into a function's environment for calls of AWS.

use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::{Builder, tls};

/// A variable of the environment that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct NotSet(pub &'static str);

/// The region, the credentials, and where the service is if it is not AWS's own.
///
/// The credentials in a function's environment live as long as the environment does.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    pub(crate) endpoint: Option<String>,
}

impl Settings {
    /// The settings in these variables, of which one may name an endpoint for the service alone.
    pub(crate) fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
        endpoint_of_service: &'static str,
    ) -> Result<Self, NotSet> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| variable(name).ok_or(NotSet(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "Environment",
        );
        let endpoint = variable(endpoint_of_service).or_else(|| variable("AWS_ENDPOINT_URL"));
        Ok(Self { region: required("AWS_REGION")?, credentials, endpoint })
    }

    pub(crate) fn http_client(&self) -> SharedHttpClient {
        match &self.endpoint {
            // Without TLS there is no need to read the machine's certificates.
            Some(url) if url.starts_with("http://") => Builder::new().build_http(),
            _ => Builder::new()
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .build_https(),
        }
    }
}
