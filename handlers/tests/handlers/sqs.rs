use aws_lambda_events::event::sqs::SqsEvent;
use handlers::events::{Error, sqs_batch_failures, sqs_messages};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::stage::{Log, SQS, parsed, refusal, without};

const FIRST: &str = "059f36b4-87a3-44ab-83d2-661975830a7d";
const SECOND: &str = "2e1424d4-f796-459a-8184-9c92662be6da";

fn documented() -> Value {
    serde_json::from_str(SQS).unwrap()
}

/// The documented messages with bodies of one's own.
fn carrying(bodies: [&str; 2]) -> Value {
    let mut event = documented();
    for (message, body) in event["Records"].as_array_mut().unwrap().iter_mut().zip(bodies) {
        message["body"] = json!(body);
    }
    event
}

fn failures(event: Value) -> Result<Value, Error> {
    let response = sqs_batch_failures::handle(&parsed(event))?;
    Ok(serde_json::to_value(response).unwrap())
}

#[test]
fn the_documented_messages_are_logged() {
    let log = Log::start();
    sqs_messages::handle(&parsed(documented())).unwrap();
    assert_eq!(
        log.lines(),
        [
            format!("INFO Message {FIRST}: Test message."),
            format!("INFO Message {SECOND}: Test message."),
            "INFO Processed: 2 of 2".to_owned(),
        ]
    );
}

#[test]
fn a_message_without_a_body_fails_the_batch() {
    let log = Log::start();
    let event = without(SQS, "/Records/1", "body");
    let told = Diagnostic::from(sqs_messages::handle(&parsed(event)).unwrap_err());
    assert_eq!(told.error_type, "Event.MissingField");
    assert_eq!(told.error_message, format!("record {SECOND} has no `body`"));
    assert_eq!(log.lines(), [format!("INFO Message {FIRST}: Test message.")]);

    let mut event = without(SQS, "/Records/0", "body");
    event["Records"][0]["messageId"] = json!("a\nb");
    let error = sqs_messages::handle(&parsed(event)).unwrap_err();
    assert_eq!(format!("{error:?}"), "record a\\nb has no `body`");
}

#[test]
fn an_empty_batch_is_no_error() {
    let log = Log::start();
    sqs_messages::handle(&parsed(json!({"Records": []}))).unwrap();
    assert_eq!(log.lines(), ["INFO Processed: 0 of 0"]);
    let empty = failures(json!({"Records": []})).unwrap();
    assert_eq!(empty, json!({"batchItemFailures": []}));
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(refusal::<SqsEvent>(json!({})), "missing field `Records`");
}

#[test]
fn when_all_goes_well_no_failure_is_reported() {
    let log = Log::start();
    let answer = failures(carrying([r#"{"a":1}"#, "[]"])).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(
        log.lines(),
        [
            format!(r#"INFO Processed message {FIRST}: {{"a":1}}"#),
            format!("INFO Processed message {SECOND}: []"),
            "INFO Processed: 2 of 2".to_owned(),
        ]
    );
}

#[test]
fn exactly_the_failed_messages_are_reported() {
    let log = Log::start();
    let answer = failures(carrying([r#"{"fail":true}"#, "{}"])).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": FIRST}]}));
    assert_eq!(
        log.lines(),
        [
            format!(r#"ERROR Failed message {FIRST}: its "fail" is true"#),
            format!("INFO Processed message {SECOND}: {{}}"),
            "INFO Processed: 1 of 2".to_owned(),
        ]
    );
    let both = failures(documented()).unwrap();
    let ids = json!([{"itemIdentifier": FIRST}, {"itemIdentifier": SECOND}]);
    assert_eq!(both, json!({"batchItemFailures": ids}));
}

#[test]
fn a_message_without_a_body_is_one_that_failed() {
    let mut event = carrying(["{}", "{}"]);
    event["Records"][1]["body"] = Value::Null;
    let answer = failures(event).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": SECOND}]}));
}

#[test]
fn a_failure_that_could_not_be_named_fails_the_batch() {
    let mut event = without(SQS, "/Records/1", "messageId");
    assert_eq!(failures(event.clone()).unwrap_err().to_string(), "record 2 has no `messageId`");
    event["Records"][1]["messageId"] = json!("");
    assert_eq!(failures(event).unwrap_err().to_string(), "record 2 has no `messageId`");
}
