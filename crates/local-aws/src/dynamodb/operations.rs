//! The operations of DynamoDB: inputs out of JSON, outputs into JSON.

use serde_json::{Value, json};

use super::writes::Kind;
use super::{Context, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

type Operation = fn(&mut State, &[u8], &Context) -> Result<Value, AwsError>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("BatchGetItem", |state, body, context| state.batch_get_item(&parse(body)?, context)),
    ("BatchWriteItem", |state, body, context| state.batch_write_item(&parse(body)?, context)),
    ("CreateTable", |state, body, context| state.create_table(&parse(body)?, context)),
    ("DeleteItem", |state, body, context| state.write(&parse(body)?, Kind::Delete, context)),
    ("DeleteTable", |state, body, context| state.delete_table(&parse(body)?, context)),
    ("DescribeContinuousBackups", |state, body, context| {
        state.describe_continuous_backups(&parse(body)?, context)
    }),
    ("DescribeTable", |state, body, context| state.describe_table(&parse(body)?, context)),
    ("DescribeTimeToLive", |state, body, context| {
        state.describe_time_to_live(&parse(body)?, context)
    }),
    ("GetItem", |state, body, context| state.get_item(&parse(body)?, context)),
    ("ListTables", |state, body, _| state.list_tables(&parse(body)?)),
    ("ListTagsOfResource", |state, body, context| state.list_tags(&parse(body)?, context)),
    ("PutItem", |state, body, context| state.write(&parse(body)?, Kind::Put, context)),
    ("Query", |state, body, context| state.query(&parse(body)?, context)),
    ("Scan", |state, body, context| state.scan(&parse(body)?, context)),
    ("TagResource", |state, body, context| state.tag(parse(body)?, context).map(|()| json!({}))),
    ("TransactGetItems", |state, body, context| state.transact_get_items(&parse(body)?, context)),
    ("TransactWriteItems", |state, body, context| {
        state.transact_write_items(&parse(body)?, body, context)
    }),
    ("UntagResource", |state, body, context| {
        state.untag(parse(body)?, context).map(|()| json!({}))
    }),
    ("UpdateContinuousBackups", |state, body, context| {
        state.update_continuous_backups(&parse(body)?, context)
    }),
    ("UpdateItem", |state, body, context| state.write(&parse(body)?, Kind::Update, context)),
    ("UpdateTable", |state, body, context| state.update_table(&parse(body)?, context)),
    ("UpdateTimeToLive", |state, body, context| state.update_time_to_live(&parse(body)?, context)),
];

/// Calls an operation by its name.
pub(super) fn call(
    state: &mut State,
    name: &str,
    body: &[u8],
    context: &Context,
) -> Result<Value, AwsError> {
    state.forget_deleted(context.now);
    state.expire(context);
    match OPERATIONS.iter().find(|(known, _)| *known == name) {
        Some((_, operation)) => operation(state, body, context),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> AwsError {
    let supported: Vec<&str> = OPERATIONS.iter().map(|(known, _)| *known).collect();
    let message = format!(
        "DynamoDB in the local AWS of playbook has no operation {name}. It has: {}.",
        supported.join(", ")
    );
    AwsError::bad_request("UnknownOperationException", message)
}
