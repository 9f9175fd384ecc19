//! Requests to HTTP endpoints of this machine: nothing leaves it.

use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::invalid;
use crate::protocol::AwsError;

/// How long an endpoint may take, as on AWS.
const PATIENCE: Duration = Duration::from_secs(15);

/// The host, the port and the path of a URL.
fn parts(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    if path.contains(['\r', '\n', ' ']) || authority.contains('@') {
        return None;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, port.parse().ok()?, path)),
        _ => Some((authority, 80, path)),
    }
}

/// Refuses what is no endpoint of this machine.
pub(super) fn check(url: &str) -> Result<(), AwsError> {
    let (host, ..) = parts(url).ok_or_else(|| invalid("HTTP endpoint URL"))?;
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let is_own = plain == "localhost" || plain.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_own {
        return Ok(());
    }
    Err(invalid(format!(
        "Endpoint: the local AWS of playbook calls HTTP endpoints of this machine alone, and {host} is none"
    )))
}

/// Sends a document, and says with which status it was answered.
pub(super) async fn post(url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<u16> {
    let (host, port, path) =
        parts(url).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let own = [
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("User-Agent", "Amazon Simple Notification Service Agent"),
        ("Connection", "close"),
    ];
    for (name, value) in own.iter().chain(headers) {
        // Writing into a text does not fail.
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
    let exchange = async {
        let mut stream = TcpStream::connect((plain, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut part = [0; 1024];
        // The first line says all that is asked.
        while !answer.contains(&b'\n') && answer.len() < 8192 {
            let count = stream.read(&mut part).await?;
            if count == 0 {
                break;
            }
            answer.extend_from_slice(part.get(..count).unwrap_or_default());
        }
        let line = String::from_utf8_lossy(&answer);
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    };
    timeout(PATIENCE, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called() {
        for url in ["http://127.0.0.1:8080/a", "http://localhost", "http://[::1]:9/"] {
            assert!(check(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.com/",
            "https://127.0.0.1/",
            "http://10.0.0.1/",
            "http://a@127.0.0.1/",
            "x",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
        assert_eq!(parts("http://h:1/p?q"), Some(("h", 1, "/p?q")));
    }
}
