//! Notifications of a bucket. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::setting::{Made, Patch, Setting, Time, with_millis};
use engine::step::StepError;

/// Notifications of an S3 bucket.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The notifications; S3 hands a function one at a time.
    records: Vec<Record>,
    /// The bucket's name.
    bucket: String,
    /// The name of the configuration that has the function notified.
    #[serde(default = "configuration")]
    configuration_id: String,
    /// Who did it.
    #[serde(default = "principal")]
    principal_id: String,
    /// Whose bucket it is.
    #[serde(default = "owner")]
    owner_id: String,
    /// Where the request came from.
    #[serde(default = "address")]
    source_ip_address: String,
}

fn configuration() -> String {
    "my-configuration".to_owned()
}

fn principal() -> String {
    "AWS:AIDAEXAMPLEEXAMPLE012".to_owned()
}

fn owner() -> String {
    "A3EXAMPLEEXAMPLE".to_owned()
}

fn address() -> String {
    "127.0.0.1".to_owned()
}

/// What happened to an object.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// The object's key as it is; it travels URL-encoded.
    key: String,
    /// What happened.
    #[serde(default = "put")]
    event_name: String,
    /// The object's bytes; none when left out.
    #[serde(default)]
    size: u64,
    /// Its entity tag, with or without quotes; that of an object without bytes when left out.
    #[serde(default = "empty")]
    e_tag: String,
    /// Its version, where the bucket has versions.
    version_id: Option<String>,
    /// What tells earlier events of the object from later ones; made from the key and its place when left out.
    sequencer: Option<String>,
    /// When it happened.
    time: Option<Time>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

fn put() -> String {
    "ObjectCreated:Put".to_owned()
}

fn empty() -> String {
    "d41d8cd98f00b204e9800998ecf8427e".to_owned()
}

/// What a notification leaves as it is of a key, beside letters and digits; a space becomes a plus.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

fn encoded(key: &str) -> String {
    utf8_percent_encode(key, PLAIN).to_string().replace(' ', "+")
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let mut made = Made { event: Value::Null, identifiers: Vec::new() };
        let mut records = Vec::new();
        for (at, record) in self.records.iter().enumerate() {
            let (sequencer, whole) = self.notification(setting, record, at);
            made.identifiers.push(sequencer);
            records.push(whole);
        }
        let patches = self.records.into_iter().map(|record| record.patch);
        let patched = records.into_iter().zip(patches).map(|(record, patch)| patch.apply(record));
        made.event = json!({"Records": patched.collect::<Vec<_>>()});
        Ok(made)
    }
}

impl Given {
    fn notification(&self, setting: &Setting, record: &Record, at: usize) -> (String, Value) {
        let bucket = &self.bucket;
        let seed = [bucket.as_str(), &at.to_string(), &record.key, &record.event_name];
        let derived = |name: &str, length: usize| {
            let field = format!("Records[{at}].{name}");
            setting.derived(&seed, &field, |it| it.hex(length).to_uppercase())
        };
        let sequencer =
            record.sequencer.clone().unwrap_or_else(|| derived("s3.object.sequencer", 18));
        let mut object = Map::new();
        let mut set = |name: &str, value: Value| object.insert(name.to_owned(), value);
        let key = setting.derived(&[&record.key], &format!("Records[{at}].s3.object.key"), |_| {
            encoded(&record.key)
        });
        set("key", json!(key));
        // What is gone has neither size nor tag.
        if !record.event_name.starts_with("ObjectRemoved:") {
            set("size", json!(record.size));
            set("eTag", json!(record.e_tag.trim_matches('"')));
        }
        if let Some(version) = &record.version_id {
            set("versionId", json!(version));
        }
        set("sequencer", json!(sequencer));
        let digits =
            setting.derived(&seed, &format!("Records[{at}].responseElements"), |it| it.base64());
        let whole = json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": setting.region,
            "eventTime": with_millis(setting.time(record.time)),
            "eventName": record.event_name,
            "userIdentity": {"principalId": self.principal_id},
            "requestParameters": {"sourceIPAddress": self.source_ip_address},
            "responseElements": {
                "x-amz-request-id": derived("responseElements.x-amz-request-id", 16),
                "x-amz-id-2": digits,
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": self.configuration_id,
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": self.owner_id},
                    "arn": format!("arn:{}:s3:::{bucket}", setting.partition()),
                },
                "object": object,
            },
        });
        (sequencer, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_as_s3_encodes_them() {
        assert_eq!(encoded("a/b-c_d.e*f"), "a/b-c_d.e*f");
        assert_eq!(encoded("ä b+c~(d)%"), "%C3%A4+b%2Bc%7E%28d%29%25");
    }
}
