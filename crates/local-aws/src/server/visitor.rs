//! Whether a request comes from a web page: functions run code, so no page on any site may reach this AWS.
//!
//! A browser tells on the pages that it shows. Across origins it sends `Origin` with everything but plain loads; to this
//! machine it sends `Sec-Fetch-Site` with everything; and a page whose own name was bound to this machine's address has
//! that name in `Host`. What an old browser loads plainly has at least a `Referer`, and reads only (see
//! [`admission`](super::admission)).
//!
//! The port in `Host` is not looked at: no page can make a browser name another than the one it connects to, and whoever
//! forwards a port has another at his end.

use std::net::IpAddr;

use hyper::header::{HOST, ORIGIN, REFERER, USER_AGENT};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method};

/// Whether a browser sent this on behalf of a page, or under a name that is not this machine's. Where there are pages to
/// look at, a person may open them.
pub(super) fn is_web_page(head: &Parts, has_pages: bool) -> bool {
    let headers = &head.headers;
    if headers.contains_key(ORIGIN) || !is_addressed_here(head) || is_referred(headers) {
        return true;
    }
    match metadata(headers) {
        Some(fetch) => !(has_pages && is_read(&head.method) && fetch.is_visit()),
        None => !has_pages && is_browser(headers),
    }
}

/// Whether a request's method is one that only asks.
pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// What a browser says of the reason for a request.
struct Metadata<'h> {
    site: Option<&'h str>,
    mode: Option<&'h str>,
    destination: Option<&'h str>,
}

impl Metadata<'_> {
    /// A person has typed the address, opened a bookmark, or followed a link of ours.
    fn is_visit(&self) -> bool {
        matches!(self.site, Some("none" | "same-origin"))
            && self.mode == Some("navigate")
            && matches!(self.destination, None | Some("document"))
    }
}

/// `None` for programs. Those on Node.js send the mode `cors` and nothing else of the kind.
fn metadata(headers: &HeaderMap) -> Option<Metadata<'_>> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let fetch = Metadata {
        site: text("sec-fetch-site"),
        mode: text("sec-fetch-mode"),
        destination: text("sec-fetch-dest"),
    };
    let is_program = fetch.site.is_none()
        && fetch.destination.is_none()
        && matches!(fetch.mode, None | Some("cors"));
    (!is_program).then_some(fetch)
}

/// Whether every name that the request gives its server is one of this machine.
fn is_addressed_here(head: &Parts) -> bool {
    let mut named = head.headers.get_all(HOST).iter();
    let hosts_are_ours = match (named.next(), named.next()) {
        (None, _) => true,
        (Some(host), None) => host.to_str().is_ok_and(is_loopback_host),
        (Some(_), Some(_)) => false,
    };
    hosts_are_ours
        && head.uri.authority().is_none_or(|authority| is_loopback_host(authority.as_str()))
}

/// An address of this machine, or a name below `localhost`, as buckets have it in virtual hosts.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if host.contains('@') {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name.parse::<IpAddr>().map_or_else(
        |_| name == "localhost" || name.ends_with(".localhost"),
        |address| address.is_loopback(),
    )
}

/// Whether a page of another site is said to have led here.
fn is_referred(headers: &HeaderMap) -> bool {
    let Some(referer) = headers.get(REFERER) else { return false };
    let page = referer.to_str().ok().and_then(|page| page.split_once("://"));
    let site = page.map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    site.is_none() || site != host
}

fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.starts_with("Mozilla/"))
        || headers.contains_key("upgrade-insecure-requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: Method, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = hyper::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a valid request").into_parts().0
    }

    fn get(headers: &[(&str, &str)]) -> Parts {
        head(Method::GET, "/", headers)
    }

    const HOST_HERE: (&str, &str) = ("host", "127.0.0.1:4566");

    #[test]
    fn names_of_this_machine_are_told_from_others() {
        for host in [
            "127.0.0.1:4566",
            "127.9.9.9",
            "localhost:4566",
            "[::1]:80",
            "LOCALHOST",
            "f.localhost:1",
            "Bucket.S3.LocalHost",
        ] {
            assert!(!is_web_page(&get(&[("host", host)]), true), "{host}");
        }
        for host in [
            "evil.example:4566",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "10.0.0.1",
            "0.0.0.0",
            "",
            "a b",
        ] {
            assert!(is_web_page(&get(&[("host", host)]), true), "{host}");
        }
        assert!(!is_web_page(&get(&[]), true));
        assert!(is_web_page(&get(&[HOST_HERE, ("host", "evil.example")]), true));
        let absolute = head(Method::GET, "http://evil.example/", &[HOST_HERE]);
        assert!(is_web_page(&absolute, true));
    }

    #[test]
    fn what_a_page_loads_or_sends_is_refused() {
        for site in ["cross-site", "same-site", "same-origin", "none"] {
            for mode in ["no-cors", "cors", "websocket", "same-origin"] {
                let fetch = [HOST_HERE, ("sec-fetch-site", site), ("sec-fetch-mode", mode)];
                assert!(is_web_page(&get(&fetch), true), "{site} {mode}");
            }
        }
        for lone in [("sec-fetch-site", "none"), ("sec-fetch-dest", "image")] {
            assert!(is_web_page(&get(&[HOST_HERE, lone]), true), "{lone:?}");
        }
        let origin = [HOST_HERE, ("origin", "null")];
        assert!(is_web_page(&head(Method::POST, "/", &origin), true));
        let referer = [HOST_HERE, ("referer", "https://evil.example/page")];
        assert!(is_web_page(&get(&referer), true));
        assert!(is_web_page(&get(&[HOST_HERE, ("referer", "nonsense")]), true));
    }

    #[test]
    fn a_person_may_open_a_page_and_do_no_more() {
        let visit = |site, mode, destination| {
            [
                HOST_HERE,
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", destination),
            ]
        };
        let typed = visit("none", "navigate", "document");
        assert!(!is_web_page(&get(&typed), true));
        assert!(!is_web_page(&get(&visit("same-origin", "navigate", "document")), true));
        assert!(is_web_page(&get(&typed), false), "there is no page");
        assert!(is_web_page(&head(Method::POST, "/", &typed), true));
        assert!(is_web_page(&get(&visit("cross-site", "navigate", "document")), true));
        assert!(is_web_page(&get(&visit("same-origin", "navigate", "iframe")), true));
        let followed = [HOST_HERE, ("referer", "http://127.0.0.1:4566/_playbook/inbox")];
        assert!(!is_web_page(&get(&followed), true));
    }

    #[test]
    fn programs_are_let_in() {
        let node = [HOST_HERE, ("sec-fetch-mode", "cors"), ("user-agent", "node")];
        let boto = [HOST_HERE, ("user-agent", "Boto3/1.44")];
        for program in [&node[..], &boto] {
            for has_pages in [true, false] {
                assert!(!is_web_page(&get(program), has_pages));
                assert!(!is_web_page(&head(Method::POST, "/", program), has_pages));
            }
        }
        let old = [HOST_HERE, ("user-agent", "Mozilla/5.0 (X11)")];
        assert!(!is_web_page(&get(&old), true));
        assert!(is_web_page(&get(&old), false));
    }
}
