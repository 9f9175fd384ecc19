//! SQS: queues, standard and FIFO, with everything that makes a message come back.
//!
//! | module | what it is |
//! |---|---|
//! | `queue` | a queue and its messages, pure over time |
//! | `attributes`, `error`, `md5` | what is checked, and how it is refused |
//! | `manage`, `send`, `receive`, `redrive` | the operations |
//! | `deliver` | what other services of this AWS do with queues |
//! | `resource_types` | what stacks can have of it |

mod attributes;
pub(crate) mod deliver;
mod error;
mod manage;
mod md5;
mod queue;
mod receive;
mod redrive;
mod resource_types;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use self::error::no_queue;
use self::queue::Queue;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::protocol::AwsError;
use crate::server::Comparison;
use crate::server::Tagged;
use crate::server::modelled::{Context, Model, Modelled, Operation, typed};

/// What queues are called among the types of resources.
const QUEUE: &str = "AWS::SQS::Queue";
/// How long a name stays taken after its queue is gone.
const NAME_REST: Duration = Duration::from_secs(60);

/// Queues by name.
#[derive(Debug, Default)]
pub struct State {
    queues: BTreeMap<String, Queue>,
    deleted: BTreeMap<String, SystemTime>,
    moves: Vec<redrive::Move>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "sqs";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

impl State {
    fn queue(&mut self, name: &str) -> Result<&mut Queue, AwsError> {
        self.queues.get_mut(name).ok_or_else(no_queue)
    }
}

/// A queue that a request names, and the account that it is in.
struct Place {
    account: Account,
    name: String,
}

impl Place {
    fn arn(&self) -> String {
        format!("arn:aws:sqs:{}:{}:{}", self.account.region, self.account.id, self.name)
    }
}

/// The URL of a queue.
fn url(account: &Account, name: &str) -> String {
    format!("{}/{}/{name}", account.endpoint_url(), account.id)
}

/// The queue of a URL, where the caller may do that with it.
fn locate(context: Context<'_>, url: &str, action: &str) -> Result<Place, AwsError> {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default().to_owned();
    let owner = parts.next().filter(|id| id.len() == 12).unwrap_or(&context.account.id);
    let place = Place { account: context.account.at(owner, &context.account.region), name };
    check_access(context, &place, action)?;
    Ok(place)
}

/// Services and other accounts may do what the queue's policy says; its own account may do anything that it does not deny.
fn check_access(context: Context<'_>, place: &Place, action: &str) -> Result<(), AwsError> {
    let policy = place.account.state::<State>().queue(&place.name)?.settings.policy.clone();
    context
        .authorize(policy.as_deref(), &place.account.id, &format!("sqs:{action}"), &place.arn())
        .map_err(|message| AwsError::new(403, "AccessDenied", message))
}

const OPERATIONS: &[Operation] = &[
    Operation::now("AddPermission", |context, input| {
        manage::add_permission(context, &typed(input)?)
    }),
    Operation::now("CancelMessageMoveTask", |context, input| {
        redrive::cancel(context, &typed(input)?)
    }),
    Operation::now("ChangeMessageVisibility", |context, input| {
        receive::change_visibility(context, &typed(input)?)
    }),
    Operation::now("ChangeMessageVisibilityBatch", |context, input| {
        receive::change_visibility_batch(context, typed(input)?)
    }),
    Operation::now("CreateQueue", |context, input| manage::create(context, typed(input)?)),
    Operation::now("DeleteMessage", |context, input| receive::delete(context, &typed(input)?)),
    Operation::now("DeleteMessageBatch", |context, input| {
        receive::delete_batch(context, typed(input)?)
    }),
    Operation::now("DeleteQueue", |context, input| manage::delete(context, &typed(input)?)),
    Operation::now("GetQueueAttributes", |context, input| {
        manage::attributes(context, &typed(input)?)
    }),
    Operation::now("GetQueueUrl", |context, input| manage::url_of(context, &typed(input)?)),
    Operation::now("ListDeadLetterSourceQueues", |context, input| {
        manage::sources(context, &typed(input)?)
    }),
    Operation::now("ListMessageMoveTasks", |context, input| redrive::list(context, &typed(input)?)),
    Operation::now("ListQueues", |context, input| Ok(manage::list(context, &typed(input)?))),
    Operation::now("ListQueueTags", |context, input| manage::tags(context, &typed(input)?)),
    Operation::now("PurgeQueue", |context, input| manage::purge(context, &typed(input)?)),
    Operation::later("ReceiveMessage", |context, input| {
        Box::pin(async move { receive::receive(context, typed(input)?).await })
    }),
    Operation::now("RemovePermission", |context, input| {
        manage::remove_permission(context, &typed(input)?)
    }),
    Operation::now("SendMessage", |context, input| send::send(context, typed(input)?)),
    Operation::now("SendMessageBatch", |context, input| send::send_batch(context, typed(input)?)),
    Operation::now("SetQueueAttributes", |context, input| {
        manage::set_attributes(context, &typed(input)?)
    }),
    Operation::now("StartMessageMoveTask", |context, input| {
        redrive::start(context, &typed(input)?)
    }),
    Operation::now("TagQueue", |context, input| manage::tag(context, typed(input)?)),
    Operation::now("UntagQueue", |context, input| manage::untag(context, &typed(input)?)),
];

/// SQS, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "sqs";
    const MODELS: &'static [Model] = &[Model {
        name: "sqs",
        operations: OPERATIONS,
        invalid: error::invalid,
        query_codes: error::QUERY_CODES,
    }];

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let state = account.state::<State>();
        let queues = state.queues.values();
        queues.map(|queue| Tagged { arn: queue.arn.clone(), tags: queue.tags.clone() }).collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let state = account.state::<State>();
        let queues = state.queues.iter().map(|(name, queue)| {
            let shown = json!({
                "attributes": queue.settings.shown(),
                "tags": queue.tags,
                "messages": queue.message_ids(),
            });
            (name.clone(), shown)
        });
        Value::Object(queues.collect::<Map<_, _>>())
    }

    fn comparison(&self) -> Comparison {
        Comparison { growing: &["messages"], ..Comparison::default() }
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::queue::TYPE, &resource_types::queue_policy::TYPE]
    }
}
