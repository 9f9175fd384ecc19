//! What makes and deletes the resources of a stack, one after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::intrinsics::{CreatedResource, Scope, scalar_text};
use super::plan::Step;
use super::resource_type::{Order, Removal, ResourceType, resource_type};
use super::stack::{OnFailure, Output, Stack, StackResource};
use super::template::DeletionPolicy;
use super::{State, error};
use crate::account::client::Client;
use crate::ids::uuid;
use crate::protocol::AwsError;

/// What AWS takes for any resource beside the work itself.
const OVERHEAD: Duration = Duration::from_secs(1);

/// Works on one stack.
#[derive(Debug, Clone)]
pub(super) struct Executor {
    pub(super) client: Client,
    pub(super) stack_id: String,
}

/// What a deletion leaves alone, and why it happens.
#[derive(Debug, Clone, Default)]
pub(super) struct Deletion {
    /// The caller wants these to stay.
    pub(super) retained: BTreeSet<String>,
    /// Part of the rollback of a creation.
    pub(super) of_creation: bool,
}

impl Executor {
    /// Makes everything, or takes back what was made.
    pub(super) async fn create(&self, mut scope: Scope) {
        let Some(turn) = self.stack(|stack| stack.turn.clone()) else { return };
        let _turn = turn.lock().await;
        self.client.account.pause(OVERHEAD).await;
        let steps = self.stack(|stack| stack.plan.steps.clone()).unwrap_or_default();
        for step in &steps {
            if self.stack(|stack| stack.cancelled).unwrap_or(true) {
                return;
            }
            match self.make(step, &scope).await {
                Ok(created) => {
                    scope.resources.insert(step.logical_id.clone(), created);
                }
                Err(()) => return self.give_up(&step.logical_id).await,
            }
        }
        match self.outputs(&scope) {
            Ok(outputs) => self.with(|stack, now| {
                stack.outputs = outputs;
                if !stack.cancelled {
                    stack.enter("CREATE_COMPLETE", None, now);
                }
            }),
            Err(error) => {
                let reason = error.message;
                self.roll_back(&format!("{reason} Rollback requested by user.")).await;
            }
        }
    }

    /// Makes one resource; what went wrong is in its events.
    async fn make(&self, step: &Step, scope: &Scope) -> Result<CreatedResource, ()> {
        let mut resource = StackResource {
            logical_id: step.logical_id.clone(),
            physical_id: String::new(),
            kind: step.kind.name,
            status: "CREATE_IN_PROGRESS",
            reason: None,
            updated: self.client.account.now(),
            properties: Map::new(),
        };
        self.enter(&resource);
        self.client.account.pause(OVERHEAD).await;
        let created = match Self::properties(step, scope) {
            Ok(properties) => {
                resource.properties = properties;
                self.order(step, &resource.properties)
                    .await
                    .map_err(|error| refusal(step.kind, &error))
            }
            Err(error) => Err(error.message),
        };
        match created {
            Ok(created) => {
                resource.physical_id.clone_from(&created.physical_id);
                resource.reason = Some("Resource creation Initiated".to_owned());
                self.enter(&resource);
                self.enter(&StackResource { status: "CREATE_COMPLETE", reason: None, ..resource });
                Ok(created)
            }
            Err(reason) => {
                self.enter(&StackResource {
                    status: "CREATE_FAILED",
                    reason: Some(reason),
                    ..resource
                });
                Err(())
            }
        }
    }

    fn properties(step: &Step, scope: &Scope) -> Result<Map<String, Value>, AwsError> {
        let properties = scope.object(&step.properties)?;
        step.kind.check(&step.logical_id, &properties)?;
        Ok(properties)
    }

    async fn order(
        &self,
        step: &Step,
        properties: &Map<String, Value>,
    ) -> Result<CreatedResource, AwsError> {
        let (stack_name, tags) =
            self.stack(|stack| (stack.name.clone(), stack.tags.clone())).unwrap_or_default();
        let order = Order {
            client: &self.client,
            stack_name: &stack_name,
            logical_id: &step.logical_id,
            properties,
            tags: &tags,
        };
        (step.kind.create)(&order).await
    }

    fn outputs(&self, scope: &Scope) -> Result<Vec<Output>, AwsError> {
        let plan = self.stack(|stack| stack.plan.outputs.clone()).unwrap_or_default();
        let text = |output: &Value, member: &str| match output.get(member) {
            Some(value) => Ok(scope.evaluate(value)?.as_ref().map(scalar_text)),
            None => Ok::<_, AwsError>(None),
        };
        plan.iter()
            .map(|(key, output)| {
                Ok(Output {
                    key: key.clone(),
                    value: text(output, "Value")?.unwrap_or_default(),
                    description: text(output, "Description")?,
                })
            })
            .collect()
    }

    async fn give_up(&self, failed: &str) {
        let Some((on_failure, false)) = self.stack(|stack| (stack.on_failure, stack.cancelled))
        else {
            return;
        };
        let reason = format!("The following resource(s) failed to create: [{failed}]. ");
        match on_failure {
            OnFailure::DoNothing => {
                self.with(|stack, now| stack.enter("CREATE_FAILED", Some(reason), now));
            }
            OnFailure::Rollback => {
                self.roll_back(&format!("{reason}Rollback requested by user.")).await;
            }
            OnFailure::Delete => {
                let reason = format!("{reason}Delete requested by user.");
                self.with(|stack, now| stack.enter("DELETE_IN_PROGRESS", Some(reason), now));
                self.finish_deletion(&Deletion { of_creation: true, ..Deletion::default() }).await;
            }
        }
    }

    async fn roll_back(&self, reason: &str) {
        self.with(|stack, now| stack.enter("ROLLBACK_IN_PROGRESS", Some(reason.to_owned()), now));
        let failed =
            self.delete_resources(&Deletion { of_creation: true, ..Deletion::default() }).await;
        self.with(|stack, now| {
            if stack.cancelled {
                return;
            }
            match failed.as_slice() {
                [] => stack.enter("ROLLBACK_COMPLETE", None, now),
                failed => {
                    let reason = format!(
                        "The following resource(s) failed to delete: [{}]. ",
                        failed.join(", ")
                    );
                    stack.enter("ROLLBACK_FAILED", Some(reason), now);
                }
            }
        });
    }

    /// Deletes the stack, once nobody else works on it.
    pub(super) async fn delete(&self, deletion: Deletion) {
        let Some(turn) = self.stack(|stack| stack.turn.clone()) else { return };
        let _turn = turn.lock().await;
        self.client.account.pause(OVERHEAD).await;
        self.finish_deletion(&deletion).await;
    }

    async fn finish_deletion(&self, deletion: &Deletion) {
        let failed = self.delete_resources(deletion).await;
        self.with(|stack, now| {
            stack.cancelled = false;
            if failed.is_empty() {
                stack.deleted = Some(now);
                stack.enter("DELETE_COMPLETE", None, now);
            } else {
                let reason = format!(
                    "The following resource(s) failed to delete: [{}]. ",
                    failed.join(", ")
                );
                stack.enter("DELETE_FAILED", Some(reason), now);
            }
        });
    }

    /// Deletes the resources, the last one first. What a resource needs that could not be deleted stays. Returns what
    /// could not be deleted.
    async fn delete_resources(&self, deletion: &Deletion) -> Vec<String> {
        let (resources, steps) = self
            .stack(|stack| (stack.resources.clone(), stack.plan.steps.clone()))
            .unwrap_or_default();
        let mut failed: Vec<String> = Vec::new();
        for resource in resources.into_iter().rev() {
            let step = steps.iter().find(|step| step.logical_id == resource.logical_id);
            let is_needed = steps.iter().any(|other| {
                failed.contains(&other.logical_id)
                    && other.depends_on.contains(&resource.logical_id)
            });
            if is_needed || ["DELETE_COMPLETE", "DELETE_SKIPPED"].contains(&resource.status) {
                continue;
            }
            let policy = step.map(|step| step.deletion_policy).unwrap_or_default();
            let stays = match policy {
                DeletionPolicy::Delete => false,
                DeletionPolicy::Retain => true,
                DeletionPolicy::RetainExceptOnCreate => !deletion.of_creation,
            };
            let name = resource.logical_id.clone();
            let was_made = !resource.physical_id.is_empty();
            if was_made && (stays || deletion.retained.contains(&name)) {
                self.enter(&StackResource { status: "DELETE_SKIPPED", ..self.touched(resource) });
            } else if !self.remove(resource).await {
                failed.push(name);
            }
        }
        failed
    }

    /// Deletes one resource; what went wrong is in its events.
    async fn remove(&self, resource: StackResource) -> bool {
        let created = !resource.physical_id.is_empty();
        if created {
            self.enter(&StackResource {
                status: "DELETE_IN_PROGRESS",
                ..self.touched(resource.clone())
            });
            self.client.account.pause(OVERHEAD).await;
        }
        let removal = Removal {
            client: &self.client,
            physical_id: &resource.physical_id,
            properties: &resource.properties,
        };
        let outcome = match resource_type(resource.kind).filter(|_| created) {
            Some(kind) => (kind.delete)(&removal).await.map_err(|error| refusal(kind, &error)),
            None => Ok(()),
        };
        let deleted = outcome.is_ok();
        let status = if deleted { "DELETE_COMPLETE" } else { "DELETE_FAILED" };
        self.enter(&StackResource { status, reason: outcome.err(), ..self.touched(resource) });
        deleted
    }

    fn touched(&self, resource: StackResource) -> StackResource {
        StackResource { reason: None, updated: self.client.account.now(), ..resource }
    }

    fn enter(&self, resource: &StackResource) {
        self.with(|stack, now| {
            stack.enter_resource(StackResource { updated: now, ..resource.clone() });
        });
    }

    fn stack<T>(&self, look: impl FnOnce(&Stack) -> T) -> Option<T> {
        self.client.account.state::<State>().stacks.get(&self.stack_id).map(look)
    }

    fn with(&self, change: impl FnOnce(&mut Stack, std::time::SystemTime)) {
        let now = self.client.account.now();
        let mut state = self.client.account.state::<State>();
        let Some(stack) = state.stacks.get_mut(&self.stack_id) else { return };
        let before = stack.status;
        change(stack, now);
        let (name, status) = (stack.name.clone(), stack.status);
        if status != before {
            state.note(name, status);
        }
    }
}

/// A service's refusal, as the handlers of resource types pass it on.
fn refusal(kind: &ResourceType, error: &AwsError) -> String {
    if error.code == error::VALIDATION {
        return error.message.clone();
    }
    let code = match (error.code.as_str(), error.status) {
        (_, 409)
        | (
            "EntityAlreadyExists" | "ResourceInUseException" | "ResourceAlreadyExistsException",
            _,
        ) => "AlreadyExists",
        (_, 404) | ("NoSuchEntity" | "ResourceNotFoundException", _) => "NotFound",
        (_, 403) => "AccessDenied",
        (_, 500..) => "ServiceInternalError",
        _ => "InvalidRequest",
    };
    format!(
        "Resource handler returned message: \"{} (Service: {}, Status Code: {}, Request ID: {})\" (RequestToken: {}, \
         HandlerErrorCode: {code})",
        error.message,
        kind.service,
        error.status,
        uuid(),
        uuid()
    )
}
