//! The one door to AWS. Every call that a step makes goes through [`Aws::call`]: live it is sent, in a dry run it is
//! serialised, written down and answered by a placeholder. Steps cannot tell which.

mod call;
mod clients;
mod connect;
pub mod deployment_package;
mod error;
mod intercept;
mod parameters;
mod policy;

pub use call::Observer;
pub use clients::Aws;
pub use connect::{
    CallPatience, ConnectError, Connected, Connection, Credentials, Endpoint, connect,
};
pub use error::{CallError, Outcome};
pub use intercept::{LAST_REPLY, MORTAL};
pub use policy::{administrators_of, allows_everything, is_administrator_policy};
