//! Templates: their sections, and what can be said about them without parameters.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::{invalid, malformed, unsupported};
use super::intrinsics::{PSEUDO_PARAMETERS, function};
use super::references::{Reference, references};
use super::resource_type::{self, ResourceType, resource_type};
use super::syntax;
use crate::protocol::AwsError;

const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
];
const RESOURCE_MEMBERS: [&str; 7] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
];

/// A template that holds together.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// As it came.
    pub body: String,
    /// It was one of SAM, and holds what that stands for.
    pub is_expanded: bool,
    /// `Description`
    pub description: Option<String>,
    /// `Parameters`, by name.
    pub parameters: Map<String, Value>,
    /// `Mappings`
    pub mappings: Map<String, Value>,
    /// `Conditions`, by name.
    pub conditions: Map<String, Value>,
    /// In the order of the template.
    pub resources: Vec<Resource>,
    /// `Outputs`, by name.
    pub outputs: Map<String, Value>,
}

/// What the template says of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub kind: &'static ResourceType,
    /// Not evaluated yet.
    pub properties: Map<String, Value>,
    /// What must be there before it, beside what it refers to.
    pub depends_on: Vec<String>,
    /// Created only where this holds.
    pub condition: Option<String>,
    /// What becomes of it when the stack goes.
    pub deletion_policy: DeletionPolicy,
}

/// `DeletionPolicy`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It goes with the stack.
    #[default]
    Delete,
    /// It stays.
    Retain,
    /// It stays unless the stack was never completed.
    RetainExceptOnCreate,
}

impl Template {
    /// Reads and checks a template.
    pub fn parse(body: &str) -> Result<Self, AwsError> {
        let Value::Object(mut sections) = syntax::read(body)? else {
            return Err(malformed("unsupported structure."));
        };
        let is_expanded = super::sam::expand(&mut sections)?;
        let strange: Vec<&str> =
            sections.keys().map(String::as_str).filter(|key| !SECTIONS.contains(key)).collect();
        if !strange.is_empty() {
            return Err(invalid(format!(
                "Invalid template property or properties [{}]",
                strange.join(", ")
            )));
        }
        if sections.contains_key("Rules") {
            return Err(unsupported("the template section Rules"));
        }
        if sections.get("AWSTemplateFormatVersion").is_some_and(|version| version != "2010-09-09") {
            return Err(malformed(
                "Unrecognized value of AWSTemplateFormatVersion: it must be \"2010-09-09\".",
            ));
        }
        let mut section = |name: &str| match sections.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(malformed(format!("[/{name}] must be an object."))),
        };
        let resources = section("Resources")?;
        if resources.is_empty() {
            return Err(malformed("At least one Resources member must be defined."));
        }
        let template = Self {
            body: body.to_owned(),
            is_expanded,
            parameters: section("Parameters")?,
            mappings: section("Mappings")?,
            conditions: section("Conditions")?,
            resources: read_resources(resources)?,
            outputs: section("Outputs")?,
            description: sections
                .remove("Description")
                .and_then(|text| text.as_str().map(str::to_owned)),
        };
        template.check()?;
        Ok(template)
    }

    /// A resource by its name.
    #[must_use]
    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// The capability that a caller must acknowledge, and the types because of which.
    #[must_use]
    pub fn capability(&self) -> Option<(&'static str, Vec<&'static str>)> {
        let iam = self.resources.iter().filter(|resource| resource.kind.is_iam);
        let types: BTreeSet<&'static str> =
            iam.clone().map(|resource| resource.kind.name).collect();
        let named = iam.clone().any(|resource| {
            resource.kind.iam_name.is_some_and(|name| resource.properties.contains_key(name))
        });
        let capability = if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" };
        (!types.is_empty()).then(|| (capability, types.into_iter().collect()))
    }

    fn check(&self) -> Result<(), AwsError> {
        for (name, parameter) in &self.parameters {
            super::parameters::check_declaration(name, parameter)?;
        }
        for (name, condition) in &self.conditions {
            check_functions(condition)?;
            self.check_condition_references(name, condition)?;
        }
        for resource in &self.resources {
            let properties = Value::Object(resource.properties.clone());
            check_functions(&properties)?;
            self.check_references(&properties, "Resources")?;
            self.check_dependencies(resource)?;
        }
        for (name, output) in &self.outputs {
            if output.get("Value").is_none() {
                return Err(malformed(format!(
                    "Every Outputs member must contain a Value object: [/Outputs/{name}]"
                )));
            }
            check_functions(output)?;
            self.check_references(output, "Outputs")?;
            self.check_condition_exists(output.get("Condition"), "Outputs")?;
        }
        Ok(())
    }

    fn check_dependencies(&self, resource: &Resource) -> Result<(), AwsError> {
        let missing: Vec<&str> = resource
            .depends_on
            .iter()
            .map(String::as_str)
            .filter(|name| self.resource(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(unresolved(&missing, "Resources"));
        }
        let condition = resource.condition.as_ref().map(|name| Value::from(name.as_str()));
        self.check_condition_exists(condition.as_ref(), "Resources")
    }

    fn check_condition_exists(&self, name: Option<&Value>, block: &str) -> Result<(), AwsError> {
        match name.and_then(Value::as_str) {
            Some(name) if !self.conditions.contains_key(name) => Err(malformed(format!(
                "Unresolved condition dependency {name} in the {block} block of the template"
            ))),
            _ => Ok(()),
        }
    }

    fn check_condition_references(&self, name: &str, condition: &Value) -> Result<(), AwsError> {
        for reference in references(condition)? {
            let known = match &reference {
                Reference::Name(name) => {
                    self.parameters.contains_key(name) || PSEUDO_PARAMETERS.contains(&name.as_str())
                }
                Reference::Condition(other) => other != name && self.conditions.contains_key(other),
                Reference::Attribute(..) => false,
            };
            if !known {
                return Err(malformed(format!(
                    "Unresolved dependencies [{}]. Cannot reference resources in the Conditions block of the template",
                    reference.name()
                )));
            }
        }
        Ok(())
    }

    fn check_references(&self, value: &Value, block: &str) -> Result<(), AwsError> {
        for reference in references(value)? {
            match &reference {
                Reference::Name(name) => {
                    let known = self.parameters.contains_key(name)
                        || self.resource(name).is_some()
                        || PSEUDO_PARAMETERS.contains(&name.as_str());
                    if !known {
                        return Err(unresolved(&[name], block));
                    }
                }
                Reference::Condition(name) => {
                    self.check_condition_exists(Some(&Value::from(name.as_str())), block)?;
                }
                Reference::Attribute(name, attribute) => {
                    let Some(resource) = self.resource(name) else {
                        return Err(invalid(format!(
                            "Template error: instance of Fn::GetAtt references undefined resource {name}"
                        )));
                    };
                    if !resource.kind.attributes.contains(&attribute.as_str()) {
                        return Err(invalid(format!(
                            "Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
                        )));
                    }
                }
            }
        }
        Ok(())
    }
}

fn unresolved(names: &[&str], block: &str) -> AwsError {
    malformed(format!(
        "Unresolved resource dependencies [{}] in the {block} block of the template",
        names.join(", ")
    ))
}

fn read_resources(members: Map<String, Value>) -> Result<Vec<Resource>, AwsError> {
    let kind_of =
        |resource: &Value| resource.get("Type").and_then(Value::as_str).map(str::to_owned);
    let unknown: BTreeSet<String> =
        members.values().filter_map(kind_of).filter(|name| resource_type(name).is_none()).collect();
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.into_iter().collect();
        return Err(malformed(format!(
            "Unrecognized resource types: [{}]. The local AWS of playbook has: {}.",
            unknown.join(", "),
            resource_type::names().join(", ")
        )));
    }
    members
        .into_iter()
        .map(|(logical_id, resource)| {
            let kind = kind_of(&resource).and_then(|name| resource_type(&name));
            read_resource(logical_id, &resource, kind)
        })
        .collect()
}

fn read_resource(
    logical_id: String,
    resource: &Value,
    kind: Option<&'static ResourceType>,
) -> Result<Resource, AwsError> {
    let at = format!("[/Resources/{logical_id}]");
    if logical_id.is_empty() || !logical_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(malformed(format!("Resource name {logical_id} is non alphanumeric.")));
    }
    let members = resource
        .as_object()
        .ok_or_else(|| malformed(format!("{at} resource definition is malformed")))?;
    let kind = kind.ok_or_else(|| {
        malformed(format!("{at} Every Resources object must contain a Type member."))
    })?;
    if let Some(strange) = members.keys().find(|key| !RESOURCE_MEMBERS.contains(&key.as_str())) {
        return Err(unsupported(&format!("the resource attribute {strange} ({at})")));
    }
    let properties = match members.get("Properties") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(properties)) => properties.clone(),
        Some(_) => return Err(malformed(format!("{at} Properties must be an object."))),
    };
    let depends_on = match members.get("DependsOn") {
        None => Vec::new(),
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(_) => {
            return Err(malformed("DependsOn must be a string or list of strings."));
        }
    };
    let deletion_policy =
        match members.get("DeletionPolicy").map(|policy| policy.as_str().unwrap_or_default()) {
            None | Some("Delete") => DeletionPolicy::Delete,
            Some("Retain") => DeletionPolicy::Retain,
            Some("RetainExceptOnCreate") => DeletionPolicy::RetainExceptOnCreate,
            Some("Snapshot") => {
                return Err(invalid(format!(
                    "Template error: resource type {} does not support deletion policy Snapshot",
                    kind.name
                )));
            }
            Some(other) => {
                return Err(malformed(format!(
                    "Unrecognized DeletionPolicy {other} for resource {logical_id}"
                )));
            }
        };
    Ok(Resource {
        logical_id,
        kind,
        properties,
        depends_on,
        condition: members.get("Condition").and_then(Value::as_str).map(str::to_owned),
        deletion_policy,
    })
}

/// Every function must be one that there is here.
fn check_functions(value: &Value) -> Result<(), AwsError> {
    match value {
        Value::Object(members) => {
            if let Some((name, _)) = function(members) {
                super::intrinsics::check_name(name)?;
            } else if let Some(name) = members.keys().find(|key| key.starts_with("Fn::")) {
                return Err(malformed(format!("{name} must be the only member of its object")));
            }
            members.values().try_for_each(check_functions)
        }
        Value::Array(items) => items.iter().try_for_each(check_functions),
        _ => Ok(()),
    }
}
