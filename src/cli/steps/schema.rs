//! JSON Schemas in words.

use serde_json::{Map, Value};

use language::spec::{FILE, SECRET};

/// Schemas that refer to each other end here.
const DEPTH: usize = 6;

/// The fields of an object.
pub(super) struct Fields<'s> {
    root: &'s Value,
    object: Option<&'s Map<String, Value>>,
    depth: usize,
}

/// One of them.
pub(super) struct Field<'s> {
    pub(super) name: &'s str,
    pub(super) schema: &'s Value,
    fields: &'s Fields<'s>,
}

impl<'s> Fields<'s> {
    pub(super) fn of(root: &'s Value) -> Self {
        Self { root, object: root.as_object(), depth: DEPTH }
    }

    fn properties(&self) -> Option<&'s Map<String, Value>> {
        self.object?.get("properties")?.as_object()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.properties().is_none_or(Map::is_empty)
    }

    /// The fields of each thing that this may be, with the field that says which it is, and what that field then says.
    pub(super) fn variants(&self) -> Vec<(&'s str, &'s str, Fields<'s>)> {
        let variants = variants(self.root).into_iter().flatten();
        let variant = |schema: &'s Value| {
            let object = schema.as_object();
            let properties = object?.get("properties")?.as_object()?;
            let (tag, value) = properties
                .iter()
                .find_map(|(name, schema)| Some((name.as_str(), schema.get("const")?.as_str()?)))?;
            Some((tag, value, Fields { root: self.root, object, depth: self.depth }))
        };
        variants.filter_map(variant).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let properties = self.properties().into_iter().flatten();
        properties.map(|(name, schema)| Field { name, schema, fields: self })
    }
}

impl Field<'_> {
    pub(super) fn is_required(&self) -> bool {
        let required =
            self.fields.object.and_then(|object| object.get("required")).and_then(Value::as_array);
        // What a step returns is always there; saying so of each field says nothing.
        let is_input =
            self.fields.object.is_some_and(|object| object.contains_key("additionalProperties"));
        is_input && required.is_some_and(|required| required.iter().any(|name| name == self.name))
    }

    pub(super) fn default(&self) -> Option<String> {
        match self.schema.get("default")? {
            Value::Null => None,
            Value::Array(items) if items.is_empty() => None,
            Value::Object(fields) if fields.is_empty() => None,
            Value::String(text) => Some(format!("`{text}`")),
            other => Some(format!("`{other}`")),
        }
    }

    /// Whether it must be given, what it is otherwise, and whether it is a secret.
    pub(super) fn remarks(&self) -> Vec<String> {
        let required = self.is_required().then(|| "required".to_owned());
        let default = self.default().map(|default| format!("default {default}"));
        let bound = |key: &str| self.schema.get(key).and_then(Value::as_f64);
        let range = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => Some(format!("{least} to {most}")),
            // That a number that is counted is not negative goes without saying.
            (Some(least), None) if least > 0.0 => Some(format!("at least {least}")),
            (None, Some(most)) => Some(format!("at most {most}")),
            _ => None,
        };
        let is_secret = self.schema.get(SECRET).and_then(Value::as_bool) == Some(true);
        let secret = is_secret.then(|| "secret".to_owned());
        [required, default, range, secret].into_iter().flatten().collect()
    }

    pub(super) fn description(&self) -> &str {
        self.schema.get("description").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn type_in_words(&self) -> String {
        let mut words = Vec::new();
        self.fields.words(self.schema, self.fields.depth, &mut words);
        either(&words)
    }

    /// The fields inside this field, where it is a map or a list of maps that names them.
    pub(super) fn inner(&self) -> Fields<'_> {
        let Fields { root, depth, .. } = *self.fields;
        let Some(depth) = depth.checked_sub(1) else {
            return Fields { root, object: None, depth };
        };
        let object = self.fields.object_in(self.schema, depth);
        Fields { root, object, depth }
    }
}

impl Fields<'_> {
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|target| self.root.pointer(target.strip_prefix('#')?));
        target.unwrap_or(schema)
    }

    fn object_in<'a>(&'a self, schema: &'a Value, depth: usize) -> Option<&'a Map<String, Value>> {
        let depth = depth.checked_sub(1)?;
        let schema = self.resolve(schema);
        if schema.get("properties").is_some() {
            return schema.as_object();
        }
        let inside = schema.get("items").into_iter();
        let mut inside = inside.chain(variants(schema).into_iter().flatten());
        inside.find_map(|schema| self.object_in(schema, depth))
    }

    fn words(&self, schema: &Value, depth: usize, words: &mut Vec<String>) {
        let Some(depth) = depth.checked_sub(1) else {
            return add(words, "any value");
        };
        if let Some(title) = schema.get("title").or_else(|| self.resolve(schema).get("title")) {
            return add(words, title.as_str().unwrap_or_default());
        }
        let schema = self.resolve(schema);
        if let Some(value) = schema.get("const") {
            return add(words, &literal(value));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().for_each(|value| add(words, &literal(value)));
        }
        if let Some(variants) = variants(schema) {
            return variants.iter().for_each(|variant| self.words(variant, depth, words));
        }
        match schema.get("type") {
            Some(Value::String(name)) => self.named(name, schema, depth, words),
            Some(Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    self.named(name, schema, depth, words);
                }
            }
            _ => add(words, "any value"),
        }
    }

    fn named(&self, name: &str, schema: &Value, depth: usize, words: &mut Vec<String>) {
        let of = |inside: Option<&Value>, what: &str| {
            let mut inner = Vec::new();
            if let Some(schema) = inside.filter(|schema| schema.is_object()) {
                self.words(schema, depth, &mut inner);
            }
            match inner.as_slice() {
                [] => what.to_owned(),
                [one] if one == "any value" => what.to_owned(),
                inner => format!("{what} of {}", plural(inner)),
            }
        };
        match name {
            // Left out or empty is the same to a reader.
            "null" => {}
            "string" if schema.get(FILE).and_then(Value::as_bool) == Some(true) => {
                add(words, "file");
            }
            "integer" => add(words, "whole number"),
            "boolean" => add(words, "true or false"),
            "array" => add(words, &of(schema.get("items"), "list")),
            "object" => add(words, &of(schema.get("additionalProperties"), "map")),
            other => add(words, other),
        }
    }
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("`{value}`"), |text| format!("`{text}`"))
}

fn add(words: &mut Vec<String>, word: &str) {
    if !words.iter().any(|known| known == word) {
        words.push(word.to_owned());
    }
}

fn plural(words: &[String]) -> String {
    let plurals: Vec<_> = words
        .iter()
        .map(|word| match word.as_str() {
            "string" | "number" | "whole number" | "file" | "map" | "list" | "expression" => {
                format!("{word}s")
            }
            word => word.to_owned(),
        })
        .collect();
    either(&plurals)
}

fn either(words: &[String]) -> String {
    match words.split_last() {
        None => "any value".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
