//! `BatchWriteItem`, `BatchGetItem`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::capacity::{self, Capacity};
use super::error::{VALIDATION, validation};
use super::reads::ReadRequest;
use super::value::{item_size, write_item};
use super::writes::{Kind, Outcome, WriteRequest};
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

const MOST_WRITES: usize = 25;
const MOST_READS: usize = 100;
const LARGEST_RESPONSE: usize = 16 * 1024 * 1024;

/// What `BatchWriteItem` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BatchWriteItem {
    request_items: Option<BTreeMap<String, Vec<BatchWrite>>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BatchWrite {
    put_request: Option<WriteRequest>,
    delete_request: Option<WriteRequest>,
}

/// What `BatchGetItem` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BatchGetItem {
    request_items: Option<BTreeMap<String, Map<String, Value>>>,
    return_consumed_capacity: Option<String>,
}

fn check_batch(
    sizes: &[(&String, usize)],
    most: usize,
    operation: &str,
    member: &str,
) -> Result<(), AwsError> {
    Constraints::new().count("requestItems", "{}", sizes.len(), 1, most).check(VALIDATION)?;
    if let Some((table, count)) = sizes.iter().find(|(_, count)| *count == 0 || *count > most) {
        return Err(validation(format!(
            "1 validation error detected: Value '{{{table}=[{count} {member}]}}' at 'requestItems' failed to satisfy \
             constraint: Map value must satisfy constraint: [Member must have length less than or equal to {most}, \
             Member must have length greater than or equal to 1]"
        )));
    }
    if sizes.iter().map(|(_, count)| count).sum::<usize>() > most {
        return Err(validation(format!("Too many items requested for the {operation} call")));
    }
    Ok(())
}

impl State {
    /// `BatchWriteItem`
    pub fn batch_write_item(
        &mut self,
        request: &BatchWriteItem,
        context: &Context,
    ) -> Result<Value, AwsError> {
        Constraints::new()
            .present("requestItems", request.request_items.is_some())
            .check(VALIDATION)?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let tables = request.request_items.iter().flatten();
        let sizes: Vec<_> = tables.clone().map(|(name, writes)| (name, writes.len())).collect();
        check_batch(&sizes, MOST_WRITES, "BatchWriteItem", "WriteRequest")?;
        let mut outcomes: Vec<(String, Outcome)> = Vec::new();
        let mut touched = BTreeSet::new();
        for (given, writes) in tables {
            let (name, table) = self.active(Some(given), context)?;
            for write in writes {
                let (request, kind) = write.single()?;
                let mut request = request.clone();
                request.table_name = Some(name.clone());
                let outcome = request.parse(kind)?.outcome(table)?;
                if !touched.insert((name.clone(), outcome.key.clone())) {
                    return Err(validation("Provided list of item keys contains duplicates"));
                }
                outcomes.push((name.clone(), outcome));
            }
        }
        let mut units: BTreeMap<String, f64> = BTreeMap::new();
        for (name, outcome) in outcomes {
            *units.entry(name.clone()).or_default() += capacity::of_write(&outcome);
            self.commit(name, outcome);
        }
        let mut shown = json!({"UnprocessedItems": {}});
        report(&mut shown, capacity, &units);
        Ok(shown)
    }

    /// `BatchGetItem`
    pub fn batch_get_item(
        &self,
        request: &BatchGetItem,
        context: &Context,
    ) -> Result<Value, AwsError> {
        Constraints::new()
            .present("requestItems", request.request_items.is_some())
            .check(VALIDATION)?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let tables = request.request_items.iter().flatten();
        let keys = |wanted: &Map<String, Value>| -> Vec<Value> {
            wanted.get("Keys").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let sizes: Vec<_> = tables.clone().map(|(name, one)| (name, keys(one).len())).collect();
        check_batch(&sizes, MOST_READS, "BatchGetItem", "Keys")?;
        let (mut responses, mut unprocessed) = (Map::new(), Map::new());
        let mut units: BTreeMap<String, f64> = BTreeMap::new();
        let mut bytes = 0;
        for (given, wanted) in tables {
            let (name, _) = self.active(Some(given), context)?;
            let (mut found, mut left, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
            for key in keys(wanted) {
                if !seen.insert(key.to_string()) {
                    return Err(validation("Provided list of item keys contains duplicates"));
                }
                let mut single = wanted.clone();
                single.remove("Keys");
                single.insert("Key".to_owned(), key.clone());
                single.insert("TableName".to_owned(), json!(name));
                let single: ReadRequest =
                    serde_json::from_value(Value::Object(single)).map_err(|error| {
                        AwsError::bad_request("SerializationException", error.to_string())
                    })?;
                let (_, item) = self.find_item(&single, context)?;
                let size = item.as_ref().map_or(0, item_size);
                if bytes + size > LARGEST_RESPONSE {
                    left.push(key);
                    continue;
                }
                bytes += size;
                *units.entry(name.clone()).or_default() += capacity::of_read(size, false);
                found.extend(item.as_ref().map(write_item));
            }
            responses.insert(given.clone(), Value::Array(found));
            if !left.is_empty() {
                let mut rest = wanted.clone();
                rest.insert("Keys".to_owned(), Value::Array(left));
                unprocessed.insert(given.clone(), Value::Object(rest));
            }
        }
        let mut shown = json!({"Responses": responses, "UnprocessedKeys": unprocessed});
        report(&mut shown, capacity, &units);
        Ok(shown)
    }
}

fn report(shown: &mut Value, capacity: Capacity, units: &BTreeMap<String, f64>) {
    let consumed: Option<Vec<Value>> =
        units.iter().map(|(name, units)| capacity.consumed(name, *units)).collect();
    if let Some(consumed) = consumed.filter(|consumed| !consumed.is_empty()) {
        shown["ConsumedCapacity"] = Value::Array(consumed);
    }
}

impl BatchWrite {
    fn single(&self) -> Result<(&WriteRequest, Kind), AwsError> {
        match (&self.put_request, &self.delete_request) {
            (Some(put), None) => Ok((put, Kind::Put)),
            (None, Some(delete)) => Ok((delete, Kind::Delete)),
            _ => Err(validation(
                "A WriteRequest must contain exactly one of PutRequest and DeleteRequest",
            )),
        }
    }
}
