//! The errors of SQS. Codes are the model's names; what they are called in the query protocol stands beside them.

use aws_model::validate::{Problem, What};
use serde_json::Value;

use crate::protocol::AwsError;

/// What errors are called by clients that still go by the query protocol's codes, which the SDKs show too.
pub(super) const QUERY_CODES: &[(&str, &str)] = &[
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
    ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
    ("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    ("QueueNameExists", "QueueAlreadyExists"),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
];

/// SQS names one thing that is wrong, and has words of its own for what is missing.
pub(super) fn invalid(problems: &[Problem], _input: &Value) -> Option<AwsError> {
    let problem = problems.iter().find(|problem| !matches!(problem.what, What::Unknown { .. }))?;
    Some(match &problem.what {
        What::Missing { member } => missing(member),
        // Names of attributes are told apart by the operation, which knows more than the model.
        What::Enumeration { .. } => return None,
        _ => parameter(&problem.to_string()),
    })
}

pub(super) fn missing(member: &str) -> AwsError {
    AwsError::bad_request(
        "MissingParameter",
        format!("The request must contain the parameter {member}."),
    )
}

pub(super) fn parameter(message: &str) -> AwsError {
    AwsError::bad_request("InvalidParameterValue", message)
}

pub(super) fn value(name: &str, value: impl std::fmt::Display, reason: &str) -> AwsError {
    parameter(&format!("Value {value} for parameter {name} is invalid. Reason: {reason}"))
}

pub(super) fn attribute_value(name: &str) -> AwsError {
    AwsError::bad_request(
        "InvalidAttributeValue",
        format!("Invalid value for the parameter {name}."),
    )
}

pub(super) fn attribute_name(name: &str) -> AwsError {
    AwsError::bad_request("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn no_queue() -> AwsError {
    AwsError::bad_request("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn bad_handle(handle: &str) -> AwsError {
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    AwsError::bad_request("ReceiptHandleIsInvalid", message)
}

/// For what is right in an attribute of another kind of queue only.
pub(super) fn wrong_kind(name: &str, given: impl std::fmt::Display) -> AwsError {
    value(name, given, "The request include parameter that is not valid for this queue type")
}
