use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::SERVICES;
use crate::account::client::Caller;
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

fn open() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        latency: LatencyProfile::None,
        endpoint_url: "http://127.0.0.1:1".to_owned(),
        ..AccountOptions::default()
    };
    Account::open(options, SERVICES.to_vec())
}

async fn call(account: &Account, name: &str, input: Value) -> Result<Value, AwsError> {
    account.client(Caller::Requester(None)).operation(name, &input).await
}

async fn queue(account: &Account, name: &str) -> String {
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": format!("arn:aws:sqs:eu-west-1:123456789012:{name}"),
    }]});
    let input = json!({"QueueName": name, "Attributes": {"Policy": policy.to_string()}});
    let made = call(account, "sqs:CreateQueue", input).await.expect("a queue");
    made["QueueUrl"].as_str().expect("a URL").to_owned()
}

/// What comes into a queue next; deliveries are made in the background.
async fn next(account: &Account, url: &str) -> Value {
    for _ in 0..500 {
        let got =
            call(account, "sqs:ReceiveMessage", json!({"QueueUrl": url})).await.expect("received");
        if let Some(body) = got["Messages"][0]["Body"].as_str() {
            return serde_json::from_str(body).expect("JSON");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nothing came")
}

#[tokio::test]
async fn an_event_reaches_the_rules_that_look_for_it() {
    let account = open();
    let url = queue(&account, "q").await;
    let rule = json!({"Name": "r", "EventPattern": r#"{"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}}"#});
    let made = call(&account, "events:PutRule", rule).await.expect("a rule");
    assert_eq!(made["RuleArn"], "arn:aws:events:eu-west-1:123456789012:rule/r");
    let targets = json!({"Rule": "r", "Targets": [{
        "Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q",
        "InputTransformer": {"InputPathsMap": {"total": "$.detail.total"}, "InputTemplate": "{\"sum\": <total>}"},
    }]});
    call(&account, "events:PutTargets", targets).await.expect("targets");
    let entry = |total: u32| json!({"Source": "shop", "DetailType": "paid", "Detail": json!({"total": total}).to_string()});
    let entries = json!({"Entries": [entry(5), entry(50), {"Source": "shop", "DetailType": "x", "Detail": "no"}]});
    let put = call(&account, "events:PutEvents", entries).await.expect("put");
    assert_eq!(put["FailedEntryCount"], 1);
    assert_eq!(put["Entries"][2]["ErrorCode"], "MalformedDetail");
    assert_eq!(next(&account, &url).await, json!({"sum": 50}));
    let refused =
        call(&account, "events:DeleteRule", json!({"Name": "r"})).await.expect_err("targets");
    assert_eq!(refused.message, "Rule can't be deleted since it has targets.");
    call(&account, "events:RemoveTargets", json!({"Rule": "r", "Ids": ["1"]}))
        .await
        .expect("removed");
    call(&account, "events:DeleteRule", json!({"Name": "r"})).await.expect("deleted");
    assert_eq!(account.snapshot()["events"], json!({}));
}

#[tokio::test]
async fn a_schedule_goes_by_the_accounts_clock() {
    let account = open();
    account.clock().set(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let url = queue(&account, "q").await;
    let rule = json!({"Name": "r", "ScheduleExpression": "rate(5 minutes)"});
    call(&account, "events:PutRule", rule).await.expect("a rule");
    let targets = json!({"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q"}]});
    call(&account, "events:PutTargets", targets).await.expect("targets");
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        account.clock().advance(Duration::from_mins(5));
        let event = next(&account, &url).await;
        assert_eq!(
            (&event["detail-type"], &event["source"]),
            (&json!("Scheduled Event"), &json!("aws.events"))
        );
        assert_eq!(event["resources"], json!(["arn:aws:events:eu-west-1:123456789012:rule/r"]));
    }
    account.shutdown().await;
}
