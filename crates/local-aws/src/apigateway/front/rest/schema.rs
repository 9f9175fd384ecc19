//! JSON Schema, as far as models of REST APIs can say what bodies are like: draft 4.

use regex_lite::Regex;
use serde_json::{Map, Value};

/// How deep a schema may refer to others, and so to itself.
const DEEPEST: usize = 64;
/// What says nothing of a value.
const ANNOTATIONS: [&str; 11] = [
    "$schema",
    "default",
    "definitions",
    "description",
    "example",
    "examples",
    "format",
    "id",
    "readOnly",
    "title",
    "$comment",
];
const KEYWORDS: [&str; 26] = [
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "dependencies",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "uniqueItems",
];

/// Whether every keyword of a schema is known here; else that which is not.
pub(in crate::apigateway) fn check(schema: &Value) -> Result<(), String> {
    let Value::Object(members) = schema else { return Ok(()) };
    for (name, value) in members {
        match name.as_str() {
            "properties" | "definitions" | "patternProperties" => {
                let named = value.as_object().into_iter().flatten();
                for (pattern, schema) in named {
                    if name == "patternProperties" {
                        expression(pattern)?;
                    }
                    check(schema)?;
                }
            }
            "dependencies" => {
                value.as_object().into_iter().flatten().try_for_each(|(_, one)| check(one))?;
            }
            "items" | "allOf" | "anyOf" | "oneOf" => match value {
                Value::Array(schemas) => schemas.iter().try_for_each(check)?,
                one => check(one)?,
            },
            "not" | "additionalItems" | "additionalProperties" => check(value)?,
            "pattern" => expression(value.as_str().unwrap_or_default())?,
            "$ref" | "type" => {}
            other if KEYWORDS.contains(&other) || ANNOTATIONS.contains(&other) => {}
            other => return Err(other.to_owned()),
        }
    }
    Ok(())
}

fn expression(pattern: &str) -> Result<(), String> {
    Regex::new(pattern).map(|_| ()).map_err(|_| format!("the pattern {pattern}"))
}

/// Finds a schema that another refers to.
pub(super) struct Schemas<'s> {
    /// That which is asked.
    pub(super) root: &'s Value,
    /// That of a model, by the model's name.
    pub(super) model: &'s dyn Fn(&str) -> Option<Value>,
}

impl Schemas<'_> {
    /// Whether a value is as the schema says.
    pub(super) fn allow(&self, value: &Value) -> bool {
        self.fits(self.root, value, 0)
    }

    fn fits(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let Value::Object(says) = schema else { return schema != &Value::Bool(false) };
        if depth > DEEPEST {
            return false;
        }
        if let Some(reference) = says.get("$ref").and_then(Value::as_str) {
            return self.refers(reference, value, depth + 1);
        }
        let of_type = match value {
            Value::Object(members) => self.object(says, members, depth),
            Value::Array(items) => self.array(says, items, depth),
            Value::String(text) => is_text(says, text),
            Value::Number(number) => number.as_f64().is_some_and(|number| is_number(says, number)),
            Value::Null | Value::Bool(_) => true,
        };
        let fit = |schema: &Value| self.fits(schema, value, depth + 1);
        let list = |name: &str| says.get(name).and_then(Value::as_array);
        of_type
            && says.get("type").is_none_or(|kind| is_of_type(kind, value))
            && list("enum").is_none_or(|all| all.iter().any(|one| is_same(one, value)))
            && list("allOf").is_none_or(|all| all.iter().all(fit))
            && list("anyOf").is_none_or(|all| all.iter().any(fit))
            && list("oneOf").is_none_or(|all| all.iter().filter(|one| fit(one)).count() == 1)
            && says.get("not").is_none_or(|not| !fit(not))
    }

    fn refers(&self, reference: &str, value: &Value, depth: usize) -> bool {
        if let Some(pointer) = reference.strip_prefix('#') {
            let found =
                if pointer.is_empty() { Some(self.root) } else { self.root.pointer(pointer) };
            return found.is_some_and(|schema| self.fits(schema, value, depth));
        }
        // Models refer to each other by their addresses, which end in `/models/NAME`.
        let name = reference.rsplit_once("/models/").map(|(_, name)| name);
        let Some(schema) = name.and_then(|name| (self.model)(name)) else { return false };
        if depth > DEEPEST {
            return false;
        }
        let other = Schemas { root: &schema, model: self.model };
        other.fits(&schema, value, depth)
    }

    fn object(
        &self,
        says: &Map<String, Value>,
        members: &Map<String, Value>,
        depth: usize,
    ) -> bool {
        let required = says.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut required = required.filter_map(Value::as_str);
        let count = |name: &str| says.get(name).and_then(Value::as_u64);
        let size = members.len() as u64;
        if !required.all(|name| members.contains_key(name))
            || count("minProperties").is_some_and(|least| size < least)
            || count("maxProperties").is_some_and(|most| size > most)
        {
            return false;
        }
        let dependencies = says.get("dependencies").and_then(Value::as_object);
        let depended = dependencies
            .into_iter()
            .flatten()
            .filter(|(name, _)| members.contains_key(name.as_str()));
        for (_, needs) in depended {
            let is_met = match needs {
                Value::Array(names) => {
                    names.iter().filter_map(Value::as_str).all(|name| members.contains_key(name))
                }
                schema => self.fits(schema, &Value::Object(members.clone()), depth + 1),
            };
            if !is_met {
                return false;
            }
        }
        members.iter().all(|(name, value)| self.member(says, name, value, depth))
    }

    fn member(&self, says: &Map<String, Value>, name: &str, value: &Value, depth: usize) -> bool {
        let known = says.get("properties").and_then(|all| all.get(name));
        let patterns = says.get("patternProperties").and_then(Value::as_object);
        let like: Vec<&Value> = patterns
            .into_iter()
            .flatten()
            .filter(|(pattern, _)| Regex::new(pattern).is_ok_and(|it| it.is_match(name)))
            .map(|(_, schema)| schema)
            .collect();
        let other = says.get("additionalProperties").filter(|_| known.is_none() && like.is_empty());
        let mut schemas = known.into_iter().chain(like).chain(other);
        schemas.all(|schema| self.fits(schema, value, depth + 1))
    }

    fn array(&self, says: &Map<String, Value>, items: &[Value], depth: usize) -> bool {
        let count = |name: &str| says.get(name).and_then(Value::as_u64);
        let size = items.len() as u64;
        if count("minItems").is_some_and(|least| size < least)
            || count("maxItems").is_some_and(|most| size > most)
        {
            return false;
        }
        let is_double =
            |(at, item): (usize, &Value)| items.iter().take(at).any(|other| is_same(other, item));
        if says.get("uniqueItems") == Some(&Value::Bool(true))
            && items.iter().enumerate().any(is_double)
        {
            return false;
        }
        match says.get("items") {
            Some(Value::Array(schemas)) => items.iter().enumerate().all(|(at, item)| {
                let schema = schemas.get(at).or_else(|| says.get("additionalItems"));
                schema.is_none_or(|schema| self.fits(schema, item, depth + 1))
            }),
            Some(schema) => items.iter().all(|item| self.fits(schema, item, depth + 1)),
            None => true,
        }
    }
}

fn is_text(says: &Map<String, Value>, text: &str) -> bool {
    let count = |name: &str| says.get(name).and_then(Value::as_u64);
    let length = text.chars().count() as u64;
    let pattern = says.get("pattern").and_then(Value::as_str);
    count("minLength").is_none_or(|least| length >= least)
        && count("maxLength").is_none_or(|most| length <= most)
        && pattern.is_none_or(|it| Regex::new(it).is_ok_and(|pattern| pattern.is_match(text)))
}

fn is_number(says: &Map<String, Value>, number: f64) -> bool {
    let bound = |name: &str| says.get(name).and_then(Value::as_f64);
    // A flag beside the bound in draft 4.
    let is_exclusive = |name: &str| says.get(name) == Some(&Value::Bool(true));
    let above = bound("minimum").is_none_or(|least| {
        number > least || (number >= least && !is_exclusive("exclusiveMinimum"))
    });
    let below = bound("maximum")
        .is_none_or(|most| number < most || (number <= most && !is_exclusive("exclusiveMaximum")));
    let is_multiple = bound("multipleOf").is_none_or(|of| {
        let times = number / of;
        (times - times.round()).abs() < 1e-9
    });
    above && below && is_multiple
}

/// Numbers are the same as numbers.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn is_of_type(kind: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    };
    match kind {
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allows(schema: &Value, value: &Value) -> bool {
        let model = |name: &str| (name == "Tag").then(|| json!({"type": "string", "maxLength": 3}));
        Schemas { root: schema, model: &model }.allow(value)
    }

    #[test]
    fn a_schema_says_what_values_are_like() {
        let pet = json!({
            "type": "object", "required": ["name", "price"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "minLength": 1, "pattern": "^[a-z]+$"},
                "price": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
                "kind": {"enum": ["cat", "dog"]},
                "tags": {"type": "array", "items": {"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Tag"},
                         "uniqueItems": true, "maxItems": 2},
                "child": {"$ref": "#"},
            },
        });
        let whole = json!({
            "name": "rex", "price": 1.5, "kind": "dog", "tags": ["a", "b"],
            "child": {"name": "bo", "price": 1},
        });
        assert!(allows(&pet, &whole));
        for (member, wrong) in [
            ("name", json!("Rex")),
            ("name", json!("")),
            ("name", json!(1)),
            ("price", json!(0)),
            ("price", json!("1")),
            ("kind", json!("cow")),
            ("tags", json!(["a", "a"])),
            ("tags", json!(["a", "b", "c"])),
            ("tags", json!(["long"])),
            ("child", json!({"name": "bo"})),
            ("other", json!(1)),
        ] {
            let mut changed = whole.clone();
            changed[member] = wrong;
            assert!(!allows(&pet, &changed), "{changed}");
        }
        assert!(!allows(&pet, &json!([])));
    }

    #[test]
    fn schemas_are_combined() {
        let one = json!({"oneOf": [{"type": "integer"}, {"minimum": 2}], "not": {"enum": [7]}});
        for (value, is_allowed) in
            [(json!(1), true), (json!(2.5), true), (json!(3), false), (json!(7), false)]
        {
            assert_eq!(allows(&one, &value), is_allowed, "{value}");
        }
        let depends = json!({"dependencies": {"a": ["b"]}, "minProperties": 1});
        assert!(allows(&depends, &json!({"a": 1, "b": 2})));
        assert!(!allows(&depends, &json!({"a": 1})));
        assert!(!allows(&depends, &json!({})));
        assert!(!allows(&json!({"$ref": "#/definitions/none"}), &json!(1)));
        // One that is only itself fits nothing, and ends.
        assert!(!allows(&json!({"$ref": "#"}), &json!(1)));
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert_eq!(check(&json!({"properties": {"a": {"if": {}}}})), Err("if".to_owned()));
        assert_eq!(
            check(&json!({"properties": {"if": {"type": "string", "format": "x"}}})),
            Ok(())
        );
        assert!(check(&json!({"items": [{"pattern": "("}]})).is_err());
    }
}
