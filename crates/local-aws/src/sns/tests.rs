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

async fn topic(account: &Account, name: &str, attributes: Value) -> String {
    let input = json!({"Name": name, "Attributes": attributes});
    let made = call(account, "sns:CreateTopic", input).await.expect("a topic");
    made["TopicArn"].as_str().expect("an ARN").to_owned()
}

async fn queue(account: &Account, name: &str, topic: &str, attributes: Value) -> String {
    let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{name}");
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }]});
    let mut all = attributes;
    all["Policy"] = json!(policy.to_string());
    let input = json!({"QueueName": name, "Attributes": all});
    let made = call(account, "sqs:CreateQueue", input).await.expect("a queue");
    made["QueueUrl"].as_str().expect("a URL").to_owned()
}

async fn subscribe(account: &Account, topic: &str, queue: &str, attributes: Value) -> String {
    let input = json!({
        "TopicArn": topic, "Protocol": "sqs", "Attributes": attributes,
        "Endpoint": format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"),
    });
    let made = call(account, "sns:Subscribe", input).await.expect("subscribed");
    made["SubscriptionArn"].as_str().expect("an ARN").to_owned()
}

async fn received(account: &Account, url: &str) -> Vec<Value> {
    let input = json!({
        "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"],
    });
    let got = call(account, "sqs:ReceiveMessage", input).await.expect("received");
    got["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_message_reaches_those_who_want_it_as_they_want_it() {
    let account = open();
    let arn = topic(&account, "t", json!({})).await;
    let all = queue(&account, "all", &arn, json!({})).await;
    let raw = queue(&account, "raw", &arn, json!({})).await;
    let some = queue(&account, "some", &arn, json!({})).await;
    subscribe(&account, &arn, "all", json!({})).await;
    subscribe(&account, &arn, "raw", json!({"RawMessageDelivery": "true"})).await;
    let policy = json!({"kind": ["order"], "total": [{"numeric": [">", 10]}]}).to_string();
    subscribe(&account, &arn, "some", json!({"FilterPolicy": policy})).await;
    for (kind, total) in [("order", "5"), ("order", "50"), ("note", "50")] {
        let input = json!({
            "TopicArn": arn, "Message": format!("{kind} {total}"), "Subject": "s",
            "MessageAttributes": {
                "kind": {"DataType": "String", "StringValue": kind},
                "total": {"DataType": "Number", "StringValue": total},
            },
        });
        call(&account, "sns:Publish", input).await.expect("published");
    }
    let told = received(&account, &all).await;
    assert_eq!(told.len(), 3);
    let envelope: Value =
        serde_json::from_str(told[0]["Body"].as_str().unwrap_or_default()).expect("JSON");
    assert_eq!(
        (&envelope["Type"], &envelope["Message"]),
        (&json!("Notification"), &json!("order 5"))
    );
    assert_eq!(envelope["MessageAttributes"]["total"], json!({"Type": "Number", "Value": "5"}));
    let bare = received(&account, &raw).await;
    assert_eq!(bare[0]["Body"], "order 5");
    assert_eq!(bare[0]["MessageAttributes"]["kind"]["StringValue"], "order");
    let wanted = received(&account, &some).await;
    assert_eq!(wanted.len(), 1);
    assert!(wanted[0]["Body"].as_str().is_some_and(|body| body.contains("order 50")));
}

#[tokio::test]
async fn a_fifo_topic_keeps_order_and_knows_what_it_has_seen() {
    let account = open();
    let arn = topic(&account, "t.fifo", json!({"FifoTopic": "true"})).await;
    let url = queue(&account, "q.fifo", &arn, json!({"FifoQueue": "true"})).await;
    subscribe(&account, &arn, "q.fifo", json!({"RawMessageDelivery": "true"})).await;
    for (id, body) in [("1", "a"), ("2", "b"), ("1", "a"), ("3", "c")] {
        let input = json!({
            "TopicArn": arn, "Message": body, "MessageGroupId": "g", "MessageDeduplicationId": id,
        });
        call(&account, "sns:Publish", input).await.expect("published");
    }
    let got = received(&account, &url).await;
    let bodies: Vec<&str> = got.iter().filter_map(|one| one["Body"].as_str()).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
    let bare = call(&account, "sns:Publish", json!({"TopicArn": arn, "Message": "x"}))
        .await
        .expect_err("no group");
    assert_eq!(
        bare.to_string(),
        "InvalidParameter: Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    );
}

#[tokio::test]
async fn what_a_queue_does_not_let_in_goes_to_the_dead_letters() {
    let account = open();
    let arn = topic(&account, "t", json!({})).await;
    let dead = queue(&account, "dead", &arn, json!({})).await;
    call(&account, "sqs:CreateQueue", json!({"QueueName": "closed"})).await.expect("a queue");
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead"}"#;
    subscribe(&account, &arn, "closed", json!({"RedrivePolicy": redrive})).await;
    call(&account, "sns:Publish", json!({"TopicArn": arn, "Message": "m"}))
        .await
        .expect("published");
    assert_eq!(received(&account, &dead).await.len(), 1);
    let missing = json!({"TopicArn": format!("{arn}x"), "Message": "m"});
    let refused = call(&account, "sns:Publish", missing).await.expect_err("no topic");
    assert_eq!(
        (refused.status, refused.to_string()),
        (404, "NotFound: Topic does not exist".to_owned())
    );
    let away = json!({"TopicArn": arn, "Protocol": "http", "Endpoint": "http://example.com/"});
    let refused = call(&account, "sns:Subscribe", away).await.expect_err("not this machine");
    assert!(refused.message.contains("of this machine alone"), "{refused}");
}
