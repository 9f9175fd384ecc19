//! Secrets Manager: secrets and their versions.
//!
//! | module | what it is |
//! |---|---|
//! | `secret` | a secret, its versions and their stages |
//! | `manage`, `values`, `password` | the operations |
//! | `resource_types` | what stacks can have of it |

mod manage;
mod password;
mod resource_types;
mod secret;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value};

use self::secret::Secret;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::protocol::AwsError;
use crate::server::Tagged;
use crate::server::modelled::{Model, Modelled, Operation, typed, validation_exception};

/// What secrets are called among the types of resources.
const SECRET: &str = "AWS::SecretsManager::Secret";

/// Secrets by name.
#[derive(Debug, Default)]
pub struct State {
    secrets: BTreeMap<String, Secret>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "secretsmanager";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

impl State {
    /// Lets go of secrets whose time has come.
    fn forget_deleted(&mut self, now: SystemTime) {
        self.secrets.retain(|_, secret| secret.gone_at.is_none_or(|at| at > now));
    }

    /// The secret of a name, of an ARN, or of an ARN without its last six characters.
    fn find(&mut self, id: &str, now: SystemTime) -> Result<&mut Secret, AwsError> {
        self.forget_deleted(now);
        let found = self.secrets.iter().find(|(name, secret)| {
            let bare = secret.arn.rsplit_once('-').map_or("", |(bare, _)| bare);
            *name == id || secret.arn == id || bare == id
        });
        let name = found.map(|(name, _)| name.clone());
        name.and_then(|name| self.secrets.get_mut(&name)).ok_or_else(|| {
            AwsError::modelled(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            )
        })
    }

    /// The same, where it is not about to be deleted.
    fn usable(&mut self, id: &str, now: SystemTime) -> Result<&mut Secret, AwsError> {
        let secret = self.find(id, now)?;
        if secret.gone_at.is_some() {
            return Err(invalid_request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        Ok(secret)
    }
}

fn invalid_request(message: impl Into<String>) -> AwsError {
    AwsError::modelled("InvalidRequestException", message)
}

fn invalid_parameter(message: impl Into<String>) -> AwsError {
    AwsError::modelled("InvalidParameterException", message)
}

const OPERATIONS: &[Operation] = &[
    Operation::now("CreateSecret", |context, input| manage::create(context, typed(input)?)),
    Operation::now("DeleteSecret", |context, input| manage::delete(context, &typed(input)?)),
    Operation::now("DescribeSecret", |context, input| manage::describe(context, &typed(input)?)),
    Operation::now("GetRandomPassword", |_, input| password::random(&typed(input)?)),
    Operation::now("GetSecretValue", |context, input| values::get(context, &typed(input)?)),
    Operation::now("ListSecretVersionIds", |context, input| {
        values::versions(context, &typed(input)?)
    }),
    Operation::now("ListSecrets", |context, input| Ok(manage::list(context, &typed(input)?))),
    Operation::now("PutSecretValue", |context, input| values::put(context, typed(input)?)),
    Operation::now("RestoreSecret", |context, input| manage::restore(context, &typed(input)?)),
    Operation::now("TagResource", |context, input| manage::tag(context, typed(input)?)),
    Operation::now("UntagResource", |context, input| manage::untag(context, &typed(input)?)),
    Operation::now("UpdateSecret", |context, input| manage::update(context, typed(input)?)),
    Operation::now("UpdateSecretVersionStage", |context, input| {
        values::move_stage(context, &typed(input)?)
    }),
];

/// Secrets Manager, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl Modelled for Service {
    const NAME: &'static str = "secretsmanager";
    const MODELS: &'static [Model] = &[Model {
        name: "secretsmanager",
        operations: OPERATIONS,
        invalid: validation_exception,
        query_codes: &[],
    }];

    fn tagged(&self, account: &Account) -> Vec<Tagged> {
        let mut state = account.state::<State>();
        state.forget_deleted(account.now());
        let secrets = state.secrets.values().filter(|secret| secret.gone_at.is_none());
        secrets
            .map(|secret| Tagged { arn: secret.arn.clone(), tags: secret.tags.clone() })
            .collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let mut state = account.state::<State>();
        state.forget_deleted(account.now());
        let secrets = state.secrets.iter().map(|(name, secret)| (name.clone(), secret.snapshot()));
        Value::Object(secrets.collect::<Map<_, _>>())
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        &[&resource_types::secret::TYPE]
    }
}
