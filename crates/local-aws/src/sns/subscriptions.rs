//! Subscriptions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{SUBSCRIPTION, State, deliver, invalid, not_found, place};
use crate::event_pattern::EventPattern;
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const SETTABLE: [&str; 7] = [
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
];

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) topic: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// What the endpoint has to say to confirm it; nothing where it is confirmed.
    pub(super) token: Option<String>,
}

impl Subscription {
    pub(super) fn is_confirmed(&self) -> bool {
        self.token.is_none()
    }

    pub(super) fn is(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "attributes": self.attributes,
            "confirmed": self.is_confirmed(),
        })
    }

    fn listed(&self, owner: &str) -> Value {
        let arn = if self.is_confirmed() { self.arn.as_str() } else { "PendingConfirmation" };
        json!({
            "SubscriptionArn": arn, "Owner": owner, "Protocol": self.protocol,
            "Endpoint": self.endpoint, "TopicArn": self.topic,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Subscribe {
    topic_arn: String,
    protocol: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    return_subscription_arn: bool,
}

fn check_endpoint(input: &Subscribe, is_fifo: bool) -> Result<(), AwsError> {
    let endpoint = input.endpoint.as_str();
    match input.protocol.as_str() {
        "sqs" | "lambda" if !endpoint.starts_with("arn:") => {
            Err(invalid(format!("{} endpoint ARN", input.protocol.to_uppercase())))
        }
        "sqs" if crate::sqs::deliver::is_fifo(endpoint) && !is_fifo => Err(invalid(
            "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        )),
        "lambda" if is_fifo => {
            Err(invalid("Endpoint Reason: Please use FIFO SQS queue or standard SQS queue"))
        }
        "sqs" | "lambda" => Ok(()),
        "http" => super::http::check(endpoint),
        "https" | "email" | "email-json" | "sms" | "application" | "firehose" => {
            Err(invalid(format!(
                "Protocol: the local AWS of playbook delivers to sqs, lambda and http on this machine, not by {}",
                input.protocol
            )))
        }
        other => Err(invalid(format!("Amazon SNS does not support this protocol string: {other}"))),
    }
}

fn check_attribute(name: &str, text: &str) -> Result<(), AwsError> {
    if !SETTABLE.contains(&name) {
        return Err(invalid("AttributeName"));
    }
    match name {
        "FilterPolicy" if !text.is_empty() => {
            let policy: Value = serde_json::from_str(text)
                .map_err(|_| invalid("FilterPolicy: failed to parse JSON."))?;
            EventPattern::read(&policy).map(drop).map_err(|reason| {
                let reason = reason.trim_start_matches("Event pattern is not valid. Reason: ");
                invalid(format!("FilterPolicy: {reason}"))
            })
        }
        "FilterPolicyScope" if !["MessageAttributes", "MessageBody"].contains(&text) => {
            Err(invalid(format!(
                "FilterPolicyScope: Invalid value [{text}]. Please use either MessageBody or MessageAttributes"
            )))
        }
        "RawMessageDelivery" if !["true", "false"].contains(&text.to_lowercase().as_str()) => {
            Err(invalid(format!(
                "Attributes Reason: RawMessageDelivery: Invalid value [{text}]. Must be true or false."
            )))
        }
        "RedrivePolicy" if !text.is_empty() => {
            let policy: Value = serde_json::from_str(text).unwrap_or_default();
            match policy["deadLetterTargetArn"].as_str() {
                Some(arn) if arn.contains(":sqs:") => Ok(()),
                _ => Err(invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")),
            }
        }
        "ReplayPolicy" => Err(invalid("ReplayPolicy: the local AWS of playbook does not have it")),
        _ => Ok(()),
    }
}

/// `Subscribe`: the same once more is the same subscription.
pub(super) fn subscribe(context: Context<'_>, input: &Subscribe) -> Result<Value, AwsError> {
    let account = place(context, &input.topic_arn);
    let mut state = account.state::<State>();
    let is_fifo = state.topic(&input.topic_arn)?.is("FifoTopic");
    check_endpoint(input, is_fifo)?;
    for (name, text) in &input.attributes {
        check_attribute(name, text)?;
    }
    let same = state.subscriptions.values().find(|one| {
        one.topic == input.topic_arn
            && one.protocol == input.protocol
            && one.endpoint == input.endpoint
    });
    if let Some(same) = same {
        if input.attributes.iter().any(|(name, text)| same.attributes.get(name) != Some(text)) {
            return Err(invalid(
                "Attributes Reason: Subscription already exists with different attributes",
            ));
        }
        return Ok(json!({"SubscriptionArn": same.arn}));
    }
    let one = Subscription {
        arn: format!("{}:{}", input.topic_arn, uuid()),
        topic: input.topic_arn.clone(),
        protocol: input.protocol.clone(),
        endpoint: input.endpoint.clone(),
        attributes: input.attributes.clone(),
        // Whoever owns queue and function needs not say so again.
        token: (input.protocol == "http").then(|| uuid().replace('-', "").repeat(4)),
    };
    let shown = if one.is_confirmed() || input.return_subscription_arn {
        one.arn.clone()
    } else {
        "pending confirmation".to_owned()
    };
    state.outbox.created(SUBSCRIPTION, &one.arn);
    state.subscriptions.insert(one.arn.clone(), one.clone());
    drop(state);
    if !one.is_confirmed() {
        deliver::ask_to_confirm(&account, one);
    }
    Ok(json!({"SubscriptionArn": shown}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Confirm {
    topic_arn: String,
    token: String,
}

/// `ConfirmSubscription`
pub(super) fn confirm(context: Context<'_>, input: &Confirm) -> Result<Value, AwsError> {
    let account = place(context, &input.topic_arn);
    let mut state = account.state::<State>();
    state.topic(&input.topic_arn)?;
    let found = state.subscriptions.values_mut().find(|one| {
        one.topic == input.topic_arn && one.token.as_deref() == Some(input.token.as_str())
    });
    let one = found.ok_or_else(|| invalid("Token"))?;
    one.token = None;
    Ok(json!({"SubscriptionArn": one.arn}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfArn {
    subscription_arn: String,
}

/// `Unsubscribe`: one that is not there is gone already.
pub(super) fn unsubscribe(context: Context<'_>, input: &OfArn) -> Result<Value, AwsError> {
    let arn = &input.subscription_arn;
    if arn.splitn(7, ':').count() != 7 {
        return Err(invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"));
    }
    let account = place(context, arn);
    let mut state = account.state::<State>();
    if state.subscriptions.remove(arn).is_some() {
        state.outbox.deleted(SUBSCRIPTION, arn);
    }
    Ok(json!({}))
}

/// `GetSubscriptionAttributes`
pub(super) fn attributes(context: Context<'_>, input: &OfArn) -> Result<Value, AwsError> {
    let account = place(context, &input.subscription_arn);
    let caller = context.caller().arn;
    let state = account.state::<State>();
    let one = state.subscriptions.get(&input.subscription_arn);
    let one = one.ok_or_else(|| not_found("Subscription does not exist"))?;
    let mut shown = one.attributes.clone();
    let mut default = |name: &str, text: &str| {
        shown.entry(name.to_owned()).or_insert_with(|| text.to_owned());
    };
    default("SubscriptionArn", &one.arn);
    default("TopicArn", &one.topic);
    default("Protocol", &one.protocol);
    default("Endpoint", &one.endpoint);
    default("Owner", &account.id);
    default("ConfirmationWasAuthenticated", "true");
    default("PendingConfirmation", if one.is_confirmed() { "false" } else { "true" });
    default("RawMessageDelivery", "false");
    default("SubscriptionPrincipal", &caller);
    if one.attributes.contains_key("FilterPolicy") {
        default("FilterPolicyScope", "MessageAttributes");
    }
    Ok(json!({"Attributes": shown}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetAttribute {
    subscription_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

/// `SetSubscriptionAttributes`
pub(super) fn set_attribute(context: Context<'_>, input: &SetAttribute) -> Result<Value, AwsError> {
    let account = place(context, &input.subscription_arn);
    let mut state = account.state::<State>();
    let one = state.subscriptions.get_mut(&input.subscription_arn);
    let one = one.ok_or_else(|| not_found("Subscription does not exist"))?;
    check_attribute(&input.attribute_name, &input.attribute_value)?;
    if input.attribute_value.is_empty() || input.attribute_value == "{}" {
        one.attributes.remove(&input.attribute_name);
    } else {
        one.attributes.insert(input.attribute_name.clone(), input.attribute_value.clone());
    }
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    topic_arn: Option<String>,
    next_token: Option<String>,
}

/// `ListSubscriptions` and `ListSubscriptionsByTopic`, a hundred on a page.
pub(super) fn list(context: Context<'_>, input: &List) -> Result<Value, AwsError> {
    let account = match &input.topic_arn {
        Some(arn) => place(context, arn),
        None => context.account.clone(),
    };
    let mut state = account.state::<State>();
    if let Some(arn) = &input.topic_arn {
        state.topic(arn)?;
    }
    let mut found = state.subscriptions.values().filter(|one| {
        input.topic_arn.as_ref().is_none_or(|topic| one.topic == *topic)
            && input.next_token.as_ref().is_none_or(|after| one.arn > *after)
    });
    let page: Vec<&Subscription> = found.by_ref().take(100).collect();
    let more = found.next().is_some();
    let shown: Vec<Value> = page.iter().map(|one| one.listed(&account.id)).collect();
    let mut output = json!({"Subscriptions": shown});
    if let (Some(last), true) = (page.last(), more) {
        output["NextToken"] = json!(last.arn);
    }
    Ok(output)
}
