//! What a bucket tells of its objects, and to whom: functions, queues, topics, `EventBridge`. And its policy.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::error;
use crate::account::client::{Call, Caller, Client, ServiceCaller};
use crate::account::feed::ChangeEvent;
use crate::account::{self, Account};
use crate::http::{BoxFuture, Request};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::server::modelled::{Context, Model, Operation};
use crate::{events, sqs};

const PRINCIPAL: &str = "s3.amazonaws.com";
/// A key in an event: as in a form, but for slashes.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');
/// The kinds of configurations, and where each names its destination.
const KINDS: [(&str, &str); 3] = [
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
];

/// What buckets tell, and their policies, by bucket.
#[derive(Debug, Default)]
pub struct State {
    configurations: BTreeMap<String, Value>,
    policies: BTreeMap<String, String>,
    told: u64,
}

impl account::State for State {
    const SERVICE: &'static str = "s3";
}

impl State {
    /// What belongs to a bucket goes with it.
    pub(super) fn forget(&mut self, bucket: &str) {
        self.configurations.remove(bucket);
        self.policies.remove(bucket);
    }

    /// What there is to see of a bucket.
    pub(super) fn snapshot(&self, bucket: &str) -> Map<String, Value> {
        let mut shown = Map::new();
        if let Some(configuration) = self.configurations.get(bucket) {
            shown.insert("notifications".to_owned(), configuration.clone());
        }
        if let Some(policy) = self.policies.get(bucket) {
            shown.insert("policy".to_owned(), json!(policy));
        }
        shown
    }
}

pub(super) const MODELS: &[Model] = &[Model {
    name: "s3",
    operations: &[
        Operation::now("DeleteBucketPolicy", |context, input| {
            let bucket = bucket_of(context, &input)?;
            context.account.state::<State>().policies.remove(&bucket);
            Ok(json!({}))
        }),
        Operation::now("GetBucketNotificationConfiguration", |context, input| {
            let bucket = bucket_of(context, &input)?;
            let found = context.account.state::<State>().configurations.get(&bucket).cloned();
            Ok(found.unwrap_or_else(|| json!({})))
        }),
        Operation::now("GetBucketPolicy", |context, input| {
            let bucket = bucket_of(context, &input)?;
            let found = context.account.state::<State>().policies.get(&bucket).cloned();
            let missing = || {
                AwsError::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
                    .with("BucketName", bucket.as_str())
            };
            found.map(|policy| json!({"Policy": policy})).ok_or_else(missing)
        }),
        Operation::later("PutBucketNotificationConfiguration", put),
        Operation::now("PutBucketPolicy", |context, input| {
            let bucket = bucket_of(context, &input)?;
            let policy = input["Policy"].as_str().unwrap_or_default();
            if serde_json::from_str::<Value>(policy).map_or(true, |policy| !policy.is_object()) {
                return Err(AwsError::bad_request(
                    "MalformedPolicy",
                    "Policies must be valid JSON and the first byte must be '{'",
                ));
            }
            context.account.state::<State>().policies.insert(bucket, policy.to_owned());
            Ok(json!({}))
        }),
    ],
    invalid: |_, _| Some(error::malformed_xml()),
    query_codes: &[],
}];

/// The bucket of a request, which is there.
fn bucket_of(context: Context<'_>, input: &Value) -> Result<String, AwsError> {
    let bucket = input["Bucket"].as_str().unwrap_or_default();
    context.account.state::<super::State>().bucket(bucket)?;
    Ok(bucket.to_owned())
}

fn client(account: &Account, bucket: &str) -> Client {
    account.client(Caller::Service(ServiceCaller {
        principal: PRINCIPAL.to_owned(),
        source_arn: format!("arn:aws:s3:::{bucket}"),
        source_account: account.id.clone(),
    }))
}

/// `PutBucketNotificationConfiguration`: every destination is tried out before anything is kept.
fn put(context: Context<'_>, input: Value) -> BoxFuture<'_, Result<Value, AwsError>> {
    Box::pin(async move {
        let bucket = bucket_of(context, &input)?;
        let mut configuration = input["NotificationConfiguration"].clone();
        let skips = input["SkipDestinationValidation"] == true;
        let mut rules = Vec::new();
        for (kind, member) in KINDS {
            for one in configuration[kind].as_array_mut().into_iter().flatten() {
                if one["Id"].is_null() {
                    one["Id"] = json!(uuid());
                }
                let arn = one[member].as_str().unwrap_or_default().to_owned();
                if !skips {
                    try_out(context, &bucket, &arn).await?;
                }
                rules.push(one.clone());
            }
        }
        check_overlaps(&rules)?;
        // A key is read as null where it is not given.
        let members = configuration.as_object().cloned().unwrap_or_default();
        let kept: Map<String, Value> =
            members.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let mut state = context.account.state::<State>();
        if kept.is_empty() {
            state.configurations.remove(&bucket);
        } else {
            state.configurations.insert(bucket, Value::Object(kept));
        }
        Ok(json!({}))
    })
}

async fn try_out(context: Context<'_>, bucket: &str, arn: &str) -> Result<(), AwsError> {
    let client = client(context.account, bucket);
    let test = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso8601_zulu(context.now()),
        "Bucket": bucket,
        "RequestId": context.request.request_id,
        "HostId": "playbook",
    })
    .to_string();
    if arn.contains(":sqs:") && sqs::deliver::is_fifo(arn) {
        return Err(error::invalid_argument("QueueArn", arn, "FIFO SQS queues are not supported."));
    }
    let outcome = match arn.split(':').nth(2) {
        Some("lambda") => {
            let path = ["2015-03-31", "functions", arn, "invocations"];
            let call = Call::rest(Method::POST, &path, None)
                .with_header("X-Amz-Invocation-Type", "DryRun");
            client.call("lambda", call).await.map(drop)
        }
        Some("sqs") => {
            let url = sqs::deliver::url_of(context.account, arn);
            let input = json!({"QueueUrl": url, "MessageBody": test});
            client.operation("sqs:SendMessage", &input).await.map(drop)
        }
        Some("sns") => {
            let input =
                json!({"TopicArn": arn, "Message": test, "Subject": "Amazon S3 Notification"});
            client.operation("sns:Publish", &input).await.map(drop)
        }
        _ => Err(AwsError::bad_request("InvalidArgument", "The ARN could not be parsed")),
    };
    outcome.map_err(|_| {
        error::invalid_argument(
            arn,
            "",
            "Unable to validate the following destination configurations",
        )
    })
}

/// Whether a rule is for an event and a key.
fn is_for(rule: &Value, event: &str, key: &str) -> bool {
    let events = rule["Events"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_event = events.into_iter().any(|pattern| {
        let pattern = pattern.trim_start_matches("s3:");
        pattern == event || pattern.strip_suffix('*').is_some_and(|start| event.starts_with(start))
    });
    let (prefix, suffix) = affixes(rule);
    is_event && key.starts_with(prefix) && key.ends_with(suffix)
}

fn affixes(rule: &Value) -> (&str, &str) {
    let rules = rule["Filter"]["Key"]["FilterRules"].as_array();
    let of = |name: &str| {
        let mut found = rules
            .into_iter()
            .flatten()
            .filter(|one| one["Name"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name)));
        found.next().and_then(|one| one["Value"].as_str()).unwrap_or_default()
    };
    (of("prefix"), of("suffix"))
}

/// Two rules may not be for the same event and the same key.
fn check_overlaps(rules: &[Value]) -> Result<(), AwsError> {
    let types = |rule: &Value| -> Vec<String> {
        let events = rule["Events"].as_array().into_iter().flatten().filter_map(Value::as_str);
        events.map(|event| event.trim_end_matches('*').to_owned()).collect()
    };
    let nested = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
    let ends = |one: &str, other: &str| one.ends_with(other) || other.ends_with(one);
    for (place, one) in rules.iter().enumerate() {
        for other in &rules[place + 1..] {
            let ((prefix, suffix), (others_prefix, others_suffix)) = (affixes(one), affixes(other));
            let same =
                types(one).iter().any(|own| types(other).iter().any(|more| nested(own, more)));
            if same && nested(prefix, others_prefix) && ends(suffix, others_suffix) {
                return Err(AwsError::bad_request(
                    "InvalidArgument",
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
                ));
            }
        }
    }
    Ok(())
}

/// What an event says of an object, however it is told.
struct Happening {
    name: &'static str,
    bucket: String,
    key: String,
    /// Its size and its entity tag, where it is there.
    content: Option<(u64, String)>,
    sequencer: String,
    request_id: String,
    caller: String,
}

/// Tells whoever wants to know what has become of objects.
pub(super) fn tell(account: &Account, request: &Request, operation: &str, changes: &[ChangeEvent]) {
    for change in changes {
        let (bucket, key, content) = match change {
            ChangeEvent::ObjectPut { bucket, key, size, etag } => {
                (bucket, key, Some((*size, etag.trim_matches('"').to_owned())))
            }
            ChangeEvent::ObjectDeleted { bucket, key } => (bucket, key, None),
            _ => continue,
        };
        let sequencer = {
            let mut state = account.state::<State>();
            if !state.configurations.contains_key(bucket) {
                continue;
            }
            state.told += 1;
            format!("{:018X}", 0x0066_0000_0000_0000 + state.told)
        };
        let name = match (operation, content.is_some()) {
            (_, false) => "ObjectRemoved:Delete",
            ("CopyObject", _) => "ObjectCreated:Copy",
            ("CompleteMultipartUpload", _) => "ObjectCreated:CompleteMultipartUpload",
            _ => "ObjectCreated:Put",
        };
        let happening = Happening {
            name,
            bucket: bucket.clone(),
            key: key.clone(),
            content,
            sequencer,
            request_id: request.request_id.clone(),
            caller: Context { account, request }.caller().user_id,
        };
        let at = account.clone();
        account.spawn(async move { happening.tell(&at).await });
    }
}

impl Happening {
    async fn tell(&self, account: &Account) {
        let found = account.state::<State>().configurations.get(&self.bucket).cloned();
        let Some(configuration) = found else { return };
        if configuration.get("EventBridgeConfiguration").is_some() {
            self.publish(account);
        }
        let client = client(account, &self.bucket);
        for (kind, member) in KINDS {
            for rule in configuration[kind].as_array().into_iter().flatten() {
                if !is_for(rule, self.name, &self.key) {
                    continue;
                }
                let arn = rule[member].as_str().unwrap_or_default();
                let told =
                    self.record(account, rule["Id"].as_str().unwrap_or_default()).to_string();
                // Whoever may not be told any more is not, and nobody hears of it, as on AWS.
                let _ = match kind {
                    "QueueConfigurations" => {
                        let url = sqs::deliver::url_of(account, arn);
                        let input = json!({"QueueUrl": url, "MessageBody": told});
                        client.operation("sqs:SendMessage", &input).await.map(drop)
                    }
                    "TopicConfigurations" => {
                        let input = json!({
                            "TopicArn": arn, "Message": told, "Subject": "Amazon S3 Notification",
                        });
                        client.operation("sns:Publish", &input).await.map(drop)
                    }
                    _ => {
                        let path = ["2015-03-31", "functions", arn, "invocations"];
                        let call = Call::rest(Method::POST, &path, None)
                            .with_header("X-Amz-Invocation-Type", "Event")
                            .with_body(Bytes::from(told));
                        client.call("lambda", call).await.map(drop)
                    }
                };
            }
        }
    }

    fn record(&self, account: &Account, id: &str) -> Value {
        let key = utf8_percent_encode(&self.key, KEY).to_string().replace(' ', "+");
        let mut object = json!({"key": key, "sequencer": self.sequencer});
        if let Some((size, etag)) = &self.content {
            object["size"] = json!(size);
            object["eTag"] = json!(etag);
        }
        json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": account.region,
            "eventTime": iso8601_zulu(account.now()),
            "eventName": self.name,
            "userIdentity": {"principalId": format!("AWS:{}", self.caller)},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": self.request_id, "x-amz-id-2": "playbook"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": id,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": {"principalId": account.id},
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }]})
    }

    fn publish(&self, account: &Account) {
        let is_there = self.content.is_some();
        let mut object = json!({"key": self.key, "sequencer": self.sequencer});
        if let Some((size, etag)) = &self.content {
            object["size"] = json!(size);
            object["etag"] = json!(etag);
        }
        let reason = match self.name {
            "ObjectCreated:Copy" => "CopyObject",
            "ObjectCreated:CompleteMultipartUpload" => "CompleteMultipartUpload",
            "ObjectRemoved:Delete" => "DeleteObject",
            _ => "PutObject",
        };
        let mut detail = json!({
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": object,
            "request-id": self.request_id,
            "requester": account.id,
            "source-ip-address": "127.0.0.1",
            "reason": reason,
        });
        if !is_there {
            detail["deletion-type"] = json!("Permanently Deleted");
        }
        let kind = if is_there { "Object Created" } else { "Object Deleted" };
        let resources = [format!("arn:aws:s3:::{}", self.bucket)];
        events::publish(account, "aws.s3", kind, &resources, &detail);
    }
}
