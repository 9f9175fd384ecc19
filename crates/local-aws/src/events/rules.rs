//! Rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::schedule::{self, Schedule};
use super::tags::Tag;
use super::{RULE, State, bus_name, invalid, rule_arn};
use crate::event_pattern::EventPattern;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) description: Option<String>,
    pub(super) pattern: Option<(String, EventPattern)>,
    pub(super) schedule: Option<(String, Schedule)>,
    pub(super) is_enabled: bool,
    pub(super) role: Option<String>,
    /// By identifier, as they were put.
    pub(super) targets: BTreeMap<String, Value>,
    pub(super) tags: BTreeMap<String, String>,
    /// Tells the task of its schedule that it has changed; the task ends with it.
    pub(super) changes: watch::Sender<u64>,
}

impl Rule {
    pub(super) fn snapshot(&self) -> Value {
        json!({
            "description": self.description,
            "pattern": self.pattern.as_ref().map(|(text, _)| text),
            "schedule": self.schedule.as_ref().map(|(text, _)| text),
            "enabled": self.is_enabled,
            "role": self.role,
            "targets": self.targets,
            "tags": self.tags,
        })
    }

    fn shown(&self, bus: &str, name: &str, context: Context<'_>) -> Value {
        let mut shown = json!({
            "Name": name,
            "Arn": rule_arn(context.account, bus, name),
            "State": if self.is_enabled { "ENABLED" } else { "DISABLED" },
            "EventBusName": bus,
        });
        for (member, value) in [
            ("Description", self.description.as_ref()),
            ("EventPattern", self.pattern.as_ref().map(|(text, _)| text)),
            ("ScheduleExpression", self.schedule.as_ref().map(|(text, _)| text)),
            ("RoleArn", self.role.as_ref()),
        ] {
            if let Some(value) = value {
                shown[member] = json!(value);
            }
        }
        shown
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    name: String,
    event_bus_name: Option<String>,
    event_pattern: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn put(context: Context<'_>, input: Put) -> Result<Value, AwsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    let name = input.name;
    let pattern = input.event_pattern.filter(|text| !text.is_empty());
    let pattern = pattern.map(|text| match EventPattern::parse(&text) {
        Ok(read) => Ok((text, read)),
        Err(message) => Err(AwsError::modelled("InvalidEventPatternException", message)),
    });
    let pattern = pattern.transpose()?;
    let schedule = input.schedule_expression.filter(|text| !text.is_empty());
    let schedule = schedule.map(|text| match Schedule::parse(&text) {
        Some(read) => Ok((text, read)),
        None => Err(invalid("Parameter ScheduleExpression is not valid.")),
    });
    let schedule = schedule.transpose()?;
    if pattern.is_none() && schedule.is_none() {
        return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    if schedule.is_some() && bus != super::DEFAULT {
        return Err(invalid("ScheduleExpression is supported only on the default event bus."));
    }
    let mut state = context.account.state::<State>();
    state.check_bus(&bus)?;
    let key = (bus.clone(), name.clone());
    let is_enabled = input.state.as_deref() != Some("DISABLED");
    let has_schedule = schedule.is_some();
    if let Some(rule) = state.rules.get_mut(&key) {
        rule.description = input.description;
        rule.pattern = pattern;
        rule.schedule = schedule;
        rule.is_enabled = is_enabled;
        rule.role = input.role_arn;
        rule.changes.send_modify(|count| *count += 1);
    } else {
        let rule = Rule {
            description: input.description,
            pattern,
            schedule,
            is_enabled,
            role: input.role_arn,
            targets: BTreeMap::new(),
            tags: input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            changes: watch::Sender::new(0),
        };
        state.rules.insert(key.clone(), rule);
        state.outbox.created(RULE, format!("{bus}/{name}"));
    }
    let is_watched = state.rules.get(&key).is_some_and(|rule| rule.changes.receiver_count() > 0);
    drop(state);
    if has_schedule && !is_watched {
        schedule::start(context.account, key);
    }
    Ok(json!({"RuleArn": rule_arn(context.account, &bus, &name)}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfName {
    name: String,
    event_bus_name: Option<String>,
}

pub(super) fn delete(context: Context<'_>, input: &OfName) -> Result<Value, AwsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    let key = (bus.to_owned(), input.name.clone());
    if state.rules.get(&key).is_some_and(|rule| !rule.targets.is_empty()) {
        return Err(invalid("Rule can't be deleted since it has targets."));
    }
    if state.rules.remove(&key).is_some() {
        state.outbox.deleted(RULE, format!("{bus}/{}", input.name));
    }
    Ok(json!({}))
}

pub(super) fn describe(context: Context<'_>, input: &OfName) -> Result<Value, AwsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    let mut shown = state.rule(bus, &input.name)?.shown(bus, &input.name, context);
    shown["CreatedBy"] = json!(context.account.id);
    Ok(shown)
}

pub(super) fn enable(
    context: Context<'_>,
    input: &OfName,
    is_enabled: bool,
) -> Result<Value, AwsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    let mut state = context.account.state::<State>();
    state.check_bus(bus)?;
    let rule = state.rule(bus, &input.name)?;
    rule.is_enabled = is_enabled;
    rule.changes.send_modify(|count| *count += 1);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn list(context: Context<'_>, input: &List) -> Result<Value, AwsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    let state = context.account.state::<State>();
    state.check_bus(bus)?;
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let mut found = state.rules.iter().filter(|((own, name), _)| {
        own == bus
            && name.starts_with(prefix)
            && input.next_token.as_ref().is_none_or(|after| name > after)
    });
    let page: Vec<_> = found.by_ref().take(input.limit.unwrap_or(100)).collect();
    let rules: Vec<Value> =
        page.iter().map(|((bus, name), rule)| rule.shown(bus, name, context)).collect();
    let mut output = json!({"Rules": rules});
    if let (Some(((_, last), _)), true) = (page.last(), found.next().is_some()) {
        output["NextToken"] = json!(last);
    }
    Ok(output)
}
