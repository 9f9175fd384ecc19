//! Where Lambda sends what has become of an invocation: queues, topics, functions, buses.

use hyper::Method;
use serde_json::{Map, Value, json};

use super::Lambda;
use super::errors::{invalid, unsupported};
use super::invoke::Invocation;
use super::names::Target;
use crate::account::client::Caller;
use crate::iam;
use crate::protocol::AwsError;

/// The action that a role needs for a destination, and what the service is called.
fn action(arn: &str) -> Result<(&'static str, &'static str), AwsError> {
    match arn.split(':').nth(2) {
        Some("sqs") => Ok(("sqs:SendMessage", "SQS")),
        Some("sns") => Ok(("sns:Publish", "SNS")),
        Some("lambda") => Ok(("lambda:InvokeFunction", "Lambda")),
        Some("events") => Ok(("events:PutEvents", "EventBridge")),
        _ => Err(unsupported("destinations other than queues, topics, functions and event buses")),
    }
}

/// Refuses a destination that the role could not send to.
pub(super) fn check(lambda: &Lambda, role: &str, arn: &str) -> Result<(), AwsError> {
    let (action, service) = action(arn)?;
    if lambda.account.state::<iam::State>().role_allows(role, action, arn) {
        return Ok(());
    }
    let name = action.split(':').nth(1).unwrap_or_default();
    Err(invalid(format!(
        "The provided execution role does not have permissions to call {name} on {service}"
    )))
}

/// Sends a document to a destination, in the name of the role.
pub(super) async fn send(
    lambda: &Lambda,
    role: &str,
    arn: &str,
    document: &Value,
    attributes: Vec<(&str, &str, String)>,
) -> Result<(), AwsError> {
    check(lambda, role, arn)?;
    let client = lambda.account.client(Caller::Requester(None));
    let attributes: Map<String, Value> = attributes
        .into_iter()
        .map(|(name, kind, value)| {
            (name.to_owned(), json!({"DataType": kind, "StringValue": value}))
        })
        .collect();
    let text = document.to_string();
    match arn.split(':').nth(2) {
        Some("sqs") => {
            let url = crate::sqs::deliver::url_of(&lambda.account, arn);
            let input = json!({
                "QueueUrl": url, "MessageBody": text, "MessageAttributes": attributes,
            });
            client.operation("sqs:SendMessage", &input).await.map(drop)
        }
        Some("sns") => {
            let input = json!({"TopicArn": arn, "Message": text, "MessageAttributes": attributes});
            client.operation("sns:Publish", &input).await.map(drop)
        }
        Some("events") => {
            let failed = document["responseContext"]["functionError"].is_string()
                || document["requestContext"]["condition"] != "Success";
            let result = if failed { "Failure" } else { "Success" };
            let entry = json!({
                "Source": "lambda",
                "DetailType": format!("Lambda Function Invocation Result - {result}"),
                "Detail": text,
                "EventBusName": arn,
                "Resources": [arn, document["requestContext"]["functionArn"]],
            });
            client.operation("events:PutEvents", &json!({"Entries": [entry]})).await.map(drop)
        }
        _ => {
            let target = Target::parse(arn, None, lambda.place())?;
            let path = ["2015-03-31", "functions", &target.arn(lambda.place()), "invocations"];
            let call = crate::account::client::Call::rest(Method::POST, &path, Some(document))
                .with_header("X-Amz-Invocation-Type", "Event");
            client.call("lambda", call).await.map(drop)
        }
    }
}

/// What a record says of a function's answer.
pub(super) fn response_context(invocation: &Invocation) -> Value {
    let mut shown = json!({
        "statusCode": 200,
        "executedVersion": invocation.executed_version,
    });
    if let Some(error) = &invocation.function_error {
        shown["functionError"] = json!(error);
    }
    shown
}
