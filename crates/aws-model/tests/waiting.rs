//! Waiters and pages of the models.

use aws_model::query::Query;
use aws_model::wire::{Failure, Reply};
use aws_model::{Next, WaiterState, find, service, services};
use serde_json::{Value, json};

/// Every expression of every model is one that is understood here.
#[test]
fn every_expression_is_understood() {
    for entry in services() {
        let service = entry.service();
        let arguments = service
            .waiters
            .iter()
            .flat_map(|waiter| &waiter.acceptors)
            .filter_map(|acceptor| acceptor.argument);
        let pages = service.operations.iter().filter_map(|operation| operation.pages.as_ref());
        let keys = pages.flat_map(|pages| {
            pages.output_tokens.iter().chain(&pages.result_keys).chain(&pages.more_results).copied()
        });
        let given = service
            .operations
            .iter()
            .flat_map(|operation| operation.operation_context_params.values())
            .filter_map(|param| param["path"].as_str());
        let _: Vec<_> = arguments
            .chain(keys)
            .chain(given.map(|text| &*text.to_owned().leak()))
            .map(|query| {
                Query::parse(query).unwrap_or_else(|error| panic!("{}: {error}", service.name))
            })
            .collect();
        for waiter in &service.waiters {
            assert!(
                service.operation(waiter.operation).is_some(),
                "{}: {}",
                service.name,
                waiter.name
            );
        }
    }
}

fn judge(service_name: &str, waiter: &str, reply: &Reply) -> Option<WaiterState> {
    let waiter =
        service(service_name).and_then(|service| service.waiter(waiter)).expect("it is there");
    waiter.judge(200, reply).expect("its expressions are read")
}

#[test]
fn a_waiter_knows_what_an_answer_means() {
    let instances = |statuses: &[&str]| {
        Reply::Output(
            json!({"DBInstances": statuses.iter().map(|status| json!({"DBInstanceStatus": status})).collect::<Vec<_>>()}),
        )
    };
    assert_eq!(
        judge("rds", "DBInstanceAvailable", &instances(&["available"])),
        Some(WaiterState::Success)
    );
    assert_eq!(judge("rds", "DBInstanceAvailable", &instances(&["available", "creating"])), None);
    assert_eq!(
        judge("rds", "DBInstanceAvailable", &instances(&["failed"])),
        Some(WaiterState::Failure)
    );
    let failure = |code: &str| Reply::Failure(Failure { code: code.into(), ..Failure::default() });
    assert_eq!(
        judge("dynamodb", "TableNotExists", &failure("ResourceNotFoundException")),
        Some(WaiterState::Success)
    );
    assert_eq!(
        judge("dynamodb", "TableExists", &failure("ResourceNotFoundException")),
        Some(WaiterState::Retry)
    );
    assert_eq!(judge("dynamodb", "TableExists", &failure("AccessDeniedException")), None);
    let services = |running: u32| {
        Reply::Output(
            json!({"services": [{"deployments": [{}], "runningCount": running, "desiredCount": 2}]}),
        )
    };
    assert_eq!(judge("ecs", "ServicesStable", &services(2)), Some(WaiterState::Success));
    assert_eq!(judge("ecs", "ServicesStable", &services(1)), None);
}

#[test]
fn pages_follow_each_other_and_are_joined() {
    let pages_of = |name: &str| {
        find(name).expect("it is there").operation.pages.as_ref().expect("it has pages")
    };
    let scan = pages_of("dynamodb:Scan");
    let input = json!({"TableName": "t"}).as_object().cloned().expect("it is a map");
    let first = json!({"Items": [1], "Count": 1, "ScannedCount": 2, "LastEvaluatedKey": {"id": {"S": "1"}}});
    let next = scan.next(&input, &first).expect("its expressions are read");
    let Next::Page(next) = next else { panic!("there is another page") };
    assert_eq!(
        Value::Object(next.clone()),
        json!({"TableName": "t", "ExclusiveStartKey": {"id": {"S": "1"}}})
    );
    assert_eq!(scan.next(&next, &first), Ok(Next::Stuck));
    let last = json!({"Items": [2, 3], "Count": 2, "ScannedCount": 2});
    assert_eq!(scan.next(&next, &last), Ok(Next::Done));
    assert_eq!(
        scan.join(&[first, last]),
        json!({"Items": [1, 2, 3], "Count": 3, "ScannedCount": 4})
    );

    let objects = pages_of("s3:ListObjects");
    let page = json!({"IsTruncated": true, "Contents": [{"Key": "a"}, {"Key": "b"}]});
    let input = json!({"Bucket": "b"}).as_object().cloned().expect("it is a map");
    assert_eq!(
        objects.next(&input, &page),
        Ok(Next::Page(
            json!({"Bucket": "b", "Marker": "b"}).as_object().cloned().expect("it is a map")
        ))
    );
    assert_eq!(
        objects.next(&input, &json!({"IsTruncated": false, "Contents": [{"Key": "a"}]})),
        Ok(Next::Done)
    );
}
