//! From what a person has configured to a client: credentials, region, endpoint, HTTP client, backoff.

use std::time::{Duration, SystemTime};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;

use super::clients::Aws;
use super::configured::check_profile;
use super::connect_error::ConnectError;

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// AWS.
    Aws,
    /// Whatever answers at this URL.
    Url(String),
    /// Nowhere: they are written down.
    Nowhere,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Whoever the environment, the profile or the machine says.
    Configured,
    /// An embedded AWS that asks for no key lets anybody in, and a dry run sends nothing.
    Made,
    /// Whoever has the one key that an embedded AWS takes.
    Given(AwsCredentials),
}

impl Credentials {
    /// A key, and its secret.
    #[must_use]
    pub fn given(access_key: &str, secret: &str) -> Self {
        Self::Given(AwsCredentials::new(access_key, secret, None, None, "playbook"))
    }
}

/// How long calls are given, and how long they wait before they are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimeouts {
    /// For one attempt, reply included.
    pub attempt: Duration,
    /// Before the second attempt; it doubles with each.
    pub backoff: Duration,
}

impl Default for CallTimeouts {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(60), backoff: Duration::from_secs(1) }
    }
}

/// What to connect with.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where calls go.
    pub endpoint: Endpoint,
    /// Who calls.
    pub credentials: Credentials,
    /// `--profile`: whose credentials, whatever keys the environment holds.
    pub profile: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// Whether the bodies of calls are wanted in events.
    pub capture_bodies: bool,
    /// How long calls are given.
    pub backoff: CallTimeouts,
}

/// A client, and what was found out on the way to it.
pub struct Connected {
    /// The client.
    pub aws: Aws,
    /// The region; absent in a dry run that was told none.
    pub region: Option<String>,
    /// When the credentials end, if they say so.
    pub expires: Option<SystemTime>,
}

/// Makes the client. Reads configuration; calls AWS for nothing but, where a profile says so, temporary credentials.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(connection: &Connection) -> Result<Connected, ConnectError> {
    if let (Credentials::Configured, Some(profile)) = (&connection.credentials, &connection.profile)
    {
        check_profile(profile).await?;
    }
    let region = region_of(connection).await?;
    let mut expires = None;
    let config = match &connection.credentials {
        Credentials::Made => {
            let nobody =
                AwsCredentials::new("AKIAPLAYBOOKEXAMPLE0", "playbook", None, None, "playbook");
            made_config(connection, nobody, region.as_deref())
        }
        Credentials::Given(keys) => made_config(connection, keys.clone(), region.as_deref()),
        Credentials::Configured => {
            let config = configured(connection, region.as_deref()).await;
            expires = check_credentials(&config).await?;
            config
        }
    };
    let dry_run = connection.endpoint == Endpoint::Nowhere;
    Ok(Connected { aws: Aws::new(config, dry_run, connection.capture_bodies), region, expires })
}

/// The metadata service of an instance is not asked: it would delay everybody else by seconds.
async fn region_of(connection: &Connection) -> Result<Option<String>, ConnectError> {
    let found = match &connection.region {
        Some(region) => Some(region.clone()),
        None => {
            let mut file = ProfileFileRegionProvider::builder();
            if let Some(profile) = &connection.profile {
                file = file.profile_name(profile);
            }
            let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else(file.build());
            chain.region().await.map(|region| region.to_string())
        }
    };
    match found {
        Some(region) if aws_model::regions::is_known(&region) => Ok(Some(region)),
        Some(region) => Err(ConnectError::UnknownRegion { region }),
        None if connection.endpoint == Endpoint::Nowhere => Ok(None),
        None => Err(ConnectError::NoRegion),
    }
}

fn made_config(
    connection: &Connection,
    credentials: AwsCredentials,
    region: Option<&str>,
) -> SdkConfig {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region.unwrap_or("us-east-1").to_owned()))
        .http_client(http_client(&connection.endpoint))
        .timeout_config(timeouts(connection.backoff))
        .retry_config(retries(connection));
    config.set_app_name(app_name());
    if let Endpoint::Url(url) = &connection.endpoint {
        config = config.endpoint_url(url);
    }
    config.build()
}

async fn configured(connection: &Connection, region: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(&connection.endpoint))
        .timeout_config(timeouts(connection.backoff))
        .retry_config(retries(connection));
    if let Some(name) = app_name() {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &connection.profile {
        loader = loader.profile_name(profile).credentials_provider(credentials_of(profile, region));
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Endpoint::Url(url) = &connection.endpoint {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// The credentials of a profile that somebody named: the environment's keys, which the SDK would take first, are not
/// asked, as the AWS CLI does not ask them either.
fn credentials_of(profile: &str, region: Option<&str>) -> CredentialsProviderChain {
    let config = ProviderConfig::without_region()
        .with_region(region.map(|region| Region::new(region.to_owned())))
        .with_http_client(http_client(&Endpoint::Aws));
    let named = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile);
    let container = EcsCredentialsProvider::builder().configure(&config);
    let machine = ImdsCredentialsProvider::builder().configure(&config);
    CredentialsProviderChain::first_try("Profile", named.build())
        .or_else("EcsContainer", container.build())
        .or_else("Ec2InstanceMetadata", machine.build())
}

async fn check_credentials(config: &SdkConfig) -> Result<Option<SystemTime>, ConnectError> {
    let none = || ConnectError::Credentials { reason: "none are configured".to_owned() };
    let provider = config.credentials_provider().ok_or_else(none)?;
    match provider.provide_credentials().await {
        Ok(credentials) => Ok(credentials.expiry()),
        Err(error) => Err(ConnectError::Credentials { reason: reason(&error) }),
    }
}

/// Why there are no credentials. The last that is asked is the instance's metadata service, whose absence explains nothing.
fn reason(error: &CredentialsError) -> String {
    let mut innermost: &dyn std::error::Error = error;
    let mut metadata = false;
    while let Some(source) = innermost.source() {
        innermost = source;
        metadata |= innermost.to_string().contains("IMDS");
    }
    if metadata || matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return "there are none in the environment, in the configuration files or on this machine"
            .to_owned();
    }
    innermost.to_string()
}

/// TLS only where it is needed: reading the machine's certificates takes longer than everything else before the first
/// call.
fn http_client(endpoint: &Endpoint) -> SharedHttpClient {
    match endpoint {
        Endpoint::Nowhere => Builder::new().build_http(),
        Endpoint::Url(url) if url.starts_with("http://") => Builder::new().build_http(),
        Endpoint::Url(_) | Endpoint::Aws => Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https(),
    }
}

/// The SDK has no limit of its own: a call that hangs would hang for ever.
fn timeouts(backoff: CallTimeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(backoff.attempt)
        .build()
}

fn retries(connection: &Connection) -> RetryConfig {
    match connection.endpoint {
        Endpoint::Nowhere => RetryConfig::disabled(),
        Endpoint::Aws | Endpoint::Url(_) => RetryConfig::standard()
            .with_max_attempts(4)
            .with_initial_backoff(connection.backoff.backoff),
    }
}

fn app_name() -> Option<AppName> {
    AppName::new("playbook").ok()
}
