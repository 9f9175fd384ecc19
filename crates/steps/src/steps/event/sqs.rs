//! Messages of a queue. <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::setting::{Made, Patch, Setting, Time, hex, later, text};
use engine::step::StepError;

/// Messages of an SQS queue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The messages, in order.
    records: Vec<Record>,
    /// The queue's name; `my-queue`, or `my-queue.fifo` where messages have groups.
    queue: Option<String>,
    /// The unique id of whoever has sent them.
    #[serde(default = "sender")]
    sender_id: String,
}

fn sender() -> String {
    "AIDAEXAMPLEEXAMPLE012".to_owned()
}

/// A message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// What it says: text as it is, anything else as JSON.
    body: Value,
    /// Its id; made from the body and its place when left out.
    message_id: Option<String>,
    /// By which it could be deleted.
    receipt_handle: Option<String>,
    /// How often it was received, this time included.
    #[serde(default = "once")]
    receive_count: u32,
    /// When it was sent.
    time: Option<Time>,
    /// When it was first received; two milliseconds later when left out.
    first_received: Option<Time>,
    /// Its group, in a FIFO queue.
    message_group_id: Option<String>,
    /// What tells it from repetitions, in a FIFO queue; the digest of its body when left out.
    message_deduplication_id: Option<String>,
    /// Its attributes, by name.
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

fn once() -> u32 {
    1
}

/// An attribute of a message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attribute {
    /// `String`, `Number` or `Binary`, possibly with a word of one's own behind a dot.
    #[serde(default = "string")]
    data_type: String,
    /// The value of a string or number.
    string_value: Option<String>,
    /// The value of binary data, in base64.
    binary_value: Option<String>,
}

fn string() -> String {
    "String".to_owned()
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let is_fifo = self.records.iter().any(|record| record.message_group_id.is_some());
        let queue = match self.queue {
            None if is_fifo => "my-queue.fifo".to_owned(),
            None => "my-queue".to_owned(),
            Some(queue) if is_fifo && queue.strip_suffix(".fifo").is_none() => {
                return Err(StepError::input(
                    "queue",
                    format!("the messages have groups, and `{queue}` is no FIFO queue"),
                    format!("write `queue: {queue}.fifo`, or leave `message_group_id` out"),
                ));
            }
            Some(queue) => queue,
        };
        let arn = setting.arn("sqs", &queue);
        let mut made = Made { event: Value::Null, identifiers: Vec::new() };
        let mut records = Vec::new();
        for (at, record) in self.records.into_iter().enumerate() {
            let (id, record) = message(setting, record, at, &arn, &self.sender_id)?;
            made.identifiers.push(id);
            records.push(record);
        }
        made.event = json!({"Records": records});
        Ok(made)
    }
}

fn message(
    setting: &Setting,
    record: Record,
    at: usize,
    arn: &str,
    sender_id: &str,
) -> Result<(String, Value), StepError> {
    let body = text(&record.body);
    let place = at.to_string();
    let seed = [arn, &place, &body];
    let field = |name: &str| format!("Records[{at}].{name}");
    let id = record
        .message_id
        .unwrap_or_else(|| setting.derived(&seed, &field("messageId"), |it| it.uuid()));
    let handle = record.receipt_handle.unwrap_or_else(|| {
        setting.derived(&[arn, &id], &field("receiptHandle"), |it| format!("AQEB{}", it.base64()))
    });
    let sent = setting.time(record.time);
    let received = record.first_received.map_or_else(|| later(sent, 2), |time| time.0);
    let mut attributes = Map::new();
    let mut attribute =
        |name: &str, value: String| attributes.insert(name.to_owned(), value.into());
    attribute("ApproximateReceiveCount", record.receive_count.to_string());
    attribute("SentTimestamp", sent.as_millisecond().to_string());
    if let Some(group) = record.message_group_id {
        // Twenty digits that grow, as those of FIFO queues do.
        attribute(
            "SequenceNumber",
            format!("{:020}", 18_850_000_000_000_000_000_u128 + at as u128),
        );
        attribute("MessageGroupId", group);
        let deduplication = record.message_deduplication_id.unwrap_or_else(|| {
            // Without one of its own, a message is told from others by the SHA-256 digest of its body.
            setting
                .derived(&[&body], &field("attributes.MessageDeduplicationId"), |_| sha256(&body))
        });
        attribute("MessageDeduplicationId", deduplication);
    }
    attribute("SenderId", sender_id.to_owned());
    attribute("ApproximateFirstReceiveTimestamp", received.as_millisecond().to_string());
    let md5 = setting.derived(&[&body], &field("md5OfBody"), |_| hex(&Md5::digest(&body)));
    let mut whole = json!({
        "messageId": id,
        "receiptHandle": handle,
        "body": body,
        "attributes": attributes,
        "messageAttributes": shown(&record.message_attributes),
        "md5OfBody": md5,
    });
    if !record.message_attributes.is_empty() {
        let texts: Vec<&str> = record.message_attributes.values().filter_map(value).collect();
        let bytes = attribute_bytes(&record.message_attributes, at)?;
        let name = "md5OfMessageAttributes";
        whole[name] = setting.derived(&texts, &field(name), |_| hex(&Md5::digest(&bytes))).into();
    }
    whole["eventSource"] = json!("aws:sqs");
    whole["eventSourceARN"] = json!(arn);
    whole["awsRegion"] = json!(setting.region);
    Ok((id, record.patch.apply(whole)))
}

fn sha256(text: &str) -> String {
    hex(&sha2::Sha256::digest(text))
}

fn value(attribute: &Attribute) -> Option<&str> {
    attribute.string_value.as_deref().or(attribute.binary_value.as_deref())
}

fn shown(attributes: &BTreeMap<String, Attribute>) -> Value {
    let one = |attribute: &Attribute| {
        let mut shown = Map::new();
        if let Some(text) = &attribute.string_value {
            shown.insert("stringValue".to_owned(), json!(text));
        }
        if let Some(bytes) = &attribute.binary_value {
            shown.insert("binaryValue".to_owned(), json!(bytes));
        }
        shown.insert("stringListValues".to_owned(), json!([]));
        shown.insert("binaryListValues".to_owned(), json!([]));
        shown.insert("dataType".to_owned(), json!(attribute.data_type));
        Value::Object(shown)
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), one(attribute))).collect()
}

/// What the digest of a message's attributes is made of: each with its name and type, in the order of their names.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
fn attribute_bytes(
    attributes: &BTreeMap<String, Attribute>,
    at: usize,
) -> Result<Vec<u8>, StepError> {
    let mut all = Vec::new();
    for (name, attribute) in attributes {
        let (mark, value) = typed_value(attribute).map_err(|(message, help)| {
            let field = format!("records.{at}.message_attributes.{name}");
            StepError::input(&field, format!("the attribute `{name}` {message}"), help)
        })?;
        add(&mut all, name.as_bytes());
        add(&mut all, attribute.data_type.as_bytes());
        all.push(mark);
        add(&mut all, &value);
    }
    Ok(all)
}

/// Bytes behind their number.
fn add(all: &mut Vec<u8>, bytes: &[u8]) {
    all.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    all.extend_from_slice(bytes);
}

/// The bytes of a value, and the mark that says what they are.
fn typed_value(attribute: &Attribute) -> Result<(u8, Vec<u8>), (&'static str, &'static str)> {
    match (&attribute.string_value, &attribute.binary_value) {
        (Some(text), None) => Ok((1, text.clone().into_bytes())),
        (None, Some(text)) => match BASE64_STANDARD.decode(text) {
            Ok(bytes) => Ok((2, bytes)),
            // Not known yet; nor is the digest, then.
            Err(_) if text.contains('⟨') => Ok((2, Vec::new())),
            Err(_) => Err(("has a `binary_value` that is no base64", "write the bytes in base64")),
        },
        _ => Err(("needs one value", "write `string_value`, or `binary_value` in base64")),
    }
}
