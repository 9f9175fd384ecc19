//! Messages and records that reach functions by themselves.

mod stacks;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::SERVICES;
use crate::account::client::Caller;
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

const QUEUES: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
const STREAMS: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole";
const TABLES: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole";

async fn open(policies: &[&str]) -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        latency: LatencyProfile::None,
        endpoint_url: "http://127.0.0.1:1".to_owned(),
        launcher: Vec::new(),
    };
    let account = Account::open(options, SERVICES.to_vec());
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
    }});
    let role = json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string()});
    call(&account, "iam:CreateRole", role).await.expect("a role");
    for policy in policies {
        let input = json!({"RoleName": "r", "PolicyArn": policy});
        call(&account, "iam:AttachRolePolicy", input).await.expect("attached");
    }
    account
}

async fn call(account: &Account, name: &str, input: Value) -> Result<Value, AwsError> {
    account.client(Caller::Requester(None)).operation(name, &input).await
}

async fn function(account: &Account, text: &str) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("m.py", SimpleFileOptions::default()).expect("an entry");
    writer.write_all(text.as_bytes()).expect("its content");
    let zip = writer.finish().expect("a zip").into_inner();
    let input = json!({
        "FunctionName": "f", "Runtime": "python3.13", "Handler": "m.handler",
        "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": STANDARD.encode(zip)},
    });
    call(account, "lambda:CreateFunction", input).await.expect("a function");
    // Environments that are there already take no time that a queue would count.
    let payload = STANDARD.encode(r#"{"Records": []}"#);
    let first = json!({"FunctionName": "f", "Payload": payload});
    call(account, "lambda:Invoke", first).await.expect("invoked");
}

async fn queue(account: &Account, name: &str, attributes: Value) -> String {
    let input = json!({"QueueName": name, "Attributes": attributes});
    let created = call(account, "sqs:CreateQueue", input).await.expect("a queue");
    created["QueueUrl"].as_str().expect("a URL").to_owned()
}

/// What the function has printed that begins with a word, in order.
async fn printed(account: &Account, word: &str) -> Vec<String> {
    let input = json!({"logGroupName": "/aws/lambda/f"});
    let Ok(found) = call(account, "logs:FilterLogEvents", input).await else { return Vec::new() };
    let events = found["events"].as_array().cloned().unwrap_or_default();
    let lines = events.iter().filter_map(|event| event["message"].as_str());
    lines.filter_map(|line| line.trim().strip_prefix(word)).map(str::to_owned).collect()
}

/// Looks again until something holds; time goes on in between.
async fn until(account: &Account, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..4000 {
        if holds().await {
            return;
        }
        account.clock().advance(Duration::from_millis(200));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came true: {what}");
}

async fn left(account: &Account, url: &str) -> u64 {
    let input = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let shown = call(account, "sqs:GetQueueAttributes", input).await.expect("attributes");
    let count = |name: &str| {
        shown["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible")
}

const RANDOM: &str = "
import random
def handler(event, context):
    failed, groups = [], set()
    for record in event['Records']:
        group = record['attributes'].get('MessageGroupId', record['messageId'])
        if group in groups or random.random() < 0.3:
            groups.add(group)
            failed.append({'itemIdentifier': record['messageId']})
        else:
            print('done ' + record['body'])
    if random.random() < 0.1:
        raise Exception('all of it')
    return {'batchItemFailures': failed}
";

#[tokio::test]
async fn no_message_is_lost_whatever_fails() {
    let account = open(&[QUEUES]).await;
    function(&account, RANDOM).await;
    let url = queue(&account, "q", json!({"VisibilityTimeout": "30"})).await;
    let source = json!({
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q", "FunctionName": "f",
        "BatchSize": 5, "ScalingConfig": {"MaximumConcurrency": 2}, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    let created = call(&account, "lambda:CreateEventSourceMapping", source).await.expect("created");
    assert_eq!(created["State"], "Creating");
    for number in 0..40 {
        let input = json!({"QueueUrl": url, "MessageBody": format!("m{number}")});
        call(&account, "sqs:SendMessage", input).await.expect("sent");
    }
    until(&account, "every message is through", async || left(&account, &url).await == 0).await;
    let done = printed(&account, "done ").await;
    for number in 0..40 {
        assert!(done.contains(&format!("m{number}")), "m{number} is missing: {done:?}");
    }
    account.shutdown().await;
}

#[tokio::test]
async fn a_group_keeps_its_order_whatever_fails() {
    let account = open(&[QUEUES]).await;
    function(&account, RANDOM).await;
    let attributes = json!({"FifoQueue": "true", "VisibilityTimeout": "30"});
    let url = queue(&account, "q.fifo", attributes).await;
    let source = json!({
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q.fifo", "FunctionName": "f",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    });
    call(&account, "lambda:CreateEventSourceMapping", source).await.expect("created");
    for number in 0..30 {
        let input = json!({
            "QueueUrl": url, "MessageBody": format!("{}:{number:02}", number % 3),
            "MessageGroupId": (number % 3).to_string(), "MessageDeduplicationId": number.to_string(),
        });
        call(&account, "sqs:SendMessage", input).await.expect("sent");
    }
    until(&account, "every message is through", async || left(&account, &url).await == 0).await;
    // What is delivered again comes after what was delivered before it: a message is new only after all before it.
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let input = json!({"logGroupName": "/aws/lambda/f"});
    assert!(call(&account, "logs:FilterLogEvents", input).await.is_ok());
    for body in printed(&account, "done ").await {
        let group = body[..1].to_owned();
        let highest = last.entry(group.clone()).or_default();
        if *highest < body {
            let expected = highest.get(2..).and_then(|text| text.parse::<u32>().ok());
            let expected =
                expected.map_or(group.parse::<u32>().expect("a digit"), |number| number + 3);
            assert_eq!(body, format!("{group}:{expected:02}"));
            *highest = body;
        }
    }
    assert_eq!(last.len(), 3);
    account.shutdown().await;
}

#[tokio::test]
async fn what_fails_too_often_is_a_dead_letter_and_filters_let_go() {
    let account = open(&[QUEUES]).await;
    function(
        &account,
        "
def handler(event, context):
    for record in event['Records']:
        print('seen', record['body'], record['attributes']['ApproximateReceiveCount'])
        if 'bad' in record['body']:
            raise Exception('bad')
",
    )
    .await;
    let dead = queue(&account, "dead", json!({})).await;
    let redrive =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":2}"#;
    let attributes = json!({"VisibilityTimeout": "30", "RedrivePolicy": redrive});
    let url = queue(&account, "q", attributes).await;
    let source = json!({
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q", "FunctionName": "f", "BatchSize": 1,
        "ScalingConfig": {"MaximumConcurrency": 2},
        "FilterCriteria": {"Filters": [{"Pattern": r#"{"body": {"kind": ["good", "bad"]}}"#}]},
    });
    call(&account, "lambda:CreateEventSourceMapping", source).await.expect("created");
    for kind in ["good", "bad", "ugly"] {
        let body = json!({"kind": kind}).to_string();
        call(&account, "sqs:SendMessage", json!({"QueueUrl": url, "MessageBody": body}))
            .await
            .expect("sent");
    }
    until(&account, "one is dead", async || left(&account, &dead).await == 1).await;
    until(&account, "the others are gone", async || left(&account, &url).await == 0).await;
    let mut seen = printed(&account, "seen ").await;
    seen.sort();
    assert_eq!(seen, [r#"{"kind":"bad"} 1"#, r#"{"kind":"bad"} 2"#, r#"{"kind":"good"} 1"#,]);
    account.shutdown().await;
}

#[tokio::test]
async fn a_mapping_is_refused_without_permission_and_goes_through_its_states() {
    let account = open(&[]).await;
    function(&account, "def handler(event, context):\n    pass\n").await;
    queue(&account, "q", json!({})).await;
    let source = json!({
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q", "FunctionName": "f",
    });
    let create = async || call(&account, "lambda:CreateEventSourceMapping", source.clone()).await;
    let refused = create().await.expect_err("no permission");
    assert_eq!(
        refused.to_string(),
        "InvalidParameterValueException: The function execution role does not have permissions to call ReceiveMessage on SQS"
    );
    let attach = json!({"RoleName": "r", "PolicyArn": QUEUES});
    call(&account, "iam:AttachRolePolicy", attach).await.expect("attached");
    let created = create().await.expect("created");
    let one = json!({"UUID": created["UUID"]});
    let get = async || call(&account, "lambda:GetEventSourceMapping", one.clone()).await;
    assert_eq!(get().await.expect("there")["State"], "Enabled");
    assert_eq!(create().await.expect_err("twice").code, "ResourceConflictException");
    let off = json!({"UUID": created["UUID"], "Enabled": false});
    let changed = call(&account, "lambda:UpdateEventSourceMapping", off).await.expect("changed");
    assert_eq!(changed["State"], "Disabling");
    assert_eq!(get().await.expect("there")["State"], "Disabled");
    call(&account, "lambda:DeleteEventSourceMapping", one.clone()).await.expect("deleted");
    assert_eq!(get().await.expect_err("gone").code, "ResourceNotFoundException");
    account.shutdown().await;
}

#[tokio::test]
async fn records_go_in_order_and_a_bad_one_holds_up_until_it_is_given_up() {
    let account = open(&[STREAMS, "arn:aws:iam::aws:policy/AmazonSQSFullAccess"]).await;
    function(
        &account,
        "
import base64
def handler(event, context):
    for record in event['Records']:
        body = base64.b64decode(record['kinesis']['data']).decode()
        print('seen', body)
        if body == '3':
            raise Exception('three')
",
    )
    .await;
    let failed = queue(&account, "failed", json!({})).await;
    call(&account, "kinesis:CreateStream", json!({"StreamName": "s", "ShardCount": 1}))
        .await
        .expect("a stream");
    let source = json!({
        "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/s", "FunctionName": "f",
        "StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:123456789012:failed"}},
    });
    let records: Vec<Value> = (0..6)
        .map(
            |number: u32| json!({"Data": STANDARD.encode(number.to_string()), "PartitionKey": "p"}),
        )
        .collect();
    call(&account, "kinesis:PutRecords", json!({"StreamName": "s", "Records": records}))
        .await
        .expect("put");
    call(&account, "lambda:CreateEventSourceMapping", source).await.expect("created");
    until(&account, "the last one is through", async || {
        printed(&account, "seen ").await.last().is_some_and(|last| last == "5")
    })
    .await;
    until(&account, "one is given up", async || left(&account, &failed).await == 1).await;
    let received =
        call(&account, "sqs:ReceiveMessage", json!({"QueueUrl": failed})).await.expect("received");
    let said: Value =
        serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap_or_default())
            .expect("JSON");
    assert_eq!(said["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(said["KinesisBatchInfo"]["batchSize"], 1);
    assert_eq!(said["KinesisBatchInfo"]["shardId"], "shardId-000000000000");
    account.shutdown().await;
}

#[tokio::test]
async fn what_changes_in_a_table_reaches_the_function() {
    let account = open(&[TABLES]).await;
    function(&account, "
import json
def handler(event, context):
    for record in event['Records']:
        print('seen', record['eventName'], json.dumps(record['dynamodb'].get('NewImage')), json.dumps(record['dynamodb'].get('OldImage')))
").await;
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    let created = call(&account, "dynamodb:CreateTable", table).await.expect("a table");
    let stream = created["TableDescription"]["LatestStreamArn"].clone();
    let source =
        json!({"EventSourceArn": stream, "FunctionName": "f", "StartingPosition": "LATEST"});
    call(&account, "lambda:CreateEventSourceMapping", source).await.expect("created");
    let key = json!({"id": {"S": "a"}});
    for number in ["1", "1", "2"] {
        let item = json!({"id": {"S": "a"}, "n": {"N": number}});
        call(&account, "dynamodb:PutItem", json!({"TableName": "things", "Item": item}))
            .await
            .expect("put");
    }
    call(&account, "dynamodb:DeleteItem", json!({"TableName": "things", "Key": key}))
        .await
        .expect("deleted");
    until(&account, "three changes are seen", async || printed(&account, "seen ").await.len() == 3)
        .await;
    let seen = printed(&account, "seen ").await;
    let names: Vec<&str> = seen.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    assert!(seen[2].contains(r#"null {"id": {"S": "a"}, "n": {"N": "2"}}"#), "{}", seen[2]);

    let shown = call(&account, "dynamodbstreams:DescribeStream", json!({"StreamArn": stream}))
        .await
        .expect("shown");
    let shard = &shown["StreamDescription"]["Shards"][0]["ShardId"];
    let input = json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator =
        call(&account, "dynamodbstreams:GetShardIterator", input).await.expect("an iterator");
    let records = call(
        &account,
        "dynamodbstreams:GetRecords",
        json!({"ShardIterator": iterator["ShardIterator"]}),
    )
    .await;
    assert_eq!(records.expect("records")["Records"].as_array().map(Vec::len), Some(3));
    account.shutdown().await;
}

#[tokio::test]
async fn what_becomes_of_objects_reaches_whoever_a_bucket_tells() {
    let account = open(&[]).await;
    function(
        &account,
        "
def handler(event, context):
    for record in event['Records']:
        if 's3' in record:
            print('seen', record['eventName'], record['s3']['object']['key'])
",
    )
    .await;
    let bucket = json!({
        "Bucket": "objects", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"},
    });
    call(&account, "s3:CreateBucket", bucket).await.expect("a bucket");
    let rule = json!({
        "LambdaFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
        "Filter": {"Key": {"FilterRules": [
            {"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"},
        ]}},
    });
    let input = json!({
        "Bucket": "objects", "NotificationConfiguration": {"LambdaFunctionConfigurations": [rule]},
    });
    let put = async || call(&account, "s3:PutBucketNotificationConfiguration", input.clone()).await;
    let refused = put().await.expect_err("no permission");
    assert_eq!(
        refused.to_string(),
        "InvalidArgument: Unable to validate the following destination configurations"
    );
    let permission = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::objects",
    });
    call(&account, "lambda:AddPermission", permission).await.expect("permitted");
    put().await.expect("put");
    for key in ["in/a b.txt", "in/c.bin", "out/d.txt"] {
        let input = json!({"Bucket": "objects", "Key": key, "Body": "aGk="});
        call(&account, "s3:PutObject", input).await.expect(key);
    }
    let gone = json!({"Bucket": "objects", "Key": "in/a b.txt"});
    until(&account, "one is seen", async || printed(&account, "seen ").await.len() == 1).await;
    call(&account, "s3:DeleteObject", gone).await.expect("deleted");
    until(&account, "two are seen", async || printed(&account, "seen ").await.len() == 2).await;
    let seen = printed(&account, "seen ").await;
    assert_eq!(seen, ["ObjectCreated:Put in/a+b.txt", "ObjectRemoved:Delete in/a+b.txt"]);
    let shown = json!({"Bucket": "objects"});
    let shown =
        call(&account, "s3:GetBucketNotificationConfiguration", shown).await.expect("shown");
    assert_eq!(shown["LambdaFunctionConfigurations"].as_array().map(Vec::len), Some(1));
    account.shutdown().await;
}

#[tokio::test]
async fn an_event_that_fails_is_tried_three_times_and_then_told() {
    let account = open(&["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]).await;
    function(
        &account,
        "
def handler(event, context):
    if 'Records' in event:
        return
    print('seen', event['n'])
    if event['n'] == 1:
        raise Exception('one')
    return {'fine': True}
",
    )
    .await;
    let failed = queue(&account, "failed", json!({})).await;
    let passed = queue(&account, "passed", json!({})).await;
    let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:123456789012:{name}");
    let config = json!({"FunctionName": "f", "DestinationConfig": {
        "OnSuccess": {"Destination": arn("passed")}, "OnFailure": {"Destination": arn("failed")},
    }});
    call(&account, "lambda:PutFunctionEventInvokeConfig", config).await.expect("put");
    for number in [1, 2] {
        let payload = STANDARD.encode(json!({"n": number}).to_string());
        let input = json!({"FunctionName": "f", "InvocationType": "Event", "Payload": payload});
        let invoked = call(&account, "lambda:Invoke", input).await.expect("taken");
        assert_eq!(invoked["StatusCode"], 202);
    }
    until(&account, "both are told", async || {
        left(&account, &failed).await == 1 && left(&account, &passed).await == 1
    })
    .await;
    let mut seen = printed(&account, "seen ").await;
    seen.sort();
    assert_eq!(seen, ["1", "1", "1", "2"]);
    let received =
        call(&account, "sqs:ReceiveMessage", json!({"QueueUrl": failed})).await.expect("received");
    let said: Value =
        serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap_or_default())
            .expect("JSON");
    assert_eq!(said["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(said["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(said["requestPayload"], json!({"n": 1}));
    assert_eq!(said["responsePayload"]["errorMessage"], "one");
    account.shutdown().await;
}
