//! A request and its answer, over a connection of their own.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::whereto::{Target, authority, is_same_host, may_lead, target_of, url_of};
use super::{HttpError, HttpReply, HttpRequest, LARGEST_BODY, Trust, tls};

/// What carries proof of who somebody is, and is for the host alone that the step names.
const PROOFS: [HeaderName; 3] =
    [header::AUTHORIZATION, header::COOKIE, HeaderName::from_static("x-api-key")];

/// Sends a request and follows redirects as far as it says. `endpoint` is where AWS is, if that is not AWS's own.
pub(super) async fn run(
    request: &HttpRequest,
    endpoint: Option<&str>,
) -> Result<HttpReply, HttpError> {
    let timed_out = |_| HttpError::TimedOut {
        method: request.method.clone(),
        url: request.url.split('?').next().unwrap_or_default().to_owned(),
    };
    tokio::time::timeout(request.timeout, follow(request, endpoint)).await.map_err(timed_out)?
}

/// Whether a request can be sent at all, as far as that is known before.
pub(super) fn check(request: &HttpRequest) -> Result<(), HttpError> {
    let is_known = |text: &str| !text.contains('⟨');
    if is_known(&request.url) {
        url_of(&request.url)?;
    }
    if is_known(&request.method) {
        method_of(&request.method)?;
    }
    if matches!(request.trust, Trust::Authorities(_)) {
        tls::config(&request.trust)?;
    }
    headers_of(&request.headers).map(drop)
}

async fn follow(request: &HttpRequest, endpoint: Option<&str>) -> Result<HttpReply, HttpError> {
    let mut next = Next {
        method: method_of(&request.method)?,
        url: url_of(&request.url)?,
        headers: headers_of(&request.headers)?,
        body: request.body.clone(),
    };
    let mut left = request.redirects;
    loop {
        let response = send(request, &next, endpoint).await?;
        let location = response.headers().get(header::LOCATION);
        let location = location.filter(|_| request.redirects > 0 && leads_on(response.status()));
        let Some(location) = location else {
            return read(response, &next.url).await;
        };
        let status = response.status();
        if left == 0 {
            return Err(HttpError::Redirects { limit: request.redirects });
        }
        left -= 1;
        let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
        next.redirected(status, &location, &request.hosts)?;
    }
}

/// What is sent next.
struct Next {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Next {
    fn redirected(
        &mut self,
        status: StatusCode,
        location: &str,
        hosts: &[String],
    ) -> Result<(), HttpError> {
        let to = self.url.join(location).ok().and_then(|to| url_of(to.as_str()).ok());
        let Some(to) = to else {
            let location = location.to_owned();
            return Err(HttpError::Nowhere { status: status.as_u16(), location });
        };
        if !may_lead(&self.url, &to, hosts) {
            let host = format!("{}://{}", to.scheme(), authority(&to));
            return Err(HttpError::Elsewhere { status: status.as_u16(), host });
        }
        if !is_same_host(&self.url, &to) {
            for proof in PROOFS {
                self.headers.remove(proof);
            }
            self.headers.remove(header::HOST);
        }
        // As browsers do: only 307 and 308 have the same sent again.
        let keeps =
            matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if !keeps && self.method != Method::GET && self.method != Method::HEAD {
            self.method = Method::GET;
            self.body = None;
            self.headers.remove(header::CONTENT_TYPE);
        }
        self.url = to;
        Ok(())
    }
}

fn leads_on(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn method_of(text: &str) -> Result<Method, HttpError> {
    let wrong = || HttpError::Method { method: text.to_owned() };
    let method = Method::from_bytes(text.as_bytes()).map_err(|_| wrong())?;
    // It asks for a tunnel, after which there is no answer to read.
    if method == Method::CONNECT { Err(wrong()) } else { Ok(method) }
}

/// Headers that the connection is run by, and are not a step's to say.
const OWN: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE];

fn headers_of(given: &[(String, String)]) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let wrong =
            |reason: &str| HttpError::Header { name: name.clone(), reason: reason.to_owned() };
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("its name holds what no header's name can"))?;
        if OWN.contains(&header) {
            return Err(wrong("it belongs to the connection, and is made as it is needed"));
        }
        let value = HeaderValue::from_str(value)
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| wrong("its value holds what no header can, such as the end of a line"))?;
        headers.append(header, value);
    }
    Ok(headers)
}

async fn send(
    request: &HttpRequest,
    next: &Next,
    endpoint: Option<&str>,
) -> Result<Response<Incoming>, HttpError> {
    let target = target_of(&next.url, endpoint);
    let message = message_of(next)?;
    let unreachable = |error: std::io::Error| HttpError::Connect {
        host: target.to_string(),
        reason: reason_of(&error),
    };
    let stream =
        TcpStream::connect((target.host.as_str(), target.port)).await.map_err(unreachable)?;
    // Small requests would wait for the other end's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    if !target.tls {
        return exchange(stream, message, &target).await;
    }
    let insecure = |reason: String| HttpError::Tls { host: target.to_string(), reason };
    let connector = TlsConnector::from(Arc::new(tls::config(&request.trust)?));
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| insecure("no certificate can be for such a name".to_owned()))?;
    let stream =
        connector.connect(name, stream).await.map_err(|error| insecure(reason_of(&error)))?;
    exchange(stream, message, &target).await
}

fn message_of(next: &Next) -> Result<Request<Full<Bytes>>, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Url {
        url: next.url.to_string(),
        reason: error.to_string(),
    };
    let path = match next.url.query() {
        Some(query) => format!("{}?{query}", next.url.path()),
        None => next.url.path().to_owned(),
    };
    let mut message = Request::builder()
        .method(next.method.clone())
        .uri(path)
        .body(Full::new(next.body.clone().unwrap_or_default()))
        .map_err(|error| wrong(&error))?;
    let headers = message.headers_mut();
    *headers = next.headers.clone();
    let host = HeaderValue::from_str(&authority(&next.url)).map_err(|error| wrong(&error))?;
    for (name, value) in [
        (header::HOST, host),
        (header::USER_AGENT, HeaderValue::from_static("playbook")),
        (header::ACCEPT, HeaderValue::from_static("*/*")),
        (header::CONNECTION, HeaderValue::from_static("close")),
    ] {
        headers.entry(name).or_insert(value);
    }
    Ok(message)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    message: Request<Full<Bytes>>,
    target: &Target,
) -> Result<Response<Incoming>, HttpError> {
    let broken = |error: hyper::Error| HttpError::NoAnswer {
        host: target.to_string(),
        reason: reason_of(&error),
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the answer's body, whatever comes of it.
    tokio::spawn(connection);
    sender.send_request(message).await.map_err(broken)
}

async fn read(response: Response<Incoming>, url: &Url) -> Result<HttpReply, HttpError> {
    let (head, body) = response.into_parts();
    let mut body = Limited::new(body, LARGEST_BODY);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(HttpError::TooLarge);
            }
            Err(error) => {
                let reason = format!("the answer breaks off: {}", reason_of(error.as_ref()));
                return Err(HttpError::NoAnswer { host: authority(url), reason });
            }
        }
    }
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(HttpReply {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: whole.freeze(),
        url: url.to_string(),
    })
}

/// The innermost reason, which says most.
fn reason_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
