use aws_lambda_events::event::dynamodb::Event;
use handlers::events::{Error, dynamodb_batch_failures, dynamodb_stream};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::stage::{DYNAMODB, Log, changed, parsed, refusal, without};

fn documented() -> Value {
    serde_json::from_str(DYNAMODB).unwrap()
}

fn failures(event: Value) -> Result<Value, Error> {
    let response = dynamodb_batch_failures::handle(&parsed(event))?;
    Ok(serde_json::to_value(response).unwrap())
}

#[test]
fn changes_are_logged_and_counted() {
    let log = Log::start();
    let answer = dynamodb_stream::handle(&parsed(documented())).unwrap();
    assert_eq!(serde_json::to_value(answer).unwrap(), json!({"processed": 3}));
    assert_eq!(
        log.lines(),
        [
            r#"INFO Record 1 INSERT: {"Keys":{"Id":{"N":"101"}},"NewImage":{"Id":{"N":"101"},"Message":{"S":"New item!"}}}"#,
            r#"INFO Record 2 MODIFY: {"Keys":{"Id":{"N":"101"}},"NewImage":{"Id":{"N":"101"},"Message":{"S":"This item has changed"}},"OldImage":{"Id":{"N":"101"},"Message":{"S":"New item!"}}}"#,
            r#"INFO Record 3 REMOVE: {"Keys":{"Id":{"N":"101"}},"OldImage":{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}}"#,
            "INFO Processed: 3 of 3",
        ]
    );
}

#[test]
fn values_of_every_type_are_logged_as_they_came() {
    let log = Log::start();
    let image = json!({
        "b": {"B": "AP8="}, "bool": {"BOOL": false}, "bs": {"BS": ["AA==", "/w=="]},
        "l": {"L": [{"S": "a\n"}, {"NULL": true}]}, "m": {"M": {"a": {"N": "1"}, "z": {"S": ""}}},
        "n": {"N": "-1.50"}, "ns": {"NS": ["1", "2"]}, "ss": {"SS": ["x", "y"]},
    });
    let event = changed(DYNAMODB, "/Records/0/dynamodb/NewImage", image.clone());
    dynamodb_stream::handle(&parsed(event)).unwrap();
    assert!(log.lines()[0].ends_with(&format!("\"NewImage\":{image}}}")), "{}", log.text());
}

#[test]
fn an_event_without_records_is_an_error() {
    let told =
        Diagnostic::from(dynamodb_stream::handle(&parsed(json!({"Records": []}))).unwrap_err());
    assert_eq!(told.error_type, "Event.NoRecords");
    assert_eq!(told.error_message, "the event holds no records");
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = refusal::<Event>(without(DYNAMODB, "/Records/0", "eventName"));
    assert_eq!(refused, "missing field `eventName`");
    let broken = changed(DYNAMODB, "/Records/0/dynamodb/NewImage", json!({"b": {"B": "!"}}));
    assert!(refusal::<Event>(broken).contains("base64"));
}

#[test]
fn when_all_goes_well_no_failure_is_reported() {
    let log = Log::start();
    assert_eq!(failures(documented()).unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(
        log.lines(),
        [
            r#"INFO Processed record 111: {"Id":{"N":"101"},"Message":{"S":"New item!"}}"#,
            r#"INFO Processed record 222: {"Id":{"N":"101"},"Message":{"S":"This item has changed"}}"#,
            "INFO Processed record 333: (none)",
            "INFO Processed: 3 of 3",
        ]
    );
    let empty = failures(json!({"Records": []})).unwrap();
    assert_eq!(empty, json!({"batchItemFailures": []}));
}

#[test]
fn the_first_failure_is_reported_and_nothing_after_it_is_processed() {
    let log = Log::start();
    let mut event = documented();
    for record in [1, 2] {
        event["Records"][record]["dynamodb"]["NewImage"] = json!({"fail": {"BOOL": true}});
    }
    let answer = failures(event).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "222"}]}));
    assert_eq!(
        log.lines()[1..],
        [r#"ERROR Failed record 222: its "fail" is true"#, "INFO Processed: 1 of 3"]
    );
}

#[test]
fn only_a_new_image_that_is_true_to_it_fails() {
    let mut event = documented();
    event["Records"][0]["dynamodb"]["NewImage"] = json!({"fail": {"BOOL": false}});
    event["Records"][1]["dynamodb"]["NewImage"] = json!({"fail": {"S": "true"}});
    event["Records"][2]["dynamodb"]["OldImage"] = json!({"fail": {"BOOL": true}});
    assert_eq!(failures(event).unwrap(), json!({"batchItemFailures": []}));
}

#[test]
fn a_record_without_a_number_fails_the_batch() {
    let event = without(DYNAMODB, "/Records/1/dynamodb", "SequenceNumber");
    let error = failures(event).unwrap_err();
    assert_eq!(error.to_string(), "record 2 has no `SequenceNumber`");
}
