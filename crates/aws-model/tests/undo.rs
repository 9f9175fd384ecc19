//! What takes back what.

use aws_model::{Effect, Filling, Kind, Origin, Place, Root, effect, services, undo_of};
use serde_json::{Value, json};

/// The opposite of an operation with its input.
fn opposite(
    service: &str,
    operation: &str,
    input: Value,
    output: Option<Value>,
) -> Option<(&'static str, Value)> {
    let undo =
        undo_of(service, operation).unwrap_or_else(|| panic!("{service}:{operation} has an undo"));
    undo.input(&input, output.as_ref()).map(|filled| (undo.operation, Value::Object(filled)))
}

#[test]
fn what_is_made_is_taken_back() {
    let queue =
        opposite("sqs", "CreateQueue", json!({"QueueName": "q"}), Some(json!({"QueueUrl": "u"})));
    assert_eq!(queue, Some(("DeleteQueue", json!({"QueueUrl": "u"}))));
    let role = opposite("iam", "CreateRole", json!({"RoleName": "r"}), None);
    assert_eq!(role, Some(("DeleteRole", json!({"RoleName": "r"}))));
    let bucket = opposite(
        "s3",
        "CreateBucket",
        json!({"Bucket": "b"}),
        Some(json!({"Location": "/b", "BucketArn": "arn"})),
    );
    assert_eq!(bucket, Some(("DeleteBucket", json!({"Bucket": "b"}))));
    let instances = opposite(
        "ec2",
        "RunInstances",
        json!({}),
        Some(json!({"Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]})),
    );
    assert_eq!(instances, Some(("TerminateInstances", json!({"InstanceIds": ["i-1", "i-2"]}))));
    let balancer = opposite(
        "elbv2",
        "CreateLoadBalancer",
        json!({"Name": "n"}),
        Some(json!({"LoadBalancers": [{"LoadBalancerArn": "a"}]})),
    );
    assert_eq!(balancer, Some(("DeleteLoadBalancer", json!({"LoadBalancerArn": "a"}))));
    let database = opposite("rds", "CreateDBInstance", json!({"DBInstanceIdentifier": "d"}), None);
    let expected = json!({"DBInstanceIdentifier": "d", "SkipFinalSnapshot": true, "DeleteAutomatedBackups": true});
    assert_eq!(database, Some(("DeleteDBInstance", expected)));
    let object = opposite(
        "s3",
        "PutObject",
        json!({"Bucket": "b", "Key": "k"}),
        Some(json!({"VersionId": "v"})),
    );
    assert_eq!(
        object,
        Some(("DeleteObject", json!({"Bucket": "b", "Key": "k", "VersionId": "v"})))
    );
}

#[test]
fn what_is_not_known_is_not_guessed() {
    assert_eq!(opposite("sqs", "CreateQueue", json!({"QueueName": "q"}), None), None);
    assert_eq!(opposite("ec2", "RunInstances", json!({}), Some(json!({"Instances": []}))), None);
}

/// What removes more than the call has made would be worse than no undo at all.
#[test]
fn nothing_is_taken_back_that_was_there_before() {
    for (service, operation) in [
        ("iam", "AddRoleToInstanceProfile"),
        ("lambda", "PutFunctionRecursionConfig"),
        ("s3", "PutBucketLogging"),
        ("s3", "RestoreObject"),
        ("secretsmanager", "RestoreSecret"),
        ("bedrock", "CreateGuardrailVersion"),
        ("iot", "AddThingToThingGroup"),
        ("ec2", "RestoreVolumeFromRecycleBin"),
    ] {
        if let Some(undo) = undo_of(service, operation) {
            assert!(
                !undo.operation.starts_with("Delete"),
                "{service}:{operation} is taken back by {}",
                undo.operation
            );
        }
    }
    assert!(
        undo_of("lambda", "PublishVersion")
            .is_some_and(|undo| undo.with.iter().any(|(name, _)| *name == "Qualifier"))
    );
    assert!(undo_of("s3", "PutObject").is_some_and(|undo| undo.upsert));
    assert!(undo_of("ec2", "CreateTags").is_some_and(|undo| undo.upsert));
}

#[test]
fn most_of_what_creates_can_be_taken_back() {
    let mut known = 0;
    for entry in services() {
        known += entry
            .service()
            .operations
            .iter()
            .filter(|operation| operation.undo.as_ref().is_some_and(|undo| !undo.upsert))
            .count();
    }
    assert!(known >= 1_500, "{known} creating operations have a known undo");
}

/// Every entry of the table fits the models that it is about.
#[test]
fn the_table_fits_the_models() {
    for entry in services() {
        let service = entry.service();
        for operation in &service.operations {
            let Some(undo) = &operation.undo else { continue };
            let name = format!("{}:{}", service.name, operation.name);
            let opposite = service
                .operation(undo.operation)
                .unwrap_or_else(|| panic!("{name}: {} is there", undo.operation));
            let read = undo
                .read
                .iter()
                .map(|read| (service.operation(read.operation).expect("it is there"), &read.with));
            for (target, with) in
                [(opposite, &undo.with), (opposite, &undo.optional)].into_iter().chain(read)
            {
                for (member, filling) in with {
                    let target_member = service
                        .input_of(target)
                        .iter()
                        .find(|own| own.name == *member)
                        .unwrap_or_else(|| panic!("{name}: {member}"));
                    let Filling::From(places) = filling else { continue };
                    assert!(!places.is_empty(), "{name}: {member} comes from nowhere");
                    for place in places {
                        let root = if place.root == Root::Input {
                            &operation.input
                        } else {
                            &operation.output
                        };
                        let (kind, many) =
                            kind_at(service, root.as_ref().expect("it has one"), place);
                        let listed = many || place.listed;
                        let wanted = &service.shape_of(target_member).kind;
                        let fits = if listed {
                            matches!(wanted, Kind::List(_))
                        } else {
                            std::mem::discriminant(kind) == std::mem::discriminant(wanted)
                        };
                        assert!(fits, "{name}: {member} of {} is no {}", target.name, place.path);
                    }
                }
            }
            if let Some(waiter) = undo.gone {
                assert!(service.waiter(waiter).is_some(), "{name}: {waiter}");
            }
            assert!(undo.origin != Origin::Schema || undo.resource_type.is_some(), "{name}");
            assert!(undo.upsert || effect(operation) == Effect::Creates, "{name} creates");
        }
    }
}

/// The kind of what is at a place, and whether there may be several.
fn kind_at<'a>(
    service: &'a aws_model::Service,
    root: &'a aws_model::Member,
    place: &Place,
) -> (&'a Kind, bool) {
    let (mut member, mut many) = (root, false);
    for part in place.path.split('.') {
        let name = part.trim_end_matches("[]").trim_end_matches("[0]");
        let structure = service
            .structure_of(member)
            .unwrap_or_else(|| panic!("{} goes through a structure", place.path));
        member = structure.member(name).unwrap_or_else(|| panic!("{} is there", place.path));
        if name != part {
            many |= part.ends_with("[]");
            let Kind::List(element) = &service.shape_of(member).kind else {
                panic!("{} goes through a list", place.path)
            };
            member = element;
        }
    }
    (&service.shape_of(member).kind, many)
}
