//! What Lambda's event sources do with queues, once the function's role has been seen to allow it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::queue::Received;
use super::receive::{delete_one, system_attributes, wait_for, written};
use super::{State, md5};
use crate::account::Account;
use crate::protocol::AwsError;

/// A message that has been received.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// What it is deleted by.
    pub(crate) handle: String,
    /// As functions get it.
    pub(crate) record: Value,
}

/// What is to be known of a queue before messages are taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Whether it keeps an order.
    pub(crate) is_fifo: bool,
    /// For how long, in seconds, nobody else gets a message.
    pub(crate) visibility: u32,
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    md5::hex(bytes)
}

/// The queue of an ARN, by name.
pub(crate) fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

/// Whether a name or an ARN is that of a FIFO queue or topic.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "it is no file's, and AWS's has one case"
)]
pub(crate) fn is_fifo(name: &str) -> bool {
    name.ends_with(".fifo")
}

/// The URL of an ARN's queue.
pub(crate) fn url_of(account: &Account, arn: &str) -> String {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    super::url(&account.at(owner, &account.region), name_of(arn))
}

/// What kind of queue it is.
pub(crate) fn kind(account: &Account, name: &str) -> Result<Kind, AwsError> {
    let mut state = account.state::<State>();
    let settings = &state.queue(name)?.settings;
    Ok(Kind { is_fifo: settings.is_fifo, visibility: settings.visibility })
}

/// Waits for messages, so long at most.
pub(crate) async fn arrive(
    account: &Account,
    name: &str,
    most: usize,
    wait: Duration,
) -> Result<Vec<Arrived>, AwsError> {
    let received = wait_for(account, name, most, None, wait).await?;
    Ok(received.iter().map(|received| arrived(account, name, received)).collect())
}

/// Deletes messages. One that has come back in the meantime is somebody else's by now.
pub(crate) fn settle<'a>(account: &Account, name: &str, handles: impl Iterator<Item = &'a str>) {
    for handle in handles {
        let _ = delete_one(account, name, handle);
    }
}

fn arrived(account: &Account, name: &str, received: &Received) -> Arrived {
    let message = &received.message;
    let handle = written(name, received.handle);
    let mut record = json!({
        "messageId": message.id,
        "receiptHandle": handle,
        "body": message.draft.body,
        "attributes": system_attributes(message),
        "messageAttributes": attributes(&message.draft.attributes),
        "md5OfBody": md5::of(message.draft.body.as_bytes()),
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:{}:{}:{name}", account.region, account.id),
        "awsRegion": account.region,
    });
    if !message.draft.attributes.is_empty() {
        record["md5OfMessageAttributes"] = json!(md5::of_attributes(&message.draft.attributes));
    }
    Arrived { handle, record }
}

/// Attributes as functions get them.
fn attributes(given: &Map<String, Value>) -> Value {
    let shown = given.iter().map(|(name, attribute)| {
        let mut shown = Map::new();
        for (member, own) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute.get(member) {
                shown.insert(own.to_owned(), value.clone());
            }
        }
        shown.insert("stringListValues".to_owned(), json!([]));
        shown.insert("binaryListValues".to_owned(), json!([]));
        shown.insert("dataType".to_owned(), attribute["DataType"].clone());
        (name.clone(), Value::Object(shown))
    });
    Value::Object(shown.collect())
}
