//! `msk-records`: logs what arrives on topics of Amazon MSK.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>

use std::collections::BTreeMap;

use aws_lambda_events::event::kafka::{KafkaEvent, KafkaRecord};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tracing::info;

use super::Error;
use crate::log::OneLine;

/// Logs each record with its topic and partition, and its value.
pub fn handle(event: &KafkaEvent) -> Result<(), Error> {
    let mut processed = 0;
    for (partition, records) in event.records.iter().collect::<BTreeMap<_, _>>() {
        info!("Records of {}: {}", OneLine(partition), records.len());
        for record in records {
            info!("Record: {}", json!(record));
            match value(partition, record)? {
                // A record without a value says that what was under its key is gone.
                None => info!("Value: (none)"),
                Some(value) => info!("Value: {}", OneLine(&String::from_utf8_lossy(&value))),
            }
            processed += 1;
        }
    }
    info!("Processed: {processed} of {processed}");
    Ok(())
}

fn value(partition: &str, record: &KafkaRecord) -> Result<Option<Vec<u8>>, Error> {
    let decode = |value| BASE64_STANDARD.decode(value);
    record.value.as_deref().map(decode).transpose().map_err(|reason| {
        let record = format!("{}@{}", OneLine(partition), record.offset);
        Error::NotBase64 { record, reason }
    })
}
