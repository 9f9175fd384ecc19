//! `dynamodb-stream`: logs what changes in a DynamoDB table.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use aws_lambda_events::event::dynamodb::{Event, StreamRecord};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::info;

use super::Error;
use crate::log::OneLine;

/// What the handler answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// How many records there were.
    pub processed: usize,
}

/// Logs the change in each record, and counts them.
pub fn handle(event: &Event) -> Result<Response, Error> {
    if event.records.is_empty() {
        return Err(Error::NoRecords);
    }
    for record in &event.records {
        let (id, name) = (OneLine(&record.event_id), OneLine(&record.event_name));
        info!("Record {id} {name}: {}", changed(&record.change));
    }
    let processed = event.records.len();
    info!("Processed: {processed} of {processed}");
    Ok(Response { processed })
}

/// The keys and those images that the stream's view type lets it send.
fn changed(change: &StreamRecord) -> Value {
    let parts =
        [("Keys", &change.keys), ("NewImage", &change.new_image), ("OldImage", &change.old_image)];
    let parts = parts.into_iter().filter(|(_, item)| !item.is_empty());
    parts.map(|(name, item)| (name.to_owned(), sorted(item))).collect::<Map<_, _>>().into()
}

/// An item as DynamoDB writes it in JSON. Items know no order, people who compare lines do.
pub(super) fn sorted(item: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    value.sort_all_objects();
    value
}
