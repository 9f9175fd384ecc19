//! Systems Manager: the parameters of its Parameter Store.
//!
//! | module | what it is |
//! |---|---|
//! | `put`, `get`, `tags` | the operations, pure over state and time |
//! | `filter`, `names` | which parameters are meant |
//! | `parameter` | a parameter and its versions |
//! | `resource_types` | what stacks can have of it |

mod error;
mod filter;
mod get;
mod names;
mod parameter;
mod put;
mod resource_types;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

pub use filter::Filter;
pub use get::ReadRequest;
pub use put::{DeleteParameters, PutParameter};
pub use tags::{Tag, TagRequest};

use self::parameter::Parameter;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::AwsError;
use crate::protocol::json::{self, parse};
use crate::server::{self, Interface};
use crate::{iam, sts};

/// What parameters are called among the types of resources.
const PARAMETER: &str = "AWS::SSM::Parameter";

/// Parameters by name.
#[derive(Debug, Default)]
pub struct State {
    parameters: BTreeMap<String, Parameter>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "ssm";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// What an operation needs to know beside its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Twelve digits.
    pub account_id: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// When it is called.
    pub now: SystemTime,
    /// Who calls it.
    pub caller_arn: String,
}

impl Context {
    fn arn(&self, name: &str) -> String {
        let Self { account_id, region, .. } = self;
        let name = name.trim_start_matches('/');
        format!("arn:aws:ssm:{region}:{account_id}:parameter/{name}")
    }
}

type Operation = fn(&mut State, &[u8], &Context) -> Result<Value, AwsError>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AddTagsToResource", |state, body, context| state.add_tags(&parse(body)?, context)),
    ("DeleteParameter", |state, body, context| state.delete_parameter(&parse(body)?, context)),
    ("DeleteParameters", |state, body, context| state.delete_parameters(&parse(body)?, context)),
    ("DescribeParameters", |state, body, context| {
        state.describe_parameters(&parse(body)?, context)
    }),
    ("GetParameter", |state, body, context| state.get_parameter(&parse(body)?, context)),
    ("GetParameterHistory", |state, body, context| {
        state.get_parameter_history(&parse(body)?, context)
    }),
    ("GetParameters", |state, body, context| state.get_parameters(&parse(body)?, context)),
    ("GetParametersByPath", |state, body, context| {
        state.get_parameters_by_path(&parse(body)?, context)
    }),
    ("ListTagsForResource", |state, body, context| state.list_tags(&parse(body)?, context)),
    ("PutParameter", |state, body, context| state.put_parameter(&parse(body)?, context)),
    ("RemoveTagsFromResource", |state, body, context| state.remove_tags(&parse(body)?, context)),
];

fn call(account: &Account, request: &Request) -> Result<Value, AwsError> {
    let name = json::operation(request)?;
    let found = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (_, operation) = found.ok_or_else(|| {
        let supported: Vec<&str> = OPERATIONS.iter().map(|(known, _)| *known).collect();
        let message = format!(
            "Systems Manager in the local AWS of playbook has no operation {name}. It has: {}.",
            supported.join(", ")
        );
        AwsError::bad_request("UnknownOperationException", message)
    })?;
    let access_key = request.credential.as_ref().map_or("", |credential| &credential.access_key);
    let caller = account.state::<sts::State>().identity(
        access_key,
        &account.id,
        &account.state::<iam::State>(),
    );
    let context = Context {
        account_id: account.id.clone(),
        region: account.region.clone(),
        now: account.now(),
        caller_arn: caller.arn,
    };
    operation(&mut account.state::<State>(), &request.body, &context)
}

/// Systems Manager, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "ssm"
    }

    fn interface(&self) -> Interface {
        Interface::json11("AmazonSSM")
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        let response = match call(account, request) {
            Ok(output) => json::reply(json::Version::V1_1, &output),
            Err(error) => json::error(json::Version::V1_1, &error),
        };
        Box::pin(std::future::ready(response))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::parameter::TYPE]
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let state = account.state::<State>();
        let parameters = state.parameters.iter();
        let arn = |name: &str| {
            let name = name.trim_start_matches('/');
            format!("arn:aws:ssm:{}:{}:parameter/{name}", account.region, account.id)
        };
        parameters
            .map(|(name, parameter)| server::Tagged {
                arn: arn(name),
                tags: parameter.tags.clone(),
            })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let state = account.state::<State>();
        let parameters = state.parameters.iter();
        parameters.map(|(name, parameter)| (name.clone(), parameter.snapshot())).collect()
    }
}
