//! An event goes to a target.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::{bus_name, input, put};
use crate::account::Account;
use crate::account::client::{Call, Caller, Client, ServiceCaller};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::protocol::timestamp::{epoch_millis, iso8601};
use crate::sqs;

const PRINCIPAL: &str = "events.amazonaws.com";

/// Brings an event to a target in the background; what cannot be delivered goes to the target's dead-letter queue.
pub(super) fn start(account: &Account, rule: String, target: Value, event: Value) {
    let at = account.clone();
    account.spawn(async move {
        let told = input::told(&target, &event, &rule, &iso8601(at.now()));
        if let Err(error) = send(&at, &rule, &target, &told, &event).await {
            give_up(&at, &rule, &target, &told, &error).await;
        }
    });
}

fn client(account: &Account, rule: &str) -> Client {
    account.client(Caller::Service(ServiceCaller {
        principal: PRINCIPAL.to_owned(),
        source_arn: rule.to_owned(),
        source_account: account.id.clone(),
    }))
}

async fn send(
    account: &Account,
    rule: &str,
    target: &Value,
    told: &str,
    event: &Value,
) -> Result<(), AwsError> {
    let arn = target["Arn"].as_str().unwrap_or_default();
    let client = client(account, rule);
    match arn.split(':').nth(2) {
        Some("lambda") => {
            let path = ["2015-03-31", "functions", arn, "invocations"];
            let call = Call::rest(Method::POST, &path, None)
                .with_header("X-Amz-Invocation-Type", "Event")
                .with_body(Bytes::from(told.to_owned()));
            client.call("lambda", call).await.map(drop)
        }
        Some("sqs") => {
            let url = sqs::deliver::url_of(account, arn);
            let mut message = json!({"QueueUrl": url, "MessageBody": told});
            if let Some(group) = target["SqsParameters"]["MessageGroupId"].as_str() {
                message["MessageGroupId"] = json!(group);
                message["MessageDeduplicationId"] = event["id"].clone();
            }
            client.operation("sqs:SendMessage", &message).await.map(drop)
        }
        Some("sns") => {
            let message = json!({"TopicArn": arn, "Message": told});
            client.operation("sns:Publish", &message).await.map(drop)
        }
        Some("events") => {
            // It arrives on the other bus as it left this one.
            put::route(account, bus_name(Some(arn)), event);
            Ok(())
        }
        _ => to_log(account, arn, told).await,
    }
}

/// Writes to a log group, whose policy of resources is not asked: Logs here keeps none.
async fn to_log(account: &Account, arn: &str, told: &str) -> Result<(), AwsError> {
    let group = arn.splitn(7, ':').nth(6).unwrap_or_default();
    let group = group.trim_end_matches(":*");
    let client = account.client(Caller::Requester(None));
    let stream = uuid();
    let input = json!({"logGroupName": group, "logStreamName": stream});
    client.operation("logs:CreateLogStream", &input).await?;
    let input = json!({
        "logGroupName": group, "logStreamName": stream,
        "logEvents": [{"timestamp": epoch_millis(account.now()), "message": told}],
    });
    client.operation("logs:PutLogEvents", &input).await.map(drop)
}

async fn give_up(account: &Account, rule: &str, target: &Value, told: &str, error: &AwsError) {
    let Some(arn) = target["DeadLetterConfig"]["Arn"].as_str() else { return };
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let input = json!({
        "QueueUrl": sqs::deliver::url_of(account, arn),
        "MessageBody": told,
        "MessageAttributes": {
            "RULE_ARN": text(rule),
            "TARGET_ARN": text(target["Arn"].as_str().unwrap_or_default()),
            "ERROR_CODE": text(if error.status == 403 { "NO_PERMISSIONS" } else { "SDK_CLIENT_ERROR" }),
            "ERROR_MESSAGE": text(&error.message),
        },
    });
    // Where the queue does not take it either, nobody gets it, as on AWS.
    let _ = client(account, rule).operation("sqs:SendMessage", &input).await;
}
