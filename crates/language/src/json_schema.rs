//! Data against a JSON Schema: the part of it that inputs of type `list` and `map` are declared with.

use serde_json::{Map, Value};

/// Schemas that are nested deeper are not looked at: a document is no deeper.
const DEEPEST: usize = 64;

/// What a schema can say here.
const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
];

/// What says nothing of the data.
const ANNOTATIONS: &[&str] =
    &["$schema", "title", "description", "default", "examples", "$comment", "deprecated"];

const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object", "null"];

/// What is wrong with a schema itself: what it says that is not understood here, and must not be taken for checked.
pub(crate) fn misunderstood(schema: &Value) -> Option<String> {
    let Some(map) = schema.as_object() else {
        return (!schema.is_boolean()).then(|| "a schema is a map".to_owned());
    };
    for (keyword, value) in map {
        match keyword.as_str() {
            "type" => {
                let names = match value {
                    Value::Array(names) => names.iter().collect(),
                    one => vec![one],
                };
                let known = |name: &&Value| name.as_str().is_some_and(|it| TYPES.contains(&it));
                if let Some(odd) = names.into_iter().find(|name| !known(name)) {
                    return Some(format!("there is no type {odd}; there are {}", TYPES.join(", ")));
                }
            }
            "properties" => {
                let fields = value.as_object().into_iter().flat_map(Map::values);
                if let Some(why) = fields.into_iter().find_map(misunderstood) {
                    return Some(why);
                }
            }
            "items" | "additionalProperties" => {
                if let Some(why) = misunderstood(value) {
                    return Some(why);
                }
            }
            "anyOf" | "oneOf" => {
                if let Some(why) = value.as_array().into_iter().flatten().find_map(misunderstood) {
                    return Some(why);
                }
            }
            "pattern" => {
                let is_pattern =
                    value.as_str().is_some_and(|it| regex_lite::Regex::new(it).is_ok());
                if !is_pattern {
                    return Some(format!("{value} is no regular expression"));
                }
            }
            known if KEYWORDS.contains(&known) || ANNOTATIONS.contains(&known) => {}
            _ => return Some(format!("`{keyword}` is not understood here")),
        }
    }
    None
}

/// What is wrong with data, as the end of a sentence that never repeats the data: `must be …`.
pub(crate) fn fault(schema: &Value, data: &Value) -> Option<String> {
    Checker { path: String::new() }.check(schema, data, DEEPEST)
}

struct Checker {
    path: String,
}

impl Checker {
    #[allow(clippy::unnecessary_wraps, reason = "every check ends with it or with nothing")]
    fn must(&self, what: &str) -> Option<String> {
        Some(if self.path.is_empty() {
            format!("must {what}")
        } else {
            format!("must {what} at `{}`", self.path.trim_start_matches('.'))
        })
    }

    fn inside(&mut self, key: &str, schema: &Value, data: &Value, depth: usize) -> Option<String> {
        let before = self.path.len();
        self.path.push_str(key);
        let found = self.check(schema, data, depth);
        self.path.truncate(before);
        found
    }

    fn check(&mut self, schema: &Value, data: &Value, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let map = match schema {
            Value::Bool(false) => return self.must("not be there"),
            Value::Object(map) => map,
            _ => return None,
        };
        if let Some(expected) = map.get("type")
            && !is_of(expected, data)
        {
            return self.must(&format!("be {}", type_words(expected)));
        }
        if let Some(Value::Array(allowed)) = map.get("enum")
            && !allowed.contains(data)
        {
            let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
            return self.must(&format!("be one of {}", allowed.join(", ")));
        }
        if let Some(only) = map.get("const")
            && only != data
        {
            return self.must(&format!("be {only}"));
        }
        let either = map.get("anyOf").or_else(|| map.get("oneOf")).and_then(Value::as_array);
        if let Some(variants) = either {
            let faults: Vec<Option<String>> =
                variants.iter().map(|variant| self.check(variant, data, depth)).collect();
            if faults.iter().all(Option::is_some) {
                return faults.into_iter().flatten().next();
            }
        }
        match data {
            Value::String(text) => self.text(map, text),
            Value::Number(number) => self.number(map, number),
            Value::Array(items) => self.items(map, items, depth),
            Value::Object(fields) => self.fields(map, fields, depth),
            _ => None,
        }
    }

    fn text(&self, schema: &Map<String, Value>, text: &str) -> Option<String> {
        let length = text.chars().count() as u64;
        if let Some(least) = limit(schema, "minLength").filter(|least| length < *least) {
            return self.must(&format!("have at least {}", counted(least, "character")));
        }
        if let Some(most) = limit(schema, "maxLength").filter(|most| length > *most) {
            return self.must(&format!("have at most {}", counted(most, "character")));
        }
        let pattern = schema.get("pattern").and_then(Value::as_str)?;
        let matches = regex_lite::Regex::new(pattern).is_ok_and(|it| it.is_match(text));
        if matches { None } else { self.must(&format!("match the pattern {pattern}")) }
    }

    fn number(&self, schema: &Map<String, Value>, number: &serde_json::Number) -> Option<String> {
        let value = number.as_f64()?;
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| value < *least) {
            return self.must(&format!("be at least {least}"));
        }
        let most = bound("maximum").filter(|most| value > *most)?;
        self.must(&format!("be at most {most}"))
    }

    fn items(
        &mut self,
        schema: &Map<String, Value>,
        items: &[Value],
        depth: usize,
    ) -> Option<String> {
        let count = items.len() as u64;
        if let Some(least) = limit(schema, "minItems").filter(|least| count < *least) {
            return self.must(&format!("have at least {}", counted(least, "item")));
        }
        if let Some(most) = limit(schema, "maxItems").filter(|most| count > *most) {
            return self.must(&format!("have at most {}", counted(most, "item")));
        }
        let of_each = schema.get("items")?;
        (0..).zip(items).find_map(|(index, item): (usize, _)| {
            self.inside(&format!("[{index}]"), of_each, item, depth)
        })
    }

    fn fields(
        &mut self,
        schema: &Map<String, Value>,
        fields: &Map<String, Value>,
        depth: usize,
    ) -> Option<String> {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing = |name: &&str| !fields.contains_key(*name);
        if let Some(name) = required.filter_map(Value::as_str).find(missing) {
            return self.must(&format!("have a field `{name}`"));
        }
        let count = fields.len() as u64;
        if let Some(least) = limit(schema, "minProperties").filter(|least| count < *least) {
            return self.must(&format!("have at least {}", counted(least, "field")));
        }
        if let Some(most) = limit(schema, "maxProperties").filter(|most| count > *most) {
            return self.must(&format!("have at most {}", counted(most, "field")));
        }
        let known = schema.get("properties").and_then(Value::as_object);
        fields.iter().find_map(|(name, value)| {
            let field = known.and_then(|known| known.get(name));
            match field.or_else(|| schema.get("additionalProperties")) {
                Some(Value::Bool(false)) => self.must(&format!("have no field `{name}`")),
                Some(schema) => self.inside(&format!(".{name}"), schema, value, depth),
                None => None,
            }
        })
    }
}

fn limit(schema: &Map<String, Value>, key: &str) -> Option<u64> {
    schema.get(key).and_then(Value::as_u64)
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn is_of(expected: &Value, data: &Value) -> bool {
    match expected {
        Value::Array(names) => names.iter().any(|name| is_of(name, data)),
        name => match name.as_str().unwrap_or_default() {
            "string" => data.is_string(),
            "integer" => {
                data.is_i64() || data.is_u64() || data.as_f64().is_some_and(|it| it.fract() == 0.0)
            }
            "number" => data.is_number(),
            "boolean" => data.is_boolean(),
            "array" => data.is_array(),
            "object" => data.is_object(),
            _ => data.is_null(),
        },
    }
}

fn type_words(expected: &Value) -> String {
    match expected {
        Value::Array(names) => names.iter().map(type_words).collect::<Vec<_>>().join(" or "),
        name => match name.as_str().unwrap_or_default() {
            "string" => "a string",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "a map",
            _ => "empty",
        }
        .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_is_held_against_a_schema_and_never_repeated() {
        let schema = json!({
            "type": "array", "minItems": 1, "maxItems": 2,
            "items": {
                "type": "object", "required": ["name"], "additionalProperties": false,
                "properties": {
                    "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
                    "age": {"type": ["integer", "null"], "minimum": 0, "maximum": 150},
                    "kind": {"enum": ["a", "b"]},
                },
            },
        });
        assert_eq!(misunderstood(&schema), None);
        for (data, expected) in [
            (json!([{"name": "ann", "age": null, "kind": "a"}]), None),
            (json!({}), Some("must be a list")),
            (json!([]), Some("must have at least 1 item")),
            (json!([{}]), Some("must have a field `name` at `[0]`")),
            (json!([{"name": "x"}]), Some("must have at least 2 characters at `[0].name`")),
            (
                json!([{"name": "ann", "age": 1.5}]),
                Some("must be a whole number or empty at `[0].age`"),
            ),
            (json!([{"name": "ann", "age": 151}]), Some("must be at most 150 at `[0].age`")),
            (
                json!([{"name": "ann", "kind": "c"}]),
                Some("must be one of \"a\", \"b\" at `[0].kind`"),
            ),
            (json!([{"name": "ANN"}]), Some("must match the pattern ^[a-z]+$ at `[0].name`")),
            (json!([{"name": "ann", "more": 1}]), Some("must have no field `more` at `[0]`")),
        ] {
            assert_eq!(fault(&schema, &data).as_deref(), expected, "{data}");
        }
    }

    #[test]
    fn what_a_schema_says_and_nobody_checks_is_refused() {
        assert_eq!(
            misunderstood(&json!({"items": {"$ref": "#/x"}})).as_deref(),
            Some("`$ref` is not understood here")
        );
        assert!(misunderstood(&json!({"type": "text"})).is_some());
        assert!(misunderstood(&json!({"pattern": "("})).is_some());
    }
}
