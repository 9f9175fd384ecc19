//! Stacks, their resources and their events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::parameters::Parameter;
use super::plan::Plan;
use super::template::Template;
use crate::protocol::timestamp::iso8601_millis;

/// A stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Unique among those that are not deleted.
    pub name: String,
    /// The order in which stacks were made.
    pub serial: u64,
    /// When it was made.
    pub created: SystemTime,
    /// When it was deleted.
    pub deleted: Option<SystemTime>,
    /// Such as `CREATE_COMPLETE`.
    pub status: &'static str,
    /// Why.
    pub reason: Option<String>,
    /// What it is made from.
    pub template: Template,
    /// What will be made.
    pub plan: Plan,
    /// By name.
    pub parameters: BTreeMap<String, Parameter>,
    /// What the caller has acknowledged.
    pub capabilities: Vec<String>,
    /// Also of its resources.
    pub tags: BTreeMap<String, String>,
    /// What becomes of it when it cannot be made.
    pub on_failure: OnFailure,
    /// Whether it refuses to be deleted.
    pub protected: bool,
    /// Minutes that its creation may take; kept, never enforced.
    pub timeout: Option<u32>,
    /// Of the request that made it.
    pub token: Option<String>,
    /// In the order of their names.
    pub outputs: Vec<Output>,
    /// In the order in which they were begun.
    pub resources: Vec<StackResource>,
    /// The oldest first.
    pub events: Vec<Event>,
    /// Set when the stack is to be deleted while it is being made.
    pub cancelled: bool,
    /// Held by whoever works on it.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

/// `OnFailure`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// What was made is deleted, the stack stays.
    #[default]
    Rollback,
    /// Everything stays.
    DoNothing,
    /// The stack goes, too.
    Delete,
}

/// An output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name in the template.
    pub key: String,
    /// Evaluated.
    pub value: String,
    /// As the template has it.
    pub description: Option<String>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// What `Ref` says; empty until it has been made.
    pub physical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub kind: &'static str,
    /// Such as `CREATE_COMPLETE`.
    pub status: &'static str,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub updated: SystemTime,
    /// Evaluated.
    pub properties: Map<String, Value>,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique.
    pub id: String,
    /// The resource, or the stack itself.
    pub logical_id: String,
    /// Of the resource.
    pub physical_id: String,
    /// Of the resource, or `AWS::CloudFormation::Stack`.
    pub kind: &'static str,
    /// What it has become.
    pub status: &'static str,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub time: SystemTime,
    /// As JSON.
    pub properties: Option<String>,
    /// Of the request that set it off.
    pub token: Option<String>,
}

impl Stack {
    /// Whether it still counts.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.deleted.is_none()
    }

    /// The stack becomes `status`.
    pub fn enter(&mut self, status: &'static str, reason: Option<String>, now: SystemTime) {
        self.status = status;
        self.reason.clone_from(&reason);
        self.events.push(Event {
            id: crate::ids::uuid(),
            logical_id: self.name.clone(),
            physical_id: self.id.clone(),
            kind: "AWS::CloudFormation::Stack",
            status,
            reason,
            time: now,
            properties: None,
            token: self.token.clone(),
        });
    }

    /// A resource, which is added where it is new, becomes `status`.
    pub fn enter_resource(&mut self, resource: StackResource) {
        self.events.push(Event {
            id: format!(
                "{}-{}-{}",
                resource.logical_id,
                resource.status,
                iso8601_millis(resource.updated).replace("+0000", "Z")
            ),
            logical_id: resource.logical_id.clone(),
            physical_id: resource.physical_id.clone(),
            kind: resource.kind,
            status: resource.status,
            reason: resource.reason.clone(),
            time: resource.updated,
            properties: Some(Value::Object(resource.properties.clone()).to_string()),
            token: self.token.clone(),
        });
        match self.resources.iter_mut().find(|one| one.logical_id == resource.logical_id) {
            Some(known) => *known = resource,
            None => self.resources.push(resource),
        }
    }

    /// What two snapshots of the account are compared by.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let resources: BTreeMap<&String, Value> = self
            .resources
            .iter()
            .map(|one| (&one.logical_id, json!([one.kind, one.physical_id, one.status])))
            .collect();
        let parameters: BTreeMap<&String, &String> =
            self.parameters.iter().map(|(name, parameter)| (name, &parameter.given)).collect();
        let outputs: BTreeMap<&String, &String> =
            self.outputs.iter().map(|output| (&output.key, &output.value)).collect();
        json!({
            "StackId": self.id,
            "StackStatus": self.status,
            "TemplateBody": self.template.body,
            "Parameters": parameters,
            "Tags": self.tags,
            "Protected": self.protected,
            "Resources": resources,
            "Outputs": outputs,
        })
    }
}
