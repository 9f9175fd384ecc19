//! What a value refers to.

use serde_json::{Map, Value};

use super::error::invalid;
use super::intrinsics::function;
use crate::protocol::AwsError;

/// A reference out of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Ref`: a parameter, a pseudo parameter or a resource.
    Name(String),
    /// `Fn::GetAtt`: a resource and its attribute.
    Attribute(String, String),
    /// `Fn::If` or `Condition`: a condition.
    Condition(String),
}

impl Reference {
    /// What it refers to.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Attribute(name, _) | Self::Condition(name) => name,
        }
    }
}

/// Every reference in a value.
pub fn references(value: &Value) -> Result<Vec<Reference>, AwsError> {
    let mut found = Vec::new();
    collect(value, &mut found)?;
    Ok(found)
}

fn collect(value: &Value, found: &mut Vec<Reference>) -> Result<(), AwsError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, found)),
        Value::Object(members) => {
            let Some((name, argument)) = function(members) else {
                return members.values().try_for_each(|member| collect(member, found));
            };
            match (name, argument) {
                ("Ref", Value::String(name)) => found.push(Reference::Name(name.clone())),
                ("Ref", _) => {
                    return Err(invalid(
                        "Template error: every Ref object must have a single String value.",
                    ));
                }
                ("Condition", Value::String(name)) => {
                    found.push(Reference::Condition(name.clone()));
                }
                ("Fn::GetAtt", argument) => {
                    let (name, attribute) = attribute(argument)?;
                    found.push(Reference::Attribute(name, attribute));
                }
                ("Fn::Sub", argument) => return collect_substitution(argument, found),
                ("Fn::If", argument) => {
                    if let Some(name) = argument.get(0).and_then(Value::as_str) {
                        found.push(Reference::Condition(name.to_owned()));
                    }
                    return collect(argument, found);
                }
                (_, argument) => return collect(argument, found),
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn collect_substitution(argument: &Value, found: &mut Vec<Reference>) -> Result<(), AwsError> {
    let (text, own) = substitution(argument)?;
    if let Some(own) = own {
        own.values().try_for_each(|value| collect(value, found))?;
    }
    for part in parts(text) {
        let Part::Variable(name) = part else { continue };
        if own.is_some_and(|own| own.contains_key(name)) {
            continue;
        }
        found.push(match name.split_once('.') {
            Some((resource, attribute)) => {
                Reference::Attribute(resource.to_owned(), attribute.to_owned())
            }
            None => Reference::Name(name.to_owned()),
        });
    }
    Ok(())
}

/// The text of an `Fn::Sub`, and its own variables.
type Substitution<'v> = (&'v str, Option<&'v Map<String, Value>>);

/// Reads the argument of an `Fn::Sub`.
pub(super) fn substitution(argument: &Value) -> Result<Substitution<'_>, AwsError> {
    match argument {
        Value::String(text) => Ok((text, None)),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text), Value::Object(own)] => Ok((text, Some(own))),
            _ => Err(wrong_substitution()),
        },
        _ => Err(wrong_substitution()),
    }
}

fn wrong_substitution() -> AwsError {
    invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string \
         as first argument, and an optional second argument to specify a mapping of values to replace in the string",
    )
}

/// A piece of an `Fn::Sub` text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// As it stands.
    Text(&'t str),
    /// `${name}`
    Variable(&'t str),
}

/// The pieces of an `Fn::Sub` text; `${!name}` stands for the text `${name}`.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        parts.push(Part::Text(before));
        if let Some(literal) = name.strip_prefix('!') {
            parts.extend([Part::Text("${"), Part::Text(literal), Part::Text("}")]);
        } else {
            parts.push(Part::Variable(name.trim()));
        }
        rest = behind;
    }
    parts.push(Part::Text(rest));
    parts
}

/// The resource and the attribute of an `Fn::GetAtt`.
pub(super) fn attribute(argument: &Value) -> Result<(String, String), AwsError> {
    let pair = match argument {
        Value::String(text) => {
            text.split_once('.').map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
        }
        Value::Array(items) => match items.as_slice() {
            [Value::String(name), Value::String(attribute)] => {
                Some((name.clone(), attribute.clone()))
            }
            _ => None,
        },
        _ => None,
    };
    pair.ok_or_else(|| {
        invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
             resource attribute",
        )
    })
}
