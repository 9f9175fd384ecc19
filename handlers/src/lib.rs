//! Lambda handlers that the shipped playbooks deploy.
//!
//! Some are triggers of a Cognito user pool and look people up in a DynamoDB table of [known users](known_users): key
//! `UserEmail`, attributes `UserName` and `LastLogin`. The table's name is in the environment variable `TABLE_NAME`.
//!
//! Such a handler gives back the [event](trigger) that it was given, with the response filled in.
//!
//! Another answers an HTTP API that [products] are kept behind.
//!
//! The others take the [events] of streams, queues, topics and buckets, or connect to a database.

pub mod activity_log;
pub mod auth_token;
pub mod auto_confirm;
pub mod aws;
pub mod dynamodb;
pub mod error;
pub mod events;
pub mod known_users;
pub mod log;
pub mod migrate_user;
pub mod products;
pub mod s3;
pub mod trigger;

pub use crate::error::Error;
pub use crate::known_users::KnownUsers;
