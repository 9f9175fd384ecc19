//! Queues themselves: made, looked at, changed, deleted.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attributes::{KNOWN, Settings, check_name};
use super::deliver::is_fifo;
use super::error::{attribute_name, no_queue, parameter, value};
use super::queue::Queue;
use super::{NAME_REST, Place, QUEUE, State, locate, url};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const MOST_TAGS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

/// `CreateQueue`: one that is there with the same attributes is the one that was asked for.
pub(super) fn create(context: Context<'_>, input: Create) -> Result<Value, AwsError> {
    let Create { queue_name: name, attributes, tags } = input;
    let mut settings = Settings {
        is_fifo: attributes.get("FifoQueue").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        ..Settings::default()
    };
    if is_fifo(&name) && !settings.is_fifo {
        return Err(parameter(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    check_name(&name, settings.is_fifo)?;
    settings.set(&attributes, true)?;
    check_tags(&tags)?;
    let (account, now) = (context.account, context.now());
    let url = url(account, &name);
    let mut state = account.state::<State>();
    check_redrive(&state, &settings, context.arn("sqs", &name).as_str())?;
    if let Some(found) = state.queues.get(&name) {
        let shown = found.settings.shown();
        let differs =
            attributes.iter().find(|(key, _)| settings.shown().get(*key) != shown.get(*key));
        let Some((key, _)) = differs else { return Ok(json!({"QueueUrl": url})) };
        let message = format!(
            "A queue already exists with the same name and a different value for attribute {key}"
        );
        return Err(AwsError::bad_request("QueueNameExists", message));
    }
    let rest = account.latency().scale(NAME_REST);
    let deleted = state.deleted.get(&name).copied();
    if deleted.is_some_and(|at| now.duration_since(at).unwrap_or_default() < rest) {
        return Err(AwsError::bad_request(
            "QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        ));
    }
    state.deleted.remove(&name);
    let mut queue = Queue::new(context.arn("sqs", &name), settings, now);
    queue.tags = tags;
    state.queues.insert(name.clone(), queue);
    state.outbox.created(QUEUE, name);
    Ok(json!({"QueueUrl": url}))
}

/// A dead-letter queue is there, and of the same kind.
fn check_redrive(state: &State, settings: &Settings, own: &str) -> Result<(), AwsError> {
    let Some(redrive) = &settings.redrive else { return Ok(()) };
    let policy = settings.shown().get("RedrivePolicy").cloned().unwrap_or_default();
    let refused =
        |reason: &str| value("RedrivePolicy", policy.as_str().unwrap_or_default(), reason);
    let target = state.queues.values().find(|queue| queue.arn == redrive.target_arn);
    let Some(target) = target else {
        return Err(refused("Dead letter target does not exist."));
    };
    if target.settings.is_fifo != settings.is_fifo {
        return Err(refused("Dead-letter queue must be same type of queue as the source."));
    }
    if !takes_dead(target, own) {
        return Err(refused("Source queue is not allowed to use the dead-letter queue."));
    }
    Ok(())
}

fn takes_dead(target: &Queue, source: &str) -> bool {
    let Some(policy) = &target.settings.redrive_allow else { return true };
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    match policy["redrivePermission"].as_str() {
        Some("denyAll") => false,
        Some("byQueue") => {
            let sources = policy["sourceQueueArns"].as_array();
            sources.is_some_and(|sources| sources.iter().any(|one| one == source))
        }
        _ => true,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfName {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

/// `GetQueueUrl`
pub(super) fn url_of(context: Context<'_>, input: &OfName) -> Result<Value, AwsError> {
    let owner = input.owner.as_deref().unwrap_or(&context.account.id);
    let found = url(&context.account.at(owner, &context.account.region), &input.queue_name);
    locate(context, &found, "GetQueueUrl")?;
    Ok(json!({"QueueUrl": found}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// `ListQueues`
pub(super) fn list(context: Context<'_>, input: &List) -> Value {
    let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
    let state = context.account.state::<State>();
    let names = state.queues.keys().filter(|name| name.starts_with(prefix));
    let urls: Vec<(String, String)> =
        names.map(|name| (name.clone(), url(context.account, name))).collect();
    page("QueueUrls", urls, input.next_token.as_deref(), input.max_results)
}

/// A page of what stands under names, which are the tokens.
fn page(
    member: &str,
    all: Vec<(String, String)>,
    after: Option<&str>,
    most: Option<usize>,
) -> Value {
    let mut rest =
        all.into_iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let mut shown = Vec::new();
    let mut last = None;
    for (name, url) in rest.by_ref().take(most.unwrap_or(1000).max(1)) {
        shown.push(url);
        last = Some(name);
    }
    let more = rest.next().is_some();
    let mut output = Map::new();
    // AWS leaves an empty list out.
    if !shown.is_empty() {
        output.insert(member.to_owned(), json!(shown));
    }
    // Without a bound there is no token, as on AWS.
    if let Some(last) = last.filter(|_| more && most.is_some()) {
        output.insert("NextToken".to_owned(), json!(last));
    }
    Value::Object(output)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfUrl {
    queue_url: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// `ListDeadLetterSourceQueues`
pub(super) fn sources(context: Context<'_>, input: &OfUrl) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "ListDeadLetterSourceQueues")?;
    let mut state = account.state::<State>();
    let arn = state.queue(&name)?.arn.clone();
    let uses = |queue: &Queue| {
        queue.settings.redrive.as_ref().is_some_and(|redrive| redrive.target_arn == arn)
    };
    let found = state.queues.iter().filter(|(_, queue)| uses(queue));
    let urls: Vec<(String, String)> =
        found.map(|(name, _)| (name.clone(), url(&account, name))).collect();
    let mut output = page("queueUrls", urls, input.next_token.as_deref(), input.max_results);
    if output.get("queueUrls").is_none() {
        output["queueUrls"] = json!([]);
    }
    Ok(output)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Asked {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

/// `GetQueueAttributes`
pub(super) fn attributes(context: Context<'_>, input: &Asked) -> Result<Value, AwsError> {
    if let Some(other) = input.attribute_names.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(attribute_name(other));
    }
    let Place { account, name } = locate(context, &input.queue_url, "GetQueueAttributes")?;
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    let mut shown = queue.settings.shown();
    let counts = queue.counts(context.now());
    let own = [
        ("QueueArn", queue.arn.clone()),
        ("CreatedTimestamp", seconds(queue.created)),
        ("LastModifiedTimestamp", seconds(queue.modified)),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
    ];
    shown.extend(own.map(|(name, text)| (name.to_owned(), Value::String(text))));
    if !input.attribute_names.iter().any(|name| name == "All") {
        shown.retain(|name, _| input.attribute_names.contains(name));
    }
    // AWS leaves it out where nothing is shown.
    Ok(if shown.is_empty() { json!({}) } else { json!({"Attributes": shown}) })
}

fn seconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

/// `SetQueueAttributes`
pub(super) fn set_attributes(
    context: Context<'_>,
    input: &SetAttributes,
) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "SetQueueAttributes")?;
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    let mut settings = queue.settings.clone();
    settings.set(&input.attributes, false)?;
    let arn = queue.arn.clone();
    check_redrive(&state, &settings, &arn)?;
    let queue = state.queue(&name)?;
    queue.settings = settings;
    queue.modified = context.now();
    queue.bell.notify_waiters();
    Ok(json!({}))
}

/// `DeleteQueue`
pub(super) fn delete(context: Context<'_>, input: &OfUrl) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "DeleteQueue")?;
    let mut state = account.state::<State>();
    let queue = state.queues.remove(&name).ok_or_else(no_queue)?;
    queue.bell.notify_waiters();
    state.deleted.insert(name.clone(), context.now());
    state.outbox.deleted(QUEUE, name);
    Ok(json!({}))
}

/// `PurgeQueue`: once a minute.
pub(super) fn purge(context: Context<'_>, input: &OfUrl) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "PurgeQueue")?;
    let (now, pause) = (context.now(), account.latency().scale(Duration::from_mins(1)));
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    if queue.purged.is_some_and(|at| now.duration_since(at).unwrap_or_default() < pause) {
        return Err(AwsError::bad_request(
            "PurgeQueueInProgress",
            format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds."),
        ));
    }
    queue.purged = Some(now);
    queue.purge();
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > MOST_TAGS {
        return Err(parameter("Too many tags added for queue: there can be 50."));
    }
    let bad = tags.iter().find(|(key, text)| {
        key.is_empty()
            || key.chars().count() > 128
            || text.chars().count() > 256
            || key.to_lowercase().starts_with("aws:")
    });
    match bad {
        Some((key, _)) => Err(value("Tags", key, "Tag keys or values are not valid.")),
        None => Ok(()),
    }
}

/// `TagQueue`
pub(super) fn tag(context: Context<'_>, input: Tag) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "TagQueue")?;
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    let mut tags = queue.tags.clone();
    tags.extend(input.tags);
    check_tags(&tags)?;
    queue.tags = tags;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Untag {
    queue_url: String,
    tag_keys: Vec<String>,
}

/// `UntagQueue`
pub(super) fn untag(context: Context<'_>, input: &Untag) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "UntagQueue")?;
    account.state::<State>().queue(&name)?.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

/// `ListQueueTags`
pub(super) fn tags(context: Context<'_>, input: &OfUrl) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "ListQueueTags")?;
    let mut state = account.state::<State>();
    let tags = &state.queue(&name)?.tags;
    Ok(if tags.is_empty() { json!({}) } else { json!({"Tags": tags}) })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Permission {
    queue_url: String,
    label: String,
    #[serde(default, rename = "AWSAccountIds")]
    accounts: Vec<String>,
    #[serde(default)]
    actions: Vec<String>,
}

fn policy_of(queue: &Queue) -> Value {
    let own = queue.settings.policy.as_deref();
    let own = own.and_then(|policy| serde_json::from_str(policy).ok());
    own.unwrap_or_else(|| {
        json!({
            "Version": "2012-10-17",
            "Id": format!("{}/SQSDefaultPolicy", queue.arn),
            "Statement": [],
        })
    })
}

/// `AddPermission`: a statement of the queue's policy, by its label.
pub(super) fn add_permission(context: Context<'_>, input: &Permission) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "AddPermission")?;
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    let mut policy = policy_of(queue);
    let found = policy["Statement"].as_array().into_iter().flatten();
    if found.into_iter().any(|statement| statement["Sid"] == input.label.as_str()) {
        return Err(value("Label", &input.label, "Already exists."));
    }
    let one = |list: &[String], shown: fn(&String) -> String| match list {
        [one] => json!(shown(one)),
        many => json!(many.iter().map(shown).collect::<Vec<_>>()),
    };
    let statement = json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": {"AWS": one(&input.accounts, |id| format!("arn:aws:iam::{id}:root"))},
        "Action": one(&input.actions, |action| format!("SQS:{action}")),
        "Resource": queue.arn,
    });
    if let Some(statements) = policy["Statement"].as_array_mut() {
        statements.push(statement);
    }
    queue.settings.policy = Some(policy.to_string());
    Ok(json!({}))
}

/// `RemovePermission`
pub(super) fn remove_permission(
    context: Context<'_>,
    input: &Permission,
) -> Result<Value, AwsError> {
    let Place { account, name } = locate(context, &input.queue_url, "RemovePermission")?;
    let mut state = account.state::<State>();
    let queue = state.queue(&name)?;
    let mut policy = policy_of(queue);
    let statements = policy["Statement"].as_array_mut();
    let before = statements.as_ref().map_or(0, |statements| statements.len());
    let left = statements.map_or(0, |statements| {
        statements.retain(|statement| statement["Sid"] != input.label.as_str());
        statements.len()
    });
    if left == before {
        return Err(value("Label", &input.label, "can't find label on existing policy."));
    }
    queue.settings.policy = (left > 0).then(|| policy.to_string());
    Ok(json!({}))
}
