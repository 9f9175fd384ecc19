//! What the environment and the configuration files say, read as the AWS CLI reads them: profiles, and where calls go.

use std::borrow::Cow;

use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::{EnvConfigSource, EnvConfigValue};
use aws_types::os_shim_internal::{Env, Fs};

use super::clients::SERVICE_IDS;
use super::connect_error::ConnectError;

const VARIABLE: &str = "AWS_ENDPOINT_URL";
const PROPERTY: &str = "endpoint_url";

/// An endpoint that nobody named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredEndpoint {
    /// Where calls go.
    pub url: String,
    /// Who says so, such as `AWS_ENDPOINT_URL`.
    pub setting: String,
}

/// Where the environment, or else the profile, sends every call; nowhere but to AWS where they say nothing.
///
/// # Errors
/// [`ConnectError`] where they send the calls of one service elsewhere than the others: a run's journal has one endpoint.
pub async fn configured_endpoint(
    profile: Option<&str>,
) -> Result<Option<ConfiguredEndpoint>, ConnectError> {
    let env = Env::real();
    let sections = sections(&env, profile).await?;
    endpoint(&env, &sections)
}

fn endpoint(
    env: &Env,
    sections: &EnvConfigSections,
) -> Result<Option<ConfiguredEndpoint>, ConnectError> {
    let ignored = EnvConfigValue::new()
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .profile("ignore_configured_endpoint_urls")
        .load(env, Some(sections));
    if ignored.is_some_and(|(value, _)| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let endpoint = || EnvConfigValue::new().env(VARIABLE).profile(PROPERTY);
    for service in SERVICE_IDS {
        let found = endpoint().service_id(service).load(env, Some(sections));
        if let Some((url, source)) = found
            && is_of_one_service(&source)
            && !url.is_empty()
        {
            return Err(ConnectError::ServiceEndpoint {
                service,
                url: url.into_owned(),
                setting: whence(&source, Some(service), sections),
            });
        }
    }
    let Some((url, source)) = endpoint().load(env, Some(sections)) else { return Ok(None) };
    let setting = whence(&source, None, sections);
    match url.split_once("://") {
        _ if url.is_empty() => Ok(None),
        Some(("http" | "https", rest)) if !rest.is_empty() => {
            Ok(Some(ConfiguredEndpoint { url: url.into_owned(), setting }))
        }
        _ => Err(ConnectError::NoUrl { url: url.into_owned(), setting }),
    }
}

fn is_of_one_service(source: &EnvConfigSource<'_>) -> bool {
    source.to_string().starts_with("service-specific")
}

/// Who says where calls go, as a person would look for it.
fn whence(
    source: &EnvConfigSource<'_>,
    service: Option<&str>,
    sections: &EnvConfigSections,
) -> String {
    let in_environment = source.to_string().contains("environment variable");
    let profile = sections.selected_profile();
    match (in_environment, service) {
        (true, None) => VARIABLE.to_owned(),
        (true, Some(service)) => {
            format!("{VARIABLE}_{}", service.to_ascii_uppercase().replace(' ', "_"))
        }
        (false, None) => format!("`{PROPERTY}` of the profile `{profile}`"),
        (false, Some(_)) => format!("`services` of the profile `{profile}`"),
    }
}

/// Refuses a profile that nobody has configured. Whoever names one means its account and no other.
pub(super) async fn check_profile(name: &str) -> Result<(), ConnectError> {
    let sections = sections(&Env::real(), Some(name)).await?;
    if sections.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = sections.profiles().map(str::to_owned).collect();
    known.sort();
    Err(ConnectError::UnknownProfile { profile: name.to_owned(), known })
}

/// Whether a profile of that name is configured.
pub async fn has_profile(name: &str) -> bool {
    check_profile(name).await.is_ok()
}

async fn sections(env: &Env, profile: Option<&str>) -> Result<EnvConfigSections, ConnectError> {
    let profile = profile.map(|profile| Cow::Owned(profile.to_owned()));
    let files = EnvConfigFiles::default();
    aws_config::profile::load(&Fs::real(), env, &files, profile)
        .await
        .map_err(|error| ConnectError::Configuration { reason: innermost(&error) })
}

/// The innermost reason, which names the file and the line.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(
        environment: &[(&str, &str)],
        config: &str,
    ) -> Result<Option<ConfiguredEndpoint>, String> {
        let mut variables = vec![("AWS_CONFIG_FILE", "config"), ("HOME", "/home")];
        variables.extend_from_slice(environment);
        let env = Env::from_slice(&variables);
        let fs = Fs::from_slice(&[("config", config)]);
        let files = EnvConfigFiles::default();
        let sections = aws_config::profile::load(&fs, &env, &files, None).await.unwrap();
        endpoint(&env, &sections).map_err(|error| error.to_string())
    }

    fn at(url: &str, setting: &str) -> ConfiguredEndpoint {
        ConfiguredEndpoint { url: url.to_owned(), setting: setting.to_owned() }
    }

    const PROFILE: &str = "[default]\nendpoint_url = http://profile\n";

    #[tokio::test]
    async fn the_environment_is_asked_before_the_profile() {
        assert_eq!(found(&[], "").await, Ok(None));
        let profile = at("http://profile", "`endpoint_url` of the profile `default`");
        assert_eq!(found(&[], PROFILE).await, Ok(Some(profile)));
        let environment = [("AWS_ENDPOINT_URL", "http://environment")];
        let expected = at("http://environment", "AWS_ENDPOINT_URL");
        assert_eq!(found(&environment, PROFILE).await, Ok(Some(expected)));
        let other = [("AWS_PROFILE", "other")];
        assert_eq!(found(&other, PROFILE).await, Ok(None));
    }

    #[tokio::test]
    async fn what_is_to_be_ignored_is_ignored() {
        let ignoring = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        let variables = [("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "x"), ignoring];
        assert_eq!(found(&variables, PROFILE).await, Ok(None));
        let config = format!("{PROFILE}ignore_configured_endpoint_urls = true\n");
        assert_eq!(found(&[], &config).await, Ok(None));
    }

    #[tokio::test]
    async fn endpoints_of_one_service_are_refused() {
        let variables = [("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://logs")];
        let refused = found(&variables, PROFILE).await.unwrap_err();
        assert_eq!(
            refused,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS sends the calls of CloudWatch Logs alone to http://logs, and clean-up \
             goes to one endpoint"
        );
        let config = "[default]\nservices = mine\n[services mine]\ndynamodb =\n  endpoint_url = http://items\n";
        let refused = found(&[], config).await.unwrap_err();
        assert_eq!(
            refused,
            "`services` of the profile `default` sends the calls of DynamoDB alone to http://items, and clean-up goes \
             to one endpoint"
        );
    }

    /// The SDK would say nothing and call AWS itself.
    #[tokio::test]
    async fn what_is_no_url_is_refused() {
        let refused = found(&[("AWS_ENDPOINT_URL", "localhost:4566")], "").await.unwrap_err();
        assert_eq!(refused, "AWS_ENDPOINT_URL is no URL: `localhost:4566`");
        assert_eq!(found(&[("AWS_ENDPOINT_URL", "")], "").await, Ok(None));
    }
}
