//! What the journal holds of a call: all that taking it back takes, and all that proves whose it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use engine::aws::model::{Filling, Root, Undo};
use engine::aws::model::{Found, Kind};
use engine::step::{Context, OperationKeys, StepError};

use super::within::is_within_own;

/// What the journal holds before the call is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Made {
    /// Such as `sqs:CreateQueue`.
    pub(super) operation: String,
    /// What of the input identifies what it makes.
    pub(super) known: Map<String, Value>,
    /// Whether it bears the run's tag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) tagged: bool,
    /// Whether it lies within something that the run has made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) within: bool,
    /// The token that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// The playbook's own undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undo: Option<UndoCall>,
}

/// The playbook's own undo: as far as it is known, what is not known of it marked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UndoCall {
    pub(super) operation: String,
    pub(super) input: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wait: Option<WaitCall>,
}

/// A waiter, with its input where it is said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WaitCall {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Value>,
}

/// What is known once the call has returned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Ids {
    /// The input of what takes it back.
    pub(super) undo: Option<Value>,
    /// The input of what looks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<Value>,
    /// The playbook's own undo, with its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own: Option<UndoCall>,
    /// Its ARN, where the reply tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) arn: Option<String>,
}

/// Operations that succeed although there is something of that name already, and make nothing then.
const REPEATABLE: &[&str] = &[
    "ecs:CreateCluster",
    "elbv2:CreateLoadBalancer",
    "elbv2:CreateTargetGroup",
    "elb:CreateLoadBalancer",
    "iot:CreateThing",
    "s3:CreateBucket",
    "sns:CreatePlatformApplication",
    "sns:CreatePlatformEndpoint",
    "sns:CreateTopic",
    "sqs:CreateQueue",
    "stepfunctions:CreateActivity",
    "stepfunctions:CreateStateMachine",
];

/// A member beyond this length identifies nothing.
const LONGEST: usize = 512;

impl Made {
    pub(super) fn of(
        cx: &Context,
        found: &Found,
        input: &Map<String, Value>,
        (tagged, token): (bool, Option<String>),
    ) -> Result<Self, StepError> {
        let undo = match cx.keys.as_deref() {
            Some(keys) => own_undo(keys, None)?,
            None => None,
        };
        let operation = format!("{}:{}", found.service.name, found.operation.name);
        let within = is_within_own(cx, found, input);
        Ok(Self { operation, known: known(found, input), tagged, within, token, undo })
    }

    /// The name that a person knows it by.
    pub(super) fn name(&self, found: &Found) -> Option<&str> {
        let noun = noun(found.operation.name).to_ascii_lowercase();
        let texts = || self.known.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let plain = |name: &str| name.to_ascii_lowercase();
        let own = texts().find(|(name, _)| {
            let name = plain(name);
            let rest = name.strip_prefix(&noun).unwrap_or(&name);
            name == noun || matches!(rest, "name" | "identifier" | "id" | "key")
        });
        let any = || {
            texts().find(|(name, _)| {
                let name = plain(name);
                ["name", "identifier", "bucket", "id"].iter().any(|end| name.ends_with(end))
            })
        };
        own.or_else(any).map(|(_, text)| text)
    }

    pub(super) fn label(&self, found: &Found) -> String {
        let other = || self.known.values().find_map(Value::as_str);
        let name = self.name(found).or_else(other).unwrap_or(found.operation.name);
        name.to_owned()
    }

    /// Whether its own name holds the run's id, so that nobody else gives it.
    pub(super) fn is_named_after(&self, cx: &Context) -> bool {
        let identifies = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["name", "identifier", "id", "bucket", "key", "arn", "url", "rule"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        let holds = |(name, value): (&String, &Value)| {
            identifies(name) && value.as_str().is_some_and(|text| text.contains(&cx.run.id))
        };
        self.known.iter().any(holds)
    }

    /// Whether the operation succeeds, and makes nothing, where there is something of that name already.
    pub(super) fn may_be_there_before(&self) -> bool {
        REPEATABLE.contains(&self.operation.as_str())
    }

    /// Whether a request that arrives twice makes two, of which a reply tells one.
    pub(super) fn is_another_each_time(&self, found: &Found) -> bool {
        let is_known_before = found.operation.undo.as_ref().is_some_and(Undo::is_known_before);
        !is_known_before && self.token.is_none() && !self.may_be_there_before()
    }

    /// The input as far as the journal has it.
    pub(super) fn given(&self) -> Value {
        Value::Object(self.known.clone())
    }
}

/// The playbook's own undo; without a result as far as it is known.
pub(super) fn own_undo(
    keys: &OperationKeys,
    result: Option<&Value>,
) -> Result<Option<UndoCall>, StepError> {
    let Some(undo) = &keys.undo else { return Ok(None) };
    let wait = match &undo.wait {
        Some(wait) => Some(WaitCall {
            name: wait.name.clone(),
            input: wait.input.as_ref().map(|input| input.render(result)).transpose()?,
        }),
        None => None,
    };
    let operation = undo.operation.to_owned();
    Ok(Some(UndoCall { operation, input: undo.input.render(result)?, wait }))
}

/// What of an input may be asked for later: short texts that are no secret, and what the undo table reads.
fn known(found: &Found, input: &Map<String, Value>) -> Map<String, Value> {
    let undo = found.operation.undo.as_ref();
    let read = undo.and_then(|undo| undo.read.as_ref());
    let fillings = undo
        .into_iter()
        .flat_map(|undo| undo.with.iter().chain(&undo.optional))
        .chain(read.into_iter().flat_map(|read| read.with.iter().chain(&read.optional)));
    let mut asked: Vec<&str> = Vec::new();
    for (_, filling) in fillings {
        let Filling::From(places) = filling else { continue };
        let of_input = places.iter().filter(|place| place.root == Root::Input);
        asked.extend(of_input.filter_map(|place| place.path.split(['.', '[']).next()));
    }
    let members = found.service.input_of(found.operation);
    let mut known = Map::new();
    for member in members {
        let Some(value) = input.get(member.name) else { continue };
        let is_short = value.as_str().is_some_and(|text| text.len() <= LONGEST);
        let is_text = matches!(found.service.shape_of(member).kind, Kind::String);
        let plain = is_text && is_short && !member.traits.sensitive;
        if asked.contains(&member.name) || plain {
            known.insert(member.name.to_owned(), value.clone());
        }
    }
    known
}

/// What an operation makes: `CreateQueue` makes a `Queue`.
pub(super) fn noun(operation: &str) -> &str {
    let verbs =
        ["Create", "Put", "Register", "Allocate", "Run", "Import", "Add", "Publish", "Request"];
    verbs.iter().find_map(|verb| operation.strip_prefix(verb)).unwrap_or(operation)
}

impl Ids {
    /// What a reply tells.
    pub(super) fn of(
        cx: &Context,
        found: &Found,
        input: &Map<String, Value>,
        output: &Value,
    ) -> Result<Self, StepError> {
        let given = Value::Object(input.clone());
        let undo = found.operation.undo.as_ref();
        let read = undo.and_then(|undo| undo.read.as_ref());
        let own = match cx.keys.as_deref() {
            Some(keys) => own_undo(keys, Some(output))?,
            None => None,
        };
        Ok(Self {
            undo: undo.and_then(|undo| undo.input(&given, Some(output))).map(Value::Object),
            read: read.and_then(|read| read.input(&given, Some(output))).map(Value::Object),
            own,
            arn: arn_in(output),
        })
    }
}

/// The first ARN in an answer.
pub(super) fn arn_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.starts_with("arn:").then(|| text.clone()),
        Value::Array(items) => items.iter().find_map(arn_in),
        Value::Object(map) => {
            let named = map.iter().find(|(name, value)| {
                name.to_ascii_lowercase().ends_with("arn")
                    && value.as_str().is_some_and(|text| text.starts_with("arn:"))
            });
            match named {
                Some((_, value)) => value.as_str().map(str::to_owned),
                None => map.values().filter(|value| !value.is_string()).find_map(arn_in),
            }
        }
        _ => None,
    }
}
