//! A message goes out: to queues, functions and HTTP endpoints of this machine.

use std::time::{Duration, SystemTime};

use hyper::Method;
use serde_json::{Map, Value, json};

use super::subscriptions::Subscription;
use super::{State, http};
use crate::account::Account;
use crate::account::client::{Call, Caller, Client, ServiceCaller};
use crate::event_pattern::EventPattern;
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::sqs;

const PRINCIPAL: &str = "sns.amazonaws.com";
/// What AWS waits before an endpoint is called again, and how often it is.
const PAUSE: Duration = Duration::from_secs(20);
const TRIES: usize = 4;

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) topic: String,
    /// What each protocol is told.
    pub(super) bodies: Map<String, Value>,
    pub(super) subject: Option<String>,
    pub(super) attributes: Map<String, Value>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) sequence: Option<String>,
    pub(super) is_fifo: bool,
    pub(super) at: SystemTime,
}

impl Message {
    fn body(&self, protocol: &str) -> &str {
        let own = self.bodies.get(protocol).and_then(Value::as_str);
        own.or_else(|| self.bodies.get("default").and_then(Value::as_str)).unwrap_or_default()
    }

    /// Attributes as they are told with the message.
    fn told(&self) -> Map<String, Value> {
        let told = self.attributes.iter().map(|(name, attribute)| {
            let value = attribute.get("StringValue").or_else(|| attribute.get("BinaryValue"));
            (name.clone(), json!({"Type": attribute["DataType"], "Value": value}))
        });
        told.collect()
    }

    /// What goes to queues and HTTP endpoints that want all of it.
    fn envelope(&self, subscription: &Subscription, endpoint_url: &str) -> Value {
        let mut shown = json!({
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic,
            "Message": self.body(&subscription.protocol),
            "Timestamp": iso8601_zulu(self.at),
            "UnsubscribeURL": unsubscribe_url(endpoint_url, subscription),
        });
        if let Some(sequence) = &self.sequence {
            shown["SequenceNumber"] = json!(sequence);
        } else {
            shown["SignatureVersion"] = json!("1");
            shown["Signature"] = json!("EXAMPLE");
            shown["SigningCertURL"] = json!(certificate_url(endpoint_url));
        }
        if let Some(subject) = &self.subject {
            shown["Subject"] = json!(subject);
        }
        if !self.attributes.is_empty() {
            shown["MessageAttributes"] = Value::Object(self.told());
        }
        shown
    }

    /// What functions get.
    fn event(&self, subscription: &Subscription, endpoint_url: &str) -> Value {
        json!({"Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": self.topic,
                "Subject": self.subject,
                "Message": self.body("lambda"),
                "Timestamp": iso8601_zulu(self.at),
                "SignatureVersion": "1",
                "Signature": "EXAMPLE",
                "SigningCertUrl": certificate_url(endpoint_url),
                "UnsubscribeUrl": unsubscribe_url(endpoint_url, subscription),
                "MessageAttributes": self.told(),
            },
        }]})
    }

    /// Whether a subscription wants it.
    fn is_wanted(&self, subscription: &Subscription) -> bool {
        let policy = subscription.attributes.get("FilterPolicy");
        let policy = policy.and_then(|policy| EventPattern::parse(policy).ok());
        let Some(policy) = policy else { return true };
        let scope = subscription.attributes.get("FilterPolicyScope").map(String::as_str);
        if scope == Some("MessageBody") {
            let body = serde_json::from_str::<Value>(self.body(&subscription.protocol));
            return body.is_ok_and(|body| policy.matches(&body));
        }
        let values = self.attributes.iter().map(|(name, attribute)| {
            let text = attribute["StringValue"].as_str().unwrap_or_default();
            let value = match attribute["DataType"].as_str().unwrap_or_default() {
                "String.Array" => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
                kind if kind.starts_with("Number") => {
                    text.trim().parse::<f64>().map_or_else(|_| json!(text), Value::from)
                }
                _ => json!(text),
            };
            (name.clone(), value)
        });
        policy.matches(&Value::Object(values.collect()))
    }
}

fn unsubscribe_url(endpoint_url: &str, subscription: &Subscription) -> String {
    format!("{endpoint_url}/?Action=Unsubscribe&SubscriptionArn={}", subscription.arn)
}

fn certificate_url(endpoint_url: &str) -> String {
    format!("{endpoint_url}/SimpleNotificationService.pem")
}

fn client(account: &Account, topic: &str) -> Client {
    account.client(Caller::Service(ServiceCaller {
        principal: PRINCIPAL.to_owned(),
        source_arn: topic.to_owned(),
        source_account: account.id.clone(),
    }))
}

/// Brings a message to everybody who wants it. Queues and functions have it when this returns, in the order in which
/// messages are published; HTTP endpoints get it when they take it.
pub(super) async fn deliver(account: &Account, message: Message) {
    let subscriptions: Vec<Subscription> = {
        let state = account.state::<State>();
        let own = state.subscriptions.values().filter(|one| {
            one.topic == message.topic && one.is_confirmed() && message.is_wanted(one)
        });
        own.cloned().collect()
    };
    for subscription in subscriptions {
        if subscription.protocol == "http" {
            let (account, message) = (account.clone(), message.clone());
            account.clone().spawn(async move { post(&account, &message, &subscription).await });
            continue;
        }
        let outcome = match subscription.protocol.as_str() {
            "sqs" => to_queue(account, &message, &subscription).await,
            _ => to_function(account, &message, &subscription).await,
        };
        if outcome.is_err() {
            give_up(account, &message, &subscription).await;
        }
    }
}

async fn to_queue(
    account: &Account,
    message: &Message,
    subscription: &Subscription,
) -> Result<(), AwsError> {
    let is_raw = subscription.is("RawMessageDelivery");
    let body = if is_raw {
        message.body("sqs").to_owned()
    } else {
        message.envelope(subscription, account.endpoint_url()).to_string()
    };
    let mut input = json!({
        "QueueUrl": sqs::deliver::url_of(account, &subscription.endpoint),
        "MessageBody": body,
    });
    if is_raw && !message.attributes.is_empty() {
        input["MessageAttributes"] = Value::Object(message.attributes.clone());
    }
    if message.is_fifo && sqs::deliver::is_fifo(&subscription.endpoint) {
        input["MessageGroupId"] = json!(message.group);
        input["MessageDeduplicationId"] = json!(message.deduplication);
    }
    client(account, &message.topic).operation("sqs:SendMessage", &input).await.map(drop)
}

async fn to_function(
    account: &Account,
    message: &Message,
    subscription: &Subscription,
) -> Result<(), AwsError> {
    let event = message.event(subscription, account.endpoint_url());
    let path = ["2015-03-31", "functions", &subscription.endpoint, "invocations"];
    let call =
        Call::rest(Method::POST, &path, Some(&event)).with_header("X-Amz-Invocation-Type", "Event");
    client(account, &message.topic).call("lambda", call).await.map(drop)
}

async fn post(account: &Account, message: &Message, subscription: &Subscription) {
    let is_raw = subscription.is("RawMessageDelivery");
    let body = if is_raw {
        message.body("http").to_owned()
    } else {
        message.envelope(subscription, account.endpoint_url()).to_string()
    };
    let headers = [
        ("x-amz-sns-message-type", "Notification"),
        ("x-amz-sns-message-id", &message.id),
        ("x-amz-sns-topic-arn", &message.topic),
        ("x-amz-sns-subscription-arn", &subscription.arn),
        ("x-amz-sns-rawdelivery", if is_raw { "true" } else { "false" }),
    ];
    if !again_and_again(account, &subscription.endpoint, &headers, &body).await {
        give_up(account, message, subscription).await;
    }
}

async fn again_and_again(
    account: &Account,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> bool {
    let mut poller = account.poller(TRIES, PAUSE);
    while poller.again().await {
        if http::post(url, headers, body).await.is_ok_and(|status| (200..300).contains(&status)) {
            return true;
        }
    }
    false
}

/// What could not be delivered goes to the subscription's dead-letter queue, where it has one.
async fn give_up(account: &Account, message: &Message, subscription: &Subscription) {
    let policy = subscription.attributes.get("RedrivePolicy");
    let policy = policy.and_then(|policy| serde_json::from_str::<Value>(policy).ok());
    let target =
        policy.and_then(|policy| policy["deadLetterTargetArn"].as_str().map(str::to_owned));
    if let Some(target) = target {
        let dead =
            Subscription { endpoint: target, protocol: "sqs".to_owned(), ..subscription.clone() };
        // Where that is refused as well, nobody gets it, as on AWS.
        let _ = to_queue(account, message, &dead).await;
    }
}

/// Asks an endpoint whether it wants what it was subscribed to.
pub(super) fn ask_to_confirm(account: &Account, subscription: Subscription) {
    let at = account.clone();
    account.spawn(async move {
        let token = subscription.token.clone().unwrap_or_default();
        let id = uuid();
        let topic = &subscription.topic;
        let url = at.endpoint_url();
        let body = json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": id,
            "Token": token,
            "TopicArn": topic,
            "Message": format!(
                "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
            ),
            "SubscribeURL": format!("{url}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"),
            "Timestamp": iso8601_zulu(at.now()),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": certificate_url(url),
        });
        let headers = [
            ("x-amz-sns-message-type", "SubscriptionConfirmation"),
            ("x-amz-sns-message-id", &id),
            ("x-amz-sns-topic-arn", topic),
        ];
        again_and_again(&at, &subscription.endpoint, &headers, &body.to_string()).await
    });
}
