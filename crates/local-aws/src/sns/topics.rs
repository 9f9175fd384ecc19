//! Topics.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{SUBSCRIPTION, State, TOPIC, invalid, not_found, place};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// What can be set of a topic.
const SETTABLE: [&str; 11] = [
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
    "DataProtectionPolicy",
];

/// A topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// As they were set.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    /// How many messages were published: what they are called in a FIFO topic.
    pub(super) published: u64,
    /// What a FIFO topic has seen: keys, and when.
    pub(super) seen: BTreeMap<String, (std::time::SystemTime, String)>,
}

impl Topic {
    pub(super) fn is(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// The name in an ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<super::tags::Tag>,
}

/// `CreateTopic`: one that is there with the same attributes is the one that was asked for.
pub(super) fn create(context: Context<'_>, input: Create) -> Result<Value, AwsError> {
    let Create { name, attributes, tags } = input;
    let is_fifo = attributes.get("FifoTopic").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name.as_str()) };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let good = stem.is_some_and(|stem| !stem.is_empty() && stem.bytes().all(letters));
    if !good || name.len() > 256 {
        return Err(if is_fifo {
            invalid(
                "Topic Name: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.",
            )
        } else {
            invalid("Topic Name")
        });
    }
    for (attribute, text) in &attributes {
        check(attribute, text)?;
    }
    let given: BTreeMap<String, String> =
        tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let arn = context.arn("sns", &name);
    let mut state = context.account.state::<State>();
    if let Some(topic) = state.topics.get(&arn) {
        let differs = attributes.iter().any(|(key, text)| topic.attributes.get(key) != Some(text));
        if differs {
            return Err(invalid(
                "Attributes Reason: Topic already exists with different attributes",
            ));
        }
        if given.iter().any(|(key, text)| topic.tags.get(key) != Some(text)) {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
        return Ok(json!({"TopicArn": arn}));
    }
    state.topics.insert(arn.clone(), Topic { attributes, tags: given, ..Topic::default() });
    state.outbox.created(TOPIC, name);
    Ok(json!({"TopicArn": arn}))
}

fn check(attribute: &str, text: &str) -> Result<(), AwsError> {
    if !SETTABLE.contains(&attribute) {
        return Err(invalid("AttributeName"));
    }
    if attribute == "Policy" && serde_json::from_str::<Value>(text).is_err() {
        return Err(invalid("Policy Error: null"));
    }
    if ["ArchivePolicy", "DataProtectionPolicy"].contains(&attribute) {
        return Err(invalid(format!("{attribute}: the local AWS of playbook does not have it")));
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfArn {
    topic_arn: String,
}

/// `DeleteTopic`: one that is not there is deleted already. Its subscriptions go with it.
pub(super) fn delete(context: Context<'_>, input: &OfArn) -> Value {
    let account = place(context, &input.topic_arn);
    let mut state = account.state::<State>();
    if state.topics.remove(&input.topic_arn).is_some() {
        state.outbox.deleted(TOPIC, name_of(&input.topic_arn));
        let own = state.subscriptions.values().filter(|one| one.topic == input.topic_arn);
        let own: Vec<String> = own.map(|one| one.arn.clone()).collect();
        for arn in own {
            state.subscriptions.remove(&arn);
            state.outbox.deleted(SUBSCRIPTION, arn);
        }
    }
    json!({})
}

/// `GetTopicAttributes`
pub(super) fn attributes(context: Context<'_>, input: &OfArn) -> Result<Value, AwsError> {
    let arn = &input.topic_arn;
    let account = place(context, arn);
    let state = account.state::<State>();
    let topic = state.topics.get(arn).ok_or_else(|| not_found("Topic does not exist"))?;
    let own = state.subscriptions.values().filter(|one| one.topic == *arn);
    let (confirmed, pending): (Vec<_>, Vec<_>) = own.partition(|one| one.is_confirmed());
    let mut shown: BTreeMap<String, String> = topic.attributes.clone();
    let mut default = |name: &str, text: String| {
        shown.entry(name.to_owned()).or_insert(text);
    };
    default("TopicArn", arn.clone());
    default("Owner", account.id.clone());
    default("DisplayName", String::new());
    default("Policy", default_policy(arn, &account.id).to_string());
    default("SubscriptionsConfirmed", confirmed.len().to_string());
    default("SubscriptionsPending", pending.len().to_string());
    default("SubscriptionsDeleted", "0".to_owned());
    default("EffectiveDeliveryPolicy", r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#.to_owned());
    if topic.is("FifoTopic") {
        default("ContentBasedDeduplication", "false".to_owned());
        default("FifoThroughputScope", "Topic".to_owned());
    }
    Ok(json!({"Attributes": shown}))
}

fn default_policy(arn: &str, account: &str) -> Value {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": actions,
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
        }],
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetAttribute {
    topic_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

/// `SetTopicAttributes`
pub(super) fn set_attribute(context: Context<'_>, input: &SetAttribute) -> Result<Value, AwsError> {
    let account = place(context, &input.topic_arn);
    let mut state = account.state::<State>();
    let topic = state.topic(&input.topic_arn)?;
    if input.attribute_name == "FifoTopic" {
        return Err(invalid("AttributeName"));
    }
    if input.attribute_value.is_empty() {
        topic.attributes.remove(&input.attribute_name);
        return Ok(json!({}));
    }
    check(&input.attribute_name, &input.attribute_value)?;
    topic.attributes.insert(input.attribute_name.clone(), input.attribute_value.clone());
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
}

/// `ListTopics`, a hundred on a page.
pub(super) fn list(context: Context<'_>, input: &List) -> Value {
    let state = context.account.state::<State>();
    let mut arns = state
        .topics
        .keys()
        .filter(|arn| input.next_token.as_ref().is_none_or(|after| *arn > after));
    let page: Vec<&String> = arns.by_ref().take(100).collect();
    let shown: Vec<Value> = page.iter().map(|arn| json!({"TopicArn": arn})).collect();
    let mut output = json!({"Topics": shown});
    if let (Some(last), true) = (page.last(), arns.next().is_some()) {
        output["NextToken"] = json!(last);
    }
    output
}
