//! Messages of a topic. <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::setting::{Made, Patch, Setting, Time, text, with_millis};
use engine::step::StepError;

/// Messages of an SNS topic. Their signatures are made up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The messages; SNS hands a function one at a time.
    records: Vec<Record>,
    /// The topic's name.
    #[serde(default = "topic")]
    topic: String,
    /// The ARN of the function's subscription; made from the topic's when left out.
    subscription_arn: Option<String>,
}

fn topic() -> String {
    "my-topic".to_owned()
}

/// A message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// What it says: text as it is, anything else as JSON.
    message: Value,
    /// What it is about.
    subject: Option<String>,
    /// Its id; made from the message and its place when left out.
    message_id: Option<String>,
    /// When it was published.
    time: Option<Time>,
    /// Its attributes, by name.
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    /// What the record is to have beside or otherwise, as a merge patch: null removes.
    #[serde(default)]
    patch: Patch,
}

/// An attribute of a message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attribute {
    /// `String`, `String.Array`, `Number` or `Binary`.
    #[serde(default = "string", rename = "type")]
    kind: String,
    /// Its value; that of binary data in base64.
    value: String,
}

fn string() -> String {
    "String".to_owned()
}

impl super::Source for Given {
    fn event(self, setting: &Setting) -> Result<Made, StepError> {
        let arn = setting.arn("sns", &self.topic);
        let subscription = self.subscription_arn.unwrap_or_else(|| {
            let id = setting.derived(&[&arn], "Records[0].EventSubscriptionArn", |it| it.uuid());
            format!("{arn}:{id}")
        });
        let mut identifiers = Vec::new();
        let mut records = Vec::new();
        for (at, record) in self.records.into_iter().enumerate() {
            let (id, record) = message(setting, record, at, &arn, &subscription);
            identifiers.push(id);
            records.push(record);
        }
        Ok(Made { event: json!({"Records": records}), identifiers })
    }
}

fn message(
    setting: &Setting,
    record: Record,
    at: usize,
    arn: &str,
    subscription: &str,
) -> (String, Value) {
    let message = text(&record.message);
    let field = |name: &str| format!("Records[{at}].Sns.{name}");
    let seed = [arn, &at.to_string(), &message];
    let id = record
        .message_id
        .unwrap_or_else(|| setting.derived(&seed, &field("MessageId"), |it| it.uuid()));
    let signature = setting.derived(&[&id, &message], &field("Signature"), |it| it.base64());
    let host = format!("https://sns.{}.amazonaws.com/", setting.region);
    let attributes: Value = record
        .message_attributes
        .iter()
        .map(|(name, it)| (name.clone(), json!({"Type": it.kind, "Value": it.value})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let whole = json!({
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": with_millis(setting.time(record.time)),
            "Signature": signature,
            "SigningCertUrl": format!("{host}SimpleNotificationService-00000000000000000000000000000000.pem"),
            "MessageId": id,
            "Message": message,
            "MessageAttributes": attributes,
            "Type": "Notification",
            "UnsubscribeUrl": format!("{host}?Action=Unsubscribe&SubscriptionArn={subscription}"),
            "TopicArn": arn,
            "Subject": record.subject,
        },
    });
    (id, record.patch.apply(whole))
}
