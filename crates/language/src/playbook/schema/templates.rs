//! Schemas of kinds as parts of the whole, with templates instead of values.

use serde_json::{Map, Value, json};

use super::TEMPLATE;
use crate::types::Types;

/// A schema of a kind as part of the whole: its definitions under names of their own, templates allowed for every value.
pub(super) fn with_templates(schema: &Value, kind: &str, root: &Value) -> Value {
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    let mut rewritten = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            ("$ref", Value::String(target)) => match target.strip_prefix("#/$defs/") {
                Some(name) => format!("#/$defs/{kind}.{name}").into(),
                None => format!("#/$defs/{kind}").into(),
            },
            ("properties", Value::Object(fields)) => fields
                .iter()
                .map(|(name, field)| (name.clone(), templated(field, kind, root)))
                .collect::<Map<_, _>>()
                .into(),
            ("items" | "additionalProperties", value) => templated(value, kind, root),
            ("prefixItems", Value::Array(items)) => {
                items.iter().map(|item| templated(item, kind, root)).collect()
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(variants)) => {
                variants.iter().map(|variant| with_templates(variant, kind, root)).collect()
            }
            ("$defs", Value::Object(own)) => own
                .iter()
                .map(|(name, schema)| (name.clone(), with_templates(schema, kind, root)))
                .collect::<Map<_, _>>()
                .into(),
            ("$schema" | "title", _) => continue,
            ("pattern", Value::String(pattern)) if !is_portable(pattern) => continue,
            (key, value) if key.starts_with("x-") && value.is_boolean() => continue,
            (_, value) => value.clone(),
        };
        rewritten.insert(key.clone(), value);
    }
    Value::Object(rewritten)
}

/// Whether editors understand a regular expression as AWS does. Where they do not, `check` alone holds a text against it.
fn is_portable(pattern: &str) -> bool {
    const FOREIGN: [&str; 19] = [
        "\\p", "\\P", "\\h", "\\H", "\\A", "\\z", "\\Z", "\\Q", "\\x{", "\\uD8", "(?", "[:", "&&",
        "++", "*+", "?+", "}+", "}{", "${",
    ];
    // A range from a class of characters is an error in some and a hyphen in others.
    let range_of_class = pattern.as_bytes().windows(4).any(|part| {
        part[0] == b'\\'
            && matches!(part[1], b'w' | b'd' | b's')
            && part[2] == b'-'
            && part[3] != b']'
    });
    !range_of_class && !FOREIGN.iter().any(|foreign| pattern.contains(foreign))
}

/// A schema of a value that may be a template instead.
fn templated(schema: &Value, kind: &str, root: &Value) -> Value {
    let rewritten = with_templates(schema, kind, root);
    if schema.is_boolean() || Types::of_schema(root, schema) == Types::ANY || is_free_text(schema) {
        return rewritten;
    }
    let mut outer = Map::new();
    if let Some(description) = schema.get("description") {
        outer.insert("description".to_owned(), description.clone());
    }
    if let Some(default) = schema.get("default") {
        outer.insert("default".to_owned(), default.clone());
    }
    outer.insert("anyOf".to_owned(), json!([rewritten, {"$ref": TEMPLATE}]));
    Value::Object(outer)
}

/// Whether any text fits, so that a template does.
fn is_free_text(schema: &Value) -> bool {
    let narrowing = [
        "const",
        "enum",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "$ref",
        "anyOf",
        "oneOf",
        "allOf",
    ];
    let is_text = match schema.get("type") {
        Some(Value::String(name)) => name == "string",
        Some(Value::Array(names)) => names.iter().any(|name| name == "string"),
        _ => false,
    };
    is_text && narrowing.iter().all(|key| schema.get(key).is_none())
}
