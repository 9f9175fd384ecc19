//! Records of a data stream. <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::setting::{Made, Patch, Setting, Time, check_base64, one_of_two, seconds, text};
use engine::step::StepError;

/// Records of a Kinesis data stream.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The records, in order.
    records: Vec<Record>,
    /// The stream's name.
    #[serde(default = "stream")]
    stream: String,
    /// The number of the shard that they come from.
    #[serde(default)]
    shard: u32,
    /// The name of the function's role, which reads the stream.
    #[serde(default = "role")]
    role: String,
}

fn stream() -> String {
    "my-stream".to_owned()
}

fn role() -> String {
    "lambda-role".to_owned()
}

/// A record.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// What it carries: text as it is, anything else as JSON. It travels in base64.
    data: Option<Value>,
    /// The bytes that it carries, in base64, instead of `data`.
    base64: Option<String>,
    /// What decides on the shard.
    #[serde(default = "partition_key")]
    partition_key: String,
    /// Its number; made from the stream and its place when left out.
    sequence_number: Option<String>,
    /// When it arrived.
    time: Option<Time>,
    /// `KMS`, where the stream is encrypted.
    encryption_type: Option<String>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

fn partition_key() -> String {
    "1".to_owned()
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let mut made = Made { event: Value::Null, identifiers: Vec::new() };
        let mut records = Vec::new();
        let arn = setting.arn("kinesis", &format!("stream/{}", self.stream));
        let role = setting.global_arn("iam", &format!("role/{}", self.role));
        for (at, record) in self.records.into_iter().enumerate() {
            let data = data(setting, at, record.data.as_ref(), record.base64)?;
            // 56 digits that grow, as those of Kinesis do.
            let number = record.sequence_number.unwrap_or_else(|| {
                let field = format!("Records[{at}].kinesis.sequenceNumber");
                setting
                    .derived(&[&arn], &field, |it| format!("496{:053}", it.number(30) + at as u128))
            });
            let mut kinesis = json!({
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.partition_key,
                "sequenceNumber": number,
                "data": data,
                "approximateArrivalTimestamp": seconds(setting.time(record.time)),
            });
            if let Some(encryption) = record.encryption_type {
                kinesis["encryptionType"] = json!(encryption);
            }
            records.push(record.patch.apply(json!({
                "kinesis": kinesis,
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": format!("shardId-{:012}:{number}", self.shard),
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": role,
                "awsRegion": setting.region,
                "eventSourceARN": arn,
            })));
            made.identifiers.push(number);
        }
        made.event = json!({"Records": records});
        Ok(made)
    }
}

fn data(
    setting: &Setting,
    at: usize,
    data: Option<&Value>,
    base64: Option<String>,
) -> Result<String, StepError> {
    match (data, base64) {
        (Some(data), None) => {
            Ok(setting.base64(&text(data), &format!("Records[{at}].kinesis.data")))
        }
        (None, Some(base64)) => check_base64(at, "base64", &base64).map(|()| base64),
        (None, None) => Ok(String::new()),
        (Some(_), Some(_)) => Err(one_of_two(at, "data", "base64")),
    }
}
