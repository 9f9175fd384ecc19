use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::{CallTimeouts, Connection, Credentials, Endpoint, connect};

/// Answers each connection with the next of some texts, and returns what was asked.
async fn answering(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.expect("a request");
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            // Whoever has read enough goes away.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        asked
    });
    (url, asked)
}

async fn client(endpoint: &str) -> Aws {
    let connection = Connection {
        endpoint: Endpoint::Url(endpoint.to_owned()),
        credentials: Credentials::Made,
        region: Some("eu-central-1".to_owned()),
        profile: None,
        capture_bodies: true,
        backoff: CallTimeouts::default(),
    };
    connect(&connection).await.expect("a client").aws
}

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        timeout: Duration::from_secs(10),
        ..HttpRequest::default()
    }
}

async fn answer(request: &HttpRequest) -> Result<HttpReply, HttpError> {
    client("http://127.0.0.1:1").await.http(request, HttpReply::default).await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Kind: Test\r\n\r\nok";

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_written() {
    let (url, asked) = answering(vec![OK.to_owned()]).await;
    let request = HttpRequest {
        method: "PUT".to_owned(),
        headers: vec![
            ("X-Twice".to_owned(), "1".to_owned()),
            ("x-twice".to_owned(), "2".to_owned()),
        ],
        body: Some("hello".into()),
        ..get(&format!("{url}/a%20b?c=d"))
    };
    let reply = answer(&request).await.expect("answered");
    assert_eq!((reply.status, reply.body.as_ref()), (200, &b"ok"[..]));
    assert!(reply.headers.contains(&("x-kind".to_owned(), "Test".to_owned())));
    let asked = asked.await.expect("asked").remove(0);
    assert!(asked.starts_with("PUT /a%20b?c=d HTTP/1.1\r\n"), "{asked}");
    let host = url.trim_start_matches("http://");
    for line in [&format!("host: {host}"), "x-twice: 1", "x-twice: 2", "content-length: 5"] {
        assert!(asked.contains(&format!("{line}\r\n")), "{line}: {asked}");
    }
    assert!(asked.ends_with("\r\n\r\nhello"), "{asked}");
}

#[tokio::test]
async fn an_api_on_this_machine_is_asked_under_its_name() {
    let (url, asked) = answering(vec![OK.to_owned()]).await;
    let request = get("https://abc123.execute-api.eu-central-1.amazonaws.com/prod/x");
    let reply = client(&url).await.http(&request, HttpReply::default).await.expect("answered");
    assert_eq!(reply.status, 200);
    let asked = asked.await.expect("asked").remove(0);
    assert!(asked.contains("host: abc123.execute-api.eu-central-1.amazonaws.com\r\n"), "{asked}");
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_the_step_says() {
    let (url, asked) =
        answering(vec![redirect(303, "/there"), redirect(307, "there/too"), OK.to_owned()]).await;
    let request = HttpRequest {
        method: "POST".to_owned(),
        body: Some("x".into()),
        redirects: 2,
        ..get(&format!("{url}/here"))
    };
    let reply = answer(&request).await.expect("answered");
    assert_eq!(reply.url, format!("{url}/there/too"));
    let asked = asked.await.expect("asked");
    assert!(asked[1].starts_with("GET /there HTTP") && !asked[1].contains("content-length: 1"));

    let (url, _asked) = answering(vec![redirect(302, "/a"), redirect(302, "/b")]).await;
    let request = HttpRequest { redirects: 1, ..get(&url) };
    assert_eq!(answer(&request).await, Err(HttpError::Redirects { limit: 1 }));

    let (url, _asked) = answering(vec![redirect(302, "http://elsewhere.example/")]).await;
    let reply = answer(&get(&url)).await.expect("not followed");
    assert_eq!(reply.status, 302);

    let (url, _asked) = answering(vec![redirect(302, "http://elsewhere.example/")]).await;
    let error = answer(&HttpRequest { redirects: 1, ..get(&url) }).await.expect_err("refused");
    assert_eq!(error.code(), "RedirectElsewhere");
}

#[tokio::test]
async fn proofs_are_for_the_host_of_the_step_alone() {
    let (other, asked) = answering(vec![OK.to_owned()]).await;
    let (url, _asked) = answering(vec![redirect(307, &other)]).await;
    let request = HttpRequest {
        headers: [
            ("Authorization", "Bearer x"),
            ("Cookie", "a"),
            ("X-Api-Key", "k"),
            ("X-Other", "y"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        redirects: 1,
        hosts: vec![other.trim_start_matches("http://").to_owned()],
        ..get(&url)
    };
    answer(&request).await.expect("answered");
    let asked = asked.await.expect("asked").remove(0).to_lowercase();
    assert!(asked.contains("x-other: y"), "{asked}");
    for proof in ["authorization", "cookie", "x-api-key"] {
        assert!(!asked.contains(proof), "{asked}");
    }
}

#[tokio::test]
async fn answers_end_somewhere() {
    let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(LARGEST_BODY + 1));
    let (url, _asked) = answering(vec![large]).await;
    assert_eq!(answer(&get(&url)).await, Err(HttpError::TooLarge));
    let (url, _asked) =
        answering(vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab".to_owned()]).await;
    assert_eq!(answer(&get(&url)).await.expect_err("broken off").code(), "NoAnswer");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = format!("http://{}/?secret", listener.local_addr().expect("an address"));
    let request = HttpRequest { timeout: Duration::from_millis(30), ..get(&silent) };
    let error = answer(&request).await.expect_err("silent");
    assert_eq!(error.code(), "TimedOut");
    assert!(!error.to_string().contains("secret"), "{error}");
    drop(listener);
    assert_eq!(answer(&request).await.expect_err("refused").code(), "ConnectionFailed");
}

/// Answers one request over TLS as `localhost`, whose certificate nobody but the tests' authority has signed.
async fn answering_securely() -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_slice(include_bytes!("tests/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tests/server.key"));
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("its key"))
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        // Whoever does not believe the certificate goes away.
        if let Ok(mut stream) = acceptor.accept(stream).await {
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(OK.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("https://localhost:{port}/")
}

#[tokio::test]
async fn a_certificate_is_believed_as_the_step_says() {
    let file =
        |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/http/tests").join(name);
    let ask = async |trust| {
        let request = HttpRequest { trust, ..get(&answering_securely().await) };
        answer(&request).await.map(|reply| reply.status).map_err(|error| error.code())
    };
    assert_eq!(ask(Trust::Machine).await, Err("TlsFailed"));
    assert_eq!(ask(Trust::Authorities(file("authority.pem"))).await, Ok(200));
    assert_eq!(ask(Trust::Anybody).await, Ok(200));
    assert_eq!(ask(Trust::Authorities(file("server.key"))).await, Err("InvalidCertificate"));
    assert_eq!(ask(Trust::Authorities(file("none.pem"))).await, Err("InvalidCertificate"));
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_from_what_is_not_there() {
    let (url, _asked) = answering(vec![OK.to_owned()]).await;
    let error = answer(&get(&url.replace("http:", "https:"))).await.expect_err("no TLS");
    assert_eq!(error.code(), "TlsFailed");
}

#[tokio::test]
async fn headers_that_end_a_line_are_not_sent() {
    for (name, value) in [("x", "a\r\nb: c"), ("x y", "a"), ("Content-Length", "3")] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let request = HttpRequest { headers, ..get("http://127.0.0.1:1/") };
        assert_eq!(answer(&request).await.expect_err("refused").code(), "InvalidInput");
    }
    let request = HttpRequest { method: "CONNECT".to_owned(), ..get("http://127.0.0.1:1/") };
    assert_eq!(answer(&request).await.expect_err("refused").code(), "InvalidInput");
}
