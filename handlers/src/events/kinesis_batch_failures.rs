//! `kinesis-batch-failures`: tells Lambda from which record of a Kinesis stream on to deliver again.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>

use aws_lambda_events::event::kinesis::KinesisEvent;
use aws_lambda_events::event::streams::KinesisEventResponse;
use tracing::{error, info};

use super::{Error, batch};
use crate::log::OneLine;

/// Processes the records up to the first that fails, and answers with that one's sequence number.
pub fn handle(event: &KinesisEvent) -> Result<KinesisEventResponse, Error> {
    let mut response = KinesisEventResponse::default();
    let mut processed = 0;
    for record in &event.records {
        let number = &record.kinesis.sequence_number;
        if number.is_empty() {
            let id = record.event_id.as_deref().unwrap_or_default();
            return Err(Error::missing(id, "sequenceNumber"));
        }
        let data = &record.kinesis.data;
        if let Err(reason) = batch::process(data) {
            error!("Failed record {}: {reason}", OneLine(number));
            // A stream keeps its order: Lambda delivers this record and all after it again, so that nothing is lost by
            // stopping here, and what is processed beyond it would be processed twice.
            response.add_failure(number);
            break;
        }
        info!("Processed record {}: {}", OneLine(number), OneLine(&String::from_utf8_lossy(data)));
        processed += 1;
    }
    info!("Processed: {processed} of {}", event.records.len());
    Ok(response)
}
