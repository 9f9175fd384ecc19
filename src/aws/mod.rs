//! The one door to AWS. Every call that a step makes goes through [`Aws::call`]: live it is sent, in a dry run it is
//! serialised, written down and answered by a placeholder. Steps cannot tell which.

mod call;
mod clients;
mod configured;
mod connect;
mod connect_error;
pub mod deployment_package;
mod error;
mod intercept;
mod parameters;
mod policy;
pub mod region;

pub use call::Observer;
pub use clients::Aws;
pub use configured::{ConfiguredEndpoint, configured_endpoint, has_profile};
pub use connect::{CallPatience, Connected, Connection, Credentials, Endpoint, connect};
pub use connect_error::ConnectError;
pub use error::{CallError, Outcome};
pub use intercept::{LAST_REPLY, MORTAL};
pub use policy::{administrators_of, allows_everything, is_administrator_policy};
