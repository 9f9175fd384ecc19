//! `kinesis-records`: logs what arrives on a Kinesis stream.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use aws_lambda_events::event::kinesis::KinesisEvent;
use tracing::info;

use crate::log::OneLine;

/// Logs the payload of each record.
pub fn handle(event: &KinesisEvent) {
    if event.records.is_empty() {
        info!("The batch is empty");
        return;
    }
    for record in &event.records {
        let id = record.event_id.as_deref().unwrap_or("(none)");
        info!(
            "Record {}: {}",
            OneLine(id),
            OneLine(&String::from_utf8_lossy(&record.kinesis.data))
        );
    }
    info!("Processed: {0} of {0}", event.records.len());
}
