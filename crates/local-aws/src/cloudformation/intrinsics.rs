//! The functions of templates, evaluated.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::{invalid, unsupported};
use super::references::{Part, attribute, parts, substitution};
use crate::protocol::AwsError;

/// What templates can refer to without declaring it.
pub const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

const FUNCTIONS: [&str; 14] = [
    "Ref",
    "Condition",
    "Fn::And",
    "Fn::Base64",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Join",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];

/// What `Ref` and `Fn::GetAtt` say of a resource that has been made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreatedResource {
    /// What `Ref` says.
    pub physical_id: String,
    /// What `Fn::GetAtt` says.
    pub attributes: BTreeMap<String, Value>,
}

/// Everything that a template's values can refer to.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Of the template.
    pub mappings: Map<String, Value>,
    /// Parameters and pseudo parameters.
    pub parameters: BTreeMap<String, Value>,
    /// Which conditions hold.
    pub conditions: BTreeMap<String, bool>,
    /// What has been made so far.
    pub resources: BTreeMap<String, CreatedResource>,
}

/// The function that an object is: its only member, with a function's name.
#[must_use]
pub fn function(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut all = members.iter();
    let (Some((name, argument)), None) = (all.next(), all.next()) else {
        return None;
    };
    // In policies, `Condition` is a member like any other; as a function it takes a name.
    let named =
        name == "Ref" || name.starts_with("Fn::") || name == "Condition" && argument.is_string();
    named.then_some((name.as_str(), argument))
}

/// Refuses functions that there are not, here or at all.
pub fn check_name(name: &str) -> Result<(), AwsError> {
    if FUNCTIONS.contains(&name) {
        return Ok(());
    }
    if name == "Fn::ImportValue" {
        return Err(unsupported(
            "Fn::ImportValue: no stack here exports anything. Pass the value as a parameter",
        ));
    }
    Err(unsupported(&format!("the function {name}")))
}

impl Scope {
    /// Evaluates the template's conditions.
    pub fn resolve_conditions(&mut self, conditions: &Map<String, Value>) -> Result<(), AwsError> {
        for name in conditions.keys() {
            self.named_condition(name, conditions, 0)?;
        }
        Ok(())
    }

    fn named_condition(
        &mut self,
        name: &str,
        all: &Map<String, Value>,
        depth: usize,
    ) -> Result<bool, AwsError> {
        if let Some(known) = self.conditions.get(name) {
            return Ok(*known);
        }
        let circular =
            || invalid(format!("Template error: the condition {name} depends on itself"));
        let condition = all.get(name).filter(|_| depth <= all.len()).ok_or_else(circular)?;
        let holds = self.condition(condition, all, depth + 1)?;
        self.conditions.insert(name.to_owned(), holds);
        Ok(holds)
    }

    fn condition(
        &mut self,
        value: &Value,
        all: &Map<String, Value>,
        depth: usize,
    ) -> Result<bool, AwsError> {
        let malformed = || {
            invalid(
                "Template error: every condition must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition",
            )
        };
        let members = value.as_object().ok_or_else(malformed)?;
        let (name, argument) = function(members).ok_or_else(malformed)?;
        if let ("Condition", Value::String(other)) = (name, argument) {
            return self.named_condition(other, all, depth);
        }
        let operands = argument.as_array().ok_or_else(malformed)?;
        match (name, operands.as_slice()) {
            ("Fn::Equals", [left, right]) => {
                let text = |value: &Value| {
                    self.evaluate(value).map(|value| value.map(|value| scalar_text(&value)))
                };
                Ok(text(left)? == text(right)?)
            }
            ("Fn::Not", [inner]) => Ok(!self.condition(inner, all, depth)?),
            ("Fn::And", operands) if (2..=10).contains(&operands.len()) => {
                let mut holds = true;
                for operand in operands {
                    holds &= self.condition(operand, all, depth)?;
                }
                Ok(holds)
            }
            ("Fn::Or", operands) if (2..=10).contains(&operands.len()) => {
                let mut holds = false;
                for operand in operands {
                    holds |= self.condition(operand, all, depth)?;
                }
                Ok(holds)
            }
            _ => Err(malformed()),
        }
    }

    /// The value with only those branches of `Fn::If` that are taken.
    pub fn prune(&self, value: &Value) -> Result<Value, AwsError> {
        match value {
            Value::Array(items) => items
                .iter()
                .map(|item| self.prune(item))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Value::Object(members) => {
                if let Some(("Fn::If", argument)) = function(members) {
                    return self.prune(self.branch(argument)?);
                }
                let pruned: Result<Map<String, Value>, AwsError> = members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), self.prune(member)?)))
                    .collect();
                pruned.map(Value::Object)
            }
            other => Ok(other.clone()),
        }
    }

    fn branch<'v>(&self, argument: &'v Value) -> Result<&'v Value, AwsError> {
        match argument.as_array().map(Vec::as_slice) {
            Some([Value::String(name), then, otherwise]) => match self.conditions.get(name) {
                Some(true) => Ok(then),
                Some(false) => Ok(otherwise),
                None => {
                    Err(invalid(format!("Template error: unresolved condition {name} in Fn::If")))
                }
            },
            _ => Err(invalid(
                "Template error: Fn::If requires a list argument with the condition name and two values",
            )),
        }
    }

    /// The value; `None` is `AWS::NoValue`.
    pub fn evaluate(&self, value: &Value) -> Result<Option<Value>, AwsError> {
        match value {
            Value::Array(items) => {
                let mut evaluated = Vec::with_capacity(items.len());
                for item in items {
                    evaluated.extend(self.evaluate(item)?);
                }
                Ok(Some(Value::Array(evaluated)))
            }
            Value::Object(members) => match function(members) {
                Some((name, argument)) => self.call(name, argument),
                None => self.object(members).map(Value::Object).map(Some),
            },
            other => Ok(Some(other.clone())),
        }
    }

    /// An object's members, without those that have no value.
    pub fn object(&self, members: &Map<String, Value>) -> Result<Map<String, Value>, AwsError> {
        let mut evaluated = Map::new();
        for (name, member) in members {
            if let Some(value) = self.evaluate(member)? {
                evaluated.insert(name.clone(), value);
            }
        }
        Ok(evaluated)
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, AwsError> {
        match name {
            "Ref" => {
                let name = argument.as_str().unwrap_or_default();
                if name == "AWS::NoValue" {
                    return Ok(None);
                }
                self.reference(name).map(Some)
            }
            "Fn::GetAtt" => {
                let (resource, attribute) = attribute(argument)?;
                self.attribute(&resource, &attribute).map(Some)
            }
            "Fn::Sub" => self.substitute(argument).map(Some),
            "Fn::If" => self.evaluate(self.branch(argument)?),
            "Fn::Join" => self.join(argument).map(Some),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument).map(Some),
            "Fn::Base64" => {
                let text = self.text(argument, "Fn::Base64")?;
                Ok(Some(json!(STANDARD.encode(text))))
            }
            // An `Fn::Equals` outside of conditions, or a policy's `Condition` that is no function.
            "Condition" => Ok(Some(json!({name: argument}))),
            other => Err(invalid(format!(
                "Template error: {other} can only be used in the Conditions block of the template"
            ))),
        }
    }

    fn reference(&self, name: &str) -> Result<Value, AwsError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        match self.resources.get(name) {
            Some(created) => Ok(json!(created.physical_id)),
            None => Err(invalid(format!("Template error: unresolved reference {name}"))),
        }
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, AwsError> {
        let created = self.resources.get(resource);
        let value = created.and_then(|created| created.attributes.get(attribute));
        value.cloned().ok_or_else(|| {
            invalid(format!("Attribute '{attribute}' does not exist on resource {resource}"))
        })
    }

    fn text(&self, value: &Value, function: &str) -> Result<String, AwsError> {
        let evaluated = self.evaluate(value)?;
        evaluated
            .filter(|value| !value.is_array() && !value.is_object() && !value.is_null())
            .map(|value| scalar_text(&value))
            .ok_or_else(|| {
                invalid(format!("Template error: every {function} argument must be a string"))
            })
    }

    fn list(&self, value: &Value, function: &str) -> Result<Vec<Value>, AwsError> {
        match self.evaluate(value)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(invalid(format!("Template error: {function} requires a list"))),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<Value, AwsError> {
        let (text, own) = substitution(argument)?;
        let mut result = String::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => result.push_str(text),
                Part::Variable(name) => {
                    let own = own.and_then(|own| own.get(name));
                    let value = match (own, name.split_once('.')) {
                        (Some(value), _) => json!(self.text(value, "Fn::Sub")?),
                        (None, Some((resource, attribute))) => {
                            self.attribute(resource, attribute)?
                        }
                        (None, None) => self.reference(name)?,
                    };
                    if value.is_array() || value.is_object() {
                        return Err(invalid(format!(
                            "Template error: variable {name} in Fn::Sub expression does not resolve to a string"
                        )));
                    }
                    result.push_str(&scalar_text(&value));
                }
            }
        }
        Ok(json!(result))
    }

    fn join(&self, argument: &Value) -> Result<Value, AwsError> {
        let Some([Value::String(separator), items]) = argument.as_array().map(Vec::as_slice) else {
            return Err(invalid(
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list \
                 of strings to be joined or a function that returns a list of strings",
            ));
        };
        let mut texts = Vec::new();
        for item in self.list(items, "Fn::Join")? {
            texts.push(self.text(&item, "Fn::Join")?);
        }
        Ok(json!(texts.join(separator)))
    }

    fn select(&self, argument: &Value) -> Result<Value, AwsError> {
        let Some([index, items]) = argument.as_array().map(Vec::as_slice) else {
            return Err(invalid(
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
            ));
        };
        let index = self.text(index, "Fn::Select")?;
        let items = self.list(items, "Fn::Select")?;
        let found = index.parse::<usize>().ok().and_then(|index| items.get(index));
        found.cloned().ok_or_else(|| {
            invalid(format!(
                "Template error: Fn::Select cannot select nonexistent value at index {index}"
            ))
        })
    }

    fn split(&self, argument: &Value) -> Result<Value, AwsError> {
        let Some([Value::String(separator), text]) = argument.as_array().map(Vec::as_slice) else {
            return Err(invalid(
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split",
            ));
        };
        let text = self.text(text, "Fn::Split")?;
        Ok(json!(text.split(separator.as_str()).collect::<Vec<_>>()))
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, AwsError> {
        let Some([map, first, second]) = argument.as_array().map(Vec::as_slice) else {
            return Err(invalid(
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
            ));
        };
        let (map, first, second) = (
            self.text(map, "Fn::FindInMap")?,
            self.text(first, "Fn::FindInMap")?,
            self.text(second, "Fn::FindInMap")?,
        );
        let found = self
            .mappings
            .get(&map)
            .and_then(|map| map.get(&first))
            .and_then(|keys| keys.get(&second));
        found.cloned().ok_or_else(|| {
            invalid(format!("Template error: Unable to get mapping for {map}::{first}::{second}"))
        })
    }
}

/// A scalar as text: templates do not tell `5` from `"5"`.
#[must_use]
pub fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let created = CreatedResource {
            physical_id: "role-1".to_owned(),
            attributes: BTreeMap::from([("Arn".to_owned(), json!("arn:role-1"))]),
        };
        Scope {
            mappings: json!({"Sizes": {"eu-west-1": {"small": "128", "names": ["a", "b"]}}})
                .as_object()
                .expect("a map")
                .clone(),
            parameters: BTreeMap::from([
                ("AWS::Region".to_owned(), json!("eu-west-1")),
                ("Stage".to_owned(), json!("prod")),
                ("Names".to_owned(), json!(["x", "y"])),
            ]),
            conditions: BTreeMap::from([("Yes".to_owned(), true), ("No".to_owned(), false)]),
            resources: BTreeMap::from([("Role".to_owned(), created)]),
        }
    }

    #[test]
    fn functions_are_evaluated() {
        for (value, expected) in [
            (json!({"Ref": "Stage"}), json!("prod")),
            (json!({"Ref": "Role"}), json!("role-1")),
            (json!({"Fn::GetAtt": ["Role", "Arn"]}), json!("arn:role-1")),
            (json!({"Fn::GetAtt": "Role.Arn"}), json!("arn:role-1")),
            (
                json!({"Fn::Sub": "${Stage}-${Role.Arn}-${!Literal}-${AWS::Region}"}),
                json!("prod-arn:role-1-${Literal}-eu-west-1"),
            ),
            (json!({"Fn::Sub": ["${a}/${Stage}", {"a": {"Ref": "Role"}}]}), json!("role-1/prod")),
            (json!({"Fn::Join": ["-", ["a", 1, {"Ref": "Stage"}]]}), json!("a-1-prod")),
            (json!({"Fn::Join": [",", {"Ref": "Names"}]}), json!("x,y")),
            (json!({"Fn::If": ["Yes", 1, 2]}), json!(1)),
            (
                json!({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": [{"Ref": "AWS::NoValue"}, 2]}),
                json!({"b": [2]}),
            ),
            (json!({"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}), json!("b")),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}), json!("128")),
            (json!({"Fn::Base64": "hi"}), json!("aGk=")),
            (
                json!({"Condition": {"StringEquals": {"a": "b"}}}),
                json!({"Condition": {"StringEquals": {"a": "b"}}}),
            ),
        ] {
            assert_eq!(scope().evaluate(&value), Ok(Some(expected)), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_named() {
        for (value, part) in [
            (json!({"Ref": "Nothing"}), "unresolved reference Nothing"),
            (
                json!({"Fn::GetAtt": ["Role", "Colour"]}),
                "Attribute 'Colour' does not exist on resource Role",
            ),
            (
                json!({"Fn::FindInMap": ["Sizes", "mars", "small"]}),
                "Unable to get mapping for Sizes::mars::small",
            ),
            (json!({"Fn::Select": [7, ["a"]]}), "nonexistent value at index 7"),
            (
                json!({"Fn::Sub": "${Names}"}),
                "variable Names in Fn::Sub expression does not resolve to a string",
            ),
            (json!({"Fn::Join": "x"}), "every Fn::Join object requires two parameters"),
            (json!({"Fn::Equals": ["a", "b"]}), "can only be used in the Conditions block"),
        ] {
            let refused = scope().evaluate(&value).expect_err("refused");
            assert!(refused.message.contains(part), "{refused}");
        }
        let import = check_name("Fn::ImportValue").expect_err("not here");
        assert!(import.message.contains("no stack here exports anything"));
        assert!(check_name("Fn::Cidr").is_err());
    }

    #[test]
    fn conditions_are_resolved_in_any_order() {
        let conditions = json!({
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Fn::Not": [{"Condition": "IsEast"}]}]},
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsEast": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
            "Any": {"Fn::Or": [{"Condition": "IsEast"}, {"Condition": "IsProd"}]},
        });
        let mut scope = scope();
        scope.resolve_conditions(conditions.as_object().expect("a map")).expect("resolved");
        for (name, expected) in [("Both", true), ("IsProd", true), ("IsEast", false), ("Any", true)]
        {
            assert_eq!(scope.conditions.get(name), Some(&expected), "{name}");
        }
        let circular = json!({"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "A"}]}});
        let refused = scope.resolve_conditions(circular.as_object().expect("a map"));
        assert!(refused.expect_err("circular").message.contains("depends on itself"));
    }
}
