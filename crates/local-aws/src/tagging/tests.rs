use serde_json::{Value, json};

use crate::SERVICES;
use crate::account::client::Caller;
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

async fn call(account: &Account, operation: &str, input: Value) -> Result<Value, AwsError> {
    account.client(Caller::Requester(None)).operation(operation, &input).await
}

async fn found(account: &Account, input: Value) -> Result<Vec<String>, AwsError> {
    let found = call(account, "resourcegroupstaggingapi:GetResources", input).await?;
    let found = found["ResourceTagMappingList"].as_array().cloned().unwrap_or_default();
    Ok(found.iter().filter_map(|one| Some(one["ResourceARN"].as_str()?.to_owned())).collect())
}

/// A queue, a topic, a group and a stream of one run, a queue of another, and one without tags.
async fn account() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        latency: LatencyProfile::None,
        ..AccountOptions::default()
    };
    let account = Account::open(options, SERVICES.to_vec());
    let tags = json!({"playbook:run": "one", "team": "a"});
    let listed = json!([{"Key": "playbook:run", "Value": "one"}]);
    for (operation, input) in [
        ("sqs:CreateQueue", json!({"QueueName": "own", "tags": tags})),
        ("sqs:CreateQueue", json!({"QueueName": "other", "tags": {"playbook:run": "two"}})),
        ("sqs:CreateQueue", json!({"QueueName": "bare"})),
        ("sns:CreateTopic", json!({"Name": "own", "Tags": listed})),
        ("kinesis:CreateStream", json!({"StreamName": "own", "ShardCount": 1, "Tags": tags})),
        ("events:CreateEventBus", json!({"Name": "own", "Tags": listed})),
    ] {
        call(&account, operation, input).await.expect(operation);
    }
    account
}

#[tokio::test]
async fn resources_are_found_by_their_tags_and_types() {
    let account = account().await;
    let filter = |filter: Value| json!({"TagFilters": [filter]});
    let own = found(&account, filter(json!({"Key": "playbook:run", "Values": ["one"]}))).await;
    assert_eq!(
        own.expect("found"),
        [
            "arn:aws:events:eu-west-1:123456789012:event-bus/own",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/own",
            "arn:aws:sns:eu-west-1:123456789012:own",
            "arn:aws:sqs:eu-west-1:123456789012:own",
        ]
    );
    let any = found(&account, filter(json!({"Key": "playbook:run"}))).await.expect("found");
    assert_eq!(any.len(), 5);
    let typed = json!({"ResourceTypeFilters": ["kinesis:stream", "sqs"]});
    assert_eq!(found(&account, typed).await.expect("found").len(), 3);
    let elsewhere = account.at(&account.id, "us-east-1");
    assert!(found(&elsewhere, json!({})).await.expect("found").is_empty());
    let keys =
        call(&account, "resourcegroupstaggingapi:GetTagKeys", json!({})).await.expect("keys");
    assert_eq!(keys["TagKeys"], json!(["playbook:run", "team"]));
    let values = json!({"Key": "playbook:run"});
    let values =
        call(&account, "resourcegroupstaggingapi:GetTagValues", values).await.expect("values");
    assert_eq!(values["TagValues"], json!(["one", "two"]));
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let account = account().await;
    let (mut all, mut token) = (Vec::new(), String::new());
    for _ in 0..5 {
        let input = json!({"ResourcesPerPage": 2, "PaginationToken": token});
        let page =
            call(&account, "resourcegroupstaggingapi:GetResources", input).await.expect("a page");
        let list = page["ResourceTagMappingList"].as_array().expect("a list");
        all.extend(
            list.iter().map(|one| one["ResourceARN"].as_str().unwrap_or_default().to_owned()),
        );
        token = page["PaginationToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(all, found(&account, json!({})).await.expect("all"));
    let wrong = found(&account, json!({"PaginationToken": "%"})).await.expect_err("no page");
    assert_eq!(wrong.code, "PaginationTokenExpiredException");
}

#[tokio::test]
async fn what_has_no_effect_here_is_refused() {
    let account = account().await;
    for input in [
        json!({"IncludeComplianceDetails": true}),
        json!({"TagsPerPage": 100}),
        json!({"ResourcesPerPage": 500}),
        json!({"ResourceARNList": ["arn:aws:sqs:eu-west-1:123456789012:own"], "TagFilters": [{"Key": "a"}]}),
    ] {
        let refused = found(&account, input.clone()).await.expect_err("refused");
        assert_eq!(refused.code, "InvalidParameterException", "{input}");
    }
}
