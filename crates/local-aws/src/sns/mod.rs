//! SNS: topics, standard and FIFO, and what is delivered to those who subscribe.
//!
//! | module | what it is |
//! |---|---|
//! | `topics`, `subscriptions`, `tags` | the operations on what there is |
//! | `publish` | a message comes in |
//! | `deliver` | and goes out: to queues, functions and HTTP endpoints of this machine |
//! | `http` | the requests to those endpoints |
//! | `resource_types` | what stacks can have of it |

mod deliver;
mod http;
mod publish;
mod resource_types;
mod subscriptions;
mod tags;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::subscriptions::Subscription;
use self::topics::Topic;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::protocol::AwsError;
use crate::server::Tagged;
use crate::server::modelled::{Context, Model, Modelled, Operation, typed};

/// What topics and subscriptions are called among the types of resources.
const TOPIC: &str = "AWS::SNS::Topic";
const SUBSCRIPTION: &str = "AWS::SNS::Subscription";

/// Topics and subscriptions by ARN.
#[derive(Debug, Default)]
pub struct State {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "sns";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

impl State {
    fn topic(&mut self, arn: &str) -> Result<&mut Topic, AwsError> {
        self.topics.get_mut(arn).ok_or_else(|| not_found("Topic does not exist"))
    }
}

fn not_found(message: &str) -> AwsError {
    AwsError::new(404, "NotFound", message)
}

fn invalid(message: impl std::fmt::Display) -> AwsError {
    AwsError::bad_request("InvalidParameter", format!("Invalid parameter: {message}"))
}

/// SNS has words of its own for what its model does not allow.
fn refuse(problems: &[aws_model::validate::Problem], _input: &Value) -> Option<AwsError> {
    use aws_model::validate::What;
    let problem = problems.iter().find(|problem| !matches!(problem.what, What::Unknown { .. }))?;
    Some(match &problem.what {
        What::Missing { member } => AwsError::bad_request(
            "ValidationError",
            format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower(member)
            ),
        ),
        _ => invalid(problem),
    })
}

fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The account and the state that an ARN's topic is in.
fn place(context: Context<'_>, arn: &str) -> Account {
    let owner = arn.split(':').nth(4).filter(|id| id.len() == 12);
    context.account.at(owner.unwrap_or(&context.account.id), &context.account.region)
}

const OPERATIONS: &[Operation] = &[
    Operation::now("ConfirmSubscription", |context, input| {
        subscriptions::confirm(context, &typed(input)?)
    }),
    Operation::now("CreateTopic", |context, input| topics::create(context, typed(input)?)),
    Operation::now("DeleteTopic", |context, input| Ok(topics::delete(context, &typed(input)?))),
    Operation::now("GetSubscriptionAttributes", |context, input| {
        subscriptions::attributes(context, &typed(input)?)
    }),
    Operation::now("GetTopicAttributes", |context, input| {
        topics::attributes(context, &typed(input)?)
    }),
    Operation::now("ListSubscriptions", |context, input| {
        subscriptions::list(context, &typed(input)?)
    }),
    Operation::now("ListSubscriptionsByTopic", |context, input| {
        subscriptions::list(context, &typed(input)?)
    }),
    Operation::now("ListTagsForResource", |context, input| tags::list(context, &typed(input)?)),
    Operation::now("ListTopics", |context, input| Ok(topics::list(context, &typed(input)?))),
    Operation::later("Publish", |context, input| {
        Box::pin(async move { publish::publish(context, typed(input)?).await })
    }),
    Operation::later("PublishBatch", |context, input| {
        Box::pin(async move { publish::publish_batch(context, typed(input)?).await })
    }),
    Operation::now("SetSubscriptionAttributes", |context, input| {
        subscriptions::set_attribute(context, &typed(input)?)
    }),
    Operation::now("SetTopicAttributes", |context, input| {
        topics::set_attribute(context, &typed(input)?)
    }),
    Operation::now("Subscribe", |context, input| subscriptions::subscribe(context, &typed(input)?)),
    Operation::now("TagResource", |context, input| tags::tag(context, &typed(input)?)),
    Operation::now("Unsubscribe", |context, input| {
        subscriptions::unsubscribe(context, &typed(input)?)
    }),
    Operation::now("UntagResource", |context, input| tags::untag(context, &typed(input)?)),
];

/// SNS, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "sns";
    const MODELS: &'static [Model] =
        &[Model { name: "sns", operations: OPERATIONS, invalid: refuse, query_codes: &[] }];

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let state = account.state::<State>();
        let topics = state.topics.iter();
        topics.map(|(arn, topic)| Tagged { arn: arn.clone(), tags: topic.tags.clone() }).collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let state = account.state::<State>();
        let topics = state.topics.iter().map(|(arn, topic)| {
            let own = state.subscriptions.values().filter(|one| one.topic == *arn);
            let own: Vec<Value> = own.map(Subscription::snapshot).collect();
            let shown =
                json!({"attributes": topic.attributes, "tags": topic.tags, "subscriptions": own});
            (topics::name_of(arn).to_owned(), shown)
        });
        Value::Object(topics.collect::<Map<_, _>>())
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[
            &resource_types::topic::TYPE,
            &resource_types::subscription::TYPE,
            &resource_types::topic_policy::TYPE,
        ]
    }
}
