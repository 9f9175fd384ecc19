//! `dynamodb-batch-failures`: tells Lambda from which record of a DynamoDB stream on to deliver again.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use aws_lambda_events::event::dynamodb::Event;
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde_json::{Value, json};
use tracing::{error, info};

use super::Error;
use super::batch::Failure;
use super::dynamodb_stream::sorted;
use crate::log::OneLine;

/// Processes the records up to the first that fails, and answers with that one's sequence number.
pub fn handle(event: &Event) -> Result<DynamoDbEventResponse, Error> {
    let mut response = DynamoDbEventResponse::default();
    let mut processed = 0;
    for record in &event.records {
        let number = record.change.sequence_number.as_deref().filter(|number| !number.is_empty());
        let number = number.ok_or_else(|| Error::missing(&record.event_id, "SequenceNumber"))?;
        let image = sorted(&record.change.new_image);
        if let Err(reason) = process(&image) {
            error!("Failed record {}: {reason}", OneLine(number));
            // A stream keeps its order: Lambda delivers this record and all after it again, so that nothing is lost by
            // stopping here, and what is processed beyond it would be processed twice.
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(number.to_owned());
            response.batch_item_failures.push(failure);
            break;
        }
        let image = match image {
            Value::Object(image) if image.is_empty() => "(none)".to_owned(),
            image => image.to_string(),
        };
        info!("Processed record {}: {image}", OneLine(number));
        processed += 1;
    }
    info!("Processed: {processed} of {}", event.records.len());
    Ok(response)
}

/// Processes the new image of an item: here goes the work of your own.
///
/// It fails if the item's attribute `fail` is true. A removed item has no new image, and nothing fails there.
fn process(image: &Value) -> Result<(), Failure> {
    if image.get("fail") == Some(&json!({"BOOL": true})) { Err(Failure::Asked) } else { Ok(()) }
}
