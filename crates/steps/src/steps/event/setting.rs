//! What all events are made with: a place, a time, and what is derived from the records alone.

use std::fmt::Write as _;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use engine::step::{Context, StepError};

/// The account of AWS's documentation, so that the event is the same wherever it is made.
const ACCOUNT: &str = "123456789012";

/// The same time in every run, so that the event is the same whenever it is made.
const TIME: &str = "2026-01-01T00:00:00Z";

/// What every source takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Common {
    /// The region in which it happens; that of the run when left out.
    region: Option<String>,
    /// The account in which it happens; 123456789012 when left out.
    account: Option<String>,
    /// When it happens, such as `2026-01-01T00:00:00Z`, which is when it happens where this is left out.
    time: Option<Time>,
}

impl Common {
    pub(super) const FIELDS: [&'static str; 3] = ["region", "account", "time"];
}

/// A time, as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            D::Error::custom(format!("`{text}` is no time; write one such as `{TIME}`"))
        })
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// An event, and what tells its records apart.
pub(super) struct Made {
    pub(super) event: Value,
    pub(super) identifiers: Vec<String>,
}

/// What a record is to have beside, or otherwise: a merge patch (RFC 7396).
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct Patch(Map<String, Value>);

impl Patch {
    /// The record with the patch applied.
    pub(super) fn apply(self, mut record: Value) -> Value {
        merge(&mut record, Value::Object(self.0));
        record
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in fields {
        if value.is_null() {
            target.shift_remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Where and when it happens.
pub(super) struct Setting {
    pub(super) region: String,
    pub(super) account: String,
    time: Timestamp,
    cx: Context,
}

impl Setting {
    pub(super) fn new(cx: &Context, common: Common) -> Result<Self, StepError> {
        let always: Timestamp = TIME
            .parse()
            .map_err(|error: jiff::Error| StepError::failed("InvalidInput", error.to_string()))?;
        Ok(Self {
            region: common.region.unwrap_or_else(|| cx.run.region.clone()),
            account: common.account.unwrap_or_else(|| ACCOUNT.to_owned()),
            time: common.time.map_or(always, |time| time.0),
            cx: cx.clone(),
        })
    }

    /// When something happens that is given no time of its own.
    pub(super) fn time(&self, given: Option<Time>) -> Timestamp {
        given.map_or(self.time, |time| time.0)
    }

    /// The ARN of something in this place.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let (region, account) = (&self.region, &self.account);
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition())
    }

    /// The ARN of something that has no region.
    pub(super) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    /// The part of AWS that the region belongs to.
    pub(super) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// What is made from some text: in a dry run, text that is not known yet makes something that is not known yet.
    pub(super) fn derived(
        &self,
        from: &[&str],
        field: &str,
        make: impl FnOnce(Digested) -> String,
    ) -> String {
        if from.iter().any(|text| self.cx.is_unknown(text)) {
            return self.cx.later(&format!("event.{field}"));
        }
        let mut digest = Sha256::new();
        for text in from {
            digest.update(text.len().to_be_bytes());
            digest.update(text.as_bytes());
        }
        make(Digested(digest.finalize().into()))
    }

    /// Bytes in base64, from text that may not be known yet.
    pub(super) fn base64(&self, text: &str, field: &str) -> String {
        self.derived(&[text], field, |_| BASE64_STANDARD.encode(text))
    }
}

/// What identifiers are made of: a digest of all that they are to tell apart.
pub(super) struct Digested([u8; 32]);

impl Digested {
    /// A random-looking UUID.
    pub(super) fn uuid(&self) -> String {
        let mut bytes = self.0;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().take(16).enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// So many hexadecimal digits, 64 at most.
    pub(super) fn hex(&self, digits: usize) -> String {
        hex(&self.0).chars().take(digits).collect()
    }

    /// Some of the digest in base64.
    pub(super) fn base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    /// A number of so many decimal digits, 30 at most, that leaves room for others behind it.
    pub(super) fn number(&self, digits: u32) -> u128 {
        let sixteen = self.0.iter().take(16);
        let number = sixteen.fold(0, |number: u128, byte| (number << 8) | u128::from(*byte));
        let room = 10_u128.pow(digits.min(30));
        room / 10 + number % (room / 10 * 8)
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a record carries as text: text as it is, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Some milliseconds later.
pub(super) fn later(time: Timestamp, millis: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(millis)).unwrap_or(time)
}

/// `2026-01-01T00:00:00.000Z`
pub(super) fn with_millis(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Seconds since 1970, with their milliseconds where there are some.
pub(super) fn seconds(time: Timestamp) -> Value {
    let millis = time.as_millisecond();
    if millis % 1000 == 0 {
        return Value::from(millis / 1000);
    }
    // Milliseconds of this millennium are far from where a double loses them.
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    Value::from(millis as f64 / 1000.0)
}

/// Says that a record's data is given twice or not at all.
pub(super) fn one_of_two(at: usize, one: &str, other: &str) -> StepError {
    StepError::input(
        &format!("records.{at}"),
        format!("record {at} has `{one}` and `{other}`"),
        format!("keep `{one}` for text and data, or `{other}` for bytes"),
    )
}

/// Bytes that were given in base64, which must be that.
pub(super) fn check_base64(at: usize, field: &str, given: &str) -> Result<(), StepError> {
    if given.contains('⟨') || BASE64_STANDARD.decode(given).is_ok() {
        return Ok(());
    }
    Err(StepError::input(
        &format!("records.{at}.{field}"),
        format!("`{given}` is no base64"),
        "to send a function what is none, write it under `patch`",
    ))
}
