//! Where text is expected, a scalar without quotes is what is written: `1.10` stays `1.10`.

use std::borrow::Cow;

use serde_json::Value;

use crate::document::{Entry, Node, NodeKind};
use crate::types::{Types, resolve};

/// References to schemas that refer to each other end here.
const DEPTH: usize = 32;

/// The value with every scalar as the text that is written where `schema`, part of `root`, takes text.
pub(super) fn spelled<'n>(node: &'n Node, root: &Value, schema: &Value) -> Cow<'n, Node> {
    if !has_spelling(node) {
        return Cow::Borrowed(node);
    }
    respelled(node, root, schema, DEPTH).map_or(Cow::Borrowed(node), Cow::Owned)
}

/// The scalars that are read as text: those of which the schema takes no others, or takes every one.
pub(super) fn takes_text(types: Types) -> bool {
    let scalars = Types::BOOLEAN.or(Types::INTEGER).or(Types::NUMBER);
    let all = types.has(Types::BOOLEAN) && types.has(Types::NUMBER);
    types.has(Types::STRING)
        && (!types.has(scalars) || (all && !types.has(Types::ARRAY.or(Types::OBJECT))))
}

fn has_spelling(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().any(has_spelling),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| has_spelling(&entry.value)),
        _ => node.spelling().is_some(),
    }
}

fn respelled(node: &Node, root: &Value, schema: &Value, depth: usize) -> Option<Node> {
    let depth = depth.checked_sub(1)?;
    if let Some(next) =
        schema.get("$ref").and_then(Value::as_str).and_then(|target| resolve(root, target))
    {
        return respelled(node, root, next, depth);
    }
    match &node.kind {
        NodeKind::Sequence(items) => {
            let of = |index: usize| {
                inside(root, schema, depth, &|schema| {
                    let prefix = schema.get("prefixItems").and_then(Value::as_array);
                    prefix.and_then(|prefix| prefix.get(index)).or_else(|| schema.get("items"))
                })
            };
            let mut changed = false;
            let items = items.iter().enumerate().map(|(index, item)| {
                let new = of(index).and_then(|schema| respelled(item, root, schema, depth));
                changed |= new.is_some();
                new.unwrap_or_else(|| item.clone())
            });
            let items = items.collect();
            changed.then(|| Node::new(node.span, NodeKind::Sequence(items)))
        }
        NodeKind::Mapping(entries) => {
            let of = |key: &str| {
                inside(root, schema, depth, &|schema| {
                    let known = schema.get("properties").and_then(|fields| fields.get(key));
                    known.or_else(|| schema.get("additionalProperties"))
                })
            };
            let mut changed = false;
            let entries = entries.iter().map(|entry| {
                let schema = of(&entry.key.name);
                let new = schema.and_then(|schema| respelled(&entry.value, root, schema, depth));
                changed |= new.is_some();
                let value = new.unwrap_or_else(|| entry.value.clone());
                Entry { key: entry.key.clone(), value }
            });
            let entries = entries.collect();
            changed.then(|| Node::new(node.span, NodeKind::Mapping(entries)))
        }
        _ => {
            node.spelling()?;
            takes_text(Types::of_schema(root, schema)).then(|| node.as_text()).flatten()
        }
    }
}

/// The schema of a part, by the first alternative that says anything of it.
fn inside<'s>(
    root: &'s Value,
    schema: &'s Value,
    depth: usize,
    part: &dyn Fn(&'s Value) -> Option<&'s Value>,
) -> Option<&'s Value> {
    let depth = depth.checked_sub(1)?;
    if let Some(found) = part(schema) {
        return Some(found);
    }
    if let Some(next) =
        schema.get("$ref").and_then(Value::as_str).and_then(|target| resolve(root, target))
    {
        return inside(root, next, depth, part);
    }
    let either = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    either?.iter().find_map(|variant| inside(root, variant, depth, part))
}
