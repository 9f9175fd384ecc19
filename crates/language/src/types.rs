//! The types a JSON Schema allows, and their names in words.

use serde_json::Value;

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

const NAMES: &[(u8, &str, &str)] = &[
    (1, "string", "a string"),
    (2, "integer", "a whole number"),
    (4, "number", "a number"),
    (8, "boolean", "true or false"),
    (16, "array", "a list"),
    (32, "object", "a map"),
    (64, "null", "empty"),
];

/// References to schemas that refer to each other end here.
const DEPTH: usize = 32;

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ANY: Self = Self(127);
    pub(crate) const STRING: Self = Self(1);
    pub(crate) const INTEGER: Self = Self(2);
    pub(crate) const NUMBER: Self = Self(4);
    pub(crate) const BOOLEAN: Self = Self(8);
    pub(crate) const ARRAY: Self = Self(16);
    pub(crate) const OBJECT: Self = Self(32);
    pub(crate) const NULL: Self = Self(64);

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The type that a schema calls by this name.
    pub(crate) fn named(name: &str) -> Self {
        NAMES
            .iter()
            .find(|(_, schema, _)| *schema == name)
            .map_or(Self::NONE, |(bit, ..)| Self(*bit))
    }

    /// Whether a value of one of these types might do where one of `expected` is needed.
    pub(crate) fn may_be(self, expected: Self) -> bool {
        let numbers = Self::INTEGER.or(Self::NUMBER);
        self.has(expected) || (self.has(numbers) && expected.has(numbers))
    }

    /// Such as `a string or a list`.
    pub(crate) fn words(self) -> String {
        let mut words: Vec<&str> =
            NAMES.iter().filter(|(bit, ..)| self.0 & bit != 0).map(|(.., words)| *words).collect();
        if self.has(Self::NUMBER) {
            words.retain(|word| *word != "a whole number");
        }
        match words.split_last() {
            None => "nothing".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }

    /// The types that a schema, part of `root`, allows.
    pub(crate) fn of_schema(root: &Value, schema: &Value) -> Self {
        Self::of(root, schema, DEPTH)
    }

    fn of(root: &Value, schema: &Value, depth: usize) -> Self {
        let Some(map) = schema.as_object() else {
            return if schema == &Value::Bool(false) { Self::NONE } else { Self::ANY };
        };
        let Some(depth) = depth.checked_sub(1) else {
            return Self::ANY;
        };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            return resolve(root, target).map_or(Self::ANY, |schema| Self::of(root, schema, depth));
        }
        if let Some(value) = map.get("const") {
            return Self::of_value(value);
        }
        match map.get("type") {
            Some(Value::String(name)) => return Self::named(name),
            Some(Value::Array(names)) => {
                return union(names.iter().filter_map(Value::as_str).map(Self::named));
            }
            _ => {}
        }
        if let Some(Value::Array(values)) = map.get("enum") {
            return union(values.iter().map(Self::of_value));
        }
        match map.get("anyOf").or_else(|| map.get("oneOf")) {
            Some(Value::Array(variants)) => {
                union(variants.iter().map(|variant| Self::of(root, variant, depth)))
            }
            _ => Self::ANY,
        }
    }

    /// The type of a value.
    pub(crate) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self::NUMBER,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

fn union(types: impl Iterator<Item = Types>) -> Types {
    types.fold(Types::NONE, Types::or)
}

/// What `#/$defs/Name` stands for in `root`.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    root.pointer(reference.strip_prefix('#')?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_have_types() {
        let root = json!({"$defs": {
            "Text": {"type": "string"},
            "Loop": {"$ref": "#/$defs/Loop"},
            "Mode": {"oneOf": [{"const": "a"}, {"enum": ["b", 1]}]},
        }});
        let of = |schema: Value| Types::of_schema(&root, &schema);
        assert_eq!(of(json!({"type": ["string", "null"]})), Types::STRING.or(Types::NULL));
        assert_eq!(
            of(json!({"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "array"}]})),
            Types::STRING.or(Types::ARRAY)
        );
        assert_eq!(of(json!({"$ref": "#/$defs/Mode"})), Types::STRING.or(Types::INTEGER));
        assert_eq!(of(json!({"$ref": "#/$defs/Loop"})), Types::ANY);
        assert_eq!(of(json!({"$ref": "#/$defs/Gone"})), Types::ANY);
        assert_eq!(of(json!(true)), Types::ANY);
        assert_eq!(of(json!({})), Types::ANY);
    }

    #[test]
    fn types_read_as_words() {
        assert_eq!(
            Types::STRING.or(Types::ARRAY).or(Types::BOOLEAN).words(),
            "a string, true or false or a list"
        );
        assert_eq!(Types::INTEGER.or(Types::NUMBER).words(), "a number");
        assert_eq!(Types::NONE.words(), "nothing");
    }

    #[test]
    fn numbers_may_be_whole() {
        assert!(Types::NUMBER.may_be(Types::INTEGER));
        assert!(Types::INTEGER.may_be(Types::NUMBER.or(Types::NULL)));
        assert!(!Types::INTEGER.may_be(Types::STRING));
        assert!(Types::ANY.may_be(Types::OBJECT));
    }
}
