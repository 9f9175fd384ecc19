//! Sending: one message, or ten.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::attributes::{LARGEST, Settings};
use super::error::{missing, parameter, value, wrong_kind};
use super::queue::{Draft, Sent};
use super::{Place, State, locate, md5};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    queue_url: String,
    #[serde(flatten)]
    message: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: Option<String>,
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    #[serde(default)]
    message_system_attributes: Map<String, Value>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

/// `SendMessage`
pub(super) fn send(context: Context<'_>, input: Send) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "SendMessage")?;
    take_in(context, &place, input.message)
}

fn take_in(context: Context<'_>, place: &Place, entry: Entry) -> Result<Value, AwsError> {
    let sender = context.caller().user_id;
    let mut state = place.account.state::<State>();
    let queue = state.queue(&place.name)?;
    let draft = entry.draft(&queue.settings, sender)?;
    let mut output = json!({"MD5OfMessageBody": md5::of(draft.body.as_bytes())});
    if !draft.attributes.is_empty() {
        output["MD5OfMessageAttributes"] = json!(md5::of_attributes(&draft.attributes));
    }
    if let Some(header) = &draft.trace_header {
        let attribute = json!({"DataType": "String", "StringValue": header});
        let all = Map::from_iter([("AWSTraceHeader".to_owned(), attribute)]);
        output["MD5OfMessageSystemAttributes"] = json!(md5::of_attributes(&all));
    }
    let Sent { id, sequence } = queue.send(draft, context.now());
    output["MessageId"] = json!(id);
    if let Some(sequence) = sequence {
        output["SequenceNumber"] = json!(sequence);
    }
    Ok(output)
}

impl Entry {
    fn size(&self) -> usize {
        let attributes = self.message_attributes.iter().map(|(name, attribute)| {
            let text = |member: &str| attribute[member].as_str().unwrap_or_default().len();
            name.len() + text("DataType") + text("StringValue") + text("BinaryValue") * 3 / 4
        });
        self.message_body.len() + attributes.sum::<usize>()
    }

    fn draft(self, settings: &Settings, sender: String) -> Result<Draft, AwsError> {
        if self.message_body.is_empty() {
            return Err(missing("MessageBody"));
        }
        if self.size() > settings.maximum_size {
            return Err(parameter(&format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                settings.maximum_size
            )));
        }
        if let Some(other) = self.message_body.chars().find(|letter| !is_allowed(*letter)) {
            return Err(AwsError::bad_request(
                "InvalidMessageContents",
                format!(
                    "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is \
                     #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                    u32::from(other)
                ),
            ));
        }
        check_attributes(&self.message_attributes)?;
        let delay = self.delay(settings)?;
        let deduplication = self.deduplication(settings)?;
        let trace = self.message_system_attributes.get("AWSTraceHeader");
        let trace = trace.and_then(|attribute| attribute["StringValue"].as_str());
        Ok(Draft {
            trace_header: trace.map(str::to_owned),
            body: self.message_body,
            attributes: self.message_attributes,
            group: self.message_group_id,
            deduplication,
            delay,
            sender,
        })
    }

    fn delay(&self, settings: &Settings) -> Result<Option<u32>, AwsError> {
        let Some(delay) = self.delay_seconds else { return Ok(None) };
        if settings.is_fifo && delay != 0 {
            return Err(wrong_kind("DelaySeconds", delay));
        }
        let good = u32::try_from(delay).ok().filter(|delay| *delay <= 900);
        let refused = || value("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900.");
        // A FIFO queue has one delay for all.
        good.map(|delay| (!settings.is_fifo).then_some(delay)).ok_or_else(refused)
    }

    fn deduplication(&self, settings: &Settings) -> Result<Option<String>, AwsError> {
        for (name, given) in [
            ("MessageGroupId", &self.message_group_id),
            ("MessageDeduplicationId", &self.message_deduplication_id),
        ] {
            let bad = |text: &&String| {
                text.is_empty()
                    || text.len() > 128
                    || !text.bytes().all(|byte| byte.is_ascii_graphic())
            };
            if let Some(text) = given.as_ref().filter(bad) {
                let reason = format!(
                    "{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
                );
                return Err(value(name, text, &reason));
            }
        }
        if !settings.is_fifo {
            return match &self.message_deduplication_id {
                Some(id) => Err(wrong_kind("MessageDeduplicationId", id)),
                None => Ok(None),
            };
        }
        if self.message_group_id.is_none() {
            return Err(missing("MessageGroupId"));
        }
        match &self.message_deduplication_id {
            Some(id) => Ok(Some(id.clone())),
            None if settings.deduplicates_content => {
                Ok(Some(md5::hex(&Sha256::digest(self.message_body.as_bytes()))))
            }
            None => Err(parameter(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            )),
        }
    }
}

/// What XML can carry, which SQS asks for in every protocol.
fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn check_attributes(attributes: &Map<String, Value>) -> Result<(), AwsError> {
    if attributes.len() > 10 {
        return Err(parameter(&format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            attributes.len()
        )));
    }
    for (name, attribute) in attributes {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let reserved = ["aws.", "amazon."].iter().any(|word| name.to_lowercase().starts_with(word));
        if name.is_empty() || name.len() > 256 || reserved || !name.bytes().all(letters) {
            return Err(parameter(&format!("The message attribute name '{name}' is invalid.")));
        }
        let kind = attribute["DataType"].as_str().unwrap_or_default();
        if kind.is_empty() {
            return Err(parameter(&format!(
                "The message attribute '{name}' must contain a non-empty message attribute type."
            )));
        }
        let base = kind.split('.').next().unwrap_or_default();
        let member = match base {
            "String" | "Number" => "StringValue",
            "Binary" => "BinaryValue",
            _ => {
                return Err(parameter(&format!(
                    "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                     prefixes is Binary, Number, and String."
                )));
            }
        };
        let text = attribute[member].as_str().unwrap_or_default();
        if text.is_empty() {
            return Err(parameter(&format!(
                "The message attribute '{name}' must contain a non-empty message attribute value for message attribute type \
                 '{kind}'."
            )));
        }
        if base == "Number" && text.trim().parse::<f64>().is_err() {
            return Err(parameter(&format!(
                "Can't cast the value of message (user) attribute '{name}' to a number."
            )));
        }
    }
    Ok(())
}

/// `SendMessageBatch`
pub(super) fn send_batch(context: Context<'_>, input: SendBatch) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "SendMessage")?;
    let ids: Vec<String> =
        input.entries.iter().map(|entry| entry.id.clone().unwrap_or_default()).collect();
    check_batch(&ids, "SendMessageBatchRequestEntry")?;
    let size: usize = input.entries.iter().map(Entry::size).sum();
    if size > LARGEST {
        return Err(AwsError::bad_request(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {LARGEST} bytes. You have sent {size} bytes."
            ),
        ));
    }
    let outcomes = input.entries.into_iter().map(|entry| take_in(context, &place, entry));
    Ok(batch_output(ids.into_iter().zip(outcomes)))
}

/// What a batch comes to, entry by entry.
pub(super) fn batch_output(
    outcomes: impl Iterator<Item = (String, Result<Value, AwsError>)>,
) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(mut output) => {
                output["Id"] = json!(id);
                successful.push(output);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.is_sender_fault(),
                "Code": error.code,
                "Message": error.message,
            })),
        }
    }
    let mut output = json!({"Successful": successful});
    if !failed.is_empty() {
        output["Failed"] = json!(failed);
    }
    output
}

/// The entries of a batch have names of their own.
pub(super) fn check_batch(ids: &[String], entry: &str) -> Result<(), AwsError> {
    if ids.is_empty() {
        let message = format!("There should be at least one {entry} in the request.");
        return Err(AwsError::bad_request("EmptyBatchRequest", message));
    }
    if ids.len() > 10 {
        return Err(AwsError::bad_request(
            "TooManyEntriesInBatchRequest",
            format!("Maximum number of entries per request are 10. You have sent {}.", ids.len()),
        ));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if ids.iter().any(|id| id.is_empty() || id.len() > 80 || !id.bytes().all(letters)) {
        return Err(AwsError::bad_request(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
             letters long.",
        ));
    }
    let mut seen = BTreeSet::new();
    match ids.iter().find(|id| !seen.insert(id.as_str())) {
        Some(id) => {
            Err(AwsError::bad_request("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")))
        }
        None => Ok(()),
    }
}
