//! What stands in what was found and bears no tag that the tagging API sees: the resources of stacks, objects of buckets, targets of
//! rules. And the ages that take more than one look.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Value, json};

use engine::aws::{Aws, CallError};

use super::{AT_ONCE, Tagged, age, all, call};
use crate::operation;
use crate::resources::object;

/// What the stacks of runs are made of.
#[derive(Debug, Default)]
pub(super) struct Within {
    /// Names, ids or ARNs, as CloudFormation has them.
    physical: BTreeSet<String>,
}

impl Within {
    /// Whether something goes with a stack.
    pub(super) fn is_part(&self, one: &Tagged) -> bool {
        self.physical.contains(&one.arn)
            || self.physical.contains(&one.name)
            // A queue's is its URL.
            || self.physical.iter().any(|id| id.ends_with(&format!("/{}", one.name)) && one.is("sqs", ""))
    }

    /// Whether a stack goes with another.
    pub(super) fn is_nested(&self, one: &Tagged) -> bool {
        one.is("cloudformation", "stack/") && self.physical.contains(&one.arn)
    }
}

/// What stacks are made of goes with them: whoever removed it first would have them fail.
pub(super) async fn of_stacks(aws: &Aws, found: &[Tagged]) -> (Within, Vec<CallError>) {
    let (mut within, mut unseen) = (Within::default(), Vec::new());
    for stack in found.iter().filter(|one| one.is("cloudformation", "stack/")) {
        let input = json!({"StackName": stack.arn});
        match all(aws, "cloudformation:ListStackResources", input, "StackResourceSummaries").await {
            Ok(resources) => {
                let ids = resources.iter().filter_map(|it| it["PhysicalResourceId"].as_str());
                within.physical.extend(ids.filter(|id| !id.is_empty()).map(str::to_owned));
            }
            Err(error) if operation::is_gone(&error) => {}
            Err(error) => unseen.push(error),
        }
    }
    (within, unseen)
}

/// When a queue was made: its attributes are asked for by its URL.
pub(super) async fn queue_age(aws: &Aws, name: &str) -> Option<Timestamp> {
    let answer = call(aws, "sqs:GetQueueUrl", &json!({"QueueName": name})).await.ok()?;
    let input = json!({
        "QueueUrl": answer["QueueUrl"],
        "AttributeNames": ["CreatedTimestamp", "LastModifiedTimestamp"],
    });
    let answer = call(aws, "sqs:GetQueueAttributes", &input).await.ok()?;
    age::latest(&answer, [name, name])
}

/// Something inside something else, as a journal would have it.
pub(super) struct Part {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) undo: Value,
    pub(super) ids: Option<Value>,
}

/// What has to go before something can.
pub(super) async fn inside(aws: &Aws, one: &Tagged) -> Result<Vec<Part>, CallError> {
    if one.is("s3", "") {
        return objects(aws, one).await;
    }
    if one.is("events", "rule/") {
        return targets(aws, one).await;
    }
    Ok(Vec::new())
}

/// The objects of a bucket that the run has put there and not to keep, as their metadata says. What else is there keeps the bucket.
async fn objects(aws: &Aws, one: &Tagged) -> Result<Vec<Part>, CallError> {
    let bucket = one.name.as_str();
    let listed = match all(aws, "s3:ListObjectsV2", json!({"Bucket": bucket}), "Contents").await {
        Err(error) if operation::is_gone(&error) => return Ok(Vec::new()),
        listed => listed?,
    };
    let looked = stream::iter(&listed)
        .map(|object| async {
            let key = object["Key"].as_str().unwrap_or_default();
            let answer = call(aws, "s3:HeadObject", &json!({"Bucket": bucket, "Key": key})).await;
            let metadata = answer.map(|answer| answer["Metadata"].clone()).unwrap_or_default();
            let is_ours = metadata[object::RUN] == one.run && metadata.get(object::KEEP).is_none();
            is_ours.then(|| Part {
                kind: "AWS::S3::Object".to_owned(),
                name: format!("{bucket}/{key}"),
                undo: json!({"bucket": bucket, "key": key}),
                ids: None,
            })
        })
        .buffer_unordered(AT_ONCE);
    Ok(looked.filter_map(std::future::ready).collect().await)
}

/// The targets of a rule, which are part of it, and without which it can be deleted.
async fn targets(aws: &Aws, one: &Tagged) -> Result<Vec<Part>, CallError> {
    let known = one.undo.as_ref().map(|undo| undo["known"].clone()).unwrap_or_default();
    let mut input = json!({"Rule": known["Name"]});
    if let Some(bus) = known.get("EventBusName") {
        input["EventBusName"] = bus.clone();
    }
    let listed = match all(aws, "events:ListTargetsByRule", input.clone(), "Targets").await {
        Err(error) if operation::is_gone(&error) => return Ok(Vec::new()),
        listed => listed?,
    };
    let ids: Vec<&Value> = listed.iter().map(|target| &target["Id"]).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut undo = input.clone();
    undo["Ids"] = json!(ids);
    Ok(vec![Part {
        kind: "events:PutTargets".to_owned(),
        name: format!("targets of {}", one.name),
        undo: json!({"operation": "events:PutTargets", "known": input}),
        ids: Some(json!({"undo": undo})),
    }])
}
