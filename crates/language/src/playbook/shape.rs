//! What is known of a value before it is there: its type, what is in it, whether it is a secret.

use std::sync::Arc;

use serde_json::Value;

use super::scope::Names;
use crate::spec::SECRET;
use crate::types::{Types, resolve};

/// Schemas that refer to each other without end are not followed further than this.
const DEPTH: usize = 32;

/// No more names of a map are compared or listed.
const MOST_KNOWN: usize = 300;

/// What is known of a value.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    kind: Kind,
    /// Whether it holds a secret.
    pub(super) secret: bool,
    /// Whether it is the same in every run.
    pub(super) fixed: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    /// One of these types.
    Types(Types),
    /// As a part of a schema says.
    Schema { root: &'static Value, schema: &'static Value },
    /// A list whose items are known one by one, and what each of them may be.
    Items { items: Arc<[Shape]>, any: Arc<Shape> },
    /// A list of items that are all alike.
    List(Arc<Shape>),
    /// A map with these entries and no others.
    Map(Arc<Names<Shape>>),
}

/// Why there is nothing of that name in a value.
pub(super) struct Missing {
    /// What the value is.
    pub(super) types: Types,
    /// The names that there are, where it is a map.
    pub(super) known: Vec<String>,
}

impl Default for Shape {
    fn default() -> Self {
        Self::types_only(Types::ANY)
    }
}

impl Shape {
    pub(super) fn types_only(types: Types) -> Self {
        Self { kind: Kind::Types(types), secret: false, fixed: false }
    }

    /// Part of what a step returns.
    pub(super) fn of_schema(root: &'static Value, schema: &'static Value) -> Self {
        let secret = schema.get(SECRET).and_then(Value::as_bool) == Some(true);
        Self { kind: Kind::Schema { root, schema }, secret, fixed: false }
    }

    /// What a schema that a playbook itself writes says of a value.
    pub(super) fn declared(schema: &Value) -> Self {
        let types = Types::of_schema(schema, schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        match (types, properties, schema.get("items")) {
            (Types::OBJECT, Some(fields), _) if closed => Self::of_entries(
                fields.iter().map(|(name, field)| (name.clone(), Self::declared(field))).collect(),
            ),
            (Types::ARRAY, _, Some(items)) => Self::declared(items).list_of(),
            _ => Self::types_only(types),
        }
    }

    pub(super) fn of_items(items: Vec<Shape>) -> Self {
        let secret = items.iter().any(|item| item.secret);
        let fixed = items.iter().all(|item| item.fixed);
        let any = Arc::new(any_of(&items, secret, fixed));
        Self { kind: Kind::Items { items: items.into(), any }, secret, fixed }
    }

    pub(super) fn of_entries(entries: Vec<(String, Shape)>) -> Self {
        let secret = entries.iter().any(|(_, shape)| shape.secret);
        let fixed = entries.iter().all(|(_, shape)| shape.fixed);
        let mut names = Names::default();
        for (name, shape) in entries {
            names.push(name, shape);
        }
        Self { kind: Kind::Map(Arc::new(names)), secret, fixed }
    }

    /// A list of such items.
    pub(super) fn list_of(self) -> Self {
        let (secret, fixed) = (self.secret, self.fixed);
        Self { kind: Kind::List(Arc::new(self)), secret, fixed }
    }

    pub(super) fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }

    pub(super) fn secret(mut self, secret: bool) -> Self {
        self.secret |= secret;
        self
    }

    /// The types that it may have.
    pub(super) fn types(&self) -> Types {
        match &self.kind {
            Kind::Types(types) => *types,
            Kind::Schema { root, schema } => Types::of_schema(root, schema),
            Kind::Items { .. } | Kind::List(_) => Types::ARRAY,
            Kind::Map(_) => Types::OBJECT,
        }
    }

    /// The items, where each is known.
    pub(super) fn items(&self) -> Option<&[Shape]> {
        match &self.kind {
            Kind::Items { items, .. } => Some(items),
            _ => None,
        }
    }

    /// What a loop over it has as its item.
    pub(super) fn item(&self) -> Self {
        let inner = match &self.kind {
            Kind::Items { any, .. } => Self::clone(any),
            Kind::List(item) => Self::clone(item),
            Kind::Schema { root, schema } => {
                let mut found = Vec::new();
                alternatives(root, schema, DEPTH, &mut found);
                match found.as_slice() {
                    [only] => only
                        .get("items")
                        .map_or_else(Self::default, |items| Self::of_schema(root, items)),
                    _ => Self::default(),
                }
            }
            _ => Self::default(),
        };
        inner.secret(self.secret)
    }

    /// What is under a key or an index of it.
    pub(super) fn inside(&self, key: &str) -> Result<Self, Missing> {
        let index = key.parse::<i64>().ok();
        let missing = |known: Vec<String>| Missing { types: self.types(), known };
        let found = match &self.kind {
            Kind::Types(types) => {
                let holders = Types::OBJECT.or(Types::ARRAY);
                let indexed = index.is_some() && types.has(Types::STRING);
                if types.has(holders) || indexed {
                    Ok(Self { kind: Kind::Types(Types::ANY), ..self.clone() })
                } else {
                    Err(missing(Vec::new()))
                }
            }
            Kind::Map(entries) => match entries.get(key) {
                Some(shape) => Ok(shape.clone()),
                None => Err(missing(
                    entries.iter().take(MOST_KNOWN).map(|(name, _)| name.to_owned()).collect(),
                )),
            },
            Kind::Items { items, .. } => match index {
                Some(index) => Ok(usize::try_from(index)
                    .ok()
                    .and_then(|index| items.get(index).cloned())
                    .unwrap_or_else(|| self.item())),
                None => Err(missing(Vec::new())),
            },
            Kind::List(item) => match index {
                Some(_) => Ok(Self::clone(item)),
                None => Err(missing(Vec::new())),
            },
            Kind::Schema { root, schema } => in_schema(root, schema, key).map_err(missing),
        };
        found.map(|shape| shape.secret(self.secret && !matches!(self.kind, Kind::Map(_))))
    }
}

/// What each of these items may be.
fn any_of(items: &[Shape], secret: bool, fixed: bool) -> Shape {
    match items {
        [only] => only.clone(),
        [] => Shape::default(),
        items => {
            // Maps may differ from item to item, so that nothing is said of what is in them.
            let types = items.iter().fold(Types::NONE, |types, item| types.or(item.types()));
            Shape { kind: Kind::Types(types), secret, fixed }
        }
    }
}

/// All that a schema allows except nothing at all, its references and alternatives followed.
fn alternatives<'s>(root: &'s Value, schema: &'s Value, depth: usize, found: &mut Vec<&'s Value>) {
    let Some(depth) = depth.checked_sub(1) else {
        return found.push(&Value::Bool(true));
    };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return match resolve(root, target) {
            Some(next) => alternatives(root, next, depth, found),
            None => found.push(&Value::Bool(true)),
        };
    }
    let either = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    match either {
        Some(variants) => {
            for variant in variants {
                alternatives(root, variant, depth, found);
            }
        }
        None if Types::of_schema(root, schema) == Types::NULL => {}
        None => found.push(schema),
    }
}

/// What a schema says of the value under a key; the names that it knows where there is none.
fn in_schema(
    root: &'static Value,
    schema: &'static Value,
    key: &str,
) -> Result<Shape, Vec<String>> {
    let index = key.parse::<i64>().is_ok();
    let mut variants = Vec::new();
    alternatives(root, schema, DEPTH, &mut variants);
    let mut found: Vec<Shape> = Vec::new();
    let mut known = Vec::new();
    for variant in variants {
        let types = Types::of_schema(root, variant);
        if types == Types::ANY {
            return Ok(Shape::default());
        }
        let properties = variant.get("properties").and_then(Value::as_object);
        if let Some(field) = properties.and_then(|properties| properties.get(key)) {
            found.push(Shape::of_schema(root, field));
            continue;
        }
        match variant.get("additionalProperties") {
            Some(further) if types.has(Types::OBJECT) && further != &Value::Bool(false) => {
                found.push(Shape::of_schema(root, further));
            }
            None if types.has(Types::OBJECT) && properties.is_none() => {
                found.push(Shape::default());
            }
            _ => known.extend(properties.into_iter().flat_map(|map| map.keys().cloned())),
        }
        if index && types.has(Types::ARRAY.or(Types::STRING)) {
            found.push(match variant.get("items") {
                Some(items) => Shape::of_schema(root, items),
                None => Shape::default(),
            });
        }
    }
    match found.len() {
        0 => Err(known),
        1 => Ok(found.swap_remove(0)),
        _ => Ok(Shape::default().secret(found.iter().any(|shape| shape.secret))),
    }
}
