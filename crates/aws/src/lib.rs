//! The one client of AWS. Every call that a step makes goes through [`Aws::call`]: live it is sent, in a dry run it is
//! serialised, written down and answered by a placeholder. Steps cannot tell which.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod call;
pub mod captured;
mod clients;
mod configured;
mod connect;
mod connect_error;
mod error;
pub mod http;
mod intercept;
pub mod operation;
mod reply;

pub use aws_model as model;
pub use aws_model::is_reserved_word;
pub use call::{Observer, OnUnanswered, Unanswered};
pub use clients::Aws;
pub use configured::{ConfiguredEndpoint, configured_endpoint, has_profile};
pub use connect::{CallTimeouts, Connected, Connection, Credentials, Endpoint, connect};
pub use connect_error::ConnectError;
pub use error::{CallError, Outcome};
pub use intercept::{LAST_REPLY, MORTAL};
