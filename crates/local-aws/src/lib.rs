//! The embedded AWS: enough of AWS, inside this process, to run a playbook with no AWS account.
//!
//! It is reached over HTTP on the loopback interface, exactly as AWS is: by the run's own SDK clients, by the handlers
//! that it executes, and (through `playbook serve`) by the AWS CLI or boto3.
//!
//! | module | what it is |
//! |---|---|
//! | [`server`] | the listener, which service a request is for, and a seam for faults |
//! | [`http`] | requests and responses as the services see them |
//! | [`protocol`] | AWS's wire protocols: query/XML, JSON 1.0/1.1, REST-JSON |
//! | [`world`] | the account: the one place where state lives, its clock and its pace |
//! | [`sts`], [`iam`], [`logs`], [`lambda`], [`cognito`], [`dynamodb`], [`s3`], [`cloudformation`] | one small state machine per service |

pub mod cloudformation;
pub mod cognito;
pub mod dynamodb;
pub mod http;
pub mod iam;
pub mod lambda;
pub mod logs;
pub mod protocol;
mod random;
pub mod s3;
pub mod server;
pub mod sts;
pub mod world;

pub use server::{KeyPair, LocalAws, LocalOptions};
pub use world::Pace;
