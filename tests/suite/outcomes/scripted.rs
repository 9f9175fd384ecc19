//! A run whose every request is answered as a test says: the SDK, the step kinds, the journal and the clean-up are the
//! real ones.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::steps::{kind, maker_of};
use aws::Aws;
use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use engine::cleanup::{Cleaner, Windows};
use engine::event::{Event, Owner, Remaining, UndoStatus, What};
use engine::journal::{Journal, Opened, Record, Target};
use engine::redactor::Redactor;
use engine::sink::Sink;
use engine::step::{Context, Interrupt, RunFacts, StepError};
use playbook::prompt::UnattendedPrompter;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

/// The run's id.
pub const RUN: &str = "7f3a";

/// How a request ends.
pub enum Reply {
    /// With success.
    Json(Value),
    /// With success.
    Xml(&'static str),
    /// With success.
    XmlText(String),
    /// Refused by a service that speaks JSON.
    Refused(u16, &'static str),
    /// Refused by S3 or IAM.
    RefusedXml(u16, &'static str),
    /// A page of something that stands in between.
    Page(u16),
    /// It takes effect, and the connection breaks.
    Lost,
    /// Not at all.
    Never,
}

impl Reply {
    /// The same of another operation.
    pub fn renamed(self, from: &str, to: &str) -> Self {
        match self {
            Self::XmlText(text) => Self::XmlText(text.replace(from, to)),
            other => other,
        }
    }
}

/// Too many requests.
pub const THROTTLED: Reply = Reply::Refused(400, "ThrottlingException");

type Script = dyn Fn(&str, usize) -> Reply + Send + Sync;

/// Answers by operation, such as `CreateTable` or `GET /bucket?tagging`, and by how often it was called so far, from 1.
#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    counts: Arc<Mutex<BTreeMap<String, usize>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request);
        let nth = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(operation.clone()).or_default();
            *count += 1;
            *count
        };
        self.calls.lock().unwrap().push(operation.clone());
        let (status, kind, body) = match (self.script)(&operation, nth) {
            Reply::Json(body) => (200, "", body.to_string()),
            Reply::Xml(body) => (200, "", body.to_owned()),
            Reply::XmlText(body) => (200, "", body),
            Reply::Refused(status, kind) => {
                (status, kind, json!({"__type": kind, "message": "no"}).to_string())
            }
            Reply::RefusedXml(status, kind) => {
                let error = format!("<Error><Code>{kind}</Code><Message>no</Message></Error>");
                // IAM wraps it, S3 does not.
                let wrapped = format!("<ErrorResponse>{error}</ErrorResponse>");
                (status, kind, if operation.contains(' ') { error } else { wrapped })
            }
            Reply::Page(status) => {
                (status, "", "<!DOCTYPE html><title>Sign in to the network</title>".to_owned())
            }
            Reply::Lost => {
                return HttpConnectorFuture::ready(Err(ConnectorError::io("cut".into())));
            }
            Reply::Never => return HttpConnectorFuture::new(std::future::pending()),
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        if !kind.is_empty() {
            response.headers_mut().insert("x-amzn-errortype", kind);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap().to_owned();
    }
    let form = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
    if let Some((_, rest)) = form.and_then(|form| form.split_once("Action=")) {
        return rest.split('&').next().unwrap().to_owned();
    }
    let path = request.uri().trim_start_matches("http://aws.test");
    let path = path.split_once("x-id=").map_or(path, |(path, _)| path);
    let path = path.replace("/?", "?");
    format!("{} {}", request.method(), path.trim_end_matches(['?', '&', '/']))
}

/// A run, step by step.
pub struct Run {
    pub journal: Journal,
    scripted: Scripted,
    directory: TempDir,
    region: &'static str,
}

impl Run {
    pub fn new(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::within("eu-central-1", script)
    }

    pub fn within(
        region: &'static str,
        script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let opened = Opened {
            run: RUN.to_owned(),
            version: "0.1.0".to_owned(),
            playbook: "scripted".to_owned(),
            file: "scripted.yaml".to_owned(),
            started: "2026-11-23T10:00:00Z".to_owned(),
            target: Target {
                account: "000000000000".to_owned(),
                region: region.to_owned(),
                endpoint: None,
                local: false,
            },
            profile: None,
            attempt_millis: 60_000,
        };
        let scripted =
            Scripted { script: Arc::new(script), counts: Arc::default(), calls: Arc::default() };
        let journal = Journal::in_memory(&Record::Opened(opened), Redactor::default());
        Self { journal, scripted, directory: TempDir::new().unwrap(), region }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The operations since the last look.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.scripted.calls.lock().unwrap())
    }

    fn context(&self, step: &str) -> Context {
        let connector = SharedHttpConnector::new(self.scripted.clone());
        let credentials = Credentials::new("AKIAPLAYBOOKEXAMPLE0", "playbook", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(Region::new(self.region))
            .endpoint_url("http://aws.test")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(4)
                    .with_initial_backoff(Duration::from_millis(1)),
            )
            .build();
        Context {
            aws: Aws::new(config, false, false),
            run: Arc::new(RunFacts {
                id: RUN.to_owned(),
                started: "2026-11-23T10:00:00Z".to_owned(),
                region: self.region.to_owned(),
                account: Some("000000000000".to_owned()),
                local: false,
                on_this_machine: true,
                allow_admin: false,
            }),
            directory: Arc::from(self.directory.path()),
            root: Arc::from(self.directory.path()),
            ledger: Arc::new(self.journal.for_step(step, Vec::new(), false, Arc::new(|_| ()))),
            prompter: Arc::new(UnattendedPrompter),
            progress: Arc::new(|_| ()),
            interrupt: Interrupt::new(watch::channel(0).1, 1),
            kind: Arc::from(step),
            keys: None,
            step: Arc::from(step),
            slug: Arc::from(step),
            unread: false,
            longest_wait: None,
        }
    }

    /// Runs a step.
    pub async fn step(&self, name: &str, input: Value) -> Result<Value, StepError> {
        (kind(name).unwrap().run)(self.context("it"), input).await
    }

    /// Names of the entries that clean-up has to see to, latest first.
    pub fn pending(&self) -> Vec<String> {
        self.journal.pending().into_iter().map(|entry| entry.name).collect()
    }

    /// Cleans up: how each entry ended, in the order of their ends, and what remains.
    pub async fn clean(&self) -> (Vec<(String, UndoStatus)>, Vec<Remaining>) {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let ends = Arc::clone(&ends);
            move |event: &Event| {
                if let (Owner::Undo(resource), What::UndoFinished { status, .. }) =
                    (&event.owner, &event.what)
                {
                    ends.lock().unwrap().push((resource.name.clone(), *status));
                }
            }
        };
        let window = Duration::from_millis(300);
        let remaining = Cleaner {
            journal: &self.journal,
            context: self.context("cleanup"),
            maker_of,
            sink: &Sink::new(RUN, Box::new(listener), Redactor::default()),
            timeout: Duration::from_secs(2),
            max: engine::cleanup::USUAL_MAX,
            windows: Windows {
                visibility: window,
                under_way: window,
                aftermath: window,
                own: false,
            },
        }
        .clean()
        .await;
        let ends = ends.lock().unwrap().clone();
        (ends, remaining)
    }

    /// As another process finds the journal.
    pub fn recover(&mut self) {
        self.journal = Journal::copy_of(&self.journal.state(), Redactor::default());
    }
}
