//! `sqs-messages`: logs what arrives in an SQS queue.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use aws_lambda_events::event::sqs::SqsEvent;
use tracing::info;

use super::Error;
use crate::log::OneLine;

/// Logs each message's body. One that has none fails the batch: the queue delivers all of it again.
pub fn handle(event: &SqsEvent) -> Result<(), Error> {
    for message in &event.records {
        let id = message.message_id.as_deref().unwrap_or("(none)");
        let body = message.body.as_deref().ok_or_else(|| Error::missing(id, "body"))?;
        info!("Message {}: {}", OneLine(id), OneLine(body));
    }
    info!("Processed: {0} of {0}", event.records.len());
    Ok(())
}
