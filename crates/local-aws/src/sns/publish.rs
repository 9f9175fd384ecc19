//! A message comes in.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::deliver::{self, Message};
use super::{State, invalid, place};
use crate::account::Account;
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const LARGEST: usize = 262_144;
/// How long a FIFO topic knows a message again.
const DEDUPLICATION: Duration = Duration::from_mins(5);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Publish {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    phone_number: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: Option<String>,
    message: String,
    subject: Option<String>,
    message_structure: Option<String>,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublishBatch {
    topic_arn: String,
    publish_batch_request_entries: Vec<Entry>,
}

/// `Publish`
pub(super) async fn publish(context: Context<'_>, input: Publish) -> Result<Value, AwsError> {
    if input.phone_number.is_some() {
        return Err(invalid("PhoneNumber: the local AWS of playbook sends no text messages"));
    }
    let arn = input.topic_arn.or(input.target_arn);
    let arn = arn
        .ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value for required parameter"))?;
    let account = place(context, &arn);
    check_access(context, &account, &arn)?;
    take_in(context, &account, &arn, input.entry).await
}

fn check_access(context: Context<'_>, account: &Account, arn: &str) -> Result<(), AwsError> {
    let policy = account.state::<State>().topic(arn)?.attributes.get("Policy").cloned();
    context
        .authorize(policy.as_deref(), &account.id, "SNS:Publish", arn)
        .map_err(|message| AwsError::new(403, "AuthorizationError", message))
}

impl Entry {
    fn check(&self) -> Result<(), AwsError> {
        if self.message.is_empty() {
            return Err(invalid("Empty message"));
        }
        if self.message.len() > LARGEST {
            return Err(invalid("Message too long"));
        }
        if self.subject.as_ref().is_some_and(|subject| subject.is_empty() || subject.len() > 100) {
            return Err(invalid("Subject"));
        }
        check_attributes(&self.message_attributes)
    }
}

async fn take_in(
    context: Context<'_>,
    account: &Account,
    arn: &str,
    entry: Entry,
) -> Result<Value, AwsError> {
    entry.check()?;
    let bodies = bodies(&entry)?;
    let (message, output) = {
        let mut state = account.state::<State>();
        let topic = state.topic(arn)?;
        let is_fifo = topic.is("FifoTopic");
        let group = entry.message_group_id.clone();
        if is_fifo && group.is_none() {
            return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
        }
        if !is_fifo && entry.message_deduplication_id.is_some() {
            return Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            ));
        }
        let mut deduplication = entry.message_deduplication_id.clone();
        if is_fifo && deduplication.is_none() {
            if !topic.is("ContentBasedDeduplication") {
                return Err(invalid(
                    "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
                ));
            }
            let digest = Sha256::digest(entry.message.as_bytes());
            deduplication = Some(crate::sqs::deliver::hex(&digest));
        }
        let now = context.now();
        let id = uuid();
        let mut output = json!({"MessageId": id});
        if is_fifo {
            topic
                .seen
                .retain(|_, (at, _)| now.duration_since(*at).unwrap_or_default() < DEDUPLICATION);
            let key = deduplication.clone().unwrap_or_default();
            if let Some((_, before)) = topic.seen.get(&key) {
                return Ok(json!({"MessageId": before}));
            }
            topic.seen.insert(key, (now, id.clone()));
            topic.published += 1;
            output["SequenceNumber"] =
                json!(format!("{:020}", 10_000_000_000_000_000_000_u64 + topic.published));
        }
        let message = Message {
            id,
            topic: arn.to_owned(),
            bodies,
            subject: entry.subject,
            attributes: entry.message_attributes,
            group,
            deduplication,
            sequence: output["SequenceNumber"].as_str().map(str::to_owned),
            is_fifo,
            at: now,
        };
        (message, output)
    };
    deliver::deliver(account, message).await;
    Ok(output)
}

/// What each protocol is told: the message, or its own part of it.
fn bodies(entry: &Entry) -> Result<Map<String, Value>, AwsError> {
    if entry.message_structure.as_deref() != Some("json") {
        return Ok(Map::from_iter([("default".to_owned(), json!(entry.message))]));
    }
    let parsed: Value = serde_json::from_str(&entry.message)
        .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
    match parsed {
        Value::Object(bodies) if bodies.get("default").is_some_and(Value::is_string) => Ok(bodies),
        _ => Err(invalid("Message Structure - No default entry in JSON message body")),
    }
}

fn check_attributes(attributes: &Map<String, Value>) -> Result<(), AwsError> {
    for (name, attribute) in attributes {
        let kind = attribute["DataType"].as_str().unwrap_or_default();
        let base = kind.split('.').next().unwrap_or_default();
        let member = match base {
            "String" | "Number" => "StringValue",
            "Binary" => "BinaryValue",
            _ => {
                return Err(AwsError::bad_request(
                    "ParameterValueInvalid",
                    format!(
                        "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
                    ),
                ));
            }
        };
        let text = attribute[member].as_str().unwrap_or_default();
        if text.is_empty() {
            return Err(AwsError::bad_request(
                "ParameterValueInvalid",
                format!(
                    "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{kind}'."
                ),
            ));
        }
        if base == "Number" && text.trim().parse::<f64>().is_err() {
            return Err(AwsError::bad_request(
                "ParameterValueInvalid",
                format!("Could not cast message attribute '{name}' value to number."),
            ));
        }
    }
    Ok(())
}

/// `PublishBatch`
pub(super) async fn publish_batch(
    context: Context<'_>,
    input: PublishBatch,
) -> Result<Value, AwsError> {
    let account = place(context, &input.topic_arn);
    check_access(context, &account, &input.topic_arn)?;
    let entries = input.publish_batch_request_entries;
    if entries.is_empty() {
        return Err(AwsError::bad_request(
            "EmptyBatchRequest",
            "The batch request doesn't contain any entries.",
        ));
    }
    if entries.len() > 10 {
        return Err(AwsError::bad_request(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        ));
    }
    let ids: Vec<String> =
        entries.iter().map(|entry| entry.id.clone().unwrap_or_default()).collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    if distinct.len() < ids.len() {
        return Err(AwsError::bad_request(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries in the request have the same Id.",
        ));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in ids.into_iter().zip(entries) {
        match take_in(context, &account, &input.topic_arn, entry).await {
            Ok(mut output) => {
                output["Id"] = json!(id);
                successful.push(output);
            }
            Err(error) => failed.push(json!({
                "Id": id, "Code": error.code, "Message": error.message, "SenderFault": error.is_sender_fault(),
            })),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}
