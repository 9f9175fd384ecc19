//! Lambda handlers that the shipped playbooks deploy.
//!
//! Each is a trigger of a Cognito user pool and looks people up in a `DynamoDB` table of [known users](known_users): key
//! `UserEmail`, attributes `UserName` and `LastLogin`. The table's name is in the environment variable `TABLE_NAME`.
//!
//! A handler gives back the [event](trigger) that it was given, with the response filled in.

pub mod activity_log;
pub mod auto_confirm;
pub mod dynamodb;
pub mod error;
pub mod known_users;
pub mod log;
pub mod migrate_user;
pub mod trigger;

pub use crate::error::Error;
pub use crate::known_users::KnownUsers;
