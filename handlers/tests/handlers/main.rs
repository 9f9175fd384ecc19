//! The handlers against the events that AWS documents, and against a DynamoDB and an S3 whose answers are written out.

mod activity_log;
mod auth_token;
mod auto_confirm;
mod database;
mod documentdb;
mod dynamodb;
mod event_programs;
mod kinesis;
mod known_users;
mod migrate_user;
mod msk;
mod passwords;
mod program;
mod rds_connect;
mod s3_object;
mod server;
mod sns;
mod sqs;
mod stage;
