//! `TransactWriteItems`, `TransactGetItems`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::capacity::{self, Capacity};
use super::error::{VALIDATION, validation};
use super::reads::ReadRequest;
use super::value::{item_size, write_item};
use super::writes::{Kind, Outcome, WriteRequest};
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

const MOST: usize = 100;
/// How long a token stands for the request that it came with.
const TOKEN_LIFE: Duration = Duration::from_mins(10);

/// What `TransactWriteItems` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransactWriteItems {
    transact_items: Option<Vec<TransactWriteItem>>,
    client_request_token: Option<String>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TransactWriteItem {
    put: Option<WriteRequest>,
    update: Option<WriteRequest>,
    delete: Option<WriteRequest>,
    condition_check: Option<WriteRequest>,
}

/// What `TransactGetItems` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransactGetItems {
    transact_items: Option<Vec<TransactGetItem>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TransactGetItem {
    get: ReadRequest,
}

/// A token that was given, and what for.
#[derive(Debug, Clone)]
pub(super) struct Token {
    given: SystemTime,
    request: String,
}

impl TransactWriteItem {
    fn single(&self) -> Result<(&WriteRequest, Kind), AwsError> {
        let all = [
            (&self.put, Kind::Put),
            (&self.update, Kind::Update),
            (&self.delete, Kind::Delete),
            (&self.condition_check, Kind::Check),
        ];
        let mut given = all.into_iter().filter_map(|(one, kind)| Some((one.as_ref()?, kind)));
        match (given.next(), given.next()) {
            (Some(single), None) => Ok(single),
            _ => Err(validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            )),
        }
    }
}

fn check_count(count: Option<usize>) -> Result<(), AwsError> {
    Constraints::new()
        .present("transactItems", count.is_some())
        .count("transactItems", "[…]", count.unwrap_or(1), 1, MOST)
        .check(VALIDATION)
}

impl State {
    /// `TransactWriteItems`; `body` is the request as it came, which a token stands for.
    pub fn transact_write_items(
        &mut self,
        request: &TransactWriteItems,
        body: &[u8],
        context: &Context,
    ) -> Result<Value, AwsError> {
        check_count(request.transact_items.as_ref().map(Vec::len))?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        capacity::check_metrics(request.return_item_collection_metrics.as_deref())?;
        if self.has_done(request, body, context)? {
            return Ok(json!({}));
        }
        let items = request.transact_items.as_deref().unwrap_or_default();
        let mut results: Vec<Result<(String, Outcome), AwsError>> = Vec::new();
        let mut touched = BTreeSet::new();
        for item in items {
            let (write, kind) = item.single()?;
            let parsed = write.parse(kind)?;
            let (name, table) = self.active(write.table_name.as_deref(), context)?;
            if !touched.insert((name.clone(), parsed.key(table)?)) {
                return Err(validation(
                    "Transaction request cannot include multiple operations on one item",
                ));
            }
            results.push(parsed.outcome(table).map(|outcome| (name, outcome)));
        }
        if results.iter().any(Result::is_err) {
            return Err(cancelled(&results));
        }
        let mut used = BTreeMap::new();
        for (name, outcome) in results.into_iter().flatten() {
            // A transaction reads before it writes.
            *used.entry(name.clone()).or_insert(0.0) += 2.0 * capacity::of_write(&outcome);
            self.commit(name, outcome);
        }
        if let Some(token) = &request.client_request_token {
            let request = String::from_utf8_lossy(body).into_owned();
            let given = context.now;
            self.tokens.insert(token.clone(), Token { given, request });
        }
        let mut shown = json!({});
        if let Some(consumed) = capacity.consumed_by_all(&used, "WriteCapacityUnits") {
            shown["ConsumedCapacity"] = consumed;
        }
        Ok(shown)
    }

    fn has_done(
        &mut self,
        request: &TransactWriteItems,
        body: &[u8],
        context: &Context,
    ) -> Result<bool, AwsError> {
        self.tokens.retain(|_, token| {
            context.now.duration_since(token.given).unwrap_or_default() < TOKEN_LIFE
        });
        let known = request.client_request_token.as_ref().and_then(|token| self.tokens.get(token));
        match known {
            None => Ok(false),
            Some(token) if token.request == String::from_utf8_lossy(body) => Ok(true),
            Some(_) => Err(AwsError::bad_request(
                "IdempotentParameterMismatchException",
                "Request parameters do not match a previous request with the same client request token",
            )),
        }
    }

    /// `TransactGetItems`
    pub fn transact_get_items(
        &self,
        request: &TransactGetItems,
        context: &Context,
    ) -> Result<Value, AwsError> {
        check_count(request.transact_items.as_ref().map(Vec::len))?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let (mut responses, mut used) = (Vec::new(), BTreeMap::new());
        for item in request.transact_items.iter().flatten() {
            Constraints::new()
                .present("transactItems.get.key", item.get.key.is_some())
                .check(VALIDATION)?;
            let (name, found) = self.find_item(&item.get, context)?;
            let size = found.as_ref().map_or(0, item_size);
            *used.entry(name).or_insert(0.0) += 2.0 * capacity::of_read(size, true);
            responses.push(match found {
                Some(found) => json!({"Item": write_item(&found)}),
                None => json!({}),
            });
        }
        let mut shown = json!({"Responses": responses});
        if let Some(consumed) = capacity.consumed_by_all(&used, "ReadCapacityUnits") {
            shown["ConsumedCapacity"] = consumed;
        }
        Ok(shown)
    }
}

fn cancelled(results: &[Result<(String, Outcome), AwsError>]) -> AwsError {
    let reasons: Vec<Value> = results
        .iter()
        .map(|result| match result {
            Ok(_) => json!({"Code": "None"}),
            Err(error) => {
                let code = match error.code.trim_end_matches("Exception") {
                    "Validation" => "ValidationError",
                    other => other,
                };
                let mut reason = json!({"Code": code, "Message": error.message});
                if let Some(item) = error.fields.get("Item") {
                    reason["Item"] = item.clone();
                }
                reason
            }
        })
        .collect();
    let codes: Vec<&str> = reasons.iter().filter_map(|one| one["Code"].as_str()).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    AwsError::bad_request("TransactionCanceledException", message)
        .with("CancellationReasons", Value::Array(reasons))
}
