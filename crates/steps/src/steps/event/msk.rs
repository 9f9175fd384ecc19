//! Records of Kafka topics. <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::setting::{Made, Patch, Setting, Time, check_base64, one_of_two, text};
use engine::step::StepError;

/// Records of topics in an MSK cluster (Managed Streaming for Apache Kafka).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The records, in order; they travel by topic and partition.
    records: Vec<Record>,
    /// The cluster's name.
    #[serde(default = "cluster")]
    cluster: String,
    /// The ARN of the cluster, which ends in an identifier; made from its name when left out.
    cluster_arn: Option<String>,
    /// The addresses of its brokers; made from its name when left out.
    bootstrap_servers: Option<String>,
}

fn cluster() -> String {
    "my-cluster".to_owned()
}

/// A record.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// Its topic.
    #[serde(default = "topic")]
    topic: String,
    /// The topic's partition.
    #[serde(default)]
    partition: u32,
    /// Its place in the partition; behind the one before when left out.
    offset: Option<u64>,
    /// When it was made.
    time: Option<Time>,
    /// Its key: text as it is, anything else as JSON. It travels in base64.
    key: Option<Value>,
    /// Its value: text as it is, anything else as JSON. It travels in base64. A record without value deletes its key.
    value: Option<Value>,
    /// The bytes of its value, in base64, instead of `value`.
    base64: Option<String>,
    /// Its headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

fn topic() -> String {
    "my-topic".to_owned()
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let arn = self.cluster_arn.unwrap_or_else(|| {
            let name = &self.cluster;
            let id = setting.derived(&[name], "event.eventSourceArn", |it| it.uuid());
            setting.arn("kafka", &format!("cluster/{name}/{id}-1"))
        });
        let servers = self.bootstrap_servers.unwrap_or_else(|| {
            let broker = |number: u8| {
                let (name, region) = (&self.cluster, &setting.region);
                format!("b-{number}.{name}.a1bcde.c1.kafka.{region}.amazonaws.com:9092")
            };
            format!("{},{}", broker(2), broker(1))
        });
        let mut identifiers = Vec::new();
        let mut offsets: BTreeMap<String, u64> = BTreeMap::new();
        let mut topics: Map<String, Value> = Map::new();
        for (at, record) in self.records.into_iter().enumerate() {
            let place = format!("{}-{}", record.topic, record.partition);
            let next = offsets.entry(place.clone()).or_default();
            let offset = record.offset.unwrap_or(*next);
            *next = offset.saturating_add(1);
            identifiers.push(format!("{place}@{offset}"));
            let whole = record_of(setting, record, at, offset)?;
            if let Value::Array(list) = topics.entry(place).or_insert_with(|| json!([])) {
                list.push(whole);
            }
        }
        let event = json!({
            "eventSource": "aws:kafka",
            "eventSourceArn": arn,
            "bootstrapServers": servers,
            "records": topics,
        });
        Ok(Made { event, identifiers })
    }
}

fn record_of(
    setting: &Setting,
    record: Record,
    at: usize,
    offset: u64,
) -> Result<Value, StepError> {
    let field = |name: &str| format!("records.{}-{}[].{name}", record.topic, record.partition);
    let mut whole = json!({
        "topic": record.topic,
        "partition": record.partition,
        "offset": offset,
        "timestamp": setting.time(record.time).as_millisecond(),
        "timestampType": "CREATE_TIME",
    });
    if let Some(key) = &record.key {
        whole["key"] = setting.base64(&text(key), &field("key")).into();
    }
    match (&record.value, record.base64) {
        (Some(_), Some(_)) => return Err(one_of_two(at, "value", "base64")),
        (Some(value), None) => {
            whole["value"] = setting.base64(&text(value), &field("value")).into();
        }
        (None, Some(base64)) => {
            check_base64(at, "base64", &base64)?;
            whole["value"] = base64.into();
        }
        (None, None) => {}
    }
    // The bytes of a header's value travel as numbers.
    let header = |(name, value): (&String, &String)| json!({name: value.as_bytes()});
    whole["headers"] = record.headers.iter().map(header).collect();
    Ok(record.patch.apply(whole))
}
