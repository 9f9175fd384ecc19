//! Where an API answers: `/_api/ID/…` on this machine, or the name that it has on AWS.

use hyper::HeaderMap;
use hyper::header::HOST;

use super::routes::decoded;
use crate::account::Account;
use crate::http::Request;
use crate::server::is_loopback_host;

/// What the paths of APIs begin with.
const PREFIX: &str = "/_api/";
/// What the names of APIs end with: on AWS, and on a machine whose resolver knows names below `localhost`.
const SUFFIXES: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "localhost"];

/// Which API a request is for, and which path of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) api: String,
    /// As it was sent, with a slash at its start.
    pub(super) path: String,
}

impl Place {
    /// The first part of the path, which may be a stage.
    pub(super) fn first(&self) -> &str {
        self.path.trim_start_matches('/').split('/').next().unwrap_or_default()
    }

    /// What follows the first part of the path.
    pub(super) fn rest(&self) -> &str {
        let rest = self.path.get(1 + self.first().len()..).unwrap_or_default();
        if rest.is_empty() { "/" } else { rest }
    }
}

/// The URL of an API.
pub(in crate::apigateway) fn url(account: &Account, api: &str) -> String {
    format!("{}{PREFIX}{api}", account.endpoint_url())
}

/// The name that an API has on AWS.
pub(super) fn name(api: &str, region: &str) -> String {
    format!("{api}.execute-api.{region}.amazonaws.com")
}

/// The API that a host's name is of.
fn api_of_host(host: &str) -> Option<String> {
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let mut labels = name.splitn(4, '.');
    let (api, service, region, suffix) =
        (labels.next()?, labels.next()?, labels.next()?, labels.next()?);
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
    };
    let is_api =
        service == "execute-api" && SUFFIXES.contains(&suffix) && is_word(api) && is_word(region);
    is_api.then(|| api.to_owned())
}

/// The one host that a request names.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// Whether a request is for an API, and so may come from anybody, as on AWS. It never reaches an operation of AWS's: all
/// that begins so is answered here.
pub(in crate::apigateway) fn is_for_an_api(headers: &HeaderMap, path: &str) -> bool {
    host(headers).is_some_and(|host| {
        api_of_host(host).is_some() || (path.starts_with(PREFIX) && is_loopback_host(host))
    })
}

/// Where a request leads to, if that is an API.
pub(super) fn of(request: &Request) -> Option<Place> {
    let path = request.target.split('?').next().unwrap_or_default();
    if !is_for_an_api(&request.headers, path) {
        return None;
    }
    if let Some(api) = host(&request.headers).and_then(api_of_host) {
        return Some(Place { api, path: path.to_owned() });
    }
    let rest = path.strip_prefix(PREFIX)?;
    let (api, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Place { api: decoded(api), path: format!("/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(hosts: &[&str]) -> HeaderMap {
        hosts.iter().map(|host| (HOST, host.parse().expect("a host"))).collect()
    }

    #[test]
    fn apis_are_told_from_all_else() {
        for (host, path) in [
            ("127.0.0.1:4566", "/_api/abc/prod/x"),
            ("localhost", "/_api/abc"),
            ("abc.execute-api.eu-central-1.amazonaws.com", "/"),
            ("ABC.execute-api.eu-central-1.localhost:4566", "/x"),
        ] {
            assert!(is_for_an_api(&headers(&[host]), path), "{host}{path}");
        }
        for (hosts, path) in [
            (&["127.0.0.1:4566"][..], "/"),
            (&["127.0.0.1:4566"], "/_api"),
            (&["127.0.0.1:4566"], "/x/_api/abc"),
            (&["127.0.0.1:4566"], "/%5fapi/abc"),
            (&["evil.example"], "/_api/abc/prod/x"),
            (&["abc.execute-api.eu-central-1.evil.example"], "/"),
            (&["abc.execute-api.evil.example"], "/"),
            (&[".execute-api.eu-central-1.amazonaws.com"], "/"),
            (&["127.0.0.1", "evil.example"], "/_api/abc"),
            (&[], "/_api/abc"),
        ] {
            assert!(!is_for_an_api(&headers(hosts), path), "{hosts:?}{path}");
        }
    }

    #[test]
    fn a_path_begins_with_what_may_be_a_stage() {
        let place = |path: &str| Place { api: "abc".to_owned(), path: path.to_owned() };
        for (path, first, rest) in [
            ("/prod/a/b", "prod", "/a/b"),
            ("/prod", "prod", "/"),
            ("/", "", "/"),
            ("/a/", "a", "/"),
        ] {
            assert_eq!((place(path).first(), place(path).rest()), (first, rest), "{path}");
        }
    }
}
