//! Why something was not removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why something was not removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// Something that was created from it is still there.
    StillNeeded,
    /// The clean-up was interrupted before it came to it.
    Interrupted,
    /// The run was stopped before its clean-up was over.
    Stopped,
    /// Nobody wanted it removed.
    ToBeLeft,
    /// Another run, not finished yet, has changed the same, and what was there before either is not known.
    ChangedByAnotherRun {
        /// That run.
        run: String,
    },
    /// A look has shown whose it is, or that it has changed since.
    Found {
        /// In the words of the resource.
        text: String,
    },
    /// Removing it failed.
    Failed {
        /// The error's code.
        code: String,
        /// What happened.
        message: String,
    },
}
