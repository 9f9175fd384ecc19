use handlers::events::msk_records::{self, Event};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::stage::{Log, MSK, changed, parsed, refusal, without};

fn documented() -> Value {
    serde_json::from_str(MSK).unwrap()
}

#[test]
fn the_documented_record_is_logged_with_its_value() {
    let log = Log::start();
    msk_records::handle(&parsed(documented())).unwrap();
    assert_eq!(
        log.lines(),
        [
            "INFO Records of mytopic-0: 1".to_owned(),
            format!("INFO Record: {}", documented()["records"]["mytopic-0"][0]),
            "INFO Value: Hello, this is a test.".to_owned(),
            "INFO Processed: 1 of 1".to_owned(),
        ]
    );
}

#[test]
fn topics_and_partitions_come_in_order_and_records_may_have_no_value() {
    let log = Log::start();
    let mut event = documented();
    let record = event["records"]["mytopic-0"][0].clone();
    let mut gone = record.clone();
    gone["value"] = Value::Null;
    event["records"] = json!({"z-0": [record], "a-1": [gone, record], "a-0": []});
    msk_records::handle(&parsed(event)).unwrap();
    let lines = log.lines();
    let lines: Vec<_> = lines.iter().filter(|line| !line.starts_with("INFO Record:")).collect();
    assert_eq!(
        lines,
        [
            "INFO Records of a-0: 0",
            "INFO Records of a-1: 2",
            "INFO Value: (none)",
            "INFO Value: Hello, this is a test.",
            "INFO Records of z-0: 1",
            "INFO Value: Hello, this is a test.",
            "INFO Processed: 3 of 3",
        ]
    );
}

#[test]
fn headers_beyond_ascii_come_as_signed_bytes() {
    let log = Log::start();
    let header = json!([{"headerKey": [-61, -68]}]);
    let event = changed(MSK, "/records/mytopic-0/0/headers", header);
    msk_records::handle(&parsed(event)).unwrap();
    assert!(log.text().contains(r#""headers":[{"headerKey":[-61,-68]}]"#), "{}", log.text());
}

#[test]
fn a_value_that_is_not_base64_fails_the_batch_by_its_place() {
    let event = changed(MSK, "/records/mytopic-0/0/value", "SGVsbG8!");
    let told = Diagnostic::from(msk_records::handle(&parsed(event)).unwrap_err());
    assert_eq!(told.error_type, "Event.NotBase64");
    assert_eq!(
        told.error_message,
        "the value of record mytopic-0@15 is not base64: Invalid symbol 33, offset 7."
    );
}

#[test]
fn an_empty_batch_is_no_error() {
    let log = Log::start();
    msk_records::handle(&parsed(changed(MSK, "/records", json!({})))).unwrap();
    assert_eq!(log.lines(), ["INFO Processed: 0 of 0"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = refusal::<Event>(without(MSK, "/records/mytopic-0/0", "offset"));
    assert_eq!(refused, "missing field `offset`");
    let refused = refusal::<Event>(changed(MSK, "/records/mytopic-0/0/value", 7));
    assert_eq!(refused, "invalid type: integer `7`, expected a string");
    assert_eq!(refusal::<Event>(json!({})), "missing field `records`");
}
