//! Parts of items.

use super::path::{Path, Step};
use crate::dynamodb::value::{AttributeValue, Item};

/// The item, reduced to what the paths lead to.
#[must_use]
pub fn project(item: &Item, paths: &[Path]) -> Item {
    item.iter()
        .filter_map(|(name, value)| {
            let inside: Vec<&[Step]> = paths
                .iter()
                .filter(|path| path.name == *name)
                .map(|path| path.inside.as_slice())
                .collect();
            (!inside.is_empty())
                .then(|| part(value, &inside))
                .flatten()
                .map(|value| (name.clone(), value))
        })
        .collect()
}

fn part(value: &AttributeValue, paths: &[&[Step]]) -> Option<AttributeValue> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let below = |wanted: &Step| -> Vec<&[Step]> {
        paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| *first == wanted)
            .map(|(_, rest)| rest)
            .collect()
    };
    let within = |step: &Step, inner: &AttributeValue| {
        let paths = below(step);
        (!paths.is_empty()).then(|| part(inner, &paths)).flatten()
    };
    match value {
        AttributeValue::Map(map) => {
            let kept: Item = map
                .iter()
                .filter_map(|(name, inner)| {
                    Some((name.clone(), within(&Step::Name(name.clone()), inner)?))
                })
                .collect();
            (!kept.is_empty()).then_some(AttributeValue::Map(kept))
        }
        AttributeValue::List(list) => {
            let kept: Vec<AttributeValue> = list
                .iter()
                .enumerate()
                .filter_map(|(index, inner)| within(&Step::Index(index), inner))
                .collect();
            (!kept.is_empty()).then_some(AttributeValue::List(kept))
        }
        _ => None,
    }
}
