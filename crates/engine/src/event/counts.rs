//! Numbers of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, OnlyIf};

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Steps that passed or failed as expected; in a dry run, steps that were planned.
    pub passed: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that were skipped.
    pub skipped: usize,
    /// Calls made or written down.
    pub calls: usize,
    /// Resources created or, in a dry run, to be created.
    pub created: usize,
    /// Resources removed or, in a dry run, to be removed.
    pub removed: usize,
    /// Resources that clean-up found gone already.
    #[serde(default)]
    pub gone: usize,
    /// What the calls of a dry run are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// How many calls a dry run has of which effect; those of the clean-up apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Create something.
    pub create: usize,
    /// Change something.
    pub change: usize,
    /// Remove something.
    pub delete: usize,
    /// Only look.
    pub read: usize,
    /// Make something happen.
    pub act: usize,
    /// Are made only if something happens first.
    #[serde(default)]
    pub conditional: usize,
    /// Belong to the clean-up.
    pub cleanup: usize,
}

impl Plan {
    /// Counts a call.
    pub fn add(&mut self, effect: Effect, only_if: Option<OnlyIf>, cleaning: bool) {
        let count = match effect {
            _ if cleaning => &mut self.cleanup,
            _ if only_if.is_some() => &mut self.conditional,
            Effect::Create => &mut self.create,
            Effect::Change => &mut self.change,
            Effect::Delete => &mut self.delete,
            Effect::Read => &mut self.read,
            Effect::Act => &mut self.act,
        };
        *count += 1;
    }
}
