//! AWS's own sample events, made from the fields that matter, and what is derived where nothing is given.
//!
//! The samples are those of AWS's crate `aws_lambda_events` (`src/fixtures`, under the MIT licence that lies beside them), which AWS
//! collected from its documentation; each source's module names the page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::steps::tests::dry_run::DryRun;
use engine::step::{Answer, StepError};

async fn run(input: Value) -> Result<Value, StepError> {
    DryRun::new(Answer::NotAsked).await.run("event", input).await
}

async fn event(input: Value) -> Value {
    run(input).await.expect("an event")["event"].clone()
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn the_sample_of_sqs() {
    // The digest in the sample is not that of its body; nor do attributes of messages have values of several types.
    let made = event(json!({
        "source": "sqs", "queue": "SQSQueue", "region": "us-west-2", "sender_id": "AROAIWPX5BD2BHG722MW4:sender",
        "records": [{
            "body": "Message Body", "message_id": "MessageID_1", "receipt_handle": "MessageReceiptHandle",
            "receive_count": 2, "time": "2018-03-09T18:53:45.029Z", "first_received": "2018-03-09T18:53:54.884Z",
            "message_attributes": {
                "Attribute1": {"string_value": "AttributeValue1"},
                "Attribute2": {"data_type": "Number", "string_value": "123"},
                "Attribute3": {"data_type": "Binary", "binary_value": "MTEwMA=="},
            },
            "patch": {
                "md5OfBody": "fce0ea8dd236ccb3ed9b37dae260836f",
                "md5OfMessageAttributes": "582c92c5c5b6ac403040a4f3ab3115c9",
                "messageAttributes": {
                    "Attribute2": {"binaryListValues": ["MQ==", "MA=="]},
                    "Attribute3": {"stringListValues": ["abc", "123"], "binaryListValues": ["MA==", "MQ==", "MA=="]},
                },
            },
        }],
    }));
    assert_eq!(made.await, sample(include_str!("testdata/example-sqs-event.json")));
}

#[tokio::test]
async fn the_sample_of_sns() {
    let arn = "arn:aws:sns:us-east-1:246796806071:snsNetTest";
    let made = event(json!({
        "source": "sns", "topic": "snsNetTest", "region": "us-east-1", "account": "246796806071",
        "subscription_arn": "arn:aws:sns:EXAMPLE",
        "records": [{
            "message": "Hello\r\nworld!", "subject": "Greetings", "time": "2015-08-18T18:02:32.111Z",
            "message_id": "82833b5c-8d5d-56d0-b0e1-7511f8253eb8",
            "patch": {"Sns": {
                // The sample is older than attributes are; its signature is a real one.
                "MessageAttributes": null,
                "Signature": sample(include_str!("testdata/example-sns-event-pascal-case.json"))["Records"][0]["Sns"]["Signature"],
                "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-d6d679a1d18e95c2f9ffcf11f4f9e198.pem",
                "UnsubscribeUrl": format!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}:228cc6c9-dcd8-4c92-9f3a-77f55176b9e3"),
            }},
        }],
    }));
    assert_eq!(made.await, sample(include_str!("testdata/example-sns-event-pascal-case.json")));
}

#[tokio::test]
async fn the_sample_of_kinesis() {
    let made = event(json!({
        "source": "kinesis", "stream": "simple-stream", "region": "us-east-1", "role": "LambdaRole",
        "records": [
            {
                "data": "Hello World", "partition_key": "s1", "time": "2016-12-02T01:18:43.477Z", "encryption_type": "KMS",
                "sequence_number": "49568167373333333333333333333333333333333333333333333333",
            },
            {
                "base64": "SGVsbG8gV29ybGQ=", "partition_key": "s1", "time": "2016-12-04T08:52:03.477Z",
                "sequence_number": "49568167373333333334444444444444444444444444444444444444",
            },
        ],
    }));
    assert_eq!(made.await, sample(include_str!("testdata/example-kinesis-event-encrypted.json")));
}

#[tokio::test]
async fn the_sample_of_dynamodb() {
    let expected = sample(include_str!("testdata/example-dynamodb-event.json"));
    let image = |at: usize| expected["Records"][at]["dynamodb"]["NewImage"].clone();
    // The sizes in the sample are not those of its items.
    let record = |at: usize, id: &str, patch: Value| {
        json!({
            "new_image": image(at), "event_id": id, "time": "2016-12-02T01:27:00Z",
            "sequence_number": "1405400000000002063282832", "patch": patch,
        })
    };
    let identity = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    let made = event(json!({
        "source": "dynamodb", "table": "Example-Table", "region": "us-east-1", "key": ["val", "key"], "typed": true,
        "stream_label": "2016-12-01T00:00:00.000",
        "records": [
            record(0, "f07f8ca4b0b26cb9c4e5e77e69f274ee", json!({"userIdentity": identity, "dynamodb": {"SizeBytes": 54}})),
            record(1, "f07f8ca4b0b26cb9c4e5e77e42f274ee", json!({"dynamodb": {"SizeBytes": 54}})),
        ],
    }));
    assert_eq!(made.await, expected);
}

#[tokio::test]
async fn the_sample_of_s3() {
    // The sample encodes a space as no notification does, and its ARN is that of another bucket.
    let made = event(json!({
        "source": "s3", "bucket": "sourcebucket", "region": "us-east-1", "configuration_id": "testConfigRule",
        "principal_id": "EXAMPLE", "owner_id": "EXAMPLE",
        "records": [{
            "key": "Happy Face.jpg", "size": 1024, "version_id": "version", "sequencer": "Happy Sequencer",
            "time": "1970-01-01T00:00:00.123Z",
            "patch": {
                "eventVersion": "2.0",
                "responseElements": {
                    "x-amz-request-id": "C3D13FE58DE4C810",
                    "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
                },
                "s3": {"bucket": {"arn": "arn:aws:s3:::mybucket"}, "object": {"key": "Happy%20Face.jpg"}},
            },
        }],
    }));
    assert_eq!(made.await, sample(include_str!("testdata/example-s3-event.json")));
}

#[tokio::test]
async fn the_sample_of_msk() {
    let uuid = "8d5596b4-1813-4238-b24b-6dad8e3d1c0c";
    let made = event(json!({
        "source": "msk",
        "cluster_arn": "arn:aws:kafka:us-west-2:012345678901:cluster/ExampleMSKCluster/e9f754c6-d29a-4430-a7db-958a19fd2c54-4",
        "bootstrap_servers": "b-2.demo-cluster-1.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092,b-1.demo-cluster-1.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092",
        "records": [{
            "topic": "AWSKafkaTopic", "time": "2020-07-18T01:29:09.7Z", "key": uuid, "value": uuid,
            "headers": {"headerKey": "headerValue"},
        }],
    }));
    assert_eq!(made.await, sample(include_str!("testdata/example-kafka-event.json")));
}

#[tokio::test]
async fn the_samples_of_documentdb() {
    let given = |record: Value| {
        let mut record = record;
        record["time"] = json!("2023-02-16T23:06:15Z");
        record["ordinal"] = json!(9);
        record["document_key"] = json!("63eeb6e7d418cd98afb1c1d7");
        record["resume_token"] = json!("0163eeb6e7000000090100000009000041e1");
        json!({
            "source": "documentdb", "cluster": "canaryclusterb2a659a2-qo5tcmqkcl03", "region": "us-east-1",
            "database": "test_database", "collection": "test_collection", "records": [record],
        })
    };
    let insert = event(given(json!({}))).await;
    assert_eq!(insert, sample(include_str!("testdata/example-documentdb-insert-event.json")));
    let update = event(given(json!({
        "operation": "update", "updated_fields": {"email": "alice@10gen.com"}, "removed_fields": ["phoneNumber"],
        "patch": {"event": {"updateDescription": {"truncatedArrays": [{"field": "vacation_time", "newSize": 36}]}}},
    })))
    .await;
    assert_eq!(update, sample(include_str!("testdata/example-documentdb-update-event.json")));
    let full = event(given(json!({"full_document": {"anyField": "sampleValue"}}))).await;
    assert_eq!(
        full["events"][0]["event"]["fullDocument"],
        json!({"_id": {"$oid": "63eeb6e7d418cd98afb1c1d7"}, "anyField": "sampleValue"})
    );
}

#[tokio::test]
async fn a_body_alone_is_enough() {
    let given =
        json!({"source": "sqs", "records": [{"body": "Test message."}, {"body": {"order": 1}}]});
    let made = run(given.clone()).await.expect("an event");
    assert_eq!(made, run(given).await.expect("an event"), "the same every time");
    let [first, second] = [&made["event"]["Records"][0], &made["event"]["Records"][1]];
    assert_eq!(first["md5OfBody"], "e4e68fb7bd0e697a0ae8f1bb342846b3");
    assert_eq!(second["body"], r#"{"order":1}"#);
    assert_eq!(first["eventSourceARN"], "arn:aws:sqs:eu-central-1:123456789012:my-queue");
    assert_eq!(first["attributes"]["SentTimestamp"], "1767225600000");
    assert_eq!(made["identifiers"], json!([first["messageId"], second["messageId"]]));
    assert_ne!(first["messageId"], second["messageId"]);
    let id = first["messageId"].as_str().expect("text");
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!((lengths, id.as_bytes().get(14)), (vec![8, 4, 4, 4, 12], Some(&b'4')));
}

#[tokio::test]
async fn the_digest_of_attributes_is_that_of_sqs() {
    // What SQS itself answered to a message with these attributes is checked by every SDK in the same way:
    // printf '\0\0\0\1a\0\0\0\6String\1\0\0\0\1b\0\0\0\1c\0\0\0\6Binary\2\0\0\0\1d' | md5sum
    let attributes =
        json!({"c": {"data_type": "Binary", "binary_value": "ZA=="}, "a": {"string_value": "b"}});
    let record = json!({"body": "", "message_attributes": attributes});
    let made = event(json!({"source": "sqs", "records": [record]})).await;
    assert_eq!(made["Records"][0]["md5OfMessageAttributes"], "b795cda59dfc7a9aa4360b894abde166");
}

#[tokio::test]
async fn numbers_of_records_grow() {
    for (source, more) in [("kinesis", json!({})), ("dynamodb", json!({"key": ["id"]}))] {
        let record = |at: u8| match source {
            "kinesis" => json!({"data": at}),
            _ => json!({"new_image": {"id": at}}),
        };
        let mut given =
            json!({"source": source, "records": (0..12).map(record).collect::<Vec<_>>()});
        given.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        let made = run(given).await.expect("an event");
        let numbers: Vec<&str> = made["identifiers"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(numbers.len(), 12);
        assert!(numbers.is_sorted() && numbers[0] != numbers[11], "{numbers:?}");
        let length = if source == "kinesis" { 56 } else { 23 };
        assert!(numbers.iter().all(|number| number.len() == length), "{numbers:?}");
    }
}

#[tokio::test]
async fn changes_of_items_are_named_after_what_is_there() {
    let images = json!([
        {"new_image": {"id": 1}},
        {"new_image": {"id": 1, "tags": {"$set": ["a"]}}, "old_image": {"id": 1}},
        {"old_image": {"id": 1}},
    ]);
    let made = event(json!({"source": "dynamodb", "key": ["id"], "stream_view_type": "NEW_IMAGE", "records": images})).await;
    let names: Vec<&Value> = (0..3).map(|at| &made["Records"][at]["eventName"]).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    assert_eq!(made["Records"][1]["dynamodb"]["NewImage"]["tags"], json!({"SS": ["a"]}));
    assert_eq!(made["Records"][1]["dynamodb"]["OldImage"], Value::Null);
    assert_eq!(made["Records"][2]["dynamodb"]["Keys"], json!({"id": {"N": "1"}}));
}

#[tokio::test]
async fn records_of_kafka_travel_by_topic_and_partition() {
    let made = run(json!({"source": "msk", "records": [
        {"topic": "a", "value": {"x": 1}}, {"topic": "b", "partition": 3, "offset": 7}, {"topic": "a", "value": "y"},
    ]}))
    .await
    .expect("an event");
    assert_eq!(made["identifiers"], json!(["a-0@0", "b-3@7", "a-0@1"]));
    let records = &made["event"]["records"];
    assert_eq!(records["a-0"].as_array().map(Vec::len), Some(2));
    assert_eq!(records["a-0"][0]["value"], BASE64_STANDARD.encode(r#"{"x":1}"#));
    assert_eq!(
        (&records["b-3"][0]["value"], &records["b-3"][0]["headers"]),
        (&Value::Null, &json!([]))
    );
}

#[tokio::test]
async fn what_is_not_known_yet_is_not_guessed() {
    let later = "⟨steps.ids.first⟩";
    let sqs = event(json!({"source": "sqs", "records": [{"body": {"id": later}}]})).await;
    assert_eq!(sqs["Records"][0]["body"], format!(r#"{{"id":"{later}"}}"#));
    assert_eq!(sqs["Records"][0]["md5OfBody"], "⟨steps.it.event.Records[0].md5OfBody⟩");
    let kinesis = event(json!({"source": "kinesis", "records": [{"data": later}]})).await;
    assert_eq!(
        kinesis["Records"][0]["kinesis"]["data"],
        "⟨steps.it.event.Records[0].kinesis.data⟩"
    );
    let s3 = event(json!({"source": "s3", "bucket": "b", "records": [{"key": later}]})).await;
    assert_eq!(
        s3["Records"][0]["s3"]["object"]["key"],
        "⟨steps.it.event.Records[0].s3.object.key⟩"
    );
}

#[tokio::test]
async fn what_makes_no_event_is_refused_with_what_to_write() {
    let refused = |input: Value| async move {
        let error = run(input).await.expect_err("no event");
        (error.to_string(), error.help().unwrap_or_default().to_owned())
    };
    let one = |source: &str, record: Value| json!({"source": source, "records": [record]});
    let (message, help) = refused(one("kinesis", json!({"base64": "?"}))).await;
    assert_eq!(message, "`?` is no base64");
    assert_eq!(help, "to send a function what is none, write it under `patch`");
    let (message, _) = refused(one("kinesis", json!({"base64": "", "data": ""}))).await;
    assert_eq!(message, "record 0 has `data` and `base64`");
    let (message, help) =
        refused(json!({"source": "dynamodb", "key": ["id"], "records": [{}]})).await;
    assert_eq!(message, "record 0 has neither `new_image` nor `old_image`");
    assert!(help.starts_with("write `new_image` for an item that is new"), "{help}");
    let (message, _) =
        refused(json!({"source": "dynamodb", "key": ["id"], "records": [{"new_image": {"a": 1}}]}))
            .await;
    assert_eq!(message, "the item of record 0 has no `id`, which is in the table's key");
    let (message, help) = refused(
        json!({"source": "sqs", "queue": "q", "records": [{"body": "", "message_group_id": "g"}]}),
    )
    .await;
    assert_eq!(message, "the messages have groups, and `q` is no FIFO queue");
    assert_eq!(help, "write `queue: q.fifo`, or leave `message_group_id` out");
    let (message, _) =
        refused(one("documentdb", json!({"operation": "delete", "full_document": {}}))).await;
    assert_eq!(message, "record 0 is of the operation `delete` and has `full_document`");
    let (message, _) = refused(one("rds", json!({}))).await;
    assert_eq!(
        message,
        "there is no source `rds`; the sources are documentdb, dynamodb, kinesis, msk, s3, sns, sqs"
    );
    let (message, _) = refused(json!({"source": "sqs", "time": "yesterday", "records": []})).await;
    assert_eq!(message, "`time`: `yesterday` is no time; write one such as `2026-01-01T00:00:00Z`");
    let (message, _) = refused(one("sqs", json!({}))).await;
    assert_eq!(message, "`records[0]`: missing field `body`");
}
