//! `documentdb-changes`: logs what a change stream of Amazon DocumentDB reports.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html>

use std::fmt::Display;

use serde::Deserialize;
use serde_json::Value;
use tracing::info;

use crate::log::OneLine;

/// A batch of changes. The type that `aws_lambda_events` has for it hides the namespace and wants object ids for keys,
/// where a document's `_id` may be of any type.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The changes, oldest first.
    pub events: Vec<Record>,
}

/// One entry of a batch.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// The change.
    pub event: Change,
}

/// A change event, of which these fields are read.
///
/// <https://www.mongodb.com/docs/manual/reference/change-events/>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What happened, such as `insert`.
    pub operation_type: String,
    /// Where; a stream that ends (`invalidate`) has no place.
    pub ns: Option<Namespace>,
    /// The document, where the change has one and the stream is set up to send it.
    pub full_document: Option<Value>,
}

/// Where a change happened.
#[derive(Debug, Deserialize)]
pub struct Namespace {
    /// The database.
    pub db: String,
    /// The collection; a dropped database has none.
    pub coll: Option<String>,
}

/// Logs operation, database, collection and document of each change.
pub fn handle(event: &Event) {
    for Record { event: change } in &event.events {
        let place = change.ns.as_ref();
        info!(
            "Operation {}, database {}, collection {}, full document {}",
            OneLine(&change.operation_type),
            or_none(place.map(|place| OneLine(&place.db))),
            or_none(place.and_then(|place| place.coll.as_deref()).map(OneLine)),
            or_none(change.full_document.as_ref()),
        );
    }
    info!("Processed: {0} of {0}", event.events.len());
}

fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| "(none)".to_owned(), |value| value.to_string())
}
