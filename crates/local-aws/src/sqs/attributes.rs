//! The attributes of a queue: what is taken, and how it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::{attribute_name, attribute_value, parameter, value};
use crate::protocol::AwsError;

/// As long as a message can be, and all of a batch.
pub(super) const LARGEST: usize = 1024 * 1024;

/// What a queue was told to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) delay: u32,
    pub(super) maximum_size: usize,
    pub(super) retention: u32,
    pub(super) wait: u32,
    pub(super) visibility: u32,
    pub(super) policy: Option<String>,
    pub(super) redrive: Option<Redrive>,
    pub(super) redrive_allow: Option<String>,
    pub(super) is_fifo: bool,
    pub(super) deduplicates_content: bool,
    pub(super) deduplicates_by_group: bool,
    pub(super) limits_by_group: bool,
    pub(super) kms_key: Option<String>,
    pub(super) kms_reuse: u32,
    pub(super) managed_sse: bool,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) target_arn: String,
    pub(super) most_receives: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay: 0,
            maximum_size: LARGEST,
            retention: 345_600,
            wait: 0,
            visibility: 30,
            policy: None,
            redrive: None,
            redrive_allow: None,
            is_fifo: false,
            deduplicates_content: false,
            deduplicates_by_group: false,
            limits_by_group: false,
            kms_key: None,
            kms_reuse: 300,
            managed_sse: true,
        }
    }
}

/// Every attribute that can be asked for.
pub(super) const KNOWN: [&str; 22] = [
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

impl Settings {
    /// Sets what is given; `is_new` while the queue is being created.
    pub(super) fn set(
        &mut self,
        given: &BTreeMap<String, String>,
        is_new: bool,
    ) -> Result<(), AwsError> {
        if let Some(text) = given.get("FifoQueue") {
            let wanted = boolean("FifoQueue", text)?;
            if !is_new && wanted != self.is_fifo {
                return Err(attribute_name("FifoQueue"));
            }
            if is_new && !wanted {
                return Err(attribute_name("FifoQueue"));
            }
        }
        for (name, text) in given {
            self.set_one(name, text)?;
        }
        if self.limits_by_group && !self.deduplicates_by_group {
            return Err(attribute_value("FifoThroughputLimit"));
        }
        Ok(())
    }

    fn set_one(&mut self, name: &str, text: &str) -> Result<(), AwsError> {
        match name {
            "DelaySeconds" => self.delay = number(name, text, 0, 900)?,
            "MaximumMessageSize" => {
                self.maximum_size = number(name, text, 1024, 1_048_576)? as usize;
            }
            "MessageRetentionPeriod" => self.retention = number(name, text, 60, 1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait = number(name, text, 0, 20)?,
            "VisibilityTimeout" => self.visibility = number(name, text, 0, 43_200)?,
            "Policy" => self.policy = document(name, text)?,
            "RedrivePolicy" => self.redrive = redrive(text)?,
            "RedriveAllowPolicy" => self.redrive_allow = document(name, text)?,
            "KmsMasterKeyId" => {
                self.kms_key = (!text.is_empty()).then(|| text.to_owned());
                self.managed_sse &= self.kms_key.is_none();
            }
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse = number(name, text, 60, 86_400)?,
            "SqsManagedSseEnabled" => self.managed_sse = boolean(name, text)?,
            "FifoQueue" => {}
            "ContentBasedDeduplication" if self.is_fifo => {
                self.deduplicates_content = boolean(name, text)?;
            }
            "DeduplicationScope" if self.is_fifo => {
                self.deduplicates_by_group = one_of(name, text, ["queue", "messageGroup"])?;
            }
            "FifoThroughputLimit" if self.is_fifo => {
                self.limits_by_group = one_of(name, text, ["perQueue", "perMessageGroupId"])?;
            }
            other => return Err(attribute_name(other)),
        }
        Ok(())
    }

    /// What `GetQueueAttributes` shows of it.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut put = |name: &str, text: String| {
            shown.insert(name.to_owned(), Value::String(text));
        };
        put("DelaySeconds", self.delay.to_string());
        put("MaximumMessageSize", self.maximum_size.to_string());
        put("MessageRetentionPeriod", self.retention.to_string());
        put("ReceiveMessageWaitTimeSeconds", self.wait.to_string());
        put("VisibilityTimeout", self.visibility.to_string());
        put("SqsManagedSseEnabled", self.managed_sse.to_string());
        for (name, text) in [("Policy", &self.policy), ("RedriveAllowPolicy", &self.redrive_allow)]
        {
            if let Some(text) = text {
                put(name, text.clone());
            }
        }
        if let Some(redrive) = &self.redrive {
            put("RedrivePolicy", redrive.document().to_string());
        }
        if let Some(key) = &self.kms_key {
            put("KmsMasterKeyId", key.clone());
            put("KmsDataKeyReusePeriodSeconds", self.kms_reuse.to_string());
        }
        if self.is_fifo {
            let scope = if self.deduplicates_by_group { "messageGroup" } else { "queue" };
            let limit = if self.limits_by_group { "perMessageGroupId" } else { "perQueue" };
            put("FifoQueue", "true".to_owned());
            put("ContentBasedDeduplication", self.deduplicates_content.to_string());
            put("DeduplicationScope", scope.to_owned());
            put("FifoThroughputLimit", limit.to_owned());
        }
        shown
    }

    pub(super) fn visibility(&self) -> Duration {
        Duration::from_secs(self.visibility.into())
    }
}

impl Redrive {
    fn document(&self) -> Value {
        json!({"deadLetterTargetArn": self.target_arn, "maxReceiveCount": self.most_receives})
    }
}

fn number(name: &str, text: &str, least: u32, most: u32) -> Result<u32, AwsError> {
    let number = text.parse::<u32>().ok();
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| attribute_value(name))
}

fn boolean(name: &str, text: &str) -> Result<bool, AwsError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(attribute_value(name)),
    }
}

/// Whether it is the second of two words.
fn one_of(name: &str, text: &str, words: [&str; 2]) -> Result<bool, AwsError> {
    let place = words.iter().position(|word| *word == text);
    place.map(|place| place == 1).ok_or_else(|| attribute_value(name))
}

/// A document of JSON; nothing where it is taken away.
fn document(name: &str, text: &str) -> Result<Option<String>, AwsError> {
    if text.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(Some(text.to_owned())),
        _ => Err(attribute_value(name)),
    }
}

fn redrive(text: &str) -> Result<Option<Redrive>, AwsError> {
    const NAME: &str = "RedrivePolicy";
    let Some(text) = document(NAME, text)? else { return Ok(None) };
    let policy: Value = serde_json::from_str(&text).unwrap_or_default();
    let reason = |reason: &str| value(NAME, &text, reason);
    let target = policy["deadLetterTargetArn"].as_str();
    let target = target.ok_or_else(|| {
        reason("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    })?;
    if target.splitn(6, ':').filter(|part| !part.is_empty()).count() != 6
        || !target.starts_with("arn:aws")
    {
        return Err(reason("Invalid value for deadLetterTargetArn."));
    }
    let most = match &policy["maxReceiveCount"] {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null => {
            return Err(reason(
                "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
            ));
        }
        _ => None,
    };
    let most = most.and_then(|most| u32::try_from(most).ok());
    let most = most.filter(|most| (1..=1000).contains(most)).ok_or_else(|| {
        reason("Invalid value for maxReceiveCount: it must be an integer from 1 to 1000.")
    })?;
    Ok(Some(Redrive { target_arn: target.to_owned(), most_receives: most }))
}

/// Names of queues.
pub(super) fn check_name(name: &str, is_fifo: bool) -> Result<(), AwsError> {
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let good = stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    if good && name.len() <= 80 {
        return Ok(());
    }
    Err(parameter(if is_fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo \
         suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    }))
}
