//! Parameters: what a template asks for, and what a request gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::{invalid, malformed, unsupported};
use super::intrinsics::scalar_text;
use super::template::Template;
use crate::protocol::AwsError;

const TYPES: [&str; 4] = ["String", "Number", "CommaDelimitedList", "List<Number>"];
const MEMBERS: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
];

/// A parameter's value, as it was given and as the template sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// As it was given.
    pub given: String,
    /// A text, or a list of texts.
    pub value: Value,
    /// Never shown.
    pub no_echo: bool,
}

/// Checks what a template says of a parameter.
pub(super) fn check_declaration(name: &str, declared: &Value) -> Result<(), AwsError> {
    let members = declared
        .as_object()
        .ok_or_else(|| malformed(format!("[/Parameters/{name}] must be an object.")))?;
    if let Some(strange) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        return Err(invalid(format!(
            "Template format error: Invalid template parameter property '{strange}'"
        )));
    }
    let Some(kind) = members.get("Type").and_then(Value::as_str) else {
        return Err(malformed(format!(
            "[/Parameters/{name}] Every Parameters object must contain a Type member."
        )));
    };
    if !TYPES.contains(&kind) {
        return Err(unsupported(&format!("the parameter type {kind} (parameter {name})")));
    }
    if let Some(pattern) = members.get("AllowedPattern").and_then(Value::as_str) {
        compile(name, pattern)?;
    }
    Ok(())
}

fn compile(name: &str, pattern: &str) -> Result<regex_lite::Regex, AwsError> {
    // The whole value must match.
    regex_lite::Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
        malformed(format!("the AllowedPattern of parameter {name} is no pattern: {error}"))
    })
}

/// The template's parameters with the given values, or their defaults.
pub fn resolve(
    template: &Template,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Parameter>, AwsError> {
    let strange: Vec<&str> = given
        .keys()
        .map(String::as_str)
        .filter(|name| !template.parameters.contains_key(*name))
        .collect();
    if !strange.is_empty() {
        return Err(invalid(format!(
            "Parameters: [{}] do not exist in the template",
            strange.join(", ")
        )));
    }
    let (mut resolved, mut missing) = (BTreeMap::new(), Vec::new());
    for (name, declared) in &template.parameters {
        let default = declared.get("Default").map(scalar_text);
        match given.get(name).cloned().or(default) {
            Some(text) => {
                resolved.insert(name.clone(), parameter(name, declared, text)?);
            }
            None => missing.push(name.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(resolved);
    }
    Err(invalid(format!("Parameters: [{}] must have values", missing.join(", "))))
}

fn parameter(name: &str, declared: &Value, given: String) -> Result<Parameter, AwsError> {
    let kind = declared.get("Type").and_then(Value::as_str).unwrap_or_default();
    let is_list = kind == "CommaDelimitedList" || kind == "List<Number>";
    let parts: Vec<&str> =
        if is_list { given.split(',').map(str::trim).collect() } else { vec![&given] };
    for part in &parts {
        check(name, declared, kind, part).map_err(|what| {
            let described = declared.get("ConstraintDescription").and_then(Value::as_str);
            match described {
                Some(text) => {
                    invalid(format!("Parameter {name} failed to satisfy constraint: {text}"))
                }
                None => invalid(format!("Parameter '{name}' must {what}")),
            }
        })?;
    }
    let value = if is_list { json!(parts) } else { json!(given) };
    let no_echo = declared.get("NoEcho").is_some_and(|flag| scalar_text(flag) == "true");
    Ok(Parameter { given, value, no_echo })
}

/// What the value must do and does not.
fn check(name: &str, declared: &Value, kind: &str, value: &str) -> Result<(), String> {
    let member = |name: &str| declared.get(name);
    if let Some(allowed) = member("AllowedValues").and_then(Value::as_array)
        && !allowed.iter().any(|one| scalar_text(one) == value)
    {
        return Err("be one of AllowedValues".to_owned());
    }
    if let Some(pattern) = member("AllowedPattern").and_then(Value::as_str)
        && !compile(name, pattern).is_ok_and(|pattern| pattern.is_match(value))
    {
        return Err(format!("match pattern {pattern}"));
    }
    let bound = |name: &str| member(name).and_then(|bound| scalar_text(bound).parse::<f64>().ok());
    let length = u32::try_from(value.chars().count()).map_or(f64::MAX, f64::from);
    if bound("MinLength").is_some_and(|least| length < least) {
        return Err(format!("contain at least {} characters", shown(member("MinLength"))));
    }
    if bound("MaxLength").is_some_and(|most| length > most) {
        return Err(format!("contain at most {} characters", shown(member("MaxLength"))));
    }
    if kind.contains("Number") {
        let number: f64 = value.parse().map_err(|_| "be a number".to_owned())?;
        if bound("MinValue").is_some_and(|least| number < least) {
            return Err(format!("be a number not less than {}", shown(member("MinValue"))));
        }
        if bound("MaxValue").is_some_and(|most| number > most) {
            return Err(format!("be a number not greater than {}", shown(member("MaxValue"))));
        }
    }
    Ok(())
}

fn shown(value: Option<&Value>) -> String {
    value.map(scalar_text).unwrap_or_default()
}

/// The parameters as references see them.
#[must_use]
pub fn values(parameters: &BTreeMap<String, Parameter>) -> BTreeMap<String, Value> {
    parameters.iter().map(|(name, parameter)| (name.clone(), parameter.value.clone())).collect()
}

/// A member of a declaration, as `ValidateTemplate` shows it.
#[must_use]
pub fn declared_text(declared: &Map<String, Value>, member: &str) -> Option<String> {
    declared.get(member).map(scalar_text)
}
