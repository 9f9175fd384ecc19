use aws_lambda_events::event::sns::SnsEvent;
use handlers::events::sns_messages;
use serde_json::json;

use crate::stage::{Log, SNS, changed, parsed, refusal, without};

#[test]
fn the_documented_message_is_logged() {
    let log = Log::start();
    sns_messages::handle(&parsed(serde_json::from_str(SNS).unwrap()));
    assert_eq!(
        log.lines(),
        [
            "INFO Message 95df01b4-ee98-5cb9-9903-4c221d41eb5e: Hello from SNS!",
            "INFO Processed: 1 of 1",
        ]
    );
}

#[test]
fn a_message_stays_on_its_line() {
    let log = Log::start();
    let event = changed(SNS, "/Records/0/Sns/Message", "{\n  \"a\": \"é\"\n}");
    sns_messages::handle(&parsed(event));
    assert!(log.lines()[0].ends_with(r#": {\n  "a": "é"\n}"#), "{}", log.text());
}

#[test]
fn an_empty_batch_is_no_error() {
    let log = Log::start();
    sns_messages::handle(&parsed(json!({"Records": []})));
    assert_eq!(log.lines(), ["INFO Processed: 0 of 0"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = refusal::<SnsEvent>(without(SNS, "/Records/0/Sns", "Message"));
    assert_eq!(refused, "missing field `Message`");
}
