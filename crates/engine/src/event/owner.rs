//! Whose an event is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResourceRef;

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Owner {
    /// The run's own.
    Run,
    /// A step's, in one of its rounds where it loops.
    Step(StepRef),
    /// That of undoing an entry of the journal.
    Undo(ResourceRef),
}

impl Owner {
    /// The step, if it is one's.
    #[must_use]
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::Step(step) => Some(step),
            Self::Run | Self::Undo(_) => None,
        }
    }

    /// What is undone, if that is whose it is.
    #[must_use]
    pub fn undone(&self) -> Option<&ResourceRef> {
        match self {
            Self::Undo(resource) => Some(resource),
            Self::Run | Self::Step(_) => None,
        }
    }
}

/// Where a step stands, for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRef {
    /// The ids from the top down to it, such as `deploy/role`; a step without an id goes by its place in the list, counted
    /// from 1.
    pub path: String,
    /// The rounds of the loops that it stands in, the outermost first, counted from 1; nothing where a dry run does not
    /// know how many there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Option<u32>>,
    /// Unique within the run, as plans and reports number it: such as `3`, `5.2` (in a block), `5[1].1` (second round of a
    /// loop).
    pub number: String,
    /// How deep it is nested; 0 at the top.
    pub depth: usize,
    /// `id`.
    pub id: Option<String>,
    /// `name`, rendered; the id or kind where there is none.
    pub title: String,
    /// The kind.
    pub kind: String,
}
