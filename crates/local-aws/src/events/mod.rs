//! `EventBridge`: buses, rules, and what happens when an event or a time is one of theirs.
//!
//! | module | what it is |
//! |---|---|
//! | `buses`, `rules`, `targets`, `tags` | the operations on what there is |
//! | `schedule` | rates and crons, and the task of a rule that has one |
//! | `put` | events come in, and go to the rules that look for them |
//! | `deliver`, `input` | an event goes to a target, as the target wants it |
//! | `resource_types` | what stacks can have of it |

mod buses;
mod deliver;
mod input;
mod put;
mod resource_types;
mod rules;
mod schedule;
mod tags;
mod targets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::buses::Bus;
use self::rules::Rule;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::protocol::AwsError;
use crate::server::Tagged;
use crate::server::modelled::{Model, Modelled, Operation, typed, validation_exception};

pub(crate) use put::publish;

/// What buses and rules are called among the types of resources.
const BUS: &str = "AWS::Events::EventBus";
const RULE: &str = "AWS::Events::Rule";
/// The bus that is always there.
const DEFAULT: &str = "default";

/// Buses by name, and rules by bus and name.
#[derive(Debug, Default)]
pub struct State {
    buses: BTreeMap<String, Bus>,
    rules: BTreeMap<(String, String), Rule>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "events";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// The name of a bus that a request names by name or ARN.
fn bus_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or(DEFAULT);
    given.rsplit_once("event-bus/").map_or(given, |(_, name)| name)
}

impl State {
    fn check_bus(&self, name: &str) -> Result<(), AwsError> {
        if name == DEFAULT || self.buses.contains_key(name) {
            return Ok(());
        }
        Err(no_resource(format!("Event bus {name} does not exist.")))
    }

    fn rule(&mut self, bus: &str, name: &str) -> Result<&mut Rule, AwsError> {
        self.rules
            .get_mut(&(bus.to_owned(), name.to_owned()))
            .ok_or_else(|| no_resource(format!("Rule {name} does not exist on EventBus {bus}.")))
    }
}

fn no_resource(message: String) -> AwsError {
    AwsError::modelled("ResourceNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("ValidationException", message)
}

fn rule_arn(account: &Account, bus: &str, name: &str) -> String {
    let on = if bus == DEFAULT { String::new() } else { format!("{bus}/") };
    format!("arn:aws:events:{}:{}:rule/{on}{name}", account.region, account.id)
}

fn bus_arn(account: &Account, name: &str) -> String {
    format!("arn:aws:events:{}:{}:event-bus/{name}", account.region, account.id)
}

const OPERATIONS: &[Operation] = &[
    Operation::now("CreateEventBus", |context, input| buses::create(context, &typed(input)?)),
    Operation::now("DeleteEventBus", |context, input| buses::delete(context, &typed(input)?)),
    Operation::now("DeleteRule", |context, input| rules::delete(context, &typed(input)?)),
    Operation::now("DescribeEventBus", |context, input| buses::describe(context, &typed(input)?)),
    Operation::now("DescribeRule", |context, input| rules::describe(context, &typed(input)?)),
    Operation::now("DisableRule", |context, input| rules::enable(context, &typed(input)?, false)),
    Operation::now("EnableRule", |context, input| rules::enable(context, &typed(input)?, true)),
    Operation::now("ListEventBuses", |context, input| Ok(buses::list(context, &typed(input)?))),
    Operation::now("ListRuleNamesByTarget", |context, input| {
        targets::rules_of(context, &typed(input)?)
    }),
    Operation::now("ListRules", |context, input| rules::list(context, &typed(input)?)),
    Operation::now("ListTagsForResource", |context, input| tags::list(context, &typed(input)?)),
    Operation::now("ListTargetsByRule", |context, input| targets::list(context, &typed(input)?)),
    Operation::now("PutEvents", |context, input| put::put(context, &typed(input)?)),
    Operation::now("PutRule", |context, input| rules::put(context, typed(input)?)),
    Operation::now("PutTargets", |context, input| targets::put(context, &typed(input)?)),
    Operation::now("RemoveTargets", |context, input| targets::remove(context, &typed(input)?)),
    Operation::now("TagResource", |context, input| tags::tag(context, &typed(input)?)),
    Operation::now("TestEventPattern", |_, input| put::test_pattern(&typed(input)?)),
    Operation::now("UntagResource", |context, input| tags::untag(context, &typed(input)?)),
];

/// `EventBridge`, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "events";
    const MODELS: &'static [Model] = &[Model {
        name: "events",
        operations: OPERATIONS,
        invalid: validation_exception,
        query_codes: &[],
    }];

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let state = account.state::<State>();
        let buses = state
            .buses
            .iter()
            .map(|(name, bus)| Tagged { arn: bus_arn(account, name), tags: bus.tags.clone() });
        let rules = state.rules.iter().map(|((bus, name), rule)| Tagged {
            arn: rule_arn(account, bus, name),
            tags: rule.tags.clone(),
        });
        buses.chain(rules).collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let state = account.state::<State>();
        let buses = state.buses.iter().map(|(name, bus)| {
            (format!("event-bus/{name}"), json!({"description": bus.description, "tags": bus.tags}))
        });
        let rules = state
            .rules
            .iter()
            .map(|((bus, name), rule)| (format!("rule/{bus}/{name}"), rule.snapshot()));
        Value::Object(buses.chain(rules).collect::<Map<_, _>>())
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::bus::TYPE, &resource_types::rule::TYPE]
    }
}
