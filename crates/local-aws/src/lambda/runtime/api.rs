//! The Runtime API (2018-06-01) of one environment.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use tokio::sync::{Notify, oneshot, watch};

use super::Call;
use crate::http::{BoxFuture, Request, Response};
use crate::server::Handler;

/// The most that a synchronous response may have: 6 MB and what Lambda puts around it.
pub(super) const LARGEST_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// What a runtime says at last of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The handler's result.
    Response(Bytes),
    /// The handler's error.
    Error(Bytes),
    /// A result that is too large.
    TooLarge,
}

/// How initialisation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Init {
    /// The runtime asked for its first event.
    Ready,
    /// The runtime gave up.
    Failed { payload: Bytes, error_type: String },
}

struct Work {
    call: Call,
    deadline: SystemTime,
    reply: oneshot::Sender<Reply>,
}

#[derive(Default)]
struct State {
    init: Option<oneshot::Sender<Init>>,
    pending: Option<Work>,
    current: Option<(String, oneshot::Sender<Reply>)>,
}

/// The Runtime API of one environment.
pub(super) struct RuntimeApi {
    state: Mutex<State>,
    work: Notify,
    /// How often the runtime has asked for an event.
    requests: watch::Sender<u64>,
}

/// An invocation that the runtime has been given.
pub(super) struct Submitted {
    pub(super) reply: oneshot::Receiver<Reply>,
    /// Changes when the runtime asks for the next one.
    pub(super) asked_again: watch::Receiver<u64>,
}

impl RuntimeApi {
    /// The API of a process that is about to start, and how its initialisation will end.
    pub(super) fn new() -> (Self, oneshot::Receiver<Init>) {
        let (init, ended) = oneshot::channel();
        let state = Mutex::new(State { init: Some(init), ..State::default() });
        (Self { state, work: Notify::new(), requests: watch::Sender::new(0) }, ended)
    }

    /// Hands the runtime its next event.
    pub(super) fn submit(&self, call: Call, deadline: SystemTime) -> Submitted {
        let (reply, answer) = oneshot::channel();
        let asked_again = self.requests.subscribe();
        self.state().pending = Some(Work { call, deadline, reply });
        self.work.notify_one();
        Submitted { reply: answer, asked_again }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Response {
        self.requests.send_modify(|count| *count += 1);
        if let Some(init) = self.state().init.take() {
            let _nobody_waits = init.send(Init::Ready);
        }
        loop {
            if let Some(response) = self.take_work() {
                return response;
            }
            self.work.notified().await;
        }
    }

    fn take_work(&self) -> Option<Response> {
        let mut state = self.state();
        let Work { call, deadline, reply } = state.pending.take()?;
        state.current = Some((call.request_id.clone(), reply));
        drop(state);
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let response = Response::new(200, "application/json", call.payload)
            .with_header("Lambda-Runtime-Aws-Request-Id", call.request_id)
            .with_header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
            .with_header("Lambda-Runtime-Invoked-Function-Arn", call.invoked_arn)
            .with_header("Lambda-Runtime-Trace-Id", trace_id());
        Some(match call.client_context {
            Some(context) => response.with_header("Lambda-Runtime-Client-Context", context),
            None => response,
        })
    }

    fn finish(&self, request_id: &str, reply: Reply) -> Response {
        let mut state = self.state();
        match state.current.take_if(|(current, _)| current == request_id) {
            Some((_, caller)) => {
                drop(state);
                let too_large = matches!(reply, Reply::TooLarge);
                let _nobody_waits = caller.send(reply);
                if too_large { too_large_error() } else { accepted() }
            }
            None => error(400, "InvalidRequestID", "Invalid request ID"),
        }
    }

    fn init_failed(&self, payload: Bytes, error_type: String) -> Response {
        match self.state().init.take() {
            Some(init) => {
                let _nobody_waits = init.send(Init::Failed { payload, error_type });
                accepted()
            }
            None => error(403, "InvalidStateTransition", "State transition is not allowed"),
        }
    }

    async fn answer(&self, request: Request) -> Response {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (&request.method, path.as_slice()) {
            (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => self.next().await,
            (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
                let reply = match (request.body.len(), error_behind(&request)) {
                    (_, Some(error)) => Reply::Error(error),
                    (size, None) if size > LARGEST_RESPONSE => Reply::TooLarge,
                    _ => Reply::Response(request.body.clone()),
                };
                self.finish(id, reply)
            }
            (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
                self.finish(id, Reply::Error(request.body.clone()))
            }
            (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
                self.init_failed(request.body.clone(), error_type(&request))
            }
            _ => error(404, "NotFound", "There is no such operation in the Runtime API"),
        }
    }
}

impl Handler for RuntimeApi {
    fn handle(&self, request: Request) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move { Some(self.answer(request).await) })
    }

    /// A runtime needs one.
    fn most_connections(&self) -> usize {
        8
    }
}

/// The error that a streamed response may end with, in a trailer.
fn error_behind(request: &Request) -> Option<Bytes> {
    let encoded = request.header("lambda-runtime-function-error-body")?;
    BASE64_STANDARD.decode(encoded).ok().map(Bytes::from)
}

/// The error's type: runtimes put it into a header, or into the body, or both.
fn error_type(request: &Request) -> String {
    let body = || {
        let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        body.get("errorType")?.as_str().map(str::to_owned)
    };
    body()
        .or_else(|| request.header("lambda-runtime-function-error-type").map(str::to_owned))
        .unwrap_or_else(|| "Runtime.Unknown".to_owned())
}

fn accepted() -> Response {
    Response::new(202, "application/json", r#"{"status":"OK"}"#)
}

fn error(status: u16, error_type: &str, message: &str) -> Response {
    let body = json!({"errorType": error_type, "errorMessage": message});
    Response::new(status, "application/json", body.to_string())
}

fn too_large_error() -> Response {
    let message = format!("Exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes).");
    error(413, "RequestEntityTooLarge", &message)
}

fn trace_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (high, low, parent) = (fastrand::u64(..), fastrand::u32(..), fastrand::u64(..));
    format!("Root=1-{now:08x}-{high:016x}{low:08x};Parent={parent:016x};Sampled=0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(method: Method, path: &str, body: &'static str) -> Request {
        Request {
            method,
            target: String::new(),
            path: path.split('/').map(str::to_owned).collect(),
            trailing_slash: false,
            query: Vec::new(),
            headers: hyper::HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            request_id: String::new(),
            credential: None,
            on_behalf_of: None,
        }
    }

    fn call() -> Call {
        Call {
            request_id: "id-1".to_owned(),
            payload: Bytes::from_static(b"{}"),
            invoked_arn: "arn".to_owned(),
            client_context: None,
        }
    }

    const NEXT: &str = "2018-06-01/runtime/invocation/next";
    const RESPONSE: &str = "2018-06-01/runtime/invocation/id-1/response";
    const ERROR: &str = "2018-06-01/runtime/invocation/id-1/error";
    const INIT_ERROR: &str = "2018-06-01/runtime/init/error";

    #[tokio::test]
    async fn an_event_goes_out_and_its_answer_comes_back() {
        let (api, init) = RuntimeApi::new();
        let answer = api.submit(call(), UNIX_EPOCH + Duration::from_millis(5)).reply;
        let next = api.answer(request(Method::GET, NEXT, "")).await;
        assert_eq!(init.await, Ok(Init::Ready));
        assert_eq!(next.body, "{}");
        let header =
            |name| next.headers.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str());
        assert_eq!(header("Content-Type"), Some("application/json"));
        assert_eq!(header("Lambda-Runtime-Aws-Request-Id"), Some("id-1"));
        assert_eq!(header("Lambda-Runtime-Deadline-Ms"), Some("5"));
        let accepted = api.answer(request(Method::POST, RESPONSE, "42")).await;
        assert_eq!(accepted.status, 202);
        assert_eq!(answer.await, Ok(Reply::Response(Bytes::from_static(b"42"))));
        let twice = api.answer(request(Method::POST, RESPONSE, "42")).await;
        assert_eq!(twice.status, 400);
    }

    #[tokio::test]
    async fn a_runtime_that_waits_gets_the_event_when_there_is_one() {
        let (api, _init) = RuntimeApi::new();
        let (next, ()) = tokio::join!(api.answer(request(Method::GET, NEXT, "")), async {
            tokio::task::yield_now().await;
            drop(api.submit(call(), UNIX_EPOCH));
        });
        assert_eq!(next.status, 200);
    }

    #[tokio::test]
    async fn errors_are_passed_on_as_they_are() {
        let (api, _init) = RuntimeApi::new();
        let answer = api.submit(call(), UNIX_EPOCH).reply;
        api.answer(request(Method::GET, NEXT, "")).await;
        api.answer(request(Method::POST, ERROR, r#"{"errorType":"ValueError"}"#)).await;
        let payload = Bytes::from_static(br#"{"errorType":"ValueError"}"#);
        assert_eq!(answer.await, Ok(Reply::Error(payload)));
    }

    #[tokio::test]
    async fn initialisation_fails_once() {
        let (api, init) = RuntimeApi::new();
        let error = r#"{"errorType":"Runtime.HandlerNotFound"}"#;
        assert_eq!(api.answer(request(Method::POST, INIT_ERROR, error)).await.status, 202);
        let Ok(Init::Failed { error_type, .. }) = init.await else { panic!("it failed") };
        assert_eq!(error_type, "Runtime.HandlerNotFound");
        assert_eq!(api.answer(request(Method::POST, INIT_ERROR, "{}")).await.status, 403);
    }

    #[tokio::test]
    async fn what_is_not_the_runtime_api_is_not_found() {
        let (api, _init) = RuntimeApi::new();
        assert_eq!(api.answer(request(Method::GET, "", "")).await.status, 404);
        assert_eq!(api.answer(request(Method::GET, "2018-06-01/runtime", "")).await.status, 404);
    }
}
