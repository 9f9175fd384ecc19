//! A template of CloudFormation against the step that deploys it.

mod references;

use std::collections::BTreeMap;

use serde_yaml::Value;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::document::Node;
use crate::playbook::fields::{is_templated, quoted};
use crate::playbook::files::locate;
use crate::playbook::load::{Reader, read};
use crate::playbook::shape::Shape;
use crate::types::Types;

use references::unresolved;

/// Larger templates go by way of a bucket, and are refused elsewhere.
const LONGEST: usize = 51_200;

/// What a stack gives back.
pub(in crate::playbook) struct StackTemplate {
    /// The names of its outputs.
    outputs: Vec<String>,
}

impl StackTemplate {
    /// What is known of the stack's outputs.
    pub(in crate::playbook) fn shape(self) -> Shape {
        let of = |name: String| (name, Shape::types_only(Types::STRING));
        Shape::of_entries(self.outputs.into_iter().map(of).collect())
    }
}

/// What of a template is looked at.
struct Parts {
    parameters: BTreeMap<String, Value>,
    resources: BTreeMap<String, Value>,
    outputs: BTreeMap<String, Value>,
    conditions: BTreeMap<String, Value>,
    /// Whether macros make something else of it.
    transformed: bool,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let document: Value = serde_yaml::from_str(text).ok()?;
        let section = |name: &str| -> BTreeMap<String, Value> {
            let entries = document.get(name).and_then(Value::as_mapping).into_iter().flatten();
            let named =
                |(key, value): (&Value, &Value)| Some((key.as_str()?.to_owned(), value.clone()));
            entries.filter_map(named).collect()
        };
        Some(Self {
            parameters: section("Parameters"),
            resources: section("Resources"),
            outputs: section("Outputs"),
            conditions: section("Conditions"),
            transformed: document.get("Transform").is_some(),
        })
        .filter(|parts| !parts.resources.is_empty())
    }

    /// The capability that CloudFormation asks for before it makes what may hand out rights.
    fn capability(&self) -> Option<(&'static str, &str)> {
        const NAMES: &[&str] =
            &["RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"];
        let kind =
            |resource: &Value| resource.get("Type").and_then(Value::as_str).map(str::to_owned);
        let of_iam = || {
            self.resources.iter().filter(|(_, resource)| {
                kind(resource).is_some_and(|kind| kind.starts_with("AWS::IAM::"))
            })
        };
        let (id, _) = of_iam().next()?;
        let named = of_iam().find(|(_, resource)| {
            let properties = resource.get("Properties");
            let links =
                ["AWS::IAM::UserToGroupAddition", "AWS::IAM::AccessKey", "AWS::IAM::LoginProfile"];
            let links = kind(resource).is_some_and(|kind| links.contains(&kind.as_str()));
            !links && NAMES.iter().any(|name| properties.is_some_and(|it| it.get(*name).is_some()))
        });
        Some(match named {
            Some((id, _)) => ("CAPABILITY_NAMED_IAM", id),
            None => ("CAPABILITY_IAM", id),
        })
    }
}

impl Reader<'_, '_> {
    /// Holds a step that deploys a stack against its template. What the stack gives back, where that is known.
    pub(super) fn stack_template(&mut self, node: &Node, input: &Node) -> Option<StackTemplate> {
        let written = node.as_str().filter(|text| !is_templated(text))?;
        let files = self.loader.files;
        let path = locate(files, &self.directory, &self.root, written).ok()?;
        let text = read(&path, files).ok().filter(|text| text.len() <= LONGEST)?;
        let parts = Parts::of(&text)?;
        self.parameters(&parts, node, written, input.get("parameters"));
        self.capabilities(&parts, node, written, input.get("capabilities"));
        if !parts.transformed {
            for (place, missing, near) in unresolved(&parts) {
                let fault = Diagnostic::new(
                    Code::InvalidTemplate,
                    format!("`{place}` in `{written}` refers to `{missing}`, which is not there"),
                )
                .at(node.span)
                .label("CloudFormation refuses this template");
                self.fault(fault.help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name a parameter or a resource of the template".to_owned(),
                }));
            }
        }
        Some(StackTemplate { outputs: parts.outputs.into_keys().collect() })
            .filter(|_| !parts.transformed)
    }

    fn parameters(&mut self, parts: &Parts, node: &Node, written: &str, given: Option<&Node>) {
        let known = || parts.parameters.keys().map(String::as_str);
        let entries = match given {
            None => &[][..],
            Some(given) => match given.as_mapping() {
                Some(entries) => entries,
                None => return,
            },
        };
        let mut meant = Vec::new();
        for entry in entries {
            let name = entry.key.name.as_str();
            if let Some(parameter) = parts.parameters.get(name) {
                self.faults.extend(not_allowed(name, parameter, &entry.value));
                continue;
            }
            let near = did_you_mean(name, known());
            meant.extend(near);
            let fault =
                Diagnostic::new(Code::UnknownKey, format!("`{written}` has no parameter `{name}`"))
                    .at(entry.key.span)
                    .label("CloudFormation refuses this");
            self.fault(match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None if parts.parameters.is_empty() => {
                    fault.help("leave it out: it has no parameters")
                }
                None => fault.help(format!("its parameters are {}", quoted(known()))),
            });
        }
        let missing: Vec<&str> = parts
            .parameters
            .iter()
            .filter(|(name, parameter)| {
                let given = entries.iter().any(|entry| entry.key.name == **name);
                parameter.get("Default").is_none() && !given && !meant.contains(&name.as_str())
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if missing.is_empty() {
            return;
        }
        let example: Vec<String> = missing.iter().map(|name| format!("{name}: …")).collect();
        self.fault(
            Diagnostic::new(
                Code::MissingField,
                format!(
                    "`{written}` needs the parameter{} {}",
                    if missing.len() == 1 { "" } else { "s" },
                    quoted(missing.iter().copied())
                ),
            )
            .at(given.map_or(node.span, |given| given.span))
            .label("not given")
            .help(format!("add `parameters: {{{}}}`", example.join(", "))),
        );
    }

    fn capabilities(&mut self, parts: &Parts, node: &Node, written: &str, given: Option<&Node>) {
        let listed: Vec<&str> = match given.map(|given| (given, given.as_sequence())) {
            None => Vec::new(),
            Some((_, Some(items))) => {
                if items.iter().any(|item| item.as_str().is_none_or(is_templated)) {
                    return;
                }
                items.iter().filter_map(Node::as_str).collect()
            }
            Some((given, None)) if given.is_null() => Vec::new(),
            Some(_) => return,
        };
        let place = given.map_or(node.span, |given| given.span);
        if let Some((needed, id)) = parts.capability() {
            let enough = listed.contains(&needed) || listed.contains(&"CAPABILITY_NAMED_IAM");
            if !enough {
                let why = match needed {
                    "CAPABILITY_IAM" => format!("`{id}` in `{written}` is a resource of IAM"),
                    _ => {
                        format!("`{id}` in `{written}` is a resource of IAM with a name of its own")
                    }
                };
                self.fault(missing_capability(needed, &why).at(place));
            }
        }
        if parts.transformed && !listed.contains(&"CAPABILITY_AUTO_EXPAND") {
            let why = format!("`{written}` has a `Transform`");
            self.fault(missing_capability("CAPABILITY_AUTO_EXPAND", &why).at(place));
        }
    }
}

fn missing_capability(needed: &str, why: &str) -> Diagnostic {
    Diagnostic::new(Code::MissingCapability, format!("the stack needs `{needed}`"))
        .label(why)
        .help(format!("write `capabilities: [{needed}]`"))
}

/// A value that is none of those that a parameter allows.
fn not_allowed(name: &str, parameter: &Value, node: &Node) -> Option<Diagnostic> {
    let given = node.written().filter(|text| !is_templated(text))?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    let allowed = parameter.get("AllowedValues").and_then(Value::as_sequence)?;
    let allowed: Vec<String> = allowed.iter().map(text).collect::<Option<_>>()?;
    if allowed.iter().any(|allowed| allowed == given) {
        return None;
    }
    let choices = quoted(allowed.iter().map(String::as_str));
    let fault = Diagnostic::new(
        Code::NotAChoice,
        format!("the parameter `{name}` must be one of {choices}"),
    )
    .at(node.span)
    .label("none of them");
    Some(match did_you_mean(given, allowed.iter().map(String::as_str)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("write one of them"),
    })
}
