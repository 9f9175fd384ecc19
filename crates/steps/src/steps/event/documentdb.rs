//! Changes of a cluster's documents. <https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::setting::{Made, Patch, Setting, Time};
use engine::step::StepError;

/// Changes of a DocumentDB cluster's documents.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The changes, in order.
    records: Vec<Record>,
    /// The cluster's name.
    #[serde(default = "cluster")]
    cluster: String,
    /// The database.
    #[serde(default = "database")]
    database: String,
    /// The collection.
    #[serde(default = "collection")]
    collection: String,
}

fn cluster() -> String {
    "my-cluster".to_owned()
}

fn database() -> String {
    "my-database".to_owned()
}

fn collection() -> String {
    "my-collection".to_owned()
}

/// A change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// What happened.
    #[serde(default)]
    operation: Operation,
    /// The document after the change; it gets the key as its `_id` where it has none.
    full_document: Option<Map<String, Value>>,
    /// The document's key, 24 hexadecimal digits; made from the collection and its place when left out.
    document_key: Option<String>,
    /// The fields that an update has set.
    #[serde(default)]
    updated_fields: Map<String, Value>,
    /// The fields that an update has removed.
    #[serde(default)]
    removed_fields: Vec<String>,
    /// By which reading could be resumed behind the change; made from its time and place when left out.
    resume_token: Option<String>,
    /// When it was made.
    time: Option<Time>,
    /// Its place among the changes of the same second.
    ordinal: Option<u32>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

/// What happens to documents, and to what holds them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Operation {
    /// A document is new.
    #[default]
    Insert,
    /// Some of its fields have changed.
    Update,
    /// It is another now.
    Replace,
    /// It is gone.
    Delete,
    /// The collection is gone.
    Drop,
    /// The database is gone.
    DropDatabase,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Drop => "drop",
            Self::DropDatabase => "dropDatabase",
        }
    }

    fn has_document(self) -> bool {
        !matches!(self, Self::Drop | Self::DropDatabase)
    }
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let arn = setting.arn("rds", &format!("cluster:{}", self.cluster));
        let mut identifiers = Vec::new();
        let mut events = Vec::new();
        let place = [self.database, self.collection];
        for (at, record) in self.records.into_iter().enumerate() {
            let (token, event) = change(setting, record, at, &place)?;
            identifiers.push(token);
            events.push(event);
        }
        let event = json!({
            "eventSourceArn": arn,
            "events": events,
            "eventSource": "aws:docdb",
        });
        Ok(Made { event, identifiers })
    }
}

fn change(
    setting: &Setting,
    record: Record,
    at: usize,
    [database, collection]: &[String; 2],
) -> Result<(String, Value), StepError> {
    check(&record, at)?;
    let operation = record.operation;
    let field = |name: &str| format!("events[{at}].event.{name}");
    let seconds = setting.time(record.time).as_second();
    let ordinal =
        record.ordinal.unwrap_or_else(|| u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1));
    let seed = [database.as_str(), collection, &at.to_string()];
    let key = record
        .document_key
        .unwrap_or_else(|| setting.derived(&seed, &field("documentKey"), |it| it.hex(24)));
    // Second, ordinal and collection, as the tokens of change streams have them.
    let token = record.resume_token.unwrap_or_else(|| {
        setting.derived(&seed[..2], &field("_id"), |it| {
            format!("01{seconds:08x}{ordinal:08x}01{ordinal:08x}{}", it.hex(8))
        })
    });
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
    set("_id", json!({"_data": token}));
    set("clusterTime", json!({"$timestamp": {"t": seconds, "i": ordinal}}));
    if operation.has_document() {
        set("documentKey", json!({"_id": {"$oid": key}}));
    }
    if let Some(document) = record.full_document {
        let mut full = Map::from_iter([("_id".to_owned(), json!({"$oid": key}))]);
        full.extend(document);
        set("fullDocument", Value::Object(full));
    }
    let mut namespace = json!({"db": database});
    if operation != Operation::DropDatabase {
        namespace["coll"] = json!(collection);
    }
    set("ns", namespace);
    set("operationType", json!(operation.name()));
    if operation == Operation::Update {
        let description = json!({
            "updatedFields": record.updated_fields,
            "removedFields": record.removed_fields,
            "truncatedArrays": [],
        });
        set("updateDescription", description);
    }
    Ok((token, record.patch.apply(json!({"event": event}))))
}

fn check(record: &Record, at: usize) -> Result<(), StepError> {
    let operation = record.operation;
    let wrong = |field: &str, help: &str| {
        let message =
            format!("record {at} is of the operation `{}` and has `{field}`", operation.name());
        Err(StepError::input(&format!("records.{at}.{field}"), message, help))
    };
    if record.full_document.is_some()
        && (!operation.has_document() || operation == Operation::Delete)
    {
        return wrong("full_document", "leave it out: nothing is there after the change");
    }
    let described = !record.updated_fields.is_empty() || !record.removed_fields.is_empty();
    if described && operation != Operation::Update {
        let field =
            if record.updated_fields.is_empty() { "removed_fields" } else { "updated_fields" };
        return wrong(field, "write `operation: update`, or leave it out");
    }
    Ok(())
}
