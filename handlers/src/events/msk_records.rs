//! `msk-records`: logs what arrives on topics of Amazon MSK.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tracing::info;

use super::Error;
use crate::log::OneLine;

/// A batch of records. The type that `aws_lambda_events` has for it does not keep timestamps to the millisecond.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The records by topic and partition, as in `mytopic-0`.
    pub records: BTreeMap<String, Vec<Record>>,
}

/// A record as it came, and what is read of it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct Record {
    fields: Fields,
    json: Value,
}

#[derive(Debug, Deserialize)]
struct Fields {
    offset: i64,
    value: Option<String>,
}

impl TryFrom<Value> for Record {
    type Error = serde_json::Error;

    fn try_from(json: Value) -> Result<Self, Self::Error> {
        Ok(Self { fields: Fields::deserialize(&json)?, json })
    }
}

/// Logs each record with its topic and partition, and its value.
pub fn handle(event: &Event) -> Result<(), Error> {
    for (partition, records) in &event.records {
        info!("Records of {}: {}", OneLine(partition), records.len());
        for Record { fields, json } in records {
            info!("Record: {json}");
            match value(partition, fields)? {
                // A record without a value says that what was under its key is gone.
                None => info!("Value: (none)"),
                Some(value) => info!("Value: {}", OneLine(&String::from_utf8_lossy(&value))),
            }
        }
    }
    info!("Processed: {0} of {0}", event.records.values().map(Vec::len).sum::<usize>());
    Ok(())
}

fn value(partition: &str, fields: &Fields) -> Result<Option<Vec<u8>>, Error> {
    let decoded = fields.value.as_deref().map(|value| BASE64_STANDARD.decode(value));
    decoded.transpose().map_err(|reason| {
        let record = format!("{}@{}", OneLine(partition), fields.offset);
        Error::NotBase64 { record, reason }
    })
}
