//! `sqs-batch-failures`: tells Lambda which messages of an SQS queue to deliver again.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use tracing::{error, info};

use super::{Error, batch};
use crate::log::OneLine;

/// Processes every message, and answers with the ids of those that failed.
pub fn handle(event: &SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    for (number, message) in (1..).zip(&event.records) {
        // Without an id Lambda could not tell which message failed.
        let id = message.message_id.as_deref().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Error::missing(number.to_string(), "messageId"))?;
        let body = message.body.as_deref().unwrap_or_default();
        match batch::process(body.as_bytes()) {
            Ok(()) => info!("Processed message {}: {}", OneLine(id), OneLine(body)),
            Err(reason) => {
                error!("Failed message {}: {reason}", OneLine(id));
                // Each message stands for itself: Lambda deletes the others from the queue and delivers these again.
                response.add_failure(id);
            }
        }
    }
    let failed = response.batch_item_failures.len();
    info!("Processed: {} of {}", event.records.len() - failed, event.records.len());
    Ok(response)
}
