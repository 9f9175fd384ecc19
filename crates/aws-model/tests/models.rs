//! Every packed model is read, and says what AWS's documentation says.

use std::time::{Duration, Instant};

use aws_model::{Kind, Protocol, Unknown, find, service, services};

#[test]
fn every_model_is_read() {
    let operations: usize = services().iter().map(|entry| entry.service().operations.len()).sum();
    let waiters: usize = services().iter().map(|entry| entry.service().waiters.len()).sum();
    assert!(services().len() >= 445, "{} services", services().len());
    assert!(operations >= 20_000, "{operations} operations");
    assert!(waiters >= 400, "{waiters} waiters");
}

#[test]
fn a_service_says_how_it_is_called() {
    let sqs = service("sqs").expect("sqs is there");
    assert_eq!(sqs.metadata.protocol, Protocol::Json10);
    assert!(sqs.metadata.query_compatible);
    let operation = sqs.operation("CreateQueue").expect("it makes queues");
    let names: Vec<_> =
        sqs.input_of(operation).iter().map(|member| (member.name, member.required)).collect();
    assert_eq!(names, [("QueueName", true), ("Attributes", false), ("tags", false)]);
    assert!(matches!(sqs.shape_of(&sqs.input_of(operation)[1]).kind, Kind::Map(_)));
}

#[test]
fn an_operation_is_found_or_the_nearest_named() {
    let candidates = |name: &str| match find(name) {
        Ok(found) => panic!("{}:{} is there", found.service.name, found.operation.name),
        Err(unknown) => unknown.candidates().to_vec(),
    };
    assert!(find("dynamodb:Scan").is_ok());
    assert_eq!(candidates("lambda:createfunction")[0], "lambda:CreateFunction");
    assert_eq!(candidates("sqs:create-queue")[0], "sqs:CreateQueue");
    assert_eq!(candidates("states:CreateStateMachine")[0], "stepfunctions:CreateStateMachine");
    assert_eq!(candidates("sns:CreateQueue")[0], "sqs:CreateQueue");
    assert_eq!(candidates("dynamo:PutItem")[0], "dynamodb:PutItem");
    assert_eq!(find("CreateQueue").unwrap_err(), Unknown::Form { name: "CreateQueue".into() });
    assert!(candidates("nothing:LikeThisAtAll").is_empty());
}

/// Unoptimised the reader takes several times as long; the bound holds for what is shipped.
#[test]
#[cfg_attr(debug_assertions, ignore = "measures optimised code: cargo test --release -p aws-model")]
fn the_largest_model_is_read_at_once() {
    let started = Instant::now();
    assert!(service("ec2").expect("ec2 is there").operations.len() > 700);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(60), "ec2 took {took:?}");
}
