//! Document paths: which part of an item is meant.

use std::fmt;

use crate::dynamodb::value::{AttributeValue, Item};

/// `a.b[1]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The attribute.
    pub name: String,
    /// What is meant inside of it.
    pub inside: Vec<Step>,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a map.
    Name(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    /// What is there.
    #[must_use]
    pub fn get<'i>(&self, item: &'i Item) -> Option<&'i AttributeValue> {
        self.inside.iter().try_fold(item.get(&self.name)?, |value, step| match (step, value) {
            (Step::Name(name), AttributeValue::Map(map)) => map.get(name),
            (Step::Index(index), AttributeValue::List(list)) => list.get(*index),
            _ => None,
        })
    }

    /// Whether one leads into the other, or both to the same place.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let shared = self.inside.iter().zip(&other.inside);
        self.name == other.name && shared.into_iter().all(|(left, right)| left == right)
    }

    /// The attribute's name, where the path leads no further.
    #[must_use]
    pub fn top_level(&self) -> Option<&str> {
        self.inside.is_empty().then_some(self.name.as_str())
    }
}

impl fmt::Display for Path {
    /// As errors show it: `[a, b, [1]]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}", self.name)?;
        for step in &self.inside {
            match step {
                Step::Name(name) => write!(formatter, ", {name}")?,
                Step::Index(index) => write!(formatter, ", [{index}]")?,
            }
        }
        formatter.write_str("]")
    }
}
