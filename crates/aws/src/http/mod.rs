//! HTTP requests to whatever answers them, as an API that a scenario has made. A dry run writes them down as it does with
//! calls.

mod exchange;
mod tls;
mod whereto;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::captured::{Call, CallOutcome, Effect};
use crate::clients::Aws;

/// The service that requests of a step's own stand under in events.
pub const SERVICE: &str = "http";

/// The most bytes that are read of a response's body: an API of AWS's answers with no more than 10 MB.
pub const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// With the query.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Bytes>,
    /// The same as data, for whoever reads a plan.
    pub shown_body: Value,
    /// How long everything may take.
    pub timeout: Duration,
    /// How many redirects are followed.
    pub redirects: u32,
    /// Hosts that a redirect may lead to beside the URL's own, each a name or `name:port`.
    pub hosts: Vec<String>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// The statuses that are wanted, where the step says so.
    pub expected: Vec<u16>,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of the authorities that this machine knows.
    #[default]
    Machine,
    /// Those of the authorities in that file alone, which is PEM.
    Authorities(PathBuf),
    /// Anybody's.
    Anybody,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// Names in small letters, and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What answered, after redirects.
    pub url: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The URL is none that can be asked.
    #[error("`{url}` is no URL to send a request to: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The method is none.
    #[error("`{method}` is no HTTP method")]
    Method {
        /// As it was given.
        method: String,
    },
    /// A header's name or value cannot be sent.
    #[error("the header `{name}` cannot be sent: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The file of authorities is of no use.
    #[error("{path} holds no certificate that can be used: {reason}")]
    Authorities {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no connection.
    #[error("{host} cannot be reached: {reason}")]
    Connect {
        /// The host, and the port.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// There is a connection, and nobody knows who is at its other end.
    #[error("the connection to {host} is not secure: {reason}")]
    Tls {
        /// The host, and the port.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The connection ended before the answer did.
    #[error("no answer of {host}: {reason}")]
    NoAnswer {
        /// The host, and the port.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// It took too long.
    #[error("{method} {url} took too long")]
    TimedOut {
        /// The method.
        method: String,
        /// The URL, without its query.
        url: String,
    },
    /// The body is larger than what is read.
    #[error("the answer is larger than {LARGEST_BODY} bytes")]
    TooLarge,
    /// A redirect leads to a host that nobody has named.
    #[error("the answer is {status}, a redirect to {host}, which the step does not name")]
    Elsewhere {
        /// The status.
        status: u16,
        /// The host that it leads to.
        host: String,
    },
    /// A redirect leads nowhere.
    #[error("the answer is {status}, a redirect to `{location}`, which is no URL")]
    Nowhere {
        /// The status.
        status: u16,
        /// As the answer has it.
        location: String,
    },
    /// More redirects than are followed.
    #[error("there are more than {limit} redirects")]
    Redirects {
        /// How many are followed.
        limit: u32,
    },
}

impl HttpError {
    /// The word that `expect_error`, `retry.on` and `error.code` go by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Method { .. } | Self::Header { .. } => "InvalidInput",
            Self::Authorities { .. } => "InvalidCertificate",
            Self::Connect { .. } => "ConnectionFailed",
            Self::Tls { .. } => "TlsFailed",
            Self::NoAnswer { .. } => "NoAnswer",
            Self::TimedOut { .. } => "TimedOut",
            Self::TooLarge => "ResponseTooLarge",
            Self::Elsewhere { .. } => "RedirectElsewhere",
            Self::Nowhere { .. } => "RedirectNowhere",
            Self::Redirects { .. } => "TooManyRedirects",
        }
    }
}

impl Aws {
    /// Sends a request, or writes it down, once it has been found fit to be sent, and returns `placeholder`.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn http(
        &self,
        request: &HttpRequest,
        placeholder: impl FnOnce() -> HttpReply,
    ) -> Result<HttpReply, HttpError> {
        exchange::check(request)?;
        let started = Instant::now();
        let result = if self.is_dry_run() {
            Ok(placeholder())
        } else {
            exchange::run(request, self.endpoint_url()).await
        };
        let outcome = (!self.is_dry_run()).then(|| CallOutcome {
            error: result.as_ref().err().map(|error| error.code().to_owned()),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            attempts: 1,
            unanswered: false,
        });
        (self.observer())(written_down(request, outcome, self.captures_bodies()));
        result
    }
}

/// The request as an event tells it.
fn written_down(request: &HttpRequest, outcome: Option<CallOutcome>, capture_body: bool) -> Call {
    let mut parameters = Map::new();
    if capture_body {
        if !request.headers.is_empty() {
            let headers = request.headers.iter();
            let headers = headers.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            parameters.insert("headers".to_owned(), Value::Object(headers.collect()));
        }
        if request.body.is_some() {
            parameters.insert("body".to_owned(), request.shown_body.clone());
        }
        if request.redirects > 0 {
            parameters.insert("redirects".to_owned(), Value::from(request.redirects));
        }
        if !request.expected.is_empty() {
            parameters.insert("expect_status".to_owned(), Value::from(request.expected.clone()));
        }
        match &request.trust {
            Trust::Machine => {}
            Trust::Authorities(path) => {
                parameters.insert("ca".to_owned(), Value::from(path.display().to_string()));
            }
            Trust::Anybody => {
                parameters.insert("insecure".to_owned(), Value::from(true));
            }
        }
    }
    let looks = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    Call {
        service: SERVICE.to_owned(),
        operation: request.method.clone(),
        effect: if looks { Effect::Read } else { Effect::Act },
        method: request.method.clone(),
        path: request.url.clone(),
        body: Value::Null,
        parameters: Value::Object(parameters),
        outcome,
    }
}

#[cfg(test)]
mod tests;
