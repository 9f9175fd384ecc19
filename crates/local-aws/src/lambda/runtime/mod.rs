//! Execution: environments, their processes, and the Runtime API between them and Lambda.
//!
//! | module | what it is |
//! |---|---|
//! | [`process_pool`] | all environments of all functions: reuse, limits, the end |
//! | `environment` | one environment: start, invoke, end |
//! | `api` | the Runtime API, 2018-06-01 |
//! | `entry` | which program runs a function |
//! | `working_directory` | the private directory, the spawning thread and the guard that environments share |
//! | `spawner` | starts processes so that they die with this one |
//! | `output`, `frames`, `log`, `platform` | from a handler's stdout to its log stream |

mod api;
mod entry;
mod environment;
mod frames;
mod log;
mod output;
mod platform;
pub mod process_pool;
mod spawner;
mod working_directory;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

pub use platform::LogFormat;
pub use process_pool::ProcessPool;

/// What environments need of the account around them.
pub trait Host: Send + Sync + 'static {
    /// The time that the account goes by: of log lines, not of what processes measure.
    fn now(&self) -> SystemTime;

    /// Appends to a log stream, which is created where it is missing.
    fn append_log(&self, group: &str, stream: &str, events: Vec<(SystemTime, String)>);

    /// The variables through which a handler reaches this AWS in its role: region, endpoint, credentials.
    fn aws_variables(&self, role_arn: &str, function_name: &str) -> Vec<(String, String)>;
}

/// One version of a function, as its environments see it.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The function's name.
    pub function_name: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// Differs whenever environments must not be reused.
    pub generation: u64,
    /// Such as `python3.13`.
    pub runtime: String,
    /// What `RuntimeVersionConfig` says.
    pub runtime_version_arn: String,
    /// Such as `module.function`.
    pub handler: String,
    /// The execution role.
    pub role_arn: String,
    /// In megabytes; a handler that uses more is ended, where the system says how much it uses.
    pub memory_mb: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// The function's own variables.
    pub variables: BTreeMap<String, String>,
    /// Where the log goes.
    pub log_group: String,
    /// How the log is written.
    pub log_format: LogFormat,
    /// The level below which a JSON log leaves records out.
    pub log_level: Option<String>,
    /// The deployment package.
    pub code: Bytes,
    /// Its hash, which names its unpacked copy.
    pub code_sha256: String,
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request's identifier.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// The ARN that the caller named, with the qualifier that it named.
    pub invoked_arn: String,
    /// The caller's client context, as JSON.
    pub client_context: Option<String>,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The function's answer, or what is known of its error.
    pub payload: Bytes,
    /// Whether it is an error.
    pub failed: bool,
    /// The last 4 KB of this invocation's log.
    pub log_tail: Vec<u8>,
}

/// An error in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    error_type: String,
    message: String,
}

impl Fault {
    fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self { error_type: error_type.to_owned(), message: message.into() }
    }

    /// The payload that the caller gets.
    fn payload(&self, request_id: &str) -> Bytes {
        let message = format!("RequestId: {request_id} Error: {}", self.message);
        Bytes::from(
            serde_json::json!({"errorType": self.error_type, "errorMessage": message}).to_string(),
        )
    }
}
