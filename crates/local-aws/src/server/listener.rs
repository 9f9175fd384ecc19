//! An HTTP listener on the loopback interface: whole requests in, whole responses out.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connections::{self, Connection, Connections};
use super::visitor;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::{AwsError, Protocol};

/// The largest body that is read; Lambda's largest deployment package, in base64, fits.
const BODY_LIMIT: usize = 300 * 1024 * 1024;

/// What answers the requests of a listener.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request; `None` closes the connection without an answer. The future is dropped when the client goes
    /// away.
    fn handle(&self, request: Request) -> BoxFuture<'_, Option<Response>>;

    /// Whether a person may look at pages of it in a browser.
    fn has_pages(&self) -> bool {
        false
    }

    /// Whether anybody may send such a request, pages in browsers included.
    fn is_open_to_all(&self, _headers: &HeaderMap, _path: &str) -> bool {
        false
    }

    /// How many connections there may be. One more has the one closed that is idle for longest.
    fn most_connections(&self) -> usize {
        connections::most()
    }
}

/// A listener that is being served; dropping it closes its connections.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Listening {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting and closes every connection.
    pub fn shutdown(&self) {
        self.accepting.abort();
    }

    /// The same, and waits until the port is free.
    pub async fn close(mut self) {
        self.shutdown();
        // What comes back says that it was aborted, which is what was asked for.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Serves a listener from now on, on the current tokio runtime.
pub fn serve(listener: TcpListener, handler: Arc<dyn Handler>) -> io::Result<Listening> {
    let address = listener.local_addr()?;
    Ok(Listening { address, accepting: tokio::spawn(accept(listener, handler)) })
}

/// How long a body may pause while it arrives.
const PAUSE: Duration = Duration::from_secs(60);

async fn accept(listener: TcpListener, handler: Arc<dyn Handler>) {
    // Aborting this task drops the set, and the set its connections.
    let mut tasks = JoinSet::new();
    let mut connections = Connections::default();
    let most = handler.most_connections();
    let mut backoff = FIRST_BACKOFF;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    backoff = FIRST_BACKOFF;
                    while connections.count() >= most {
                        connections.close_oldest();
                        // Where all are at work, the next has to wait until one is done.
                        let _ = timeout(FIRST_BACKOFF, tasks.join_next()).await;
                    }
                    let connection = connections.open();
                    tasks.spawn(serve_connection(stream, connection, Arc::clone(&handler)));
                }
                // Out of file descriptors, most likely: let connections end before trying again.
                Err(_) => {
                    connections.close_oldest();
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(LAST_BACKOFF);
                }
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

const FIRST_BACKOFF: Duration = Duration::from_millis(20);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

async fn serve_connection(
    stream: TcpStream,
    connection: Arc<Connection>,
    handler: Arc<dyn Handler>,
) {
    // Without it, small replies wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let at_work = Arc::clone(&connection);
    let service = service_fn(move |request| {
        let (handler, busy) = (Arc::clone(&handler), at_work.begin());
        async move {
            let answer = answer(request, handler.as_ref()).await;
            drop(busy);
            answer
        }
    });
    // Without a timer there is no time-out: a handler that computes for minutes keeps its idle connection.
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is the client's going away, or a handler's wish to close: neither concerns anybody.
        _ = served => {}
        () = connection.to_be_closed() => {}
    }
}

/// Why a connection is closed without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("the handler closed the connection")]
    ByHandler,
    #[error("the body did not arrive: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("the body stopped arriving")]
    Stalled,
    #[error("the response is not valid HTTP: {0}")]
    Response(#[from] hyper::http::Error),
}

async fn answer(
    request: hyper::Request<Incoming>,
    handler: &dyn Handler,
) -> Result<hyper::Response<Reply>, Closed> {
    let request_id = new_request_id();
    let (mut head, body) = request.into_parts();
    let is_open =
        head.uri.authority().is_none() && handler.is_open_to_all(&head.headers, head.uri.path());
    if !is_open && visitor::is_web_page(&head, handler.has_pages()) {
        return encode(not_for_web_pages(&request_id));
    }
    let Some((body, trailers)) = read(body).await? else {
        return encode(too_large(&request_id));
    };
    // What ends a streamed response of a function is an error, if it has one; nothing else reads trailers.
    for name in ["lambda-runtime-function-error-type", "lambda-runtime-function-error-body"] {
        if let Some(value) = trailers.get(name) {
            head.headers.insert(name, value.clone());
        }
    }
    let request = Request {
        method: head.method,
        target: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        path: path_segments(head.uri.path()),
        trailing_slash: head.uri.path().ends_with('/'),
        query: query_pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body,
        request_id,
        credential: None,
        on_behalf_of: None,
    };
    match handler.handle(request).await {
        Some(response) => encode(response),
        None => Err(Closed::ByHandler),
    }
}

fn not_for_web_pages(request_id: &str) -> Response {
    let message = "The local AWS of playbook answers programs on this machine, not web pages. \
                   Address it as http://127.0.0.1:PORT, without the headers of a browser.";
    Protocol::RestJson.error(&AwsError::new(403, "AccessDeniedException", message), request_id)
}

/// The whole body with what follows it, or nothing when it is too large.
async fn read(body: Incoming) -> Result<Option<(Bytes, HeaderMap)>, Closed> {
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Ok(None);
    }
    let mut body = Limited::new(body, BODY_LIMIT);
    let mut whole = BytesMut::new();
    let mut trailers = HeaderMap::new();
    loop {
        match timeout(PAUSE, body.frame()).await.map_err(|_| Closed::Stalled)? {
            None => return Ok(Some((whole.freeze(), trailers))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => whole.extend_from_slice(&data),
                Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
            },
            Some(Err(error)) if error.is::<LengthLimitError>() => return Ok(None),
            Some(Err(error)) => return Err(Closed::Body(error)),
        }
    }
}

fn too_large(request_id: &str) -> Response {
    let message = format!("Request must be smaller than {BODY_LIMIT} bytes for this local AWS");
    Protocol::RestJson
        .error(&AwsError::new(413, "RequestEntityTooLargeException", message), request_id)
}

fn encode(response: Response) -> Result<hyper::Response<Reply>, Closed> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    Ok(builder.body(Reply::new(response.body, response.is_cut))?)
}

/// The body of a response, or what arrives of it.
struct Reply {
    size: u64,
    next: Part,
}

/// What is sent next.
enum Part {
    All(Bytes),
    Half(Bytes),
    /// What was sent so far has to leave before the connection breaks.
    Pause,
    Break,
    End,
}

impl Reply {
    fn new(body: Bytes, is_cut: bool) -> Self {
        let size = body.len() as u64;
        let next = match size {
            0 => Part::End,
            _ if is_cut => Part::Half(body.slice(..body.len() / 2)),
            _ => Part::All(body),
        };
        Self { size, next }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        let (polled, next) = match std::mem::replace(&mut self.next, Part::End) {
            Part::All(bytes) => (Poll::Ready(Some(Ok(Frame::data(bytes)))), Part::End),
            Part::Half(bytes) => (Poll::Ready(Some(Ok(Frame::data(bytes)))), Part::Pause),
            Part::Pause => {
                context.waker().wake_by_ref();
                (Poll::Pending, Part::Break)
            }
            Part::Break => (Poll::Ready(Some(Err(Closed::ByHandler))), Part::End),
            Part::End => (Poll::Ready(None), Part::End),
        };
        self.next = next;
        polled
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.next, Part::End)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.size)
    }
}

/// The segments of a path, decoded one by one, so that an encoded slash stays inside its segment. A slash at the end
/// makes no segment: AWS's own clients send `/2015-03-31/functions/` for `/2015-03-31/functions`.
fn path_segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Vec::new();
    }
    path.split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A random UUID, as AWS's request identifiers are.
fn new_request_id() -> String {
    let random = fastrand::u128(..);
    let versioned = (random & !(0xf << 76) | (0x4 << 76)) & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{versioned:032x}");
    let mut id = String::with_capacity(36);
    for (position, digit) in hex.chars().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncWriteExt;
    use tokio::sync::mpsc;

    use super::*;

    /// Never answers; says when it begins and, by being dropped, when it is over.
    struct Hanging(mpsc::UnboundedSender<&'static str>);

    struct Over(mpsc::UnboundedSender<&'static str>);

    impl Drop for Over {
        fn drop(&mut self) {
            let _ = self.0.send("over");
        }
    }

    impl Handler for Hanging {
        fn handle(&self, _: Request) -> BoxFuture<'_, Option<Response>> {
            Box::pin(async move {
                let _over = Over(self.0.clone());
                let _ = self.0.send("begun");
                std::future::pending().await
            })
        }
    }

    #[tokio::test]
    async fn an_answer_that_nobody_waits_for_is_given_up() {
        let (sender, mut told) = mpsc::unbounded_channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let listening = serve(listener, Arc::new(Hanging(sender))).expect("serving");
        let mut client = TcpStream::connect(listening.local_addr()).await.expect("it listens");
        client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        assert_eq!(told.recv().await, Some("begun"));
        drop(client);
        assert_eq!(told.recv().await, Some("over"));
        listening.close().await;
    }

    #[test]
    fn an_encoded_slash_stays_in_its_segment() {
        assert_eq!(path_segments("/a/arn%3Ax%2Fy/b"), ["a", "arn:x/y", "b"]);
        assert_eq!(path_segments("/2015-03-31/functions/"), ["2015-03-31", "functions"]);
        assert_eq!(path_segments("/a//b"), ["a", "", "b"]);
        assert_eq!(path_segments("/"), [""; 0]);
    }

    #[test]
    fn request_identifiers_are_random_uuids() {
        let id = new_request_id();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes().get(14), Some(&b'4'));
        assert!(id.as_bytes().get(19).is_some_and(|variant| b"89ab".contains(variant)), "{id}");
        assert_ne!(id, new_request_id());
    }
}
