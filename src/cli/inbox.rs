//! The inbox of an embedded AWS in another process.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use engine::event::Mail;
use engine::run::Inbox;

/// A page of this machine's that takes longer will not come.
const BACKOFF: Duration = Duration::from_secs(10);

/// What the page of the inbox holds.
#[derive(Deserialize)]
struct Page {
    messages: Vec<Mail>,
}

/// The messages that the embedded AWS at an endpoint would have sent.
pub(super) fn at(endpoint: &str) -> Inbox {
    let endpoint: Arc<str> = Arc::from(endpoint);
    Arc::new(move || {
        let endpoint = Arc::clone(&endpoint);
        Box::pin(async move {
            let reply = tokio::time::timeout(BACKOFF, fetch(&endpoint)).await.ok()?.ok()?;
            messages(&reply)
        })
    })
}

/// Asks for the page; the whole reply.
async fn fetch(endpoint: &str) -> io::Result<Vec<u8>> {
    let address = endpoint.strip_prefix("http://").unwrap_or(endpoint).trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /_playbook/inbox HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}

/// The messages in a reply whose body came in one piece, as the embedded AWS sends it.
fn messages(reply: &[u8]) -> Option<Vec<Mail>> {
    let body = reply.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let page: Page = serde_json::from_slice(reply.get(body..)?).ok()?;
    Some(page.messages)
}

#[cfg(test)]
mod tests {
    use super::messages;

    #[test]
    fn messages_are_read_from_a_reply() {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\
            {\"messages\": [{\"time\": \"t\", \"to\": \"a@b\", \"subject\": \"s\", \"body\": \"b\", \"code\": \"123456\"}]}";
        let found = messages(reply).expect("a page");
        assert_eq!((found[0].to.as_str(), found[0].code.as_str()), ("a@b", "123456"));
        for other in [&b""[..], b"HTTP/1.1 500\r\n\r\n", b"HTTP/1.1 200\r\n\r\n<html>"] {
            assert!(messages(other).is_none());
        }
    }
}
