//! Queues, through the wire and without sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::State;
use crate::SERVICES;
use crate::account::client::{Caller, ServiceCaller};
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

fn open() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        endpoint_url: "http://127.0.0.1:1".to_owned(),
        ..AccountOptions::default()
    };
    let account = Account::open(options, SERVICES.to_vec());
    account.clock().set(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    account
}

async fn call(account: &Account, operation: &str, input: Value) -> Result<Value, AwsError> {
    let client = account.client(Caller::Requester(None));
    client.operation(&format!("sqs:{operation}"), &input).await
}

async fn queue(account: &Account, name: &str, attributes: Value) -> String {
    let input = json!({"QueueName": name, "Attributes": attributes});
    let created = call(account, "CreateQueue", input).await.expect(name);
    created["QueueUrl"].as_str().expect("a URL").to_owned()
}

async fn send(account: &Account, url: &str, body: &str) {
    let input = json!({"QueueUrl": url, "MessageBody": body});
    call(account, "SendMessage", input).await.expect(body);
}

async fn receive(account: &Account, url: &str, most: u32) -> Vec<Value> {
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": most, "AttributeNames": ["All"]});
    let received = call(account, "ReceiveMessage", input).await.expect("received");
    received["Messages"].as_array().cloned().unwrap_or_default()
}

async fn delete(account: &Account, url: &str, message: &Value) {
    let input = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
    call(account, "DeleteMessage", input).await.expect("deleted");
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["Body"].as_str()).collect()
}

fn seconds(account: &Account, seconds: u64) {
    account.clock().advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn what_is_not_deleted_comes_back_and_goes_to_the_dead_letters() {
    let account = open();
    queue(&account, "dead", json!({})).await;
    let redrive =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":2}"#;
    let url =
        queue(&account, "q", json!({"RedrivePolicy": redrive, "VisibilityTimeout": "10"})).await;
    send(&account, &url, "stays").await;
    for round in ["1", "2"] {
        let messages = receive(&account, &url, 10).await;
        assert_eq!(bodies(&messages), ["stays"]);
        assert_eq!(messages[0]["Attributes"]["ApproximateReceiveCount"], round);
        assert!(receive(&account, &url, 10).await.is_empty());
        seconds(&account, 10);
    }
    assert!(receive(&account, &url, 10).await.is_empty());
    let dead = url.replace("/q", "/dead");
    let messages = receive(&account, &dead, 10).await;
    assert_eq!(bodies(&messages), ["stays"]);
    let attributes = &messages[0]["Attributes"];
    assert_eq!(attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:eu-west-1:123456789012:q");
    assert_eq!(attributes["ApproximateReceiveCount"], "3");
    let listed = call(&account, "ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await;
    assert_eq!(listed.expect("listed")["queueUrls"], json!([url]));

    seconds(&account, 30);
    let arn = "arn:aws:sqs:eu-west-1:123456789012:dead";
    call(&account, "StartMessageMoveTask", json!({"SourceArn": arn})).await.expect("moved");
    assert_eq!(bodies(&receive(&account, &url, 10).await), ["stays"]);
}

#[tokio::test]
async fn a_long_poll_ends_with_the_message_or_with_its_time() {
    let account = open();
    let url = queue(&account, "q", json!({})).await;
    let wait = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let (polling, waits) = (account.clone(), wait.clone());
    let poll = tokio::spawn(async move { call(&polling, "ReceiveMessage", waits).await });
    tokio::task::yield_now().await;
    seconds(&account, 19);
    tokio::task::yield_now().await;
    assert!(!poll.is_finished());
    send(&account, &url, "late").await;
    let received = poll.await.expect("no panic").expect("received");
    assert_eq!(received["Messages"][0]["Body"], "late");

    let delayed = json!({"QueueUrl": url, "MessageBody": "delayed", "DelaySeconds": 15});
    call(&account, "SendMessage", delayed).await.expect("sent");
    let polling = account.clone();
    let poll = tokio::spawn(async move { call(&polling, "ReceiveMessage", wait).await });
    for _ in 0..3 {
        tokio::task::yield_now().await;
        seconds(&account, 5);
    }
    let received = poll.await.expect("no panic").expect("received");
    assert_eq!(received["Messages"][0]["Body"], "delayed");
}

#[tokio::test]
async fn a_group_goes_out_in_order_and_one_batch_at_a_time() {
    let account = open();
    let attributes = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let url = queue(&account, "q.fifo", attributes).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a2"), ("b", "b2")] {
        let input = json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group});
        let sent = call(&account, "SendMessage", input).await.expect(body);
        assert_eq!(sent["SequenceNumber"].as_str().map(str::len), Some(20));
    }
    let first = receive(&account, &url, 1).await;
    assert_eq!(bodies(&first), ["a1"]);
    let others = receive(&account, &url, 10).await;
    assert_eq!(bodies(&others), ["b1", "b2"]);
    assert!(receive(&account, &url, 10).await.is_empty());
    delete(&account, &url, &first[0]).await;
    assert_eq!(bodies(&receive(&account, &url, 10).await), ["a2"]);
    seconds(&account, 30);
    assert_eq!(bodies(&receive(&account, &url, 10).await), ["b1", "a2", "b2"]);
    let late = json!({"QueueUrl": url, "ReceiptHandle": others[0]["ReceiptHandle"]});
    let refused = call(&account, "DeleteMessage", late).await.expect_err("expired");
    assert!(refused.message.ends_with("Reason: The receipt handle has expired."), "{refused}");
}

#[tokio::test]
async fn errors_have_the_codes_that_the_sdks_show() {
    let account = open();
    let url = queue(&account, "q", json!({})).await;
    for (operation, input, code, message) in [
        (
            "GetQueueUrl",
            json!({"QueueName": "none"}),
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": "31"}}),
            "QueueAlreadyExists",
            "A queue already exists with the same name and a different value for attribute VisibilityTimeout",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "a b"}),
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": ""}),
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ),
        (
            "DeleteMessage",
            json!({"QueueUrl": url, "ReceiptHandle": "x"}),
            "ReceiptHandleIsInvalid",
            "The input receipt handle \"x\" is not a valid receipt handle.",
        ),
        (
            "SendMessageBatch",
            json!({"QueueUrl": url, "Entries": []}),
            "AWS.SimpleQueueService.EmptyBatchRequest",
            "There should be at least one SendMessageBatchRequestEntry in the request.",
        ),
        (
            "ReceiveMessage",
            json!({"QueueUrl": url, "MaxNumberOfMessages": 11}),
            "InvalidParameterValue",
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            "GetQueueAttributes",
            json!({"QueueUrl": url, "AttributeNames": ["Colour"]}),
            "InvalidAttributeName",
            "Unknown Attribute Colour.",
        ),
    ] {
        let refused = call(&account, operation, input).await.expect_err(operation);
        assert_eq!((refused.code.as_str(), refused.message.as_str()), (code, message));
    }
}

#[tokio::test]
async fn a_service_sends_where_the_policy_lets_it() {
    let account = open();
    let url = queue(&account, "q", json!({})).await;
    let sns = account.client(Caller::Service(ServiceCaller {
        principal: "sns.amazonaws.com".to_owned(),
        source_arn: "arn:aws:sns:eu-west-1:123456789012:t".to_owned(),
        source_account: "123456789012".to_owned(),
    }));
    let input = json!({"QueueUrl": url, "MessageBody": "hello"});
    let refused = sns.operation("sqs:SendMessage", &input).await.expect_err("no policy");
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
    let policy = json!({"Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:aws:sqs:eu-west-1:123456789012:q",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:t"}},
    }});
    let set = json!({"QueueUrl": url, "Attributes": {"Policy": policy.to_string()}});
    call(&account, "SetQueueAttributes", set).await.expect("set");
    sns.operation("sqs:SendMessage", &input).await.expect("allowed");
    assert_eq!(bodies(&receive(&account, &url, 1).await), ["hello"]);
}

#[tokio::test]
async fn a_name_rests_and_a_purge_too() {
    let account = open();
    let url = queue(&account, "q", json!({})).await;
    send(&account, &url, "gone").await;
    call(&account, "PurgeQueue", json!({"QueueUrl": url})).await.expect("purged");
    assert!(receive(&account, &url, 1).await.is_empty());
    call(&account, "DeleteQueue", json!({"QueueUrl": url})).await.expect("deleted");
    assert_eq!(account.state::<State>().queues.len(), 0);
    assert_eq!(account.snapshot()["sqs"], json!({}));
}

/// What is sent is received until somebody deletes it, whatever fails in between; groups keep their order.
#[tokio::test]
async fn nothing_is_lost_and_groups_keep_their_order() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let account = open();
        let attributes = json!({"FifoQueue": "true", "VisibilityTimeout": "5"});
        let url = queue(&account, "q.fifo", attributes).await;
        let mut last: BTreeMap<String, u32> = BTreeMap::new();
        let mut left = BTreeSet::new();
        for number in 0..60_u32 {
            let group = ["a", "b", "c"][random.usize(..3)];
            let input = json!({
                "QueueUrl": url,
                "MessageBody": number.to_string(),
                "MessageGroupId": group,
                "MessageDeduplicationId": number.to_string(),
            });
            call(&account, "SendMessage", input).await.expect("sent");
            left.insert(number);
        }
        for _ in 0..2000 {
            let messages = receive(&account, &url, random.u32(1..=10)).await;
            let mut failed = BTreeSet::new();
            for message in messages {
                let group = message["Attributes"]["MessageGroupId"].as_str().unwrap_or_default();
                let number: u32 =
                    message["Body"].as_str().unwrap_or_default().parse().expect("one");
                // Whoever fails lets go of what comes behind it, too.
                if failed.contains(group) || random.f32() < 0.4 {
                    failed.insert(group.to_owned());
                    continue;
                }
                let before = last.insert(group.to_owned(), number);
                assert!(
                    before.is_none_or(|before| before < number),
                    "{seed}: {before:?}, {number}"
                );
                assert!(left.remove(&number), "{seed}: {number} came twice");
                delete(&account, &url, &message).await;
            }
            seconds(&account, random.u64(0..4));
            if left.is_empty() {
                break;
            }
        }
        assert!(left.is_empty(), "{seed}: {left:?}");
    }
}

/// As clients did before SQS spoke JSON, and some still do.
#[tokio::test]
async fn the_query_protocol_is_spoken_as_it_was() {
    let account = open();
    let client = account.client(Caller::Requester(None));
    let ask = async |action: &str, parameters: &[(&str, &str)]| {
        let with_version: Vec<_> =
            parameters.iter().copied().chain([("Version", "2012-11-05")]).collect();
        let answer = client.query("sqs", action, &with_version).await.expect(action);
        String::from_utf8_lossy(answer.body()).into_owned()
    };
    let attributes = [
        ("QueueName", "q"),
        ("Attribute.1.Name", "VisibilityTimeout"),
        ("Attribute.1.Value", "7"),
        ("Tag.1.Key", "a"),
        ("Tag.1.Value", "b"),
    ];
    let made = ask("CreateQueue", &attributes).await;
    let url = "http://127.0.0.1:1/123456789012/q";
    let expected = format!("<CreateQueueResult><QueueUrl>{url}</QueueUrl></CreateQueueResult>");
    assert!(made.contains(&expected), "{made}");
    let tags = ask("ListQueueTags", &[("QueueUrl", url)]).await;
    let expected =
        "<ListQueueTagsResult><Tag><Key>a</Key><Value>b</Value></Tag></ListQueueTagsResult>";
    assert!(tags.contains(expected), "{tags}");
    let sent = [
        ("QueueUrl", url),
        ("SendMessageBatchRequestEntry.1.Id", "one"),
        ("SendMessageBatchRequestEntry.1.MessageBody", "hello"),
        ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Name", "kind"),
        ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType", "String"),
        ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue", "test"),
    ];
    let sent = ask("SendMessageBatch", &sent).await;
    for part in ["<SendMessageBatchResult><SendMessageBatchResultEntry>", "<Id>one</Id>"] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    let received = [
        ("QueueUrl", url),
        ("AttributeName.1", "ApproximateReceiveCount"),
        ("MessageAttributeName.1", "All"),
    ];
    let received = ask("ReceiveMessage", &received).await;
    for part in [
        "<ReceiveMessageResult><Message>",
        "<Body>hello</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
        "<MessageAttribute><Name>kind</Name><Value>",
        "<StringValue>test</StringValue>",
    ] {
        assert!(received.contains(part), "{part}: {received}");
    }
    let wanted = [("QueueUrl", url), ("AttributeName.1", "VisibilityTimeout")];
    let shown = ask("GetQueueAttributes", &wanted).await;
    let expected = "<GetQueueAttributesResult><Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute></GetQueueAttributesResult>";
    assert!(shown.contains(expected), "{shown}");
    let queues = ask("ListQueues", &[]).await;
    assert!(queues.contains("<ListQueuesResult><QueueUrl>"), "{queues}");
    let deleted = ask("DeleteQueue", &[("QueueUrl", url)]).await;
    assert!(!deleted.contains("Result"), "{deleted}");
}
