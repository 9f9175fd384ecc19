//! `sns-messages`: logs what is published to an SNS topic.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use aws_lambda_events::event::sns::SnsEvent;
use tracing::info;

use crate::log::OneLine;

/// Logs each message.
pub fn handle(event: &SnsEvent) {
    for record in &event.records {
        info!("Message {}: {}", OneLine(&record.sns.message_id), OneLine(&record.sns.message));
    }
    info!("Processed: {0} of {0}", event.records.len());
}
