//! Events come in, and go to the rules that look for them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEFAULT, State, bus_name, deliver, rule_arn};
use crate::account::Account;
use crate::event_pattern::EventPattern;
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601;
use crate::server::modelled::Context;

const LARGEST: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    time: Option<Value>,
    source: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
    trace_header: Option<String>,
}

impl Entry {
    fn size(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail, &self.trace_header];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        texts + self.resources.iter().map(String::len).sum::<usize>()
    }

    /// The event that it is, or the code and the words of what is wrong with it.
    fn event(&self, context: Context<'_>) -> Result<Value, (&'static str, String)> {
        let required = |name: &str, given: &Option<String>| {
            given.clone().filter(|text| !text.is_empty()).ok_or_else(|| {
                let message = format!(
                    "Parameter {name} is not valid. Reason: {name} is a required argument."
                );
                ("InvalidArgument", message)
            })
        };
        let source = required("Source", &self.source)?;
        let kind = required("DetailType", &self.detail_type)?;
        let detail = required("Detail", &self.detail)?;
        if source.starts_with("aws.") {
            return Err((
                "NotAuthorizedForSourceException",
                "Not authorized for the source.".to_owned(),
            ));
        }
        let detail = serde_json::from_str::<Value>(&detail).ok().filter(Value::is_object);
        let detail =
            detail.ok_or_else(|| ("MalformedDetail", "Detail is malformed.".to_owned()))?;
        let time = self.time.as_ref().and_then(|time| aws_model::wire::parse_timestamp(time).ok());
        let time =
            time.map_or_else(|| iso8601(context.now()), |_| told(self.time.as_ref(), context));
        Ok(json!({
            "version": "0",
            "id": uuid(),
            "detail-type": kind,
            "source": source,
            "account": context.account.id,
            "time": time,
            "region": context.account.region,
            "resources": self.resources,
            "detail": detail,
        }))
    }
}

/// The time that an entry tells, to the second.
fn told(time: Option<&Value>, context: Context<'_>) -> String {
    let text = time.and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    text.map_or_else(|| iso8601(context.now()), |time| iso8601(time.into()))
}

/// `PutEvents`
pub(super) fn put(context: Context<'_>, input: &Put) -> Result<Value, AwsError> {
    let size: usize = input.entries.iter().map(Entry::size).sum();
    if size > LARGEST {
        return Err(super::invalid(format!(
            "Total size of the entries in the request is over the limit: {size} bytes."
        )));
    }
    let mut failed = 0;
    let mut shown = Vec::new();
    for entry in &input.entries {
        let bus = bus_name(entry.event_bus_name.as_deref());
        let is_there = context.account.state::<State>().check_bus(bus);
        match entry.event(context) {
            Ok(event) => {
                shown.push(json!({"EventId": event["id"]}));
                // AWS takes what goes to a bus that is not there, and lets it go.
                if is_there.is_ok() {
                    route(context.account, bus, &event);
                }
            }
            Err((code, message)) => {
                failed += 1;
                shown.push(json!({"ErrorCode": code, "ErrorMessage": message}));
            }
        }
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": shown}))
}

/// An event of a service of this AWS, on the default bus.
pub(crate) fn publish(
    account: &Account,
    source: &str,
    kind: &str,
    resources: &[String],
    detail: &Value,
) {
    let event = json!({
        "version": "0",
        "id": uuid(),
        "detail-type": kind,
        "source": source,
        "account": account.id,
        "time": iso8601(account.now()),
        "region": account.region,
        "resources": resources,
        "detail": detail,
    });
    route(account, DEFAULT, &event);
}

/// Brings an event to the targets of every rule of a bus that looks for it.
pub(super) fn route(account: &Account, bus: &str, event: &Value) {
    let found: Vec<(String, Value)> = {
        let state = account.state::<State>();
        let wanted = state.rules.iter().filter(|((own, _), rule)| {
            own == bus
                && rule.is_enabled
                && rule.pattern.as_ref().is_some_and(|(_, pattern)| pattern.matches(event))
        });
        let targets = wanted.flat_map(|((bus, name), rule)| {
            let arn = rule_arn(account, bus, name);
            rule.targets.values().map(move |target| (arn.clone(), target.clone()))
        });
        targets.collect()
    };
    for (rule, target) in found {
        deliver::start(account, rule, target, event.clone());
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TestPattern {
    event_pattern: String,
    event: String,
}

/// `TestEventPattern`
pub(super) fn test_pattern(input: &TestPattern) -> Result<Value, AwsError> {
    let refused = |message| AwsError::modelled("InvalidEventPatternException", message);
    let pattern = EventPattern::parse(&input.event_pattern).map_err(refused)?;
    let event: Value = serde_json::from_str(&input.event)
        .map_err(|_| super::invalid("Parameter Event is not valid."))?;
    let needed = ["id", "account", "source", "time", "region", "resources", "detail-type"];
    if let Some(name) = needed.iter().find(|name| event.get(**name).is_none()) {
        return Err(super::invalid(format!(
            "Parameter Event is not valid. Reason: {name} is missing."
        )));
    }
    Ok(json!({"Result": pattern.matches(&event)}))
}
