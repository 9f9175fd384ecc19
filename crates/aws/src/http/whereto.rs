//! Where a request goes: which machine, and whether a redirect may lead there.

use url::{Host, Url};

use super::HttpError;

/// Where a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// A name or an address, as a resolver takes it.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether it speaks TLS.
    pub(super) tls: bool,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A URL that can be asked.
pub(super) fn url_of(text: &str) -> Result<Url, HttpError> {
    let wrong = |reason: String| HttpError::Url { url: text.to_owned(), reason };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("`{}` is neither http nor https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason = "it holds a user's name; put it into an `Authorization` header";
        // The password is not repeated.
        return Err(HttpError::Url { url: without_user(&url), reason: reason.to_owned() });
    }
    Ok(url)
}

fn without_user(url: &Url) -> String {
    let mut url = url.clone();
    // A URL that has a host can be without a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Where the connection for a URL is opened. APIs and functions have names below AWS's; where an AWS on this machine is
/// meant, they are there.
pub(super) fn target_of(url: &Url, endpoint: Option<&str>) -> Target {
    let local = endpoint.and_then(|endpoint| Url::parse(endpoint).ok()).filter(is_on_this_machine);
    let url = match &local {
        Some(endpoint) if url.host_str().is_some_and(is_of_an_api) => endpoint,
        _ => url,
    };
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    Target { host, port: url.port_or_known_default().unwrap_or(80), tls: url.scheme() == "https" }
}

fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Such as `abc123.execute-api.eu-central-1.amazonaws.com` and `abc123.lambda-url.eu-central-1.on.aws`.
fn is_of_an_api(host: &str) -> bool {
    let mut labels = host.splitn(4, '.');
    let (Some(_), Some(service), Some(_), Some(suffix)) =
        (labels.next(), labels.next(), labels.next(), labels.next())
    else {
        return false;
    };
    match service {
        "execute-api" => matches!(suffix, "amazonaws.com" | "amazonaws.com.cn"),
        "lambda-url" => suffix == "on.aws",
        _ => false,
    }
}

/// A host as `Host` and a step name it: without the port where that is the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a redirect from one URL may lead to another: to the same host, never from https to http, or to a host that the
/// step names.
pub(super) fn may_lead(from: &Url, to: &Url, hosts: &[String]) -> bool {
    let is_downgrade = from.scheme() == "https" && to.scheme() == "http";
    let is_named = || {
        let (host, authority) = (to.host_str().unwrap_or_default(), authority(to));
        hosts.iter().any(|named| *named == authority || (to.port().is_none() && named == host))
    };
    !is_downgrade && (is_same_host(from, to) || is_named())
}

/// Whether two URLs are answered by the same: what is for one is not told to another.
pub(super) fn is_same_host(one: &Url, other: &Url) -> bool {
    let is_upgrade = one.scheme() == "http" && other.scheme() == "https";
    let ports_fit = one.port_or_known_default() == other.port_or_known_default()
        || (is_upgrade && one.port().is_none() && other.port().is_none());
    one.host() == other.host() && ports_fit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        url_of(text).expect("a URL")
    }

    #[test]
    fn apis_are_where_the_aws_on_this_machine_is() {
        let here = Some("http://127.0.0.1:4566");
        let local = Target { host: "127.0.0.1".to_owned(), port: 4566, tls: false };
        let of = |text, endpoint| target_of(&url(text), endpoint);
        for api in [
            "https://abc123.execute-api.eu-central-1.amazonaws.com/prod/products",
            "https://abc123.execute-api.cn-north-1.amazonaws.com.cn/",
            "https://abc123.lambda-url.us-east-1.on.aws/",
        ] {
            assert_eq!(of(api, here), local, "{api}");
            assert!(of(api, None).tls, "{api}");
            assert!(of(api, Some("https://example.org")).tls, "{api}");
        }
        for other in [
            "https://execute-api.eu-central-1.amazonaws.com/",
            "https://abc.execute-api.eu-central-1.amazonaws.com.example.org/",
            "https://example.org/",
        ] {
            assert_ne!(of(other, here), local, "{other}");
        }
        let other = of("http://[::1]:8080/x", here);
        assert_eq!(other.to_string(), "[::1]:8080");
    }

    #[test]
    fn redirects_lead_no_further_than_the_step_says() {
        let may = |from, to, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            may_lead(&url(from), &url(to), &hosts)
        };
        assert!(may("http://a.example/x", "http://a.example/y", &[]));
        assert!(may("http://a.example/", "https://a.example/", &[]));
        assert!(may("https://a.example/", "https://b.example/", &["b.example"]));
        assert!(may("http://a.example/", "http://b.example:81/", &["b.example:81"]));
        for (from, to, hosts) in [
            ("https://a.example/", "http://a.example/", &[][..]),
            ("https://a.example/", "http://a.example/", &["a.example"]),
            ("http://a.example/", "http://a.example:81/", &[]),
            ("http://a.example/", "http://a.example:81/", &["a.example"]),
            ("http://a.example/", "http://b.example/", &[]),
            ("http://a.example/", "http://b.a.example/", &["a.example"]),
        ] {
            assert!(!may(from, to, hosts), "{from} {to}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_told_without_its_password() {
        for text in ["example.org/x", "ftp://example.org/", "http://", "/products", ""] {
            assert!(url_of(text).is_err(), "{text}");
        }
        let error = url_of("https://ada:hunter22@example.org/x").expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("https://example.org/x") && !text.contains("hunter22"), "{text}");
    }
}
