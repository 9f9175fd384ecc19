//! An embedded AWS in the test's own process, which can look into it and disturb it.

use std::process::Command;
use std::sync::Arc;

use local_aws::server::Middleware;
use local_aws::{LatencyProfile, LocalAws, LocalOptions};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::sandbox::{Sandbox, program};

/// An account, and the server that answers for it.
pub struct Account {
    runtime: Runtime,
    aws: Option<LocalAws>,
}

impl Account {
    /// An empty one that nothing disturbs.
    pub fn open() -> Self {
        Self::launch(None)
    }

    /// An empty one whose every request passes through `middleware`.
    pub fn disturbed_by(middleware: Arc<dyn Middleware>) -> Self {
        Self::launch(Some(middleware))
    }

    fn launch(middleware: Option<Arc<dyn Middleware>>) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = LocalOptions {
            port: 0,
            latency: LatencyProfile::None,
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
            launcher: vec![program().into(), "__handler".into()],
            required: None,
        };
        let aws = runtime.block_on(async {
            match middleware {
                Some(middleware) => LocalAws::start_with(options, middleware).await,
                None => LocalAws::start(options).await,
            }
        });
        Self { runtime, aws: Some(aws.unwrap()) }
    }

    fn aws(&self) -> &LocalAws {
        self.aws.as_ref().unwrap()
    }

    /// Points a command of the program here.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("AWS_ENDPOINT_URL", self.aws().endpoint_url())
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_REGION", "us-east-1")
    }

    /// A run of `playbook.yaml` here.
    pub fn run_command(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let endpoint = ["--endpoint-url", self.aws().endpoint_url()];
        let mut command = sandbox.playbook(["run", "playbook.yaml"].iter().chain(&endpoint));
        command.args(arguments);
        self.tell(&mut command);
        command
    }

    /// All that it holds, by service.
    pub fn snapshot(&self) -> Value {
        self.aws().account().snapshot()
    }

    /// Everything that exists, such as `logs /demo`.
    pub fn resources(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        let mut names = Vec::new();
        for (service, picture) in snapshot.as_object().unwrap() {
            let Value::Object(parts) = picture else { continue };
            for (name, part) in parts {
                match part {
                    Value::Object(named) if has_types(service) => {
                        names.extend(named.keys().map(|it| format!("{service} {name} {it}")));
                    }
                    _ => names.push(format!("{service} {name}")),
                }
            }
        }
        names.sort();
        names
    }
}

/// Whether a service's picture is one of types, each with what there is of it.
fn has_types(name: &str) -> bool {
    let service = local_aws::SERVICES.iter().find(|service| service.name() == name);
    service.is_some_and(|service| service.comparison().has_types)
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(aws) = self.aws.take() {
            self.runtime.block_on(aws.shutdown());
        }
    }
}
