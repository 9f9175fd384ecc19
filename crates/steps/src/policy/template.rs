//! Policies in `CloudFormation` templates, as far as they can be known before `CloudFormation` has seen them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

use super::{allows_everything, is_administrator_policy};

/// Services whose resources hold policies of roles and users.
const WITH_POLICIES: [&str; 3] = ["AWS::IAM::", "AWS::SSO::", "AWS::Serverless::"];

/// The names of a template's resources that let their holders do anything; parameters that are not given have their
/// defaults. A text that is no template has none.
#[must_use]
pub fn administrators_of(template: &str, given: &BTreeMap<String, String>) -> Vec<String> {
    let Some(template) = read(template) else {
        return Vec::new();
    };
    let parameters = parameters(&template, given);
    let resources = template.get("Resources").and_then(Value::as_object);
    let is_administrator = |resource: &Value| {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        WITH_POLICIES.iter().any(|prefix| kind.starts_with(prefix))
            && resource.get("Properties").is_some_and(|it| holds_one(&resolved(it, &parameters)))
    };
    let found = resources.into_iter().flatten().filter(|(_, resource)| is_administrator(resource));
    found.map(|(name, _)| name.clone()).collect()
}

/// A template is JSON where it begins with a brace and YAML otherwise.
fn read(text: &str) -> Option<Value> {
    let json = text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok());
    json.flatten().or_else(|| serde_yaml::from_str(text).ok().map(long_form))
}

/// `!Ref x` becomes `{"Ref": "x"}`, and `!Sub x` `{"Fn::Sub": "x"}`.
fn long_form(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(number) => serde_json::to_value(&number).unwrap_or_default(),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(items) => items.into_iter().map(long_form).collect(),
        Yaml::Mapping(members) => members
            .into_iter()
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), long_form(value))))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            json!({ name: long_form(tagged.value) })
        }
    }
}

/// What `Ref` finds: the parameters, and of AWS's own what matters in the ARN of a policy.
fn parameters(template: &Value, given: &BTreeMap<String, String>) -> Map<String, Value> {
    let declared = template.get("Parameters").and_then(Value::as_object).into_iter().flatten();
    let mut parameters: Map<_, _> = declared
        .filter_map(|(name, declared)| {
            let value = given.get(name).map(|text| json!(text));
            let value = value.or_else(|| declared.get("Default").cloned())?;
            let kind = declared.get("Type").and_then(Value::as_str).unwrap_or_default();
            let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
            let value = match value.as_str() {
                Some(text) if is_list => text.split(',').map(|part| json!(part.trim())).collect(),
                _ => value,
            };
            Some((name.clone(), value))
        })
        .collect();
    parameters.insert("AWS::Partition".to_owned(), json!("aws"));
    parameters.insert("AWS::NoValue".to_owned(), Value::Null);
    parameters
}

/// A value with the functions carried out that can be. Of `Fn::If` nobody knows which branch is taken: both are.
fn resolved(value: &Value, parameters: &Map<String, Value>) -> Value {
    match value {
        Value::Array(items) => Value::Array(
            items
                .iter()
                .flat_map(|item| match (branches(item), resolved(item, parameters)) {
                    (Some(_), Value::Array(both)) => both,
                    (_, item) => vec![item],
                })
                .collect(),
        ),
        Value::Object(members) => match function(members) {
            Some((name, argument)) => called(name, argument, parameters),
            None => members
                .iter()
                .map(|(name, value)| (name.clone(), resolved(value, parameters)))
                .collect::<Map<_, _>>()
                .into(),
        },
        other => other.clone(),
    }
}

fn function(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, argument)), None) if name == "Ref" || name.starts_with("Fn::") => {
            Some((name, argument))
        }
        _ => None,
    }
}

fn branches(value: &Value) -> Option<&[Value]> {
    value.get("Fn::If")?.as_array()?.get(1..)
}

fn called(name: &str, argument: &Value, parameters: &Map<String, Value>) -> Value {
    let known = match (name, argument) {
        ("Ref", Value::String(name)) => parameters.get(name).cloned(),
        ("Fn::Sub", Value::String(text)) => Some(substituted(text, parameters)),
        ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
            [Value::String(text), Value::Object(more)] => {
                let mut all = parameters.clone();
                all.extend(more.iter().map(|(key, it)| (key.clone(), resolved(it, parameters))));
                Some(substituted(text, &all))
            }
            _ => None,
        },
        ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
            [Value::String(between), parts] => joined(between, &resolved(parts, parameters)),
            _ => None,
        },
        ("Fn::If", Value::Array(parts)) => {
            let both = parts.iter().skip(1).map(|branch| resolved(branch, parameters));
            let spread = both.flat_map(|branch| match branch {
                Value::Array(items) => items,
                other => vec![other],
            });
            Some(spread.collect())
        }
        _ => None,
    };
    known.unwrap_or_else(|| json!({ name: resolved(argument, parameters) }))
}

fn substituted(text: &str, parameters: &Map<String, Value>) -> Value {
    let replace = |text: String, (name, value): (&String, &Value)| match value {
        Value::String(value) => text.replace(&format!("${{{name}}}"), value),
        _ => text,
    };
    json!(parameters.iter().fold(text.to_owned(), replace))
}

/// What is not known of the parts is left out.
fn joined(between: &str, parts: &Value) -> Option<Value> {
    let parts: Vec<_> =
        parts.as_array()?.iter().map(|part| part.as_str().unwrap_or_default()).collect();
    Some(json!(parts.join(between)))
}

/// Whether a part of a resource is such a policy.
fn holds_one(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let is_document = || {
                let document = serde_json::from_str::<Value>(text);
                document.is_ok_and(|document| allows_everything(&document))
            };
            is_administrator_policy(text) || is_document()
        }
        Value::Array(items) => items.iter().any(holds_one),
        Value::Object(members) => allows_everything(value) || members.values().any(holds_one),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn administrators(template: &str) -> Vec<String> {
        administrators_of(template, &BTreeMap::new())
    }

    /// A role with that in its properties.
    fn role(properties: &str) -> String {
        format!(
            "Parameters:\n  Wide: {{Type: String, Default: '*'}}\n  Arns: {{Type: CommaDelimitedList, Default: 'arn:a, \
             arn:aws:iam::aws:policy/AdministratorAccess'}}\nResources:\n  Role:\n    Type: AWS::IAM::Role\n    \
             Properties:\n      {properties}\n"
        )
    }

    #[test]
    fn managed_policies_are_found_however_their_arns_are_written() {
        for arns in [
            "[arn:aws:iam::aws:policy/AdministratorAccess]",
            "[!Sub 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess']",
            "[!Sub ['arn:aws:iam::aws:policy/${Name}', {Name: AdministratorAccess}]]",
            "[{'Fn::Join': [':', [arn, !Ref AWS::Partition, iam, '', aws, policy/IAMFullAccess]]}]",
            "[!If [Wide, arn:aws:iam::aws:policy/AdministratorAccess, !Ref AWS::NoValue]]",
            "!Ref Arns",
        ] {
            let template = role(&format!("ManagedPolicyArns: {arns}"));
            assert_eq!(administrators(&template), ["Role"], "{arns}");
        }
        for arns in ["[arn:aws:iam::aws:policy/ReadOnlyAccess]", "[!Ref Unknown]", "[1]"] {
            let template = role(&format!("ManagedPolicyArns: {arns}"));
            assert!(administrators(&template).is_empty(), "{arns}");
        }
    }

    #[test]
    fn inline_policies_are_found_in_any_spelling() {
        for statement in [
            "{Effect: Allow, Action: '*', Resource: '*'}",
            "[{Effect: Allow, Action: [s3:*, '*'], Resource: ['*']}]",
            "[{Effect: Allow, Action: !Ref Wide, Resource: !Sub '${Wide}'}]",
            "[!If [Wide, {Effect: Allow, Action: '*', Resource: '*'}, !Ref AWS::NoValue]]",
            "{Effect: Allow, Action: !If [Wide, '*', s3:*], Resource: '*'}",
        ] {
            let document = format!("PolicyDocument: {{Statement: {statement}}}");
            let template = role(&format!("Policies: [{{PolicyName: p, {document}}}]"));
            assert_eq!(administrators(&template), ["Role"], "{statement}");
        }
        let text = "Policies: [{PolicyDocument: '{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}'}]";
        assert_eq!(administrators(&role(text)), ["Role"]);
        let narrow = "Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: s3:*, Resource: '*'}]}}]";
        assert!(administrators(&role(narrow)).is_empty());
    }

    #[test]
    fn a_parameter_that_is_given_stands_for_its_default() {
        let template = role(
            "Policies: [{PolicyDocument: {Statement: {Effect: Allow, Action: !Ref Wide, Resource: '*'}}}]",
        );
        let given = BTreeMap::from([("Wide".to_owned(), "s3:GetObject".to_owned())]);
        assert!(administrators_of(&template, &given).is_empty());
    }

    #[test]
    fn json_is_read_too_and_other_resources_are_let_be() {
        let json = r#"{"Resources": {
            "Any": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument":
                {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}},
            "Bucket": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument":
                {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}}}}"#;
        assert_eq!(administrators(json), ["Any"]);
        for nothing in ["", "[]", "no template", "Resources: 7", "{", "a: b\n c: d"] {
            assert!(administrators(nothing).is_empty(), "{nothing}");
        }
    }
}
