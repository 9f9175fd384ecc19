//! Handlers of what other services send: streams, queues, topics, buckets, and a function that reads a database.
//!
//! An error fails the invocation. For streams and queues that means that Lambda delivers the whole batch again, unless the
//! handler says which [items failed](batch).

pub mod batch;
pub mod documentdb_changes;
pub mod dynamodb_batch_failures;
pub mod dynamodb_stream;
pub mod error;
pub mod kinesis_batch_failures;
pub mod kinesis_records;
pub mod msk_records;
pub mod rds_connect;
pub mod s3_object;
pub mod sns_messages;
pub mod sqs_batch_failures;
pub mod sqs_messages;

pub use self::error::Error;
