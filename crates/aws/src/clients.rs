//! The SDK's clients, each made when a step first wants it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_lambda::config::StalledStreamProtectionConfig;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use super::call::{Observer, OnUnanswered};
use super::intercept::Watch;

/// Fifteen minutes, and what the way there and back takes.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(super) const LONGEST_INVOCATION: Duration = Duration::from_secs(15 * 60 + 30);

/// The services there are clients of, as endpoints of one service are named after.
pub(super) const SERVICE_IDS: [&str; 8] = [
    "STS",
    "IAM",
    "Lambda",
    "CloudWatch Logs",
    "CloudFormation",
    "Cognito Identity Provider",
    "DynamoDB",
    "S3",
];

/// The client of AWS. Clones share the clients.
#[derive(Clone)]
pub struct Aws {
    shared: Arc<Shared>,
    observer: Observer,
    on_unanswered: OnUnanswered,
}

struct Shared {
    config: SdkConfig,
    dry_run: bool,
    capture_bodies: bool,
    mortal: bool,
    sts: OnceLock<aws_sdk_sts::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    lambda: OnceLock<aws_sdk_lambda::Client>,
    lambda_invocations: OnceLock<aws_sdk_lambda::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    cloudformation: OnceLock<aws_sdk_cloudformation::Client>,
    cognito: OnceLock<aws_sdk_cognitoidentityprovider::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
}

impl Aws {
    /// A client with the given configuration. `dry_run`: nothing is sent. `capture_bodies`: bodies are shown to the observer.
    #[must_use]
    pub fn new(config: SdkConfig, dry_run: bool, capture_bodies: bool) -> Self {
        let shared = Shared {
            config,
            dry_run,
            capture_bodies: capture_bodies || dry_run,
            mortal: false,
            sts: OnceLock::new(),
            iam: OnceLock::new(),
            lambda: OnceLock::new(),
            lambda_invocations: OnceLock::new(),
            logs: OnceLock::new(),
            cloudformation: OnceLock::new(),
            cognito: OnceLock::new(),
            dynamodb: OnceLock::new(),
            s3: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
            observer: Arc::new(|_| ()),
            on_unanswered: Arc::new(|_| ()),
        }
    }

    /// The same client, before anybody has called through it, and a reply that carries
    /// [`LAST_REPLY`](super::LAST_REPLY) ends the program.
    #[must_use]
    pub fn mortal(mut self) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.mortal = true;
        }
        self
    }

    /// The same client, with somebody else listening.
    #[must_use]
    pub fn observed_by(&self, observer: Observer) -> Self {
        Self { observer, ..self.clone() }
    }

    /// The same client, which tells somebody of every attempt without an answer.
    #[must_use]
    pub fn telling_unanswered(&self, on_unanswered: OnUnanswered) -> Self {
        Self { on_unanswered, ..self.clone() }
    }

    /// Whether this is a dry run. Steps have no use for it: the client takes care.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.shared.dry_run
    }

    /// Whether somebody wants to see what is sent and what steps return.
    #[must_use]
    pub fn captures_bodies(&self) -> bool {
        self.shared.capture_bodies
    }

    /// Where calls go, if not to AWS's own endpoints.
    pub(super) fn endpoint_url(&self) -> Option<&str> {
        self.shared.config.endpoint_url()
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    pub(super) fn on_unanswered(&self) -> &OnUnanswered {
        &self.on_unanswered
    }

    pub(super) fn config(&self) -> &SdkConfig {
        &self.shared.config
    }

    pub(super) fn watch(&self) -> Watch {
        self.shared.watch()
    }
}

/// One accessor a service: its client, with the watch on every attempt.
macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(&self) -> &$sdk::Client {
            self.shared.$name.get_or_init(|| {
                let config = $sdk::config::Builder::from(&self.shared.config);
                let config = config.interceptor(self.shared.watch());
                $sdk::Client::from_conf(config.build())
            })
        }
    };
}

impl Shared {
    fn watch(&self) -> Watch {
        Watch { dry_run: self.dry_run, mortal: self.mortal }
    }
}

impl Aws {
    client!(
        /// AWS Security Token Service.
        sts, aws_sdk_sts
    );
    client!(
        /// AWS Identity and Access Management.
        iam, aws_sdk_iam
    );
    client!(
        /// AWS Lambda.
        lambda, aws_sdk_lambda
    );
    client!(
        /// Amazon CloudWatch Logs.
        logs, aws_sdk_cloudwatchlogs
    );
    client!(
        /// AWS CloudFormation.
        cloudformation, aws_sdk_cloudformation
    );
    client!(
        /// Amazon Cognito user pools.
        cognito, aws_sdk_cognitoidentityprovider
    );
    client!(
        /// Amazon DynamoDB.
        dynamodb, aws_sdk_dynamodb
    );

    /// AWS Lambda, for invocations: Lambda answers when the function has ended, up to fifteen minutes later, and sends
    /// nothing meanwhile; and what is sent twice runs twice.
    #[must_use]
    pub fn lambda_invocations(&self) -> &aws_sdk_lambda::Client {
        self.shared.lambda_invocations.get_or_init(|| {
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .operation_attempt_timeout(LONGEST_INVOCATION)
                .build();
            let config = aws_sdk_lambda::config::Builder::from(&self.shared.config)
                .interceptor(self.shared.watch())
                .timeout_config(timeouts)
                .retry_config(RetryConfig::standard().with_max_attempts(1))
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
            aws_sdk_lambda::Client::from_conf(config.build())
        })
    }

    /// Amazon S3. Where an endpoint is given, the bucket stands in the path: not every name in front of such a host leads
    /// there. So it does in a dry run, where it may be one that no host could have.
    #[must_use]
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.shared.s3.get_or_init(|| {
            let config = aws_sdk_s3::config::Builder::from(&self.shared.config);
            let config = config.interceptor(self.shared.watch());
            let elsewhere = self.shared.config.endpoint_url().is_some();
            let config = config.force_path_style(elsewhere || self.shared.dry_run);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }
}
