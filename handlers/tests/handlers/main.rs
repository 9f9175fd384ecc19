//! The handlers against the events that Cognito documents, and a `DynamoDB` whose answers are written out.

mod activity_log;
mod auto_confirm;
mod known_users;
mod migrate_user;
mod passwords;
mod server;
mod stage;
