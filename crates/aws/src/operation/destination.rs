//! Where a call goes, and for whom it is signed: the endpoint that is configured, or what the rules of the service say.

use aws_model::Found;
use aws_model::endpoint::{self, AuthScheme, Endpoint, Rules, Settings};
use aws_model::wire::{Call, Request};
use aws_types::service_config::ServiceConfigKey;
use serde_json::Value;

use super::supported::is_open;
use crate::clients::Aws;

/// A code, and what there is to say.
type Refusal = (&'static str, String);

/// Where a call goes.
pub(super) struct Destination {
    /// Scheme, host and port.
    pub(super) url: String,
    /// Path and query.
    target: String,
    /// Headers that every request there has.
    headers: Vec<(String, String)>,
    /// Absent where a call is not signed.
    pub(super) signing: Option<Signing>,
}

/// What a signature is made for.
pub(super) struct Signing {
    pub(super) name: String,
    pub(super) region: String,
    /// Whether the path is encoded a second time.
    pub(super) encodes_twice: bool,
}

impl Destination {
    pub(super) fn of(
        aws: &Aws,
        found: &Found,
        input: &Value,
        request: &Request,
    ) -> Result<Self, Refusal> {
        let (service, operation) = (found.service, found.operation);
        let config = aws.config();
        let region = config.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
        check_service_endpoint(aws, service.metadata.service_id)?;
        let elsewhere = config.endpoint_url();
        if elsewhere.is_none() && operation.endpoint_discovery == Some(true) {
            return Err((
                "UnsupportedOperation",
                format!("{}:{} has its endpoint asked for first", service.name, operation.name),
            ));
        }
        let settings = Settings {
            region: Some(region.clone()),
            endpoint: elsewhere.map(str::to_owned),
            use_fips: config.use_fips().unwrap_or_default(),
            use_dual_stack: config.use_dual_stack().unwrap_or_default(),
            force_path_style: elsewhere.is_some() || aws.is_dry_run(),
            account_id: None,
        };
        let no_endpoint = |reason: String| ("NoEndpoint", format!("{}: {reason}", service.name));
        let rules = Rules::of(service.name)
            .ok_or_else(|| no_endpoint("nothing says where it is".to_owned()))?;
        let parameters = endpoint::parameters(service, operation, input, &rules, &settings);
        let endpoint =
            rules.resolve(&parameters).map_err(|error| no_endpoint(error.to_string()))?;
        let mut request = request.clone();
        if elsewhere.is_some() {
            // Not every name in front of such a host leads there.
            request.host_prefix = None;
        }
        let whole = endpoint.url(&Call::new(service, operation), &request);
        let (url, target) = split(&whole);
        let signing = if operation.unsigned
            || operation.auth.iter().all(|way| is_open(way)) && !operation.auth.is_empty()
        {
            None
        } else {
            Some(signing(found, &endpoint, region)?)
        };
        Ok(Self { url, target, headers: endpoint.headers, signing })
    }

    /// A request with this destination's path and headers.
    pub(super) fn addressed(&self, mut request: Request) -> Request {
        request.path.clone_from(&self.target);
        request.query.clear();
        for (name, value) in &self.headers {
            request.headers.set(name.clone(), value.clone());
        }
        request
    }
}

/// An endpoint of one service alone: recovery would look for that service's resources elsewhere.
fn check_service_endpoint(aws: &Aws, service_id: &str) -> Result<(), Refusal> {
    let config = aws.config();
    if config.endpoint_url().is_some() {
        return Ok(());
    }
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let found =
        key.ok().and_then(|key| config.service_config().and_then(|config| config.load_config(key)));
    match found {
        Some(url) if !url.is_empty() => Err((
            "ServiceEndpoint",
            format!(
                "the configuration sends the calls of {service_id} alone to {url}, and clean-up goes to one endpoint"
            ),
        )),
        _ => Ok(()),
    }
}

fn signing(found: &Found, endpoint: &Endpoint, region: String) -> Result<Signing, Refusal> {
    let service = found.service;
    let schemes = endpoint.auth_schemes();
    let usable = |scheme: &&AuthScheme| scheme.name == "sigv4";
    let scheme = schemes.iter().find(usable);
    if scheme.is_none() && !schemes.is_empty() {
        let name = format!("{}:{}", service.name, found.operation.name);
        let ways: Vec<&str> = schemes.iter().map(|scheme| scheme.name.as_str()).collect();
        return Err((
            "UnsupportedOperation",
            format!(
                "{name} takes a signature of the kind {}, which is not made here",
                ways.join(" or ")
            ),
        ));
    }
    let is_storage = matches!(service.metadata.signature_version, "s3" | "s3v4");
    let own = || service.metadata.signing_name.to_owned();
    Ok(match scheme {
        Some(scheme) => Signing {
            name: scheme.signing_name.clone().unwrap_or_else(own),
            region: scheme.signing_region.clone().unwrap_or(region),
            encodes_twice: !(is_storage || scheme.disable_double_encoding),
        },
        None => Signing { name: own(), region, encodes_twice: !is_storage },
    })
}

/// An URL up to its path, and from its path on.
fn split(url: &str) -> (String, String) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
    let target = &url[end..];
    let slash = if target.starts_with('/') { "" } else { "/" };
    (url[..end].to_owned(), format!("{slash}{target}"))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_url_is_split_before_its_path() {
        for (url, base, target) in [
            ("https://a.b", "https://a.b", "/"),
            ("https://a.b/", "https://a.b", "/"),
            ("http://127.0.0.1:1/b/k%20l?x=y", "http://127.0.0.1:1", "/b/k%20l?x=y"),
            (
                "https://b.s3.amazonaws.com?list-type=2",
                "https://b.s3.amazonaws.com",
                "/?list-type=2",
            ),
        ] {
            assert_eq!(split(url), (base.to_owned(), target.to_owned()), "{url}");
        }
    }
}
