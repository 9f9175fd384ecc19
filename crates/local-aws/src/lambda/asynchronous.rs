//! Asynchronous invocation: tried again, given up, told to whoever wants to know.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{invalid, not_found};
use super::invoke::Invocation;
use super::names::{LATEST, Target};
use super::{Lambda, State as Functions, destinations};
use crate::account;
use crate::protocol::AwsError;
use crate::protocol::timestamp::iso8601_zulu;
use crate::server::modelled::{Context, Operation, typed};

/// How long AWS waits before each of the two retries.
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// What AWS waits where a function has no room, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_mins(5);
const OLDEST: u64 = 21_600;

/// A function and a qualifier; none for the latest version.
type Key = (String, Option<String>);

/// What was said about the asynchronous invocation of functions.
#[derive(Debug, Default)]
pub struct State {
    configurations: BTreeMap<Key, Configuration>,
}

impl account::State for State {
    const SERVICE: &'static str = "lambda";
}

#[derive(Debug, Clone, PartialEq)]
struct Configuration {
    retries: Option<u32>,
    age: Option<u64>,
    on_success: Option<String>,
    on_failure: Option<String>,
    modified: SystemTime,
}

impl State {
    /// What is said of a function that is gone is forgotten with it.
    pub(super) fn forget(&mut self, function: &str, qualifier: Option<&str>) {
        self.configurations.retain(|(name, own), _| {
            name != function || qualifier.is_some() && own.as_deref() != qualifier
        });
    }

    /// What was said about a function.
    pub(super) fn snapshot(&self, function: &str) -> Option<Value> {
        let own = self.configurations.iter().filter(|((name, _), _)| name == function);
        let own: BTreeMap<&str, Value> = own
            .map(|((_, qualifier), one)| (qualifier.as_deref().unwrap_or(LATEST), one.settings()))
            .collect();
        (!own.is_empty()).then(|| json!(own))
    }
}

impl Configuration {
    fn settings(&self) -> Value {
        let target = |arn: &Option<String>| match arn {
            Some(arn) => json!({"Destination": arn}),
            None => json!({}),
        };
        let mut shown = json!({
            "DestinationConfig": {
                "OnSuccess": target(&self.on_success),
                "OnFailure": target(&self.on_failure),
            },
        });
        if let Some(retries) = self.retries {
            shown["MaximumRetryAttempts"] = json!(retries);
        }
        if let Some(age) = self.age {
            shown["MaximumEventAgeInSeconds"] = json!(age);
        }
        shown
    }

    fn shown(&self, arn: &str) -> Value {
        let mut shown = self.settings();
        shown["FunctionArn"] = json!(arn);
        let modified = self.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        shown["LastModified"] = json!(modified.as_secs_f64());
        shown
    }
}

pub(super) const OPERATIONS: [Operation; 5] = [
    Operation::now("DeleteFunctionEventInvokeConfig", |context, input| {
        delete(context, &typed(input)?)
    }),
    Operation::now("GetFunctionEventInvokeConfig", |context, input| get(context, &typed(input)?)),
    Operation::now("ListFunctionEventInvokeConfigs", |context, input| {
        list(context, &typed(input)?)
    }),
    Operation::now("PutFunctionEventInvokeConfig", |context, input| {
        put(context, &typed(input)?, true)
    }),
    Operation::now("UpdateFunctionEventInvokeConfig", |context, input| {
        put(context, &typed(input)?, false)
    }),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    function_name: String,
    qualifier: Option<String>,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u64>,
    destination_config: Option<Value>,
}

impl Request {
    /// The function, its key here, and its ARN as it is shown.
    fn target(&self, lambda: &Lambda) -> Result<(Target, Key, String), AwsError> {
        let target = Target::parse(&self.function_name, self.qualifier.as_deref(), lambda.place())?;
        let qualifier = target.qualifier.clone().filter(|qualifier| qualifier != LATEST);
        let shown = qualifier.as_deref().unwrap_or(LATEST);
        let arn = lambda.place().function_arn(&target.name, Some(shown));
        lambda.account.state::<Functions>().find(&target, &arn)?;
        let key = (target.name.clone(), qualifier);
        Ok((target, key, arn))
    }
}

fn nothing(arn: &str) -> AwsError {
    not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn put(context: Context<'_>, request: &Request, anew: bool) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let (target, key, arn) = request.target(&lambda)?;
    let role = {
        let functions = context.account.state::<Functions>();
        functions.find(&target, &arn)?.1.configuration.role.clone()
    };
    let before = context.account.state::<State>().configurations.get(&key).cloned();
    let empty = Configuration {
        retries: None,
        age: None,
        on_success: None,
        on_failure: None,
        modified: context.now(),
    };
    let mut next = if anew { empty } else { before.ok_or_else(|| nothing(&arn))? };
    if anew
        && request.maximum_retry_attempts.is_none()
        && request.maximum_event_age_in_seconds.is_none()
        && request.destination_config.is_none()
    {
        return Err(invalid(
            "You must specify at least one of error handling or destination setting.",
        ));
    }
    next.retries = request.maximum_retry_attempts.or(next.retries);
    next.age = request.maximum_event_age_in_seconds.or(next.age);
    next.modified = context.now();
    if let Some(given) = &request.destination_config {
        let read = |member: &str| {
            let arn = given[member]["Destination"].as_str();
            arn.filter(|arn| !arn.is_empty()).map(str::to_owned)
        };
        (next.on_success, next.on_failure) = (read("OnSuccess"), read("OnFailure"));
    }
    for destination in [&next.on_success, &next.on_failure].into_iter().flatten() {
        destinations::check(&lambda, &role, destination)?;
    }
    let shown = next.shown(&arn);
    context.account.state::<State>().configurations.insert(key, next);
    Ok(shown)
}

fn get(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let (_, key, arn) = request.target(&Lambda::of(context.account))?;
    let state = context.account.state::<State>();
    state.configurations.get(&key).map(|one| one.shown(&arn)).ok_or_else(|| nothing(&arn))
}

fn delete(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let (_, key, arn) = request.target(&Lambda::of(context.account))?;
    let removed = context.account.state::<State>().configurations.remove(&key);
    removed.map(|_| json!({})).ok_or_else(|| nothing(&arn))
}

fn list(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let (target, ..) = request.target(&lambda)?;
    let state = context.account.state::<State>();
    let own = state.configurations.iter().filter(|((name, _), _)| *name == target.name);
    let shown: Vec<Value> = own
        .map(|((name, qualifier), one)| {
            let shown = qualifier.as_deref().unwrap_or(LATEST);
            one.shown(&lambda.place().function_arn(name, Some(shown)))
        })
        .collect();
    Ok(json!({"FunctionEventInvokeConfigs": shown}))
}

/// An event that is being delivered.
struct Delivery {
    lambda: Lambda,
    target: Target,
    request_id: String,
    payload: Bytes,
    since: SystemTime,
}

impl Lambda {
    /// Executes an invocation in the background. An error is tried again, with the same request id; what becomes of it is
    /// sent where the function's configuration says.
    pub(super) fn run_later(&self, target: Target, request_id: String, payload: Bytes) {
        let since = self.account.now();
        let delivery = Delivery { lambda: self.clone(), target, request_id, payload, since };
        self.account.spawn(async move { delivery.run().await });
    }
}

impl Delivery {
    fn configuration(&self) -> Option<Configuration> {
        let qualifier = self.target.qualifier.clone().filter(|qualifier| qualifier != LATEST);
        let key = (self.target.name.clone(), qualifier);
        self.lambda.account.state::<State>().configurations.get(&key).cloned()
    }

    async fn run(&self) {
        let account = &self.lambda.account;
        let (mut attempts, mut pause) = (0, FIRST_PAUSE);
        loop {
            let configuration = self.configuration();
            let (retries, age) = configuration
                .as_ref()
                .map_or((2, OLDEST), |one| (one.retries.unwrap_or(2), one.age.unwrap_or(OLDEST)));
            // The function may be gone by now.
            if !self.is_there() {
                return;
            }
            let call = self.lambda.invoke_with(
                &self.target,
                self.request_id.clone(),
                self.payload.clone(),
            );
            let wait = match call.await {
                Ok(invocation) => {
                    attempts += 1;
                    if invocation.function_error.is_none() {
                        return self.tell("Success", attempts, Some(&invocation)).await;
                    }
                    let Some(wait) =
                        RETRIES.get(attempts as usize - 1).filter(|_| attempts <= retries)
                    else {
                        return self.tell("RetriesExhausted", attempts, Some(&invocation)).await;
                    };
                    *wait
                }
                // Whatever kept the function from being called at all is tried again until the event is too old.
                Err(_) => {
                    let wait = pause;
                    pause = (pause * 2).min(LAST_PAUSE);
                    wait
                }
            };
            let old = account.now().duration_since(self.since).unwrap_or_default();
            if old + wait > Duration::from_secs(age) {
                return self.tell("EventAgeExceeded", attempts, None).await;
            }
            account
                .clock()
                .sleep(account.latency().scale(wait).max(Duration::from_millis(2)))
                .await;
        }
    }

    fn is_there(&self) -> bool {
        let arn = self.target.arn(self.lambda.place());
        self.lambda.account.state::<Functions>().find(&self.target, &arn).is_ok()
    }

    /// Sends word of how it ended. Where that is refused, nobody hears of it, as on AWS.
    async fn tell(&self, condition: &str, attempts: u32, invocation: Option<&Invocation>) {
        let place = self.lambda.place();
        let (role, dead_letters) = {
            let functions = self.lambda.account.state::<Functions>();
            let Ok((_, version)) = functions.find(&self.target, &self.target.arn(place)) else {
                return;
            };
            let configuration = &version.configuration;
            (configuration.role.clone(), configuration.dead_letter_target.clone())
        };
        let payload = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let configuration = self.configuration();
        let is_success = condition == "Success";
        let destination =
            configuration.and_then(|one| if is_success { one.on_success } else { one.on_failure });
        if let Some(arn) = destination {
            let qualifier = self.target.qualifier.as_deref().unwrap_or(LATEST);
            let mut said = json!({
                "version": "1.0",
                "timestamp": iso8601_zulu(self.lambda.account.now()),
                "requestContext": {
                    "requestId": self.request_id,
                    "functionArn": place.function_arn(&self.target.name, Some(qualifier)),
                    "condition": condition,
                    "approximateInvokeCount": attempts,
                },
                "requestPayload": payload(&self.payload),
            });
            if let Some(invocation) = invocation {
                said["responseContext"] = destinations::response_context(invocation);
                said["responsePayload"] = payload(&invocation.payload);
            }
            let _ = destinations::send(&self.lambda, &role, &arn, &said, Vec::new()).await;
        }
        if let Some(arn) = dead_letters.filter(|_| !is_success) {
            let answer = invocation.map(|invocation| payload(&invocation.payload));
            let message = answer.as_ref().and_then(|answer| answer["errorMessage"].as_str());
            let attributes = vec![
                ("RequestID", "String", self.request_id.clone()),
                ("ErrorCode", "Number", "200".to_owned()),
                (
                    "ErrorMessage",
                    "String",
                    message.unwrap_or(condition).chars().take(1024).collect(),
                ),
            ];
            let _ =
                destinations::send(&self.lambda, &role, &arn, &payload(&self.payload), attributes)
                    .await;
        }
    }
}
