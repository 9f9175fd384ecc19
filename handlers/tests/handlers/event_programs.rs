//! The programs that take events, as Lambda runs them.

use serde_json::{Value, json};

use crate::program::{Outcome, run};
use crate::server::Server;
use crate::stage::{DOCUMENTDB, DYNAMODB, KINESIS, MSK, S3, SNS, SQS, environment};

#[test]
fn every_program_answers_the_documented_event() {
    let first = "49590338271490256608559692538361571095921575989136588898";
    let messages = ["059f36b4-87a3-44ab-83d2-661975830a7d", "2e1424d4-f796-459a-8184-9c92662be6da"];
    let failed = |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
        json!({"batchItemFailures": ids})
    };
    for (program, event, answer, last) in [
        (env!("CARGO_BIN_EXE_kinesis-records"), KINESIS, Value::Null, "INFO Processed: 2 of 2"),
        (
            env!("CARGO_BIN_EXE_dynamodb-stream"),
            DYNAMODB,
            json!({"processed": 3}),
            "INFO Processed: 3 of 3",
        ),
        (
            env!("CARGO_BIN_EXE_documentdb-changes"),
            DOCUMENTDB,
            Value::Null,
            "INFO Processed: 1 of 1",
        ),
        (env!("CARGO_BIN_EXE_msk-records"), MSK, Value::Null, "INFO Processed: 1 of 1"),
        (env!("CARGO_BIN_EXE_s3-object"), S3, Value::Null, "INFO Processed: 1 of 1"),
        (env!("CARGO_BIN_EXE_sns-messages"), SNS, Value::Null, "INFO Processed: 1 of 1"),
        (env!("CARGO_BIN_EXE_sqs-messages"), SQS, Value::Null, "INFO Processed: 2 of 2"),
        // The documented payloads of these are not JSON.
        (
            env!("CARGO_BIN_EXE_kinesis-batch-failures"),
            KINESIS,
            failed(&[first]),
            "INFO Processed: 0 of 2",
        ),
        (
            env!("CARGO_BIN_EXE_dynamodb-batch-failures"),
            DYNAMODB,
            failed(&[]),
            "INFO Processed: 3 of 3",
        ),
        (
            env!("CARGO_BIN_EXE_sqs-batch-failures"),
            SQS,
            failed(&messages),
            "INFO Processed: 0 of 2",
        ),
    ] {
        let server = Server::scripted([(200, json!("image/jpeg"))]);
        let event = serde_json::from_str(event).unwrap();
        let Outcome { answers, output } = run(program, environment(&server), vec![event]);
        assert_eq!(answers.len(), 1, "{program}: {output}");
        assert!(answers[0].0.ends_with("/response"), "{program}: {output}");
        assert_eq!(answers[0].1, answer, "{program}: {output}");
        assert_eq!(output.lines().last().map(str::trim_start), Some(last), "{program}: {output}");
    }
}

#[test]
fn an_event_of_another_shape_is_an_error_that_names_what_lacks() {
    let server = Server::scripted([]);
    let program = env!("CARGO_BIN_EXE_sqs-messages");
    let Outcome { answers, output } = run(program, environment(&server), vec![json!({})]);
    assert_eq!(answers.len(), 1, "{output}");
    assert!(answers[0].0.ends_with("/error"), "{output}");
    let message = answers[0].1["errorMessage"].as_str().unwrap();
    assert!(message.contains("missing field `Records`"), "{message}");
}
