//! What `check` says of inputs.

use aws_model::find;
use aws_model::validate::{Placeholder, validate, validate_with};
use serde_json::{Value, json};

fn problems(name: &str, input: Value) -> Vec<String> {
    let found = find(name).expect("it is there");
    validate(found.service, found.operation, &input).iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_input_has_no_problems() {
    assert!(
        problems(
            "sqs:CreateQueue",
            json!({"QueueName": "jobs", "Attributes": {"VisibilityTimeout": "30"}})
        )
        .is_empty()
    );
    let item = json!({"TableName": "t", "Item": {"id": {"S": "1"}, "n": {"N": "2"}, "l": {"L": [{"BOOL": true}]}}});
    assert!(problems("dynamodb:PutItem", item).is_empty());
    assert!(problems("s3:ListBuckets", json!({})).is_empty());
    assert!(
        problems(
            "ec2:RunInstances",
            json!({"MinCount": 1, "MaxCount": 1, "ImageId": "ami-1", "UserData": "aGk="})
        )
        .is_empty()
    );
}

#[test]
fn members_are_known() {
    assert_eq!(
        problems("sqs:CreateQueue", json!({"queue_name": "jobs"})),
        ["queue_name: unknown member; did you mean `QueueName`?", "`QueueName` is missing"]
    );
    let nested =
        json!({"QueueUrl": "u", "Entries": [{"Id": "1", "MessageBody": "m", "DelaySecond": 1}]});
    assert_eq!(
        problems("sqs:SendMessageBatch", nested),
        ["Entries[0].DelaySecond: unknown member; did you mean `DelaySeconds`?"]
    );
}

#[test]
fn types_are_held() {
    assert_eq!(
        problems("sqs:CreateQueue", json!({"QueueName": 7})),
        ["QueueName: expected a text, not an integer"]
    );
    assert_eq!(
        problems("sqs:ReceiveMessage", json!({"QueueUrl": "u", "WaitTimeSeconds": "soon"})),
        ["WaitTimeSeconds: expected an integer, not a text"]
    );
    assert_eq!(
        problems("sqs:ReceiveMessage", json!({"QueueUrl": "u", "WaitTimeSeconds": 1.5})),
        ["WaitTimeSeconds: expected an integer, not a decimal number"]
    );
    assert_eq!(
        problems("lambda:Invoke", json!({"FunctionName": "f", "Payload": "no base64!"})),
        ["Payload: expected bytes as base64"]
    );
    assert_eq!(
        problems("dynamodb:PutItem", json!({"TableName": "t", "Item": []})),
        ["Item: expected a map, not a list"]
    );
}

#[test]
fn constraints_are_held() {
    let function = |runtime: &str, memory: i64| json!({"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Code": {}, "Runtime": runtime, "MemorySize": memory});
    assert_eq!(
        problems("lambda:CreateFunction", function("python3.31", 128)),
        [
            "Runtime: `python3.31` is none of the values that AWS's model knows; did you mean `python3.11`?"
        ]
    );
    assert_eq!(
        problems("lambda:CreateFunction", function("python3.13", 1)),
        ["MemorySize: expected between 128 and 32768, not 1"]
    );
    assert_eq!(
        problems("logs:CreateLogGroup", json!({"logGroupName": "a group"})),
        ["logGroupName: it does not match `[\\.\\-_/#A-Za-z0-9]+`"]
    );
    assert_eq!(
        problems("iam:CreateUser", json!({"UserName": ""})),
        ["UserName: expected between 1 and 64 characters, not 0"]
    );
}

#[test]
fn of_a_union_exactly_one_member_is_given() {
    let plan = |channel: Value| json!({"name": "p", "incidentTemplate": {"title": "t", "impact": 1}, "chatChannel": channel});
    assert!(problems("ssm-incidents:CreateResponsePlan", plan(json!({"empty": {}}))).is_empty());
    assert_eq!(
        problems("ssm-incidents:CreateResponsePlan", plan(json!({}))),
        ["chatChannel: one of these has to be given: chatbotSns, empty"]
    );
    assert_eq!(
        problems(
            "ssm-incidents:CreateResponsePlan",
            plan(json!({"empty": {}, "chatbotSns": ["arn:aws:sns:eu-west-1:123456789012:t"]}))
        ),
        ["chatChannel: only one of these can be given: chatbotSns, empty"]
    );
}

#[test]
fn what_is_not_known_yet_is_no_problem() {
    let found = find("sqs:ReceiveMessage").expect("it is there");
    let input = json!({"QueueUrl": "<url>", "WaitTimeSeconds": "<number>", "MaxNumberOfMessages": "<text>"});
    let known = |value: &Value| match value.as_str() {
        Some("<text>") => Some(Placeholder::Text),
        Some(text) if text.starts_with('<') => Some(Placeholder::Any),
        _ => None,
    };
    let problems = validate_with(found.service, found.operation, &input, known);
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["MaxNumberOfMessages: expected an integer, not a text"]);
}
