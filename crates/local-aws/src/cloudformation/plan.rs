//! What a stack will consist of: which resources, in which order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::{invalid, malformed};
use super::intrinsics::{PSEUDO_PARAMETERS, Scope};
use super::references::{Reference, references};
use super::resource_type::ResourceType;
use super::template::{DeletionPolicy, Resource, Template};
use crate::protocol::AwsError;

/// A resource that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub kind: &'static ResourceType,
    /// Only those branches that are taken.
    pub properties: Map<String, Value>,
    /// What must be there before it.
    pub depends_on: BTreeSet<String>,
    /// What becomes of it when the stack goes.
    pub deletion_policy: DeletionPolicy,
}

/// The resources in an order in which each comes after what it depends on, and the outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// Only those that are wanted.
    pub outputs: BTreeMap<String, Value>,
}

impl Plan {
    /// Plans a template whose conditions have been resolved.
    pub fn new(template: &Template, scope: &Scope) -> Result<Self, AwsError> {
        let holds = |condition: Option<&str>| {
            condition.is_none_or(|name| scope.conditions.get(name) == Some(&true))
        };
        let wanted: Vec<&Resource> = template
            .resources
            .iter()
            .filter(|resource| holds(resource.condition.as_deref()))
            .collect();
        let names: BTreeSet<&str> =
            wanted.iter().map(|resource| resource.logical_id.as_str()).collect();
        let mut steps = Vec::new();
        for resource in wanted {
            let mut properties = Map::new();
            for (name, value) in &resource.properties {
                properties.insert(name.clone(), scope.prune(value)?);
            }
            let mut depends_on =
                needs(&Value::Object(properties.clone()), template, &names, "Resources")?;
            // What is not made need not be waited for.
            depends_on.extend(
                resource.depends_on.iter().filter(|name| names.contains(name.as_str())).cloned(),
            );
            steps.push(Step {
                logical_id: resource.logical_id.clone(),
                kind: resource.kind,
                properties,
                depends_on,
                deletion_policy: resource.deletion_policy,
            });
        }
        let mut outputs = BTreeMap::new();
        for (name, output) in &template.outputs {
            if holds(output.get("Condition").and_then(Value::as_str)) {
                let output = scope.prune(output)?;
                needs(&output, template, &names, "Outputs")?;
                outputs.insert(name.clone(), output);
            }
        }
        Ok(Self { steps: ordered(steps)?, outputs })
    }
}

/// The resources that a value refers to; all of them must be made.
fn needs(
    value: &Value,
    template: &Template,
    created: &BTreeSet<&str>,
    block: &str,
) -> Result<BTreeSet<String>, AwsError> {
    let mut needed = BTreeSet::new();
    for reference in references(value)? {
        let name = reference.name();
        let is_resource = match &reference {
            Reference::Name(name) => {
                !template.parameters.contains_key(name)
                    && !PSEUDO_PARAMETERS.contains(&name.as_str())
            }
            Reference::Attribute(..) => true,
            Reference::Condition(_) => false,
        };
        if is_resource && !created.contains(name) {
            return Err(malformed(format!(
                "Unresolved resource dependencies [{name}] in the {block} block of the template"
            )));
        }
        if is_resource {
            needed.insert(name.to_owned());
        }
    }
    Ok(needed)
}

/// Each step after those that it depends on; otherwise as the template has them.
fn ordered(mut waiting: Vec<Step>) -> Result<Vec<Step>, AwsError> {
    let mut ordered: Vec<Step> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |step: &Step| {
            step.depends_on.iter().all(|name| ordered.iter().any(|done| done.logical_id == *name))
        };
        let Some(next) = waiting.iter().position(is_ready) else {
            let names: Vec<&str> = waiting.iter().map(|step| step.logical_id.as_str()).collect();
            return Err(invalid(format!(
                "Circular dependency between resources: [{}]",
                names.join(", ")
            )));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}
