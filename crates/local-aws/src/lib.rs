//! The embedded AWS: enough of AWS, inside this process, to run a playbook with no AWS account.
//!
//! It is reached over HTTP on the loopback interface, exactly as AWS is: by the run's own SDK clients, by the handlers
//! that it executes, and (through `playbook serve`) by the AWS CLI or boto3.
//!
//! | module | what it is |
//! |---|---|
//! | [`server`] | the listener, which service a request is for, and an injector of faults |
//! | [`http`] | requests and responses as the services see them |
//! | [`protocol`] | AWS's wire protocols: query/XML, JSON 1.0/1.1, REST-JSON |
//! | [`account`] | accounts and regions: the one place where state lives, with clock, tasks and changes |
//! | [`ids`] | identifiers |
//! | the others | one small state machine per service |

pub mod account;
mod event_pattern;
pub mod http;
pub mod ids;
pub mod protocol;
mod random;
pub mod server;
mod stream_log;

pub use account::Account;
pub use account::latency::LatencyProfile;
pub use server::{KeyPair, LocalAws, LocalOptions, Service};

/// Declares the services: the folder of each, and the list of all.
macro_rules! services {
    ($($module:ident,)*) => {
        $(pub mod $module;)*

        /// Every service, in the order in which they are listed to people.
        pub static SERVICES: &[&dyn Service] = &[$(&$module::Service,)*];
    };
}

services! {
    sts,
    iam,
    logs,
    cloudformation,
    lambda,
    cognito,
    dynamodb,
    s3,
    ssm,
    sqs,
    sns,
    events,
    secretsmanager,
    kinesis,
    apigateway,
    tagging,
}
