//! Each protocol, there and back.

use serde_json::json;

use super::super::Service as _;
use super::*;
use crate::account::AccountOptions;
use crate::account::client::Caller;

/// Answers with what it is asked.
struct Parrot;

const TOPICS: Model = Model {
    name: "sns",
    operations: &[Operation::now("CreateTopic", |context, input| {
        let name = input["Name"].as_str().unwrap_or_default();
        Ok(json!({"TopicArn": context.arn("sns", name)}))
    })],
    invalid: validation_error,
    query_codes: &[],
};
const STREAMS: Model = Model {
    name: "kinesis",
    operations: &[
        Operation::now("CreateStream", |_, _| Ok(json!({}))),
        Operation::later("DescribeLimits", |_, _| {
            Box::pin(async { Err(AwsError::modelled("LimitExceededException", "Not so fast.")) })
        }),
    ],
    invalid: validation_exception,
    query_codes: &[],
};
const SOURCES: Model = Model {
    name: "lambda",
    operations: &[Operation::now("GetEventSourceMapping", |_, input| {
        Ok(json!({"UUID": input["UUID"], "BatchSize": 3}))
    })],
    invalid: validation_exception,
    query_codes: &[],
};

impl Modelled for Parrot {
    const NAME: &'static str = "parrot";
    const MODELS: &'static [Model] = &[TOPICS, STREAMS, SOURCES];
}

fn request(method: &str, target: &str, headers: &[(&'static str, &str)], body: &str) -> Request {
    let headers = headers.iter().map(|(name, value)| {
        (hyper::header::HeaderName::from_static(name), value.parse().expect("a header"))
    });
    Request {
        method: method.parse().expect("a method"),
        target: target.to_owned(),
        path: Vec::new(),
        trailing_slash: false,
        query: Vec::new(),
        headers: headers.collect(),
        body: body.to_owned().into(),
        request_id: "id-1".to_owned(),
        credential: None,
        on_behalf_of: None,
    }
}

fn account() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        ..AccountOptions::default()
    };
    Account::open(options, vec![&Parrot])
}

async fn asked(request: &Request) -> (u16, String) {
    let response = Parrot.handle(&account(), request).await;
    (response.status, String::from_utf8_lossy(&response.body).into_owned())
}

fn json(operation: &str, body: &str) -> Request {
    let target = format!("Kinesis_20131202.{operation}");
    let headers =
        [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
    request("POST", "/", &headers, body)
}

#[tokio::test]
async fn each_protocol_is_answered_in_its_own_form() {
    let form = request("POST", "/", &[], "Action=CreateTopic&Version=2010-03-31&Name=a");
    assert_eq!(
        asked(&form).await,
        (
            200,
            "<CreateTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <CreateTopicResult><TopicArn>arn:aws:sns:eu-west-1:123456789012:a</TopicArn>\
             </CreateTopicResult><ResponseMetadata><RequestId>id-1</RequestId>\
             </ResponseMetadata></CreateTopicResponse>"
                .to_owned()
        )
    );
    assert_eq!(Parrot.operation(&form), "CreateTopic");
    let id = "00000000-0000-4000-8000-000000000001";
    let rest = request("GET", &format!("/2015-03-31/event-source-mappings/{id}"), &[], "");
    let (status, body) = asked(&rest).await;
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body, json!({"UUID": id, "BatchSize": 3}));
    assert_eq!(Parrot.operation(&rest), "GetEventSourceMapping");
    let (status, body) = asked(&json("DescribeLimits", "{}")).await;
    assert_eq!(status, 400);
    assert!(body.contains(r#""__type":"LimitExceededException""#), "{body}");
    assert!(body.contains(r#""message":"Not so fast.""#), "{body}");
}

#[tokio::test]
async fn what_the_model_does_not_allow_is_refused_in_aws_words() {
    let (status, body) = asked(&json("CreateStream", r#"{"ShardCount": 0}"#)).await;
    assert_eq!(status, 400);
    assert!(body.contains("ValidationException"), "{body}");
    assert!(
        body.contains(
            "2 validation errors detected: Value '0' at 'shardCount' failed to satisfy \
             constraint: Member must have value greater than or equal to 1; Value null at \
             'streamName' failed to satisfy constraint: Member must not be null"
        ),
        "{body}"
    );
    let (_, body) = asked(&json("CreateStream", r#"{"StreamName": []}"#)).await;
    assert!(body.contains("SerializationException"), "{body}");
    let form = request("POST", "/", &[], "Action=CreateTopic&Version=2010-03-31");
    let (_, body) = asked(&form).await;
    assert!(body.contains("<Code>ValidationError</Code>"), "{body}");
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let (status, body) = asked(&json("SplitShard", "{}")).await;
    assert_eq!(status, 400);
    assert!(body.contains("UnknownOperationException"), "{body}");
    assert!(body.contains("has no operation kinesis:SplitShard"), "{body}");
    let form = request("POST", "/", &[], "Action=OptInPhoneNumber&Version=2010-03-31");
    let (_, body) = asked(&form).await;
    assert!(body.contains("<Code>InvalidAction</Code>"), "{body}");
    assert!(body.contains("has no operation sns:OptInPhoneNumber"), "{body}");
    let (status, body) = asked(&request("GET", "/nowhere", &[], "")).await;
    assert_eq!(status, 404);
    assert!(body.contains("parrot has no such operation"), "{body}");
}

/// The same service under the name that its requests are signed for.
struct Topics;

impl Modelled for Topics {
    const NAME: &'static str = "sns";
    const MODELS: &'static [Model] = &[TOPICS];
}

#[tokio::test]
async fn another_service_calls_by_the_models_names() {
    let options = AccountOptions { region: "eu-west-1".to_owned(), ..AccountOptions::default() };
    let account = Account::open(options, vec![&Topics]);
    let client = account.client(Caller::Requester(None));
    let topic = client.operation("sns:CreateTopic", &json!({"Name": "a"})).await;
    assert_eq!(topic.expect("created"), json!({"TopicArn": "arn:aws:sns:eu-west-1::a"}));
    let refused = client.operation("sns:CreateTopic", &json!({})).await.expect_err("no name");
    assert_eq!((refused.status, refused.code.as_str()), (400, "ValidationError"));
    let nobody = client.operation("sqs:ListQueues", &json!({})).await.expect_err("no service");
    assert_eq!(nobody.code, "UnsupportedService");
}
