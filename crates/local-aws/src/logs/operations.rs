//! The operations of Logs: inputs out of JSON, outputs into JSON.

use serde::Serialize;
use serde_json::Value;

use super::{Context, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

type Output = Result<Option<Value>, AwsError>;
type Operation = fn(&mut State, &[u8], &Context) -> Output;

const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateLogGroup", |logs, body, context| {
        nothing(logs.create_log_group(&parse(body)?, context))
    }),
    ("CreateLogStream", |logs, body, context| {
        nothing(logs.create_log_stream(&parse(body)?, context))
    }),
    ("DeleteLogGroup", |logs, body, _| nothing(logs.delete_log_group(&parse(body)?))),
    ("DeleteLogStream", |logs, body, _| nothing(logs.delete_log_stream(&parse(body)?))),
    ("DeleteRetentionPolicy", |logs, body, _| nothing(logs.delete_retention_policy(&parse(body)?))),
    ("DescribeLogGroups", |logs, body, context| {
        output(logs.describe_log_groups(&parse(body)?, context))
    }),
    ("DescribeLogStreams", |logs, body, context| {
        output(logs.describe_log_streams(&parse(body)?, context))
    }),
    ("FilterLogEvents", |logs, body, context| {
        output(logs.filter_log_events(&parse(body)?, context))
    }),
    ("GetLogEvents", |logs, body, context| output(logs.get_log_events(&parse(body)?, context))),
    ("ListTagsForResource", |logs, body, context| output(logs.tags(&parse(body)?, context))),
    ("ListTagsLogGroup", |logs, body, context| output(logs.tags(&parse(body)?, context))),
    ("PutLogEvents", |logs, body, context| output(logs.put_log_events(&parse(body)?, context))),
    ("PutRetentionPolicy", |logs, body, _| nothing(logs.put_retention_policy(&parse(body)?))),
    ("TagLogGroup", |logs, body, context| nothing(logs.tag(&parse(body)?, context))),
    ("TagResource", |logs, body, context| nothing(logs.tag(&parse(body)?, context))),
    ("UntagLogGroup", |logs, body, context| nothing(logs.untag(&parse(body)?, context))),
    ("UntagResource", |logs, body, context| nothing(logs.untag(&parse(body)?, context))),
];

/// Calls an operation by its name.
pub(super) fn call(state: &mut State, name: &str, body: &[u8], context: &Context) -> Output {
    match OPERATIONS.iter().find(|(known, _)| *known == name) {
        Some((_, operation)) => operation(state, body, context),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> AwsError {
    let supported: Vec<&str> = OPERATIONS.iter().map(|(known, _)| *known).collect();
    let message = format!(
        "Logs in the local AWS of playbook has no operation {name}. It has: {}.",
        supported.join(", ")
    );
    AwsError::bad_request("UnknownOperationException", message)
}

fn nothing(result: Result<(), AwsError>) -> Output {
    result.map(|()| None)
}

fn output<T: Serialize>(result: Result<T, AwsError>) -> Output {
    let value = serde_json::to_value(result?);
    value.map(Some).map_err(|error| AwsError::new(500, "InternalFailure", error.to_string()))
}
