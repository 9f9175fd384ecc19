use aws_lambda_events::event::kinesis::KinesisEvent;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use handlers::events::{Error, kinesis_batch_failures, kinesis_records};
use serde_json::{Value, json};

use crate::stage::{KINESIS, Log, changed, parsed, refusal, without};

const FIRST: &str = "49590338271490256608559692538361571095921575989136588898";
const SECOND: &str = "49590338271490256608559692540925702759324208523137515618";

fn documented() -> Value {
    serde_json::from_str(KINESIS).unwrap()
}

/// The documented records with data of one's own.
fn carrying(data: [&str; 2]) -> Value {
    let mut event = documented();
    for (record, data) in event["Records"].as_array_mut().unwrap().iter_mut().zip(data) {
        record["kinesis"]["data"] = json!(BASE64_STANDARD.encode(data));
    }
    event
}

fn failures(event: Value) -> Result<Value, Error> {
    let response = kinesis_batch_failures::handle(&parsed(event))?;
    Ok(serde_json::to_value(response).unwrap())
}

#[test]
fn records_are_logged_decoded() {
    let log = Log::start();
    kinesis_records::handle(&parsed(documented()));
    assert_eq!(
        log.lines(),
        [
            format!("INFO Record shardId-000000000006:{FIRST}: Hello, this is a test."),
            format!("INFO Record shardId-000000000006:{SECOND}: This is only a test."),
            "INFO Processed: 2 of 2".to_owned(),
        ]
    );
}

#[test]
fn an_empty_batch_is_said_to_be_so() {
    let log = Log::start();
    kinesis_records::handle(&parsed(json!({"Records": []})));
    assert_eq!(log.lines(), ["INFO The batch is empty"]);
}

#[test]
fn a_payload_stays_on_its_line() {
    let log = Log::start();
    let mut event = carrying(["a\nERROR forged\u{1b}[2J", "\u{9b}2J ünï"]);
    event["Records"][0]["eventID"] = Value::Null;
    kinesis_records::handle(&parsed(event));
    assert_eq!(
        log.lines(),
        [
            "INFO Record (none): a\\nERROR forged\\u{1b}[2J".to_owned(),
            format!("INFO Record shardId-000000000006:{SECOND}: \\u{{9b}}2J ünï"),
            "INFO Processed: 2 of 2".to_owned(),
        ]
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let log = Log::start();
    let event = changed(KINESIS, "/Records/0/kinesis/data", BASE64_STANDARD.encode([b'a', 0xff]));
    kinesis_records::handle(&parsed(event));
    assert!(log.lines()[0].ends_with(": a\u{fffd}"), "{}", log.text());
}

#[test]
fn what_does_not_fit_is_refused() {
    let broken = changed(KINESIS, "/Records/0/kinesis/data", "SGVsbG8!");
    assert_eq!(refusal::<KinesisEvent>(broken), "Invalid symbol 33, offset 7.");
    let refused = refusal::<KinesisEvent>(without(KINESIS, "/Records/1/kinesis", "data"));
    assert_eq!(refused, "missing field `data`");
    assert_eq!(refusal::<KinesisEvent>(json!({})), "missing field `Records`");
}

#[test]
fn when_all_goes_well_no_failure_is_reported() {
    let log = Log::start();
    let event = carrying([r#"{"a":1}"#, r#"{"fail":false}"#]);
    assert_eq!(failures(event).unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(
        log.lines(),
        [
            format!(r#"INFO Processed record {FIRST}: {{"a":1}}"#),
            format!(r#"INFO Processed record {SECOND}: {{"fail":false}}"#),
            "INFO Processed: 2 of 2".to_owned(),
        ]
    );
    let empty = failures(json!({"Records": []})).unwrap();
    assert_eq!(empty, json!({"batchItemFailures": []}));
}

#[test]
fn the_first_failure_is_reported_and_nothing_after_it_is_processed() {
    let log = Log::start();
    let answer = failures(carrying([r#"{"fail":true}"#, "{}"])).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": FIRST}]}));
    assert_eq!(
        log.lines(),
        [
            format!(r#"ERROR Failed record {FIRST}: its "fail" is true"#),
            "INFO Processed: 0 of 2".to_owned(),
        ]
    );
}

#[test]
fn what_was_processed_before_a_failure_is_not_reported() {
    let log = Log::start();
    let answer = failures(carrying(["{}", "no JSON"])).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": SECOND}]}));
    assert_eq!(
        log.lines(),
        [
            format!("INFO Processed record {FIRST}: {{}}"),
            format!("ERROR Failed record {SECOND}: not JSON: expected ident at line 1 column 2"),
            "INFO Processed: 1 of 2".to_owned(),
        ]
    );
}

#[test]
fn a_record_without_a_number_fails_the_batch() {
    let event = without(KINESIS, "/Records/0/kinesis", "sequenceNumber");
    let error = failures(event).unwrap_err();
    let id = format!("shardId-000000000006:{FIRST}");
    assert_eq!(error.to_string(), format!("record {id} has no `sequenceNumber`"));
}
