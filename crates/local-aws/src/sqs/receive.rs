//! Receiving, and what is done with what was received.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{bad_handle, no_queue, value};
use super::queue::{Handle, Message, Queue, Received, Stale};
use super::send::{batch_output, check_batch};
use super::{Place, State, locate, md5};
use crate::account::Account;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const LONGEST_VISIBILITY: i64 = 43_200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

/// `ReceiveMessage`
pub(super) async fn receive(context: Context<'_>, input: Receive) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "ReceiveMessage")?;
    let most = bounded("MaxNumberOfMessages", input.max_number_of_messages.unwrap_or(1), 1, 10)?;
    let visibility = input.visibility_timeout.map(visibility).transpose()?;
    let wait = input.wait_time_seconds.map(|wait| bounded("WaitTimeSeconds", wait, 0, 20));
    let wait = match wait.transpose()? {
        Some(wait) => wait,
        None => u64::from(place.account.state::<State>().queue(&place.name)?.settings.wait),
    };
    let most = usize::try_from(most).unwrap_or(10);
    let (account, name) = (&place.account, &place.name);
    let received = wait_for(account, name, most, visibility, Duration::from_secs(wait)).await?;
    let messages: Vec<Value> =
        received.iter().map(|received| input.shown(&place.name, received)).collect();
    Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
}

fn bounded(name: &str, number: i64, least: i64, most: i64) -> Result<u64, AwsError> {
    let good = u64::try_from(number).ok().filter(|_| (least..=most).contains(&number));
    let reason = format!("Must be between {least} and {most}, if provided.");
    good.ok_or_else(|| value(name, number, &reason))
}

fn visibility(seconds: i64) -> Result<Duration, AwsError> {
    bounded("VisibilityTimeout", seconds, 0, LONGEST_VISIBILITY).map(Duration::from_secs)
}

/// Waits until there is something, so long at most.
pub(super) async fn wait_for(
    account: &Account,
    name: &str,
    most: usize,
    visibility: Option<Duration>,
    wait: Duration,
) -> Result<Vec<Received>, AwsError> {
    let end = account.now() + wait;
    loop {
        let bell = account.state::<State>().queue(name)?.bell.clone();
        let ring = bell.notified();
        tokio::pin!(ring);
        // From here on it is heard, also while nobody waits yet.
        ring.as_mut().enable();
        let now = account.now();
        let received = take_out(account, name, most, visibility, now)?;
        if !received.is_empty() || now >= end {
            return Ok(received);
        }
        let next = account.state::<State>().queue(name)?.next_change(now);
        let until = next.map_or(end, |next| next.min(end));
        let pause = until.duration_since(now).unwrap_or_default();
        tokio::select! {
            () = ring => {}
            () = account.clock().sleep(pause) => {}
        }
    }
}

/// Receives what there is, and moves what was received too often.
pub(super) fn take_out(
    account: &Account,
    name: &str,
    most: usize,
    visibility: Option<Duration>,
    now: SystemTime,
) -> Result<Vec<Received>, AwsError> {
    let mut state = account.state::<State>();
    let queue = state.queue(name)?;
    let visibility = visibility.unwrap_or(queue.settings.visibility());
    let (received, dead) = queue.receive(most, visibility, now);
    if dead.is_empty() {
        return Ok(received);
    }
    let (source, redrive) = (queue.arn.clone(), queue.settings.redrive.clone());
    let target = redrive.and_then(|redrive| {
        state.queues.values_mut().find(|queue| queue.arn == redrive.target_arn)
    });
    if let Some(target) = target {
        for message in dead {
            target.take_over(message, Some(&source), now);
        }
    } else {
        // Without the queue that is to have them, they stay.
        let queue = state.queue(name)?;
        for message in dead {
            queue.take_over(message, None, now);
        }
    }
    Ok(received)
}

/// A receipt handle as clients have it.
pub(super) fn written(name: &str, handle: Handle) -> String {
    STANDARD.encode(format!("{name}\n{}\n{}", handle.number, handle.receipt))
}

fn read(name: &str, text: &str) -> Result<Handle, AwsError> {
    let refused = || bad_handle(text);
    let bytes = STANDARD.decode(text).map_err(|_| refused())?;
    let plain = String::from_utf8(bytes).map_err(|_| refused())?;
    let mut parts = plain.split('\n');
    if parts.next() != Some(name) {
        return Err(refused());
    }
    let number = parts.next().and_then(|text| text.parse().ok()).ok_or_else(refused)?;
    let receipt = parts.next().and_then(|text| text.parse().ok()).ok_or_else(refused)?;
    Ok(Handle { number, receipt })
}

impl Receive {
    fn shown(&self, name: &str, received: &Received) -> Value {
        let message = &received.message;
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": written(name, received.handle),
            "MD5OfBody": md5::of(message.draft.body.as_bytes()),
            "Body": message.draft.body,
        });
        let wanted = self.attribute_names.iter().chain(&self.message_system_attribute_names);
        let wanted: Vec<&str> = wanted.map(String::as_str).collect();
        let mut system = system_attributes(message);
        if !wanted.contains(&"All") {
            system.retain(|name, _| wanted.contains(&name.as_str()));
        }
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let mut attributes = message.draft.attributes.clone();
        attributes.retain(|name, _| self.wants(name));
        if !attributes.is_empty() {
            shown["MD5OfMessageAttributes"] = json!(md5::of_attributes(&attributes));
            shown["MessageAttributes"] = Value::Object(attributes);
        }
        shown
    }

    /// Names may end in a star.
    fn wants(&self, name: &str) -> bool {
        self.message_attribute_names.iter().any(|wanted| {
            wanted == name
                || wanted == "All"
                || wanted.strip_suffix('*').is_some_and(|prefix| {
                    name.starts_with(prefix.strip_suffix('.').unwrap_or(prefix))
                })
        })
    }
}

fn millis(time: SystemTime) -> Value {
    json!(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string())
}

/// What the queue itself says of a message.
pub(super) fn system_attributes(message: &Message) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    put("ApproximateReceiveCount", json!(message.receives.to_string()));
    put("SentTimestamp", millis(message.sent));
    put("SenderId", json!(message.draft.sender));
    put("ApproximateFirstReceiveTimestamp", millis(message.first_received.unwrap_or(message.sent)));
    let optional = [
        ("SequenceNumber", &message.sequence),
        ("MessageGroupId", &message.draft.group),
        ("MessageDeduplicationId", &message.draft.deduplication),
        ("AWSTraceHeader", &message.draft.trace_header),
        ("DeadLetterQueueSourceArn", &message.source_arn),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            put(name, json!(value));
        }
    }
    shown
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    queue_url: String,
    receipt_handle: String,
}

/// `DeleteMessage`
pub(super) fn delete(context: Context<'_>, input: &Delete) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "DeleteMessage")?;
    delete_one(&place.account, &place.name, &input.receipt_handle)
}

pub(super) fn delete_one(account: &Account, name: &str, handle: &str) -> Result<Value, AwsError> {
    let now = account.now();
    let mut state = account.state::<State>();
    let queue = state.queue(name)?;
    let parsed = read(name, handle)?;
    let expired = |_| value("ReceiptHandle", handle, "The receipt handle has expired.");
    queue.delete(parsed, now).map_err(expired)?;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

/// `ChangeMessageVisibility`
pub(super) fn change_visibility(
    context: Context<'_>,
    input: &ChangeVisibility,
) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "ChangeMessageVisibility")?;
    change_one(&place, &input.receipt_handle, input.visibility_timeout)
}

fn change_one(place: &Place, handle: &str, seconds: i64) -> Result<Value, AwsError> {
    let now = place.account.now();
    let mut state = place.account.state::<State>();
    let queue: &mut Queue = state.queues.get_mut(&place.name).ok_or_else(no_queue)?;
    let parsed = read(&place.name, handle)?;
    let visibility = visibility(seconds)?;
    queue.change_visibility(parsed, visibility, now).map_err(|stale| match stale {
        Stale::Gone => value(
            "ReceiptHandle",
            handle,
            "Message does not exist or is not available for visibility timeout change.",
        ),
        Stale::Expired => {
            AwsError::bad_request("MessageNotInflight", "The message referred to is not in flight.")
        }
    })?;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch {
    queue_url: String,
    entries: Vec<BatchEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl Batch {
    fn check(&self, entry: &str) -> Result<(), AwsError> {
        let ids: Vec<String> = self.entries.iter().map(|entry| entry.id.clone()).collect();
        check_batch(&ids, entry)
    }
}

/// `DeleteMessageBatch`
pub(super) fn delete_batch(context: Context<'_>, input: Batch) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "DeleteMessage")?;
    input.check("DeleteMessageBatchRequestEntry")?;
    let outcomes = input.entries.into_iter().map(|entry| {
        let outcome = delete_one(&place.account, &place.name, &entry.receipt_handle);
        (entry.id, outcome)
    });
    Ok(batch_output(outcomes))
}

/// `ChangeMessageVisibilityBatch`
pub(super) fn change_visibility_batch(
    context: Context<'_>,
    input: Batch,
) -> Result<Value, AwsError> {
    let place = locate(context, &input.queue_url, "ChangeMessageVisibility")?;
    input.check("ChangeMessageVisibilityBatchRequestEntry")?;
    let outcomes = input.entries.into_iter().map(|entry| {
        let seconds = entry.visibility_timeout.unwrap_or(0);
        let outcome = change_one(&place, &entry.receipt_handle, seconds);
        (entry.id, outcome)
    });
    Ok(batch_output(outcomes))
}
